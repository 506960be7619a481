// frames/image.h: a decoded image in memory. Values; thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pawsight::frames {

/// 8-bit RGB, interleaved, row-major, no padding: rgb.size() == 3 * width * height.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<uint8_t> rgb;

  Image() = default;
  /// Black.
  Image(int w, int h) : width(w), height(h), rgb(static_cast<size_t>(w) * static_cast<size_t>(h) * 3) {}
  uint8_t* pixel(int x, int y) {
    return rgb.data() + 3 * (static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x));
  }
  const uint8_t* pixel(int x, int y) const {
    return rgb.data() + 3 * (static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x));
  }
};

}  // namespace pawsight::frames
