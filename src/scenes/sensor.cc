#include "scenes/sensor.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace pawsight::scenes {
namespace {

uint8_t ToByte(float v) { return static_cast<uint8_t>(std::clamp(v + 0.5F, 0.0F, 255.0F)); }

/// Three values out of [-1.7, 1.7] with deviation near 0.7 each, from one draw: the sum of four nibble-sized parts is
/// bell-shaped enough for a sensor and far cheaper than Box and Muller.
struct Grain {
  float r, g, b;
};

Grain NextGrain(Rng& rng) {
  const uint64_t bits = rng.Next();
  const auto bell = [&](int shift) {
    int sum = 0;
    for (int i = 0; i < 4; ++i) sum += static_cast<int>((bits >> (shift + 5 * i)) & 31U);
    return static_cast<float>(sum - 62) * (1.0F / 18.5F);  // deviation 1
  };
  return {bell(0), bell(20), bell(40)};
}

void Blur(frames::Image& image, double amount) {
  const auto side = static_cast<float>(amount) * 0.25F, middle = 1 - 2 * side;
  const size_t stride = 3 * static_cast<size_t>(image.width);
  std::vector<float> row(stride);
  for (int y = 0; y < image.height; ++y) {
    uint8_t* p = image.pixel(0, y);
    for (size_t i = 3; i + 3 < stride; ++i)
      row[i] = side * static_cast<float>(p[i - 3] + p[i + 3]) + middle * static_cast<float>(p[i]);
    for (size_t i = 3; i + 3 < stride; ++i) p[i] = ToByte(row[i]);
  }
}

struct Light {
  float gain[3];
  float contrast, vignette, noise;
  bool grey;
};

Light LightOf(const Scene& scene) {
  const View& view = scene.view;
  Light light{};
  light.grey = scene.night;
  const auto bright = static_cast<float>(view.brightness), warm = static_cast<float>(view.warmth);
  light.gain[0] = bright * (1 + warm);
  light.gain[1] = bright;
  light.gain[2] = bright * (1 - warm);
  light.contrast = static_cast<float>(view.contrast) * (scene.night ? 0.92F : 1.0F);
  light.vignette = scene.night ? 0.45F : 0.12F;  // the infrared lamp lights the middle
  light.noise = static_cast<float>(view.noise) * (scene.night ? 1.5F : 1.0F);
  return light;
}

// The transform: an orthonormal 8-point cosine matrix applied to rows and columns.
using Block = std::array<float, 64>;

const std::array<float, 64>& CosineMatrix() {
  static const std::array<float, 64> matrix = [] {
    std::array<float, 64> m{};
    for (int k = 0; k < 8; ++k) {
      for (int n = 0; n < 8; ++n) {
        m[static_cast<size_t>(k * 8 + n)] =
            static_cast<float>((k == 0 ? std::sqrt(0.125) : 0.5) * std::cos(M_PI * (2 * n + 1) * k / 16));
      }
    }
    return m;
  }();
  return matrix;
}

/// out = M * in (kForward) or M^T * in; then transposed, so that two calls do rows and columns.
template <bool kForward>
void Pass(const float* m, const float* in, float* out) {
  for (size_t i = 0; i < 8; ++i) {
    float sums[8] = {};
    for (size_t k = 0; k < 8; ++k) {
      const float w = kForward ? m[i * 8 + k] : m[k * 8 + i];
      for (size_t j = 0; j < 8; ++j) sums[j] += w * in[k * 8 + j];
    }
    for (size_t j = 0; j < 8; ++j) out[j * 8 + i] = sums[j];
  }
}

constexpr int kLuma[64] = {16, 11, 10, 16, 24,  40,  51,  61,  12, 12, 14, 19, 26,  58,  60,  55,
                           14, 13, 16, 24, 40,  57,  69,  56,  14, 17, 22, 29, 51,  87,  80,  62,
                           18, 22, 37, 56, 68,  109, 103, 77,  24, 35, 55, 64, 81,  104, 113, 92,
                           49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99};
constexpr int kChroma[64] = {17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99,
                             99, 99, 47, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
                             99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99};

Block Steps(const int (&table)[64], int quality) {
  const int scale = quality < 50 ? 5000 / std::max(quality, 1) : 200 - 2 * std::min(quality, 100);
  Block steps{};
  for (size_t i = 0; i < 64; ++i) steps[i] = static_cast<float>(std::clamp((table[i] * scale + 50) / 100, 1, 255));
  return steps;
}

struct Plane {
  int width, height;
  std::vector<float> at;

