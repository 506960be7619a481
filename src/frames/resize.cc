#include "frames/resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace pawsight::frames {
namespace {

// Coefficients are fixed-point with this many bits behind the point: 32, less 8 for the pixel, less 2 for sign and
// overshoot.
constexpr int kPrecisionBits = 32 - 8 - 2;
constexpr double kSupport = 2.0;  // the bicubic kernel's half width, pixels

// The rows that go together through the horizontal pass are laid sideways, so that the neighbours of one colour in a
// column lie side by side and both passes are the same contiguous loop over this many lanes: few enough to sum in
// registers and enough for the widest vectors.
constexpr size_t kBlockRows = RowResizer::kRows;
constexpr size_t kLanes = 3 * kBlockRows;

using Bytes16 = uint8_t __attribute__((vector_size(16)));

// On x86 the inner loop is built twice and chosen once, by the loader; but not under the thread sanitizer, which is not yet
// there when the loader chooses.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define PAWSIGHT_WIDE_CLONES
#endif
#elif defined(__SANITIZE_THREAD__)
#define PAWSIGHT_WIDE_CLONES
#endif
#if !defined(PAWSIGHT_WIDE_CLONES) && defined(__x86_64__)
#define PAWSIGHT_WIDE_CLONES __attribute__((target_clones("avx2", "default")))
#elif !defined(PAWSIGHT_WIDE_CLONES)
#define PAWSIGHT_WIDE_CLONES
#endif

double Bicubic(double x) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((kA + 2.0) * x - (kA + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * kA;
  return 0.0;
}

/// to[lane] = clip(sum over t of weights[t] * from[t * stride + lane]), lane in [0, num_lanes).
PAWSIGHT_WIDE_CLONES
void Weigh(const uint8_t* from, size_t stride, const int32_t* weights, int count, size_t num_lanes, uint8_t* to) {
  constexpr int32_t kHalf = 1 << (kPrecisionBits - 1);
  size_t lane = 0;
  for (; lane + kLanes <= num_lanes; lane += kLanes) {
    int32_t sums[kLanes];  // stay in registers
    for (int32_t& sum : sums) sum = kHalf;
    const uint8_t* tap = from + lane;
    for (int t = 0; t < count; ++t, tap += stride) {
      const int32_t weight = weights[t];
      for (size_t i = 0; i < kLanes; ++i) sums[i] += weight * tap[i];
    }
    for (size_t i = 0; i < kLanes; ++i) {
      to[lane + i] = static_cast<uint8_t>(std::clamp(sums[i] >> kPrecisionBits, 0, 255));
    }
  }
  for (; lane < num_lanes; ++lane) {
    int32_t sum = kHalf;
    for (int t = 0; t < count; ++t) sum += weights[t] * from[static_cast<size_t>(t) * stride + lane];
    to[lane] = static_cast<uint8_t>(std::clamp(sum >> kPrecisionBits, 0, 255));
  }
}

/// A 16x16 square of bytes, rows at `from_stride`, turned on its diagonal: four rounds of interleaving row i with row i
/// + 8.
void TurnSquare(const uint8_t* const* rows, size_t offset, uint8_t* to, size_t to_stride) {
  Bytes16 now[16];
  Bytes16 next[16];
  for (int i = 0; i < 16; ++i) std::memcpy(&now[i], rows[i] + offset, 16);
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 8; ++i) {
      next[2 * i] = __builtin_shufflevector(now[i], now[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      next[2 * i + 1] =
          __builtin_shufflevector(now[i], now[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
    std::memcpy(now, next, sizeof now);
  }
  for (size_t i = 0; i < 16; ++i) std::memcpy(to + i * to_stride, &now[i], 16);
}

/// rows[r][i], r in [0, 16), i in [0, length) -> sideways[i * 16 + r].
void TurnSideways(const uint8_t* const* rows, size_t length, uint8_t* sideways) {
  size_t i = 0;
  for (; i + 16 <= length; i += 16) TurnSquare(rows, i, sideways + i * kBlockRows, kBlockRows);
  for (; i < length; ++i) {
    for (size_t r = 0; r < kBlockRows; ++r) sideways[i * kBlockRows + r] = rows[r][i];
  }
}

/// The reverse, of the first num_rows rows, `stride` bytes apart.
void TurnUpright(const uint8_t* sideways, size_t length, size_t num_rows, uint8_t* rows, size_t stride) {
  uint8_t square[16 * kBlockRows];
  for (size_t i = 0; i < length; i += 16) {
    const size_t width = std::min<size_t>(16, length - i);
    const uint8_t* lines[16];
    for (size_t j = 0; j < 16; ++j) lines[j] = sideways + (i + std::min(j, width - 1)) * kBlockRows;
    TurnSquare(lines, 0, square, 16);
    for (size_t r = 0; r < num_rows; ++r) std::memcpy(rows + r * stride + i, square + r * 16, width);
  }
}

}  // namespace

// Operation for operation Pillow's precompute_coeffs and normalize_coeffs_8bpc: another order of rounding is another
// image.
RowResizer::Taps::Taps(int in_size, int out_size) {
  CHECK(in_size >= 1 && out_size >= 1);
  const double scale = static_cast<double>(in_size) / out_size;
  const double filter_scale = std::max(scale, 1.0);
  const double support = kSupport * filter_scale;
  const double inverse = 1.0 / filter_scale;
  stride = static_cast<size_t>(std::ceil(support)) * 2 + 1;
  windows.resize(static_cast<size_t>(out_size));
  weights.resize(static_cast<size_t>(out_size) * stride);
  std::vector<double> exact(stride);
  for (int out = 0; out < out_size; ++out) {
    const double center = (out + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(center - support + 0.5));
    const int count = std::min(in_size, static_cast<int>(center + support + 0.5)) - first;
    double sum = 0.0;
    for (int i = 0; i < count; ++i) {
      exact[static_cast<size_t>(i)] = Bicubic((i + first - center + 0.5) * inverse);
      sum += exact[static_cast<size_t>(i)];
    }
    int32_t* rounded = weights.data() + static_cast<size_t>(out) * stride;
    for (int i = 0; i < count; ++i) {
      const double share = sum != 0.0 ? exact[static_cast<size_t>(i)] / sum : exact[static_cast<size_t>(i)];
      const double weight = share * (1 << kPrecisionBits);
      rounded[i] = static_cast<int32_t>(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    windows[static_cast<size_t>(out)] = {first, count};
  }
}

RowResizer::RowResizer(int in_width, int in_height, int out_width, int out_height)
    : in_width_(in_width),
      out_height_(out_height),
      taps_(in_width, out_width),
      in_(static_cast<size_t>(in_width) * kLanes),
      out_(static_cast<size_t>(out_width) * kLanes),
      narrow_(out_width, in_height) {
  CHECK(in_height >= 1 && out_height >= 1);
}

void RowResizer::Add(const uint8_t* const* rows, int num_rows) {
  CHECK(num_rows == std::min(kRows, narrow_.height - num_rows_) && num_rows > 0);
  uint8_t* to = narrow_.pixel(0, num_rows_);
  num_rows_ += num_rows;
  const size_t out_length = static_cast<size_t>(narrow_.width) * 3;
  if (narrow_.width == in_width_) {
    for (int r = 0; r < num_rows; ++r) std::memcpy(to + static_cast<size_t>(r) * out_length, rows[r], out_length);
    return;
  }
  const uint8_t* all[kRows];
  for (int r = 0; r < kRows; ++r) all[r] = rows[std::min(r, num_rows - 1)];
  TurnSideways(all, static_cast<size_t>(in_width_) * 3, in_.data());
  for (int x = 0; x < narrow_.width; ++x) {
    const Taps::Window window = taps_.windows[static_cast<size_t>(x)];
    Weigh(in_.data() + static_cast<size_t>(window.first) * kLanes, kLanes, taps_.Weights(x), window.count, kLanes,
          out_.data() + static_cast<size_t>(x) * kLanes);
  }
  TurnUpright(out_.data(), out_length, static_cast<size_t>(num_rows), to, out_length);
}

Image RowResizer::ResizeHeight(const Image& image, int height) {
  const Taps taps(image.height, height);
  const size_t length = static_cast<size_t>(image.width) * 3;
  Image result(image.width, height);
  for (int y = 0; y < height; ++y) {
    const Taps::Window window = taps.windows[static_cast<size_t>(y)];
    Weigh(image.pixel(0, window.first), length, taps.Weights(y), window.count, length, result.pixel(0, y));
  }
  return result;
}

Image RowResizer::Finish() && {
  CHECK(num_rows_ == narrow_.height);
  return out_height_ == narrow_.height ? std::move(narrow_) : ResizeHeight(narrow_, out_height_);
}

Image ResizeBicubic(const Image& image, int width, int height) {
  CHECK(width >= 1 && height >= 1 && image.width >= 1 && image.height >= 1);
  CHECK(image.rgb.size() == 3 * static_cast<size_t>(image.width) * static_cast<size_t>(image.height));
  if (width == image.width) return height == image.height ? image : RowResizer::ResizeHeight(image, height);
  RowResizer resizer(image.width, image.height, width, height);
  for (int y = 0; y < image.height; y += RowResizer::kRows) {
    const uint8_t* rows[RowResizer::kRows];
    const int num_rows = std::min(RowResizer::kRows, image.height - y);
    for (int r = 0; r < num_rows; ++r) rows[r] = image.pixel(0, y + r);
    resizer.Add(rows, num_rows);
  }
  return std::move(resizer).Finish();
}

}  // namespace pawsight::frames
