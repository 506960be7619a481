// kernels/blocked/narrow_rows.h: rows to a left operand of few bits, over the vector operations V of one instruction
// set. Bytes, scales and zeros are those of the specification, bit for bit: every rounding is the same one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/blocked/bf16.h"
#include "kernels/blocked/layer_norm.h"
#include "kernels/kernels.h"

namespace pawsight::kernels {
namespace {

constexpr int kMaxCols = 8192;

/// A row's values as float vectors, from either kind of number.
template <typename V>
typename V::Vector LoadValues(const float* x) {
  return V::Load(x);
}
template <typename V>
typename V::Vector LoadValues(const Bf16* x) {
  return V::LoadBf16(x);
}
template <typename V>
typename V::Vector LoadFirstValues(const float* x, int count) {
  return V::LoadFirst(x, count);
}
template <typename V>
typename V::Vector LoadFirstValues(const Bf16* x, int count) {
  return LoadFirstBf16<V>(x, count);
}

/// cols values to bfloat16, 0 up to the chunk's end.
template <typename V>
void RoundRow(const float* x, int cols, Bf16* out) {
  const auto padded = static_cast<int>(ChunkedBytes(Precision::kBf16, cols) / sizeof(Bf16));
  int j = 0;
  for (; j + V::kLanes <= cols; j += V::kLanes) V::StoreBf16(out + j, V::Load(x + j));
  if (j < cols) {
    V::StoreBf16(out + j, V::LoadFirst(x + j, cols - j));
    j += V::kLanes;
  }
  for (; j < padded; j += V::kLanes) V::StoreBf16(out + j, V::Zero());
}

/// What the bytes of a row stand for, and what makes them: byte = round(x * inverse) + zero.
struct Grid {
  float scale;
  float inverse;
  int32_t zero;
};

/// The grid of a row whose smallest value is low, at most 0, and whose largest is high, at least 0.
inline Grid GridOf(float low, float high, bool numbers) {
  constexpr float kLeastRange = 1e-30F;
  const float range = high - low;
  if (!numbers || !(range < __builtin_inff())) return {.scale = __builtin_nanf(""), .inverse = 0.0F, .zero = 0};
  if (range < kLeastRange) return {.scale = 1.0F, .inverse = 0.0F, .zero = 0};
  const float inverse = 255.0F / range;
  return {
      .scale = range / 255.0F, .inverse = inverse, .zero = static_cast<int32_t>(__builtin_nearbyintf(-low * inverse))};
}

/// Minima and maxima take two vectors at a time: they wait for each other otherwise.
template <typename V, typename Value>
Grid MeasureRow(const Value* x, int cols) {
  typename V::Vector low[2] = {V::Zero(), V::Zero()};
  typename V::Vector high[2] = {V::Zero(), V::Zero()};
  typename V::Vector nothing[2] = {V::Zero(), V::Zero()};  // 0 times every value: not a number where one is not finite
  const auto take = [&](int which, typename V::Vector value) {
    low[which] = V::Min(low[which], value);
    high[which] = V::Max(high[which], value);
    nothing[which] = V::MulAdd(value, V::Zero(), nothing[which]);
  };
  int j = 0;
  for (; j + 2 * V::kLanes <= cols; j += 2 * V::kLanes) {
    take(0, LoadValues<V>(x + j));
    take(1, LoadValues<V>(x + j + V::kLanes));
  }
  for (; j < cols; j += V::kLanes) take(0, LoadFirstValues<V>(x + j, cols - j));
  const bool numbers = V::SumOfLanes(V::Add(nothing[0], nothing[1])) == 0.0F;
  return GridOf(V::SmallestLane(V::Min(low[0], low[1])), V::LargestLane(V::Max(high[0], high[1])), numbers);
}

/// cols values to bytes; at most a vector's worth beyond them is written, still within the chunk.
template <typename V, typename Value>
void QuantizeRow(const Value* x, int cols, uint8_t* out, float* scale, int32_t* zero) {
  const Grid grid = MeasureRow<V>(x, cols);
  *scale = grid.scale;
  *zero = grid.zero;
  const auto inverse = V::Set(grid.inverse);
  int j = 0;
  for (; j + V::kLanes <= cols; j += V::kLanes) {
    V::StoreBytes(out + j, V::Mul(LoadValues<V>(x + j), inverse), grid.zero);
  }
  if (j < cols) V::StoreBytes(out + j, V::Mul(LoadFirstValues<V>(x + j, cols - j), inverse), grid.zero);
}

template <typename V>
void NarrowRow(const float* x, int cols, const NarrowRows& y, int row) {
  auto* out = static_cast<uint8_t*>(y.data) + static_cast<size_t>(row) * y.stride;
  if (y.precision == Precision::kBf16) {
    RoundRow<V>(x, cols, reinterpret_cast<Bf16*>(out));
  } else {
    QuantizeRow<V>(x, cols, out, y.scales + row, y.zeros + row);
  }
}

template <typename V>
void Narrow(const float* x, int ldx, const NarrowRows& y, int rows, int cols) {
  for (int row = 0; row < rows; ++row, x += ldx) NarrowRow<V>(x, cols, y, row);
}

template <typename V>
void Quantize(const Bf16* x, int ldx, const NarrowRows& y, int rows, int cols) {
  for (int row = 0; row < rows; ++row, x += ldx) {
    auto* out = static_cast<uint8_t*>(y.data) + static_cast<size_t>(row) * y.stride;
    QuantizeRow<V>(x, cols, out, y.scales + row, y.zeros + row);
  }
}

/// Mean and variance of a row in float. The sum of the distances from the first mean, which is off by its own rounding,
/// corrects both.
template <typename V>
struct Moments {
  Moments(const float* x, int cols) {
    const float share = 1.0F / static_cast<float>(cols);
    const auto shares = V::Set(share);
    typename V::Vector sums[2] = {V::Zero(), V::Zero()};
    int j = 0;
    for (; j + 2 * V::kLanes <= cols; j += 2 * V::kLanes) {
      sums[0] = V::MulAdd(V::Load(x + j), shares, sums[0]);
      sums[1] = V::MulAdd(V::Load(x + j + V::kLanes), shares, sums[1]);
    }
    for (; j < cols; j += V::kLanes) sums[0] = V::MulAdd(V::LoadFirst(x + j, cols - j), shares, sums[0]);
    mean = V::SumOfLanes(V::Add(sums[0], sums[1]));
    const auto center = V::Set(mean);
    auto distances = V::Zero();
    auto squares = V::Zero();
    const auto take = [&](typename V::Vector value) {
      const auto distance = V::Sub(value, center);
      distances = V::Add(distances, distance);
      squares = V::MulAdd(distance, distance, squares);
    };
    for (j = 0; j + V::kLanes <= cols; j += V::kLanes) take(V::Load(x + j));
    if (j < cols) take(V::FirstOr(cols - j, V::LoadFirst(x + j, cols - j), center));
    offset = V::SumOfLanes(distances) * share;
    variance = V::SumOfLanes(squares) * share - offset * offset;
  }

