#include "frames/normalize.h"

#include "base/check.h"

namespace pawsight::frames {

void Normalize(const Image& image, const Normalization& normalization, std::span<float> chw) {
  CHECK(chw.size() == image.rgb.size());
  const size_t num_pixels = chw.size() / 3;
  for (size_t c = 0; c < 3; ++c) {
    CHECK(normalization.std[c] > 0);
    std::array<float, 256> table;  // only 256 answers exist
    for (size_t value = 0; value < table.size(); ++value) {
      const auto scaled = static_cast<float>(static_cast<double>(value) * normalization.rescale_factor);
      table[value] = (scaled - normalization.mean[c]) / normalization.std[c];
    }
    const uint8_t* from = image.rgb.data() + c;
    float* to = chw.data() + c * num_pixels;
    for (size_t i = 0; i < num_pixels; ++i) to[i] = table[from[3 * i]];
  }
}

}  // namespace pawsight::frames
