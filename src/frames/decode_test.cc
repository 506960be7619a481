#include "frames/decode.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "base/files.h"
#include "base/json.h"
#include "frames/encode.h"
#include "frames/resize.h"
#include "frames/testing.h"

namespace pawsight::frames {
namespace {

using namespace std::string_view_literals;
using testing::Sha256;
using testing::SharedPath;

TEST(Decode, PhotosDecodeAndResizeToPillowsBytes) {
  const std::string path = SharedPath("data/preprocess/pillow_bicubic384_vectors.json");
  if (!FileExists(path)) GTEST_SKIP() << "SHARED DATA MISSING: no " << path;
  const Json vectors = Json::Parse(ReadTextFile(path, 16U << 20U).value()).value();
  int num_checked = 0;
  for (const Json& one : *vectors.GetArray("cases").value()) {
    const Json* file = one.Find("input")->Find("file");
    if (file == nullptr) continue;  // formulas: resize_test.cc
    const std::string photo = SharedPath("data/" + file->as_string());
    if (!FileExists(photo)) continue;  // not every photo of the vectors may be passed on
    const std::vector<uint8_t> bytes = ReadFile(photo, 8U << 20U).value();
    const Result<Decoded> decoded = Decode(bytes);
    ASSERT_TRUE(decoded.ok()) << file->as_string() << decoded.status().ToString();
    EXPECT_EQ(Sha256(decoded->image.rgb), one.GetString("input_rgb_sha256").value()) << file->as_string();
    const Image resized = ResizeBicubic(decoded->image, 384, 384);
    EXPECT_EQ(Sha256(resized.rgb), one.GetString("resized_rgb_sha256").value()) << file->as_string();
    ++num_checked;
  }
  EXPECT_GE(num_checked, 3);
}

std::span<const uint8_t> AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

TEST(Decode, NoBytesAreCalledEmpty) {  // A1
  const Result<Decoded> decoded = Decode({});
  EXPECT_EQ(decoded.status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(decoded.status().reason(), "image_empty");
}

TEST(Decode, AFewBytesOrOnlyAMagicAreCalledTruncated) {  // A2
  for (const auto text :
       {"\xff"sv, "\xff\xd8"sv, "\xff\xd8\xff"sv, "abc"sv, "\x89PNG"sv, "\x89PNG\r\n\x1a"sv, "\x89PNG\r\n\x1a\n"sv}) {
    EXPECT_EQ(Decode(AsBytes(text)).status().reason(), "image_truncated") << text.size();
  }
}

TEST(Decode, OtherTypesAreRefusedByNameWhateverTheFileIsCalled) {  // A25, A26, A27, A28
  const std::pair<std::string_view, std::string_view> files[] = {
      {"GIF89a\1\0\1\0"sv, "gif"},
      {"RIFF\x10\0\0\0WEBPVP8 "sv, "webp"},
      {"\0\0\0\x1c"
       "ftypheic\0\0\0\0"sv,
       "heic"},
      {"\0\0\0\x1c"
       "ftypavif\0\0\0\0"sv,
       "avif"},
      {"%PDF-1.7"sv, "pdf"},
      {"<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\"/>"sv, "svg"},
      {"  <!DOCTYPE html><p>hello"sv, "html"},
      {"BM\x36\0\0\0\0\0"sv, "bmp"},
      {"II*\0\x08\0\0\0"sv, "tiff"},
      {"MM\0*\0\0\0\x08"sv, "tiff"},
      {"\0\0\1\0\1\0"sv, "ico"},
      {"PK\3\4\x14\0"sv, "zip"},
      {"\xff\x0a\xfa\x1f"sv, "jxl"},
      {"just some text, no image"sv, ""},
      {"\0\0\0\0\0\0\0\0"sv, ""},
  };
  for (const auto& [bytes, type] : files) {
    EXPECT_EQ(SniffType(AsBytes(bytes)), type);
    const Status status = Decode(AsBytes(bytes)).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(status.reason(), "image_type_unsupported") << type;
    EXPECT_NE(status.message().find(type), std::string::npos) << status.message();
    EXPECT_NE(status.message().find("send JPEG or PNG"), std::string::npos) << "the remedy";
  }
}

TEST(Decode, DecodingStraightToASizeGivesTheBytesOfDecodingAndThenResizing) {
  using Colors = testing::JpegRecipe::Colors;
  const Image image = testing::Synthetic("hash", 131, 83);  // no multiple of 16
  for (const std::vector<uint8_t>& bytes :
       {testing::MakeJpeg(image), testing::MakeJpeg(image, {.progressive = true}),
        testing::MakeJpeg(image, {.colors = Colors::kYcck}), testing::MakeJpeg(image, {.colors = Colors::kGrey}),
        testing::MakeJpeg(image, {.exif = testing::Exif(6)}), testing::MakePng(image)}) {
    const Image whole = Decode(bytes)->image;
    for (const auto& [width, height] : {std::pair{48, 48}, std::pair{131, 20}, std::pair{40, 83}, std::pair{131, 83},
                                        std::pair{300, 200}, std::pair{1, 1}}) {
      const Result<Decoded> resized = DecodeResized(bytes, {}, width, height);
      ASSERT_TRUE(resized.ok()) << resized.status().ToString();
      EXPECT_EQ(resized->image.width, width);
      EXPECT_EQ(resized->image.rgb, ResizeBicubic(whole, width, height).rgb) << width << "x" << height;
    }
    EXPECT_EQ(DecodeResized(std::span(bytes).first(bytes.size() / 2), {}, 48, 48).status().reason(), "image_truncated");
  }
}

double MeanDifference(const Image& a, const Image& b) {
  double sum = 0;
  for (size_t i = 0; i < a.rgb.size(); ++i) sum += std::abs(a.rgb[i] - b.rgb[i]);
  return sum / static_cast<double>(a.rgb.size());
}

TEST(Decode, AFastDecodeIsCloseToTheExactOneAndOnlyGivenWhenAskedFor) {
  Image image(960, 540);  // soft shapes, and a grid of hard edges
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const double shape = std::sin(x * 0.013) * std::cos(y * 0.021) + 0.5 * std::sin((x + y) * 0.11);
      const int grid = x % 61 < 3 || y % 47 < 3 ? 40 : 0;
      for (int c = 0; c < 3; ++c) image.pixel(x, y)[c] = static_cast<uint8_t>(110 + 50 * shape + 15 * c + grid);
    }
  }
  for (const int orientation : {1, 6}) {
    const std::vector<uint8_t> jpeg = testing::MakeJpeg(image, {.exif = testing::Exif(orientation)});
    const Image exact = DecodeResized(jpeg, {}, 192, 192, Fidelity::kExact)->image;
    EXPECT_EQ(DecodeResized(jpeg, {}, 192, 192)->image.rgb, exact.rgb);
    const Result<Decoded> fast = DecodeResized(jpeg, {}, 192, 192, Fidelity::kFast);
    ASSERT_TRUE(fast.ok());
    ASSERT_EQ(fast->image.rgb.size(), exact.rgb.size());
    EXPECT_EQ(fast->source_width, 960);
    EXPECT_NE(fast->image.rgb, exact.rgb);
    EXPECT_LT(MeanDifference(fast->image, exact), 0.6);  // levels; it is 0.52
  }
  const std::vector<uint8_t> png = testing::MakePng(image);
  EXPECT_EQ(DecodeResized(png, {}, 192, 192, Fidelity::kFast)->image.rgb, DecodeResized(png, {}, 192, 192)->image.rgb);
}

TEST(Decode, AFileAboveTheByteLimitIsRefusedUnread) {
  const std::vector<uint8_t> jpeg = EncodeJpeg(Image(64, 64), 85).value();
  EXPECT_EQ(Decode(jpeg, {.max_bytes = jpeg.size() - 1}).status().reason(), "image_too_large");
  EXPECT_TRUE(Decode(jpeg, {.max_bytes = jpeg.size()}).ok());
}

TEST(Decode, AMessageNamesTheSizeAndTheLimit) {
  const std::vector<uint8_t> jpeg = EncodeJpeg(Image(64, 48), 85).value();
  EXPECT_EQ(Decode(jpeg, {.max_pixels = 3000}).status().message(),
            "image: 64x48 pixels, at most 3000 in all are taken; send a smaller image");
}

// The fuzzer's seeds: one small file for each kind of image. PAWSIGHT_WRITE_CORPUS=1 writes them anew. The sums are
// Pillow 9.4's: the first half of SHA-256 over ImageOps.exif_transpose(Image.open(file)).convert("RGB").tobytes().
TEST(FuzzCorpus, TheSeedsAreTheseFilesAndDecodeToPillowsBytes) {
  using Colors = testing::JpegRecipe::Colors;
  const Image image = testing::Synthetic("golden", 24, 17);
  struct Seed {
    std::string name;
    std::string_view pillow_sha256;
    std::vector<uint8_t> bytes;
  };
  const Seed seeds[] = {
      {"baseline.jpg", "4a29a72a92af4364", testing::MakeJpeg(image, {.quality = 50})},
      {"progressive.jpg", "4a29a72a92af4364", testing::MakeJpeg(image, {.quality = 50, .progressive = true})},
      {"scan_a_component.jpg", "4a29a72a92af4364", testing::MakeJpeg(image, {.quality = 50, .separate_scans = true})},
      {"grey.jpg", "f72385a5cfb15638", testing::MakeJpeg(image, {.colors = Colors::kGrey, .quality = 50})},
      {"ycck.jpg", "e31c8a8c1bec75b7", testing::MakeJpeg(image, {.colors = Colors::kYcck, .quality = 50})},
      {"orientation_6.jpg", "c934d2aa02756ff8", testing::MakeJpeg(image, {.quality = 50, .exif = testing::Exif(6)})},
      {"rgb.png", "9e916b4daafe4329", testing::MakePng(image)},
      {"grey_1_bit_interlaced.png", "fd2ca26171878445",
       testing::MakePng({.width = 16,
                         .height = 16,
                         .depth = 1,
                         .color_type = 0,
                         .interlaced = true,
                         .rows = std::vector<uint8_t>(32, 0x5A)})},
      {"palette.png", "2545758c0e52ea23",
       testing::MakePng({.width = 16,
                         .height = 16,
                         .depth = 4,
                         .color_type = 3,
                         .rows = std::vector<uint8_t>(128, 0x10),
                         .palette = {1, 2, 3, 200, 100, 50},
                         .transparency = {0, 128}})},
      {"rgba_16_bit.png", "93f7b65e3fb24ed2",
       testing::MakePng(
           {.width = 16, .height = 16, .depth = 16, .color_type = 6, .rows = std::vector<uint8_t>(2048, 0x77)})},
  };
  const std::string folder = PAWSIGHT_SOURCE_DIR "/tests/corpus/image/";
  for (const auto& [name, pillow_sha256, bytes] : seeds) {
    if (std::getenv("PAWSIGHT_WRITE_CORPUS") != nullptr) {
      ASSERT_TRUE(WriteFileAtomically(folder + name, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}).ok());
    }
    const Result<std::vector<uint8_t>> stored = ReadFile(folder + name, 64U << 10U);
    ASSERT_TRUE(stored.ok()) << stored.status().ToString();
    const Result<Decoded> decoded = Decode(*stored);
    ASSERT_TRUE(decoded.ok()) << name << decoded.status().ToString();
    EXPECT_EQ(Sha256(decoded->image.rgb).substr(0, 16), pillow_sha256) << name;
    EXPECT_EQ(decoded->image.rgb, Decode(bytes)->image.rgb) << name;
  }
}

}  // namespace
}  // namespace pawsight::frames