  float mean;    // roughly
  float offset;  // of the true mean from it
  float variance;
};

/// Normalises one row into `out`. Where squares overflow or vanish in float, the float layer norm's doubles do it.
template <typename V>
void NormaliseRow(const float* x, const float* gain, const float* bias, float eps, float* out, int cols) {
  constexpr float kLeast = 1e-25F;
  constexpr float kMost = 1e25F;
  const Moments<V> moments(x, cols);
  if (!(moments.variance > kLeast && moments.variance < kMost)) {
    return LayerNorm<V>(x, cols, gain, bias, eps, out, cols, 1, cols);
  }
  const auto mean = V::Set(moments.mean);
  const auto scale =
      static_cast<float>(1.0 / V::SquareRoot(static_cast<double>(moments.variance) + static_cast<double>(eps)));
  const auto scales = V::Set(scale);
  const auto shift = V::Set(-moments.offset * scale);
  int j = 0;
  for (; j + V::kLanes <= cols; j += V::kLanes) {
    const auto normal = V::MulAdd(V::Sub(V::Load(x + j), mean), scales, shift);
    V::Store(out + j, V::MulAdd(normal, V::Load(gain + j), V::Load(bias + j)));
  }
  if (j < cols) {
    const int left = cols - j;
    const auto normal = V::MulAdd(V::Sub(V::LoadFirst(x + j, left), mean), scales, shift);
    V::StoreFirst(out + j, left, V::MulAdd(normal, V::LoadFirst(gain + j, left), V::LoadFirst(bias + j, left)));
  }
}

template <typename V>
void NarrowLayerNorm(const float* x, int ldx, const float* gain, const float* bias, float eps, const NarrowRows& y,
                     int rows, int cols) {
  alignas(64) float normal[kMaxCols];
  for (int row = 0; row < rows; ++row, x += ldx) {
    NormaliseRow<V>(x, gain, bias, eps, normal, cols);
    NarrowRow<V>(normal, cols, y, row);
  }
}

}  // namespace
}  // namespace pawsight::kernels
