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

/// What the frames of one camera have taught: where the quick way (frames/jpeg_means.h) refuses one, it will refuse the
/// next, at the scan's end and not before. Thread-compatible; one a camera.
class QuickWay {
 public:
  /// One frame of so many is tried all the same: a camera may be set up anew.
  static constexpr int kTryEvery = 64;

  /// Of the next frame: whether the quick way is tried.
  bool Tries() {
    if (left_ == 0) return true;
    --left_;
    return false;
  }
  /// It was tried and refused a frame that is whole.
  void OnRefused() { left_ = kTryEvery - 1; }

 private:
  int left_ = 0;  // frames that go without a try
};

/// The light of a JPEG or PNG, as stored: not turned upright. A JPEG comes at the smallest of 1/8, 1/4, 1/2, 1 that is
/// still at least want_width x want_height (>= 1, CHECK), a PNG full size. Errors as Decode's. Cost: of a baseline JPEG
/// at 1/8 2.7 to 4.8 ns a byte (frames/jpeg_means.h), of other kinds what DecodeScaled costs, or less. One in which
/// something is odd, be it only that no end marker follows its scan, is read twice: up to 28 % above DecodeScaled,
/// which `quick` saves for all but one in QuickWay::kTryEvery frames of a camera whose frames are like that. Null:
/// nothing is remembered.
Result<Light> DecodeLight(std::span<const uint8_t> bytes, const DecodeLimits& limits, int want_width, int want_height,
                          QuickWay* quick = nullptr);

}  // namespace pawsight::frames
