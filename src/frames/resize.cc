#include "frames/resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace pawsight::frames {
namespace {

// Coefficients are fixed-point with this many bits behind the point: 32, less 8 for the pixel, less 2 for sign and
// overshoot.
constexpr int kPrecisionBits = 32 - 8 - 2;
constexpr double kSupport = 2.0;  // the bicubic kernel's half width, pixels

// Rows go through the horizontal pass sideways, so that the neighbours of one colour in a column lie side by side;
// pixels are widened before they are summed, because each is in about four sums. Both passes are then the same
// contiguous loop.
constexpr size_t kRows = RowResizer::kRows;

// Output pixels that go together through the horizontal pass: as many as fill a Lanes of each row. What they read stays
// in the innermost cache.
constexpr size_t kGroup = Lanes::kCount / 3;

using Bytes16 = uint8_t __attribute__((vector_size(16)));
using Words4 = uint32_t __attribute__((vector_size(16)));
using Words8 = uint32_t __attribute__((vector_size(32)));
// At any address. (A memcpy of 32 bytes is two halves to g++, and reading them back as a whole is slow.)
struct __attribute__((packed, may_alias)) Words8Anywhere {
  Words8 words;
};

#define PAWSIGHT_INLINE inline __attribute__((always_inline))  // a clone's loops are only wide where they are inlined

// On x86 the passes are built twice and chosen once, by the loader; but not under the thread sanitizer, which is not
// yet there when the loader chooses.
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

/// to[lane] = clip(sum over t of weights[t] * from[t * stride].at[lane]). To is int32_t or uint8_t.
template <typename To>
PAWSIGHT_INLINE void Weigh(const Lanes* from, size_t stride, const int32_t* weights, int count, To* to) {
  int32_t sums[Lanes::kCount];  // stay in registers
  for (int32_t& sum : sums) sum = 1 << (kPrecisionBits - 1);
  for (int t = 0; t < count; ++t, from += stride) {
    const int32_t weight = weights[t];
    for (size_t i = 0; i < Lanes::kCount; ++i) sums[i] += weight * from->at[i];
  }
  for (size_t i = 0; i < Lanes::kCount; ++i) {
    to[i] = static_cast<To>(std::clamp(sums[i] >> kPrecisionBits, 0, 255));
  }
}

/// An 8x8 square turned on its diagonal.
PAWSIGHT_INLINE void TurnSquare(Words8* v) {
  Words8 u[8];
  for (int i = 0; i < 8; i += 2) {
    u[i] = __builtin_shufflevector(v[i], v[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    u[i + 1] = __builtin_shufflevector(v[i], v[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
  for (int i = 0; i < 4; ++i) {
    const int from = i % 2 + i / 2 * 4;
    v[from] = __builtin_shufflevector(u[from], u[from + 2], 0, 1, 8, 9, 4, 5, 12, 13);
    v[from + 2] = __builtin_shufflevector(u[from], u[from + 2], 2, 3, 10, 11, 6, 7, 14, 15);
  }
  // Now v[0..3] hold the lines 0, 2, 1, 3 (and 4, 6, 5, 7 in their upper halves) of rows 0..3, v[4..7] those of
  // rows 4..7.
  for (int i = 0; i < 4; ++i) {
    const int line = i % 2 * 2 + i / 2;
    u[line] = __builtin_shufflevector(v[i], v[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    u[line + 4] = __builtin_shufflevector(v[i], v[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
  for (int i = 0; i < 8; ++i) v[i] = u[i];
}

PAWSIGHT_INLINE void Store(const Words8& words, int32_t* to) { reinterpret_cast<Words8Anywhere*>(to)->words = words; }

/// Eight pixels, each in the lower 24 bits of a word.
template <int kPixelBytes>
PAWSIGHT_INLINE void LoadPixels(const uint8_t* from, Words8& pixels) {
  if constexpr (kPixelBytes == 4) {
    pixels = reinterpret_cast<const Words8Anywhere*>(from)->words;
  } else {
    Bytes16 a;
    Bytes16 b;
    std::memcpy(&a, from, sizeof a);
    std::memcpy(&b, from + 8, sizeof b);
    a = __builtin_shufflevector(a, a, 0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1);
    b = __builtin_shufflevector(b, b, 4, 5, 6, -1, 7, 8, 9, -1, 10, 11, 12, -1, 13, 14, 15, -1);
    pixels = __builtin_shufflevector(reinterpret_cast<Words4>(a), reinterpret_cast<Words4>(b), 0, 1, 2, 3, 4, 5, 6, 7);
  }
}

/// rows[r][x * kPixelBytes + c] -> wide[x - first].at[c * kRows + r], x in [first, end).
template <int kPixelBytes>
PAWSIGHT_INLINE void Widen(const uint8_t* const* rows, size_t first, size_t end, Lanes* wide) {
  size_t x = first;
  for (; x + 8 <= end; x += 8, wide += 8) {
    for (size_t r = 0; r < kRows; r += 8) {
      Words8 v[8];
      for (size_t i = 0; i < 8; ++i) LoadPixels<kPixelBytes>(rows[r + i] + x * kPixelBytes, v[i]);
      TurnSquare(v);
      for (size_t i = 0; i < 8; ++i) {
        int32_t* to = wide[i].at + r;
        Store(v[i] & 255, to);
        Store((v[i] >> 8) & 255, to + kRows);
        Store((v[i] >> 16) & 255, to + 2 * kRows);
      }
    }
  }
  for (; x < end; ++x, ++wide) {
    for (size_t r = 0; r < kRows; ++r) {
      for (size_t c = 0; c < 3; ++c) wide->at[c * kRows + r] = rows[r][x * kPixelBytes + c];
    }
  }
}

constexpr size_t WholeEights(size_t count) { return (count + 7) / 8 * 8; }

/// The horizontal pass of kRows rows for the output pixels [out, out_end), at most kGroup: -> lanes 3 * (x - out) + c
/// of to[r * to_stride].
PAWSIGHT_WIDE_CLONES
void Narrow(const uint8_t* const* rows, size_t in_width, int pixel_bytes, const Taps& taps, size_t out, size_t out_end,
            Lanes* wide, Lanes* to, size_t to_stride) {
  const auto first = static_cast<size_t>(taps.windows[out].first);
  const Taps::Window last = taps.windows[out_end - 1];
  // Whole eights while the row lasts: the pixels of a ragged end are slow.
  const size_t end = std::min(first + WholeEights(static_cast<size_t>(last.first + last.count) - first), in_width);
  if (pixel_bytes == 4) {
    Widen<4>(rows, first, end, wide);
  } else {
    Widen<3>(rows, first, end, wide);
  }
  // What the next group reads comes nearer while this one is summed.
  const auto bytes = static_cast<size_t>(pixel_bytes);
  for (size_t r = 0; r < kRows; ++r) {
    for (size_t at = end * bytes; at < (2 * end - first) * bytes; at += 64) __builtin_prefetch(rows[r] + at);
  }
  alignas(64) int32_t sideways[Lanes::kCount * kRows];
  for (size_t x = out; x < out_end; ++x) {
    const Taps::Window window = taps.windows[x];
    Weigh(wide + (static_cast<size_t>(window.first) - first), 1, taps.Weights(x), window.count,
          sideways + (x - out) * Lanes::kCount);
  }
  // The vertical pass sums whole Lanes, also where the row ends within.
  std::fill(sideways + (out_end - out) * Lanes::kCount, std::end(sideways), 0);
  for (size_t line = 0; line < (out_end - out) * 3; line += 8) {
    for (size_t r = 0; r < kRows; r += 8) {
      Words8 square[8];
      for (size_t i = 0; i < 8; ++i) {
        square[i] = reinterpret_cast<const Words8Anywhere*>(sideways + (line + i) * kRows + r)->words;
      }
      TurnSquare(square);
      for (size_t i = 0; i < 8; ++i) Store(square[i], to[(r + i) * to_stride].at + line);
    }
  }
}

/// The vertical pass for one output row of `length` bytes; `from` is the first row it sees.
PAWSIGHT_WIDE_CLONES
void Lower(const Lanes* from, size_t stride, const int32_t* weights, int count, uint8_t* to, size_t length) {
  size_t at = 0;
  for (; at + Lanes::kCount <= length; at += Lanes::kCount) Weigh(from++, stride, weights, count, to + at);
  if (at == length) return;
  uint8_t rest[Lanes::kCount];
  Weigh(from, stride, weights, count, rest);
  std::memcpy(to + at, rest, length - at);
}

}  // namespace

// Operation for operation Pillow's precompute_coeffs and normalize_coeffs_8bpc: another order of rounding is another
// image.
Taps::Taps(int in_size, int out_size) {
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

RowResizer::RowResizer(int in_width, int in_height, int out_width, int out_height, int pixel_bytes)
    : in_width_(in_width),
      in_height_(in_height),
      pixel_bytes_(pixel_bytes),
      across_(in_width, out_width),
      down_(in_height, out_height),
      row_stride_((static_cast<size_t>(out_width) + kGroup - 1) / kGroup),
      max_held_(std::min(in_height, static_cast<int>(down_.stride) + kRows) + kRows),
      held_(static_cast<size_t>(max_held_) * row_stride_),
      result_(out_width, out_height) {
  CHECK(pixel_bytes == 3 || pixel_bytes == 4);
  int widest = 0;
  for (size_t out = 0; out < across_.windows.size(); out += kGroup) {
    const Taps::Window last = across_.windows[std::min(out + kGroup, across_.windows.size()) - 1];
    widest = std::max(widest, last.first + last.count - across_.windows[out].first);
  }
  wide_.resize(WholeEights(static_cast<size_t>(widest)));
}

void RowResizer::Add(const uint8_t* const* rows, int num_rows) {
  CHECK(num_rows == std::min(kRows, in_height_ - num_rows_) && num_rows > 0);
  if (num_rows_ - first_held_ + kRows > max_held_) DropRows();
  const uint8_t* all[kRows];
  for (int r = 0; r < kRows; ++r) all[r] = rows[std::min(r, num_rows - 1)];
  Lanes* to = HeldRow(num_rows_);
  const size_t out_width = across_.windows.size();
  for (size_t out = 0; out < out_width; out += kGroup) {
    Narrow(all, static_cast<size_t>(in_width_), pixel_bytes_, across_, out, std::min(out + kGroup, out_width),
           wide_.data(), to++, row_stride_);
  }
  num_rows_ += num_rows;
  for (; next_out_ < result_.height; ++next_out_) {
    const auto out = static_cast<size_t>(next_out_);
    const Taps::Window window = down_.windows[out];
    if (window.first + window.count > num_rows_) break;
    Lower(HeldRow(window.first), row_stride_, down_.Weights(out), window.count, result_.pixel(0, next_out_),
          3 * out_width);
  }
}

void RowResizer::DropRows() {
  const int keep = std::min(down_.windows[static_cast<size_t>(next_out_)].first, num_rows_);
  std::copy(HeldRow(keep), HeldRow(num_rows_), held_.data());
  first_held_ = keep;
}

Image RowResizer::Finish() && {
  CHECK(num_rows_ == in_height_);
  return std::move(result_);
}

Image ResizeBicubic(const Image& image, int width, int height) {
  CHECK(width >= 1 && height >= 1 && image.width >= 1 && image.height >= 1);
  CHECK(image.rgb.size() == 3 * static_cast<size_t>(image.width) * static_cast<size_t>(image.height));
  if (width == image.width && height == image.height) return image;
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
