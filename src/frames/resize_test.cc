#include "frames/resize.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "base/files.h"
#include "base/json.h"
#include "base/rng.h"
#include "frames/testing.h"

namespace pawsight::frames {
namespace {

using testing::Sha256;
using testing::SharedPath;
using testing::Synthetic;
using testing::TensorBytes;

TEST(Resize, SyntheticImagesResizeToPillowsBytes) {
  const std::string path = SharedPath("data/preprocess/pillow_bicubic384_vectors.json");
  if (!FileExists(path)) GTEST_SKIP() << "SHARED DATA MISSING: no " << path;
  const Json vectors = Json::Parse(ReadTextFile(path, 16U << 20U).value()).value();
  int num_checked = 0;
  for (const Json& one : *vectors.GetArray("cases").value()) {
    const Json& input = *one.Find("input");
    if (input.Find("synthetic") == nullptr) continue;  // photos: decode_test.cc
    const std::string id = one.GetString("id").value();
    const Image image = Synthetic(input.GetString("synthetic").value(), static_cast<int>(input.GetInteger("w").value()),
                                  static_cast<int>(input.GetInteger("h").value()));
    ASSERT_EQ(Sha256(image.rgb), one.GetString("input_rgb_sha256").value()) << id;
    const Image resized = ResizeBicubic(image, 384, 384);
    EXPECT_EQ(Sha256(resized.rgb), one.GetString("resized_rgb_sha256").value()) << id;
    for (const Json& probe : *one.GetArray("probes_yx_rgb").value()) {
      const Json::Array& p = probe.as_array();
      for (size_t c = 0; c < 3; ++c) {
        EXPECT_EQ(resized.pixel(static_cast<int>(p[1].as_integer()), static_cast<int>(p[0].as_integer()))[c],
                  p[2].as_array()[c].as_integer())
            << id << probe.Dump();
      }
    }
    ++num_checked;
  }
  EXPECT_EQ(num_checked, 12);
}

TEST(Resize, TheGoldensImagesResizeToTheirBytes) {
  const std::string path = SharedPath("goldens/tiny-a/goldens.safetensors");
  if (!FileExists(path)) GTEST_SKIP() << "SHARED DATA MISSING: no " << path;
  const std::vector<uint8_t> goldens = ReadFile(path, 256U << 20U).value();
  for (const auto& [name, width, height, side] :
       {std::tuple{"pre.image0_resized_u8", 57, 83, 48}, std::tuple{"pre.image1_resized_u8", 200, 150, 48},
        std::tuple{"pre384.up_57x83_u8", 57, 83, 384}, std::tuple{"pre384.mixed_640x250_u8", 640, 250, 384}}) {
    EXPECT_EQ(ResizeBicubic(Synthetic("golden", width, height), side, side).rgb, TensorBytes(goldens, name).value())
        << name;
  }
}

TEST(Resize, AnUnchangedSizeIsACopyAndAnUnchangedSideSkipsItsPass) {
  const Image image = Synthetic("hash", 40, 30);
  EXPECT_EQ(ResizeBicubic(image, 40, 30).rgb, image.rgb);
  const Image wider = ResizeBicubic(image, 55, 30);
  const Image taller = ResizeBicubic(image, 40, 11);
  EXPECT_EQ(ResizeBicubic(wider, 55, 11).rgb, ResizeBicubic(image, 55, 11).rgb);
  EXPECT_EQ(taller.width, 40);
  EXPECT_EQ(taller.height, 11);
}

TEST(Resize, AFlatImageStaysFlatAtEverySizeWithRaggedEdgesToo) {
  Rng rng(7);
  for (int i = 0; i < 200; ++i) {
    Image image(1 + rng.Below(90), 1 + rng.Below(90));
    const auto value = static_cast<uint8_t>(rng.Below(256));
    for (uint8_t& byte : image.rgb) byte = value;
    const Image resized = ResizeBicubic(image, 1 + rng.Below(70), 1 + rng.Below(70));
    for (const uint8_t byte : resized.rgb) ASSERT_EQ(byte, value) << image.width << "x" << image.height;
  }
}

TEST(Resize, ExtremeShapesNeitherCrashNorLeaveTheRange) {
  for (const auto& [width, height] : {std::pair{65535, 1}, std::pair{1, 65535}, std::pair{1, 1}, std::pair{3, 700}}) {
    const Image resized = ResizeBicubic(Synthetic("hash", width, height), 33, 17);
    EXPECT_EQ(resized.rgb.size(), 3U * 33 * 17);
  }
}

}  // namespace
}  // namespace pawsight::frames
