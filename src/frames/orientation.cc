#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "frames/codecs.h"

namespace pawsight::frames {
namespace {

constexpr int kOrientationTag = 0x0112;
constexpr int kShortType = 3;
constexpr size_t kEntrySize = 12;

}  // namespace

int ReadOrientation(std::span<const uint8_t> tiff) {
  if (tiff.size() < 8) return 1;
  const bool big_endian = tiff[0] == 'M' && tiff[1] == 'M';
  if (!big_endian && !(tiff[0] == 'I' && tiff[1] == 'I')) return 1;
  // Both read at offsets that the caller below has checked.
  const auto u16 = [&](size_t at) { return big_endian ? tiff[at] << 8 | tiff[at + 1] : tiff[at + 1] << 8 | tiff[at]; };
  const auto u32 = [&](size_t at) {
    const auto first = static_cast<uint32_t>(u16(at));
    const auto second = static_cast<uint32_t>(u16(at + 2));
    return big_endian ? first << 16 | second : second << 16 | first;
  };
  if (u16(2) != 42) return 1;
  const size_t directory = u32(4);
  if (directory > tiff.size() - 2) return 1;
  const size_t num_entries = std::min(static_cast<size_t>(u16(directory)), (tiff.size() - directory - 2) / kEntrySize);
  for (size_t i = 0; i < num_entries; ++i) {
    const size_t entry = directory + 2 + i * kEntrySize;
    if (u16(entry) != kOrientationTag) continue;
    const int value = u16(entry + 8);
    return u16(entry + 2) == kShortType && u32(entry + 4) == 1 && value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

Image Upright(Image image, int orientation) {
  CHECK(orientation >= 1 && orientation <= 8);
  if (orientation == 1) return image;
  // Exif's eight cases are: swap x and y (5..8), then mirror.
  const bool swapped = orientation >= 5;
  const bool mirror_x = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  const bool mirror_y = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  Image upright(swapped ? image.height : image.width, swapped ? image.width : image.height);
  // In strips: swapped, each pixel of a row comes from another row of the source, and only some of those fit in the
  // cache.
  constexpr int kStrip = 64;
  for (int strip = 0; strip < upright.width; strip += kStrip) {
    const int end = std::min(strip + kStrip, upright.width);
    for (int y = 0; y < upright.height; ++y) {
      const int from_y = mirror_y ? upright.height - 1 - y : y;
      uint8_t* to = upright.pixel(strip, y);
      for (int x = strip; x < end; ++x, to += 3) {
        const int from_x = mirror_x ? upright.width - 1 - x : x;
        std::memcpy(to, swapped ? image.pixel(from_y, from_x) : image.pixel(from_x, from_y), 3);
      }
    }
  }
  return upright;
}

}  // namespace pawsight::frames
