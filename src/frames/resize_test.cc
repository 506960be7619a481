#include "frames/resize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

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

/// One dimension of Pillow's resize, written straight from its definition: line[i * stride], i in [0, in_size), a
/// colour at a time.
std::vector<uint8_t> ResizeLine(const uint8_t* line, size_t stride, int in_size, int out_size) {
  std::vector<uint8_t> result;
  const double scale = static_cast<double>(in_size) / out_size;
  const double widened = std::max(scale, 1.0);
  for (int out = 0; out < out_size; ++out) {
    const double center = (out + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(center - 2 * widened + 0.5));
    const int end = std::min(in_size, static_cast<int>(center + 2 * widened + 0.5));
    std::vector<double> weights;
    double total = 0;
    for (int i = first; i < end; ++i) {
      const double x = std::abs((i - center + 0.5) * (1.0 / widened));
      weights.push_back(x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0.0);
      total += weights.back();
    }
    int sum = 1 << 21;
    for (int i = first; i < end; ++i) {
      const double weight = weights[static_cast<size_t>(i - first)] / total * (1 << 22);
      sum += static_cast<int>(weight < 0 ? weight - 0.5 : weight + 0.5) * line[static_cast<size_t>(i) * stride];
    }
    result.push_back(static_cast<uint8_t>(std::clamp(sum >> 22, 0, 255)));
  }
  return result;
}

Image ResizePlainly(const Image& image, int width, int height) {
  Image narrow(width, image.height);
  for (int y = 0; y < image.height; ++y) {
    for (int c = 0; c < 3; ++c) {
      const std::vector<uint8_t> line = ResizeLine(image.pixel(0, y) + c, 3, image.width, width);
      for (int x = 0; x < width; ++x) narrow.pixel(x, y)[c] = line[static_cast<size_t>(x)];
    }
  }
  Image result(width, height);
  const size_t row = 3 * static_cast<size_t>(width);
  for (size_t i = 0; i < row; ++i) {
    const std::vector<uint8_t> line = ResizeLine(narrow.rgb.data() + i, row, image.height, height);
    for (size_t y = 0; y < line.size(); ++y) result.rgb[y * row + i] = line[y];
  }
  return result;
}

TEST(Resize, RaggedSizesGiveTheBytesOfThePlainTwoPasses) {
  Rng rng(3);
  for (int i = 0; i < 150; ++i) {
    Image image(1 + rng.Below(i % 3 == 0 ? 700 : 90), 1 + rng.Below(i % 5 == 0 ? 400 : 90));
    for (uint8_t& byte : image.rgb) byte = static_cast<uint8_t>(rng.Below(2) == 0 ? rng.Below(256) : 255);
    const int width = i % 7 == 0 ? image.width : 1 + rng.Below(120);
    const int height = i % 11 == 0 ? image.height : 1 + rng.Below(120);
    ASSERT_EQ(ResizeBicubic(image, width, height).rgb, ResizePlainly(image, width, height).rgb)
        << image.width << "x" << image.height << " to " << width << "x" << height;
  }
}

TEST(Resize, AByteOfNoMeaningBehindEachPixelChangesNothing) {
  const Image image = Synthetic("hash", 61, 37);
  std::vector<uint8_t> padded;
  for (size_t i = 0; i < image.rgb.size(); ++i) {
    padded.push_back(image.rgb[i]);
    if (i % 3 == 2) padded.push_back(static_cast<uint8_t>(i));
  }
  RowResizer resizer(61, 37, 24, 50, 4);
  for (int y = 0; y < 37; y += RowResizer::kRows) {
    const uint8_t* rows[RowResizer::kRows];
    const int num_rows = std::min(RowResizer::kRows, 37 - y);
    for (int r = 0; r < num_rows; ++r) rows[r] = padded.data() + static_cast<size_t>(y + r) * 4 * 61;
    resizer.Add(rows, num_rows);
  }
  EXPECT_EQ(std::move(resizer).Finish().rgb, ResizeBicubic(image, 24, 50).rgb);
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