  Plane(int w, int h)
      : width((w + 7) & ~7), height((h + 7) & ~7), at(static_cast<size_t>(width) * static_cast<size_t>(height)) {}
  float& operator()(int x, int y) {
    return at[static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)];
  }
};

void Quantise(Plane& plane, const Block& steps) {
  const float* m = CosineMatrix().data();
  Block inverse{};
  for (size_t i = 0; i < 64; ++i) inverse[i] = 1 / steps[i];
  Block a, b;
  for (int y = 0; y < plane.height; y += 8) {
    for (int x = 0; x < plane.width; x += 8) {
      for (int j = 0; j < 8; ++j) std::copy_n(&plane(x, y + j), 8, a.data() + 8 * j);
      Pass<true>(m, a.data(), b.data());
      Pass<true>(m, b.data(), a.data());
      for (size_t i = 0; i < 64; ++i) {
        const float level = a[i] * inverse[i];
        a[i] = static_cast<float>(static_cast<int>(level + (level < 0 ? -0.5F : 0.5F))) * steps[i];
      }
      Pass<false>(m, a.data(), b.data());
      Pass<false>(m, b.data(), a.data());
      for (int j = 0; j < 8; ++j) std::copy_n(a.data() + 8 * j, 8, &plane(x, y + j));
    }
  }
}

}  // namespace

void JpegLoss(frames::Image& image, int quality) {
  const int w = image.width, h = image.height;
  Plane luma(w, h), cb((w + 1) / 2, (h + 1) / 2), cr((w + 1) / 2, (h + 1) / 2);
  for (int y = 0; y < luma.height; ++y) {
    for (int x = 0; x < luma.width; ++x) {
      const uint8_t* p = image.pixel(std::min(x, w - 1), std::min(y, h - 1));
      const auto r = static_cast<float>(p[0]), g = static_cast<float>(p[1]), b = static_cast<float>(p[2]);
      luma(x, y) = 0.299F * r + 0.587F * g + 0.114F * b - 128;
      if (x / 2 >= cb.width || y / 2 >= cb.height) continue;
      cb(x / 2, y / 2) += 0.25F * (-0.168736F * r - 0.331264F * g + 0.5F * b);
      cr(x / 2, y / 2) += 0.25F * (0.5F * r - 0.418688F * g - 0.081312F * b);
    }
  }
  const Block luma_steps = Steps(kLuma, quality), chroma_steps = Steps(kChroma, quality);
  Quantise(luma, luma_steps);
  Quantise(cb, chroma_steps);
  Quantise(cr, chroma_steps);
  for (int y = 0; y < h; ++y) {
    for (int x = 0; x < w; ++x) {
      const float l = luma(x, y) + 128, u = cb(x / 2, y / 2), v = cr(x / 2, y / 2);
      uint8_t* p = image.pixel(x, y);
      p[0] = ToByte(l + 1.402F * v);
      p[1] = ToByte(l - 0.344136F * u - 0.714136F * v);
      p[2] = ToByte(l + 1.772F * u);
    }
  }
}

void Expose(frames::Image& image, const Scene& scene) {
  const Light light = LightOf(scene);
  if (scene.view.blur > 0) Blur(image, scene.view.blur);
  Rng rng(scene.noise_seed);
  const float cx = static_cast<float>(image.width) * 0.5F, cy = static_cast<float>(image.height) * 0.5F;
  for (int y = 0; y < image.height; ++y) {
    const float dy = (static_cast<float>(y) - cy) / cy;
    for (int x = 0; x < image.width; ++x) {
      uint8_t* p = image.pixel(x, y);
      const float dx = (static_cast<float>(x) - cx) / cx;
      const float shade = 1 - light.vignette * 0.5F * (dx * dx + dy * dy);
      const Grain grain = NextGrain(rng);
      if (light.grey) {
        const float luma =
            0.35F * static_cast<float>(p[0]) + 0.5F * static_cast<float>(p[1]) + 0.15F * static_cast<float>(p[2]);
        const float v = ((luma - 128) * light.contrast + 124) * shade * light.gain[1] + light.noise * grain.g;
        p[0] = p[1] = p[2] = ToByte(v);
        continue;
      }
      const float noise[3] = {grain.r, grain.g, grain.b};
      for (int c = 0; c < 3; ++c) {
        const float v = (static_cast<float>(p[c]) - 128) * light.contrast + 128;
        p[c] = ToByte(v * shade * light.gain[c] + light.noise * noise[c]);
      }
    }
  }
  JpegLoss(image, scene.view.jpeg_quality);
}

}  // namespace pawsight::scenes
