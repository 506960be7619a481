// frames/light.h: the light of a frame alone, for looks that need no colour (frames/motion.h). Not here: colour
// (frames/decode.h). Thread-safe: functions without state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "frames/decode.h"
#include "frames/image.h"

namespace pawsight::frames {

/// 8-bit luma (Rec. 601), row-major, no padding: levels.size() == width * height. A value.
struct Light {
  int width = 0;
  int height = 0;
  std::vector<uint8_t> levels;

  Light() = default;
  /// Black.
  Light(int w, int h) : width(w), height(h), levels(static_cast<size_t>(w) * static_cast<size_t>(h)) {}
  uint8_t* row(int y) { return levels.data() + static_cast<size_t>(y) * static_cast<size_t>(width); }
  const uint8_t* row(int y) const { return levels.data() + static_cast<size_t>(y) * static_cast<size_t>(width); }
};

/// Each pixel's, rounded.
Light LightOf(const Image& image);

/// The light of a JPEG or PNG, as stored: not turned upright. A JPEG comes at the smallest of 1/8, 1/4, 1/2, 1 that is
/// still at least want_width x want_height (>= 1, CHECK), a PNG full size. Errors as Decode's. Cost: of a baseline JPEG
/// at 1/8 3 to 5 ns a byte (frames/jpeg_means.h), of others what DecodeScaled costs, or less.
Result<Light> DecodeLight(std::span<const uint8_t> bytes, const DecodeLimits& limits, int want_width, int want_height);

}  // namespace pawsight::frames
