#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "base/rng.h"
#include "frames/codecs.h"
#include "frames/decode.h"
#include "frames/testing.h"

namespace pawsight::frames {
namespace {

using testing::Exif;
using testing::Inserted;
using testing::MakeJpeg;
using testing::MakePng;
using testing::PngChunk;
using testing::Synthetic;
using Bytes = std::vector<uint8_t>;

/// The TIFF block alone.
Bytes Tiff(int orientation, bool big_endian = false) {
  Bytes exif = Exif(orientation, big_endian);
  exif.erase(exif.begin(), exif.begin() + 6);
  return exif;
}

/// What the standard's table says: where the pixel at column x, row y of the upright image is stored. w, h: as stored.
std::pair<int, int> StoredAt(int orientation, int x, int y, int w, int h) {
  switch (orientation) {
    case 1:
      return {x, y};  // row 0 is the top, column 0 the left
    case 2:
      return {w - 1 - x, y};  // top, right
    case 3:
      return {w - 1 - x, h - 1 - y};  // bottom, right
    case 4:
      return {x, h - 1 - y};  // bottom, left
    case 5:
      return {y, x};  // left, top
    case 6:
      return {y, h - 1 - x};  // right, top
    case 7:
      return {w - 1 - y, h - 1 - x};  // right, bottom
    default:
      return {w - 1 - y, x};  // left, bottom
  }
}

TEST(Orientation, AllEightComeOutUprightFromJpegAndPngInBothByteOrders) {  // A15
  const Image image = Synthetic("golden", 150, 70);
  const Bytes png = MakePng(image);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (const bool big_endian : {false, true}) {
      const Result<Decoded> jpeg = Decode(MakeJpeg(image, {.exif = Exif(orientation, big_endian)}));
      const Result<Decoded> turned = Decode(Inserted(png, 33, PngChunk("eXIf", Tiff(orientation, big_endian))));
      ASSERT_TRUE(jpeg.ok() && turned.ok());
      EXPECT_EQ(jpeg->orientation, orientation);
      EXPECT_EQ(turned->orientation, orientation);
      EXPECT_EQ(jpeg->source_width, 150);
      const Image stored_jpeg = Decode(MakeJpeg(image))->image;
      ASSERT_EQ(turned->image.width, orientation >= 5 ? 70 : 150);
      ASSERT_EQ(jpeg->image.width, turned->image.width);
      for (int y = 0; y < turned->image.height; ++y) {
        for (int x = 0; x < turned->image.width; ++x) {
          const auto [sx, sy] = StoredAt(orientation, x, y, 150, 70);
          ASSERT_TRUE(std::equal(turned->image.pixel(x, y), turned->image.pixel(x, y) + 3, image.pixel(sx, sy)));
          ASSERT_TRUE(std::equal(jpeg->image.pixel(x, y), jpeg->image.pixel(x, y) + 3, stored_jpeg.pixel(sx, sy)));
        }
      }
    }
  }
}

TEST(Orientation, AScaledDecodeAsksForItsSizeUpright) {
  const Bytes jpeg = MakeJpeg(Synthetic("grad", 640, 320), {.exif = Exif(6)});
  const Result<Decoded> decoded = DecodeScaled(jpeg, {}, 80, 160);
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->image.width, 80);
  EXPECT_EQ(decoded->image.height, 160);
}

TEST(Orientation, NonsenseIsIgnored) {  // A16
  const Image image = Synthetic("golden", 40, 30);
  const Bytes plain = Decode(MakeJpeg(image))->image.rgb;
  for (const int orientation : {0, 9, 65535}) {
    const Result<Decoded> decoded = Decode(MakeJpeg(image, {.exif = Exif(orientation)}));
    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(decoded->orientation, 1);
    EXPECT_EQ(decoded->image.rgb, plain);
  }
  const auto with = [](size_t at, std::initializer_list<uint8_t> bytes) {
    Bytes tiff = Tiff(6);
    std::copy(bytes.begin(), bytes.end(), tiff.begin() + static_cast<std::ptrdiff_t>(at));
    return ReadOrientation(tiff);
  };
  EXPECT_EQ(with(0, {'I', 'I'}), 6) << "the control";
  EXPECT_EQ(with(0, {'X', 'X'}), 1) << "no byte order";
  EXPECT_EQ(with(2, {43}), 1) << "not TIFF";
  EXPECT_EQ(with(4, {0xFF, 0xFF, 0xFF, 0xFF}), 1) << "the directory is past the end";
  EXPECT_EQ(with(4, {0x00, 0x00, 0x00, 0x00}), 1) << "the directory is the header";
  EXPECT_EQ(with(8, {0xFF, 0xFF}), 6) << "more entries than there is room for";
  EXPECT_EQ(with(24, {4}), 1) << "not a short";
  EXPECT_EQ(with(26, {2}), 1) << "two of them";
  EXPECT_EQ(with(34, {8, 0, 0, 0}), 6) << "a directory that follows itself";
}

TEST(Orientation, ABlockCutAnywhereIsReadWithinItsBytes) {
  const Bytes tiff = Tiff(8, true);
  for (size_t size = 0; size <= tiff.size(); ++size) {
    const Bytes cut(tiff.begin(),
                    tiff.begin() + static_cast<std::ptrdiff_t>(size));  // its own allocation: ASan sees the end
    EXPECT_EQ(ReadOrientation(cut), size >= 34 ? 8 : 1) << size;
  }
  Rng rng(13);
  for (int i = 0; i < 2000; ++i) {
    Bytes wild = tiff;
    for (int n = 0; n < 5; ++n) {
      wild[static_cast<size_t>(rng.Below(static_cast<int>(wild.size())))] = static_cast<uint8_t>(rng.Below(256));
    }
    const int orientation = ReadOrientation(wild);
    EXPECT_TRUE(orientation >= 1 && orientation <= 8);
  }
}

TEST(Orientation, APngBlockWithABadChecksumIsIgnored) {
  Bytes chunk = PngChunk("eXIf", Tiff(6));
  chunk.back() ^= 1;
  const Result<Decoded> decoded = Decode(Inserted(MakePng(Synthetic("golden", 40, 30)), 33, chunk));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->orientation, 1);
}

}  // namespace
}  // namespace pawsight::frames
