#include "frames/normalize.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/files.h"
#include "base/json.h"
#include "frames/resize.h"
#include "frames/testing.h"

namespace pawsight::frames {
namespace {

using testing::SharedPath;
using testing::Synthetic;
using testing::TensorBytes;

TEST(Normalize, PixelsBecomeTheGoldensPixelValues) {
  for (const auto& [folder, side] : {std::pair{"tiny-a", 48}, std::pair{"tiny-b", 80}}) {
    const std::string path = SharedPath("goldens/" + std::string(folder) + "/goldens.safetensors");
    if (!FileExists(path)) GTEST_SKIP() << "SHARED DATA MISSING: no " << path;
    const std::vector<uint8_t> bytes = TensorBytes(ReadFile(path, 256U << 20U).value(), "pre.pixel_values").value();
    std::vector<float> want(bytes.size() / sizeof(float));
    std::memcpy(want.data(), bytes.data(), bytes.size());
    const size_t num_values = static_cast<size_t>(side) * static_cast<size_t>(side) * 3;
    ASSERT_EQ(want.size(), 2 * num_values);
    std::vector<float> got(want.size());
    Normalize(ResizeBicubic(Synthetic("golden", 57, 83), side, side), {}, std::span(got).first(num_values));
    Normalize(ResizeBicubic(Synthetic("golden", 200, 150), side, side), {}, std::span(got).last(num_values));
    for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want[i], 1e-6) << folder << " value " << i;
  }
}

TEST(Normalize, TheReferencesCentrePixelsAndMeansComeOut) {
  const std::string path = SharedPath("data/preprocess/pillow_bicubic384_vectors.json");
  if (!FileExists(path)) GTEST_SKIP() << "SHARED DATA MISSING: no " << path;
  const Json vectors = Json::Parse(ReadTextFile(path, 16U << 20U).value()).value();
  constexpr size_t kNumPixels = size_t{384} * 384;
  std::vector<float> chw(3 * kNumPixels);
  for (const Json& one : *vectors.GetArray("cases").value()) {
    const Json& input = *one.Find("input");
    if (input.Find("synthetic") == nullptr) continue;
    const Image image = Synthetic(input.GetString("synthetic").value(), static_cast<int>(input.GetInteger("w").value()),
                                  static_cast<int>(input.GetInteger("h").value()));
    Normalize(ResizeBicubic(image, 384, 384), {}, chw);
    for (size_t c = 0; c < 3; ++c) {
      EXPECT_NEAR(static_cast<double>(chw[c * kNumPixels + 191 * 384 + 191]),
                  one.Find("norm_at_191_191")->as_array()[c].as_number(), 1e-6);
      double sum = 0;
      for (size_t i = 0; i < kNumPixels; ++i) sum += static_cast<double>(chw[c * kNumPixels + i]);
      // The reference summed in float32, which costs up to 0.0016 where all values are equal.
      EXPECT_NEAR(sum / kNumPixels, one.Find("norm_mean")->as_array()[c].as_number(), 2e-3);
    }
  }
}

TEST(Normalize, BlackAndWhiteGiveFiniteNumbersInTheirPlanes) {
  Image image(2, 1);
  for (int c = 0; c < 3; ++c) image.pixel(1, 0)[c] = 255;
  std::vector<float> chw(6);
  Normalize(image, {.rescale_factor = 1.0 / 255.0, .mean = {0.5F, 0.25F, 0.0F}, .std = {0.5F, 0.25F, 1.0F}}, chw);
  EXPECT_EQ(chw, (std::vector<float>{-1, 1, -1, 3, 0, 1}));
}

}  // namespace
}  // namespace pawsight::frames
