// kernels/blocked/narrow_rows.h: rows to a left operand of few bits, over the vector operations V of one instruction
// set. Bytes, scales and zeros are those of the specification, bit for bit: every rounding is the same one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/blocked/bf16.h"
#include "kernels/kernels.h"

namespace pawsight::kernels {
namespace {

/// The first column after the last whole or partial vector of a row.
template <typename V>
int EndOfVectors(int cols) {
  return (cols + V::kLanes - 1) / V::kLanes * V::kLanes;
}

/// Zeros from the end of a bfloat16 row's vectors to the end of its chunk.
template <typename V>
void PadRow(int cols, Bf16* out) {
  const auto padded = static_cast<int>(ChunkedBytes(Precision::kBf16, cols) / sizeof(Bf16));
  for (int j = EndOfVectors<V>(cols); j < padded; j += V::kLanes) V::StoreBf16(out + j, V::Zero());
}

template <typename V>
void RoundRow(const float* x, int cols, Bf16* out) {
  int j = 0;
  for (; j + V::kLanes <= cols; j += V::kLanes) V::StoreBf16(out + j, V::Load(x + j));
  if (j < cols) V::StoreBf16(out + j, V::LoadFirst(x + j, cols - j));
  PadRow<V>(cols, out);
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

/// The smallest and largest of 0 and the values taken, and whether all are finite, in two lots: operations of one would
/// wait for each other.
template <typename V>
struct Extremes {
  void Take(int lot, typename V::Vector value) {
    low[lot] = V::Min(low[lot], value);
    high[lot] = V::Max(high[lot], value);
    nothing[lot] = V::MulAdd(value, V::Zero(), nothing[lot]);
  }
  bool Finite() const { return V::SumOfLanes(V::Add(nothing[0], nothing[1])) == 0.0F; }
  Grid ToGrid() const {
    return GridOf(V::SmallestLane(V::Min(low[0], low[1])), V::LargestLane(V::Max(high[0], high[1])), Finite());
  }

  typename V::Vector low[2] = {V::Zero(), V::Zero()};
  typename V::Vector high[2] = {V::Zero(), V::Zero()};
  typename V::Vector nothing[2] = {V::Zero(), V::Zero()};  // 0 times each value: not a number where one is not finite
};

template <typename V>
Grid Measure(const float* x, int cols) {
  Extremes<V> extremes;
  int j = 0;
  for (; j + 2 * V::kLanes <= cols; j += 2 * V::kLanes) {
    extremes.Take(0, V::Load(x + j));
    extremes.Take(1, V::Load(x + j + V::kLanes));
  }
  for (; j < cols; j += V::kLanes) extremes.Take(0, V::LoadFirst(x + j, cols - j));
  return extremes.ToGrid();
}

/// Of a float the bfloat16 in its upper half, as a float.
inline float UpperHalf(float x) { return __builtin_bit_cast(float, __builtin_bit_cast(uint32_t, x) & 0xFFFF0000U); }

/// The second of each pair is measured as it lies, the first's bits below its own: they change no order of values, are
/// cut off at the end, and what is not finite remains so.
template <typename V>
Grid Measure(const Bf16* x, int cols) {
  Extremes<V> extremes;
  const auto take = [&extremes](const Bf16* pairs) {
    extremes.Take(0, V::LoadFirstOfPairs(pairs));
    extremes.Take(1, V::LoadBits(pairs));
  };
  int j = 0;
  for (; j + 2 * V::kLanes <= cols; j += 2 * V::kLanes) take(x + j);
  if (j < cols) take(Bf16End<2 * V::kLanes>(x + j, cols - j).values);
  return GridOf(UpperHalf(V::SmallestLane(V::Min(extremes.low[0], extremes.low[1]))),
                UpperHalf(V::LargestLane(V::Max(extremes.high[0], extremes.high[1]))), extremes.Finite());
}

template <typename V>
typename V::Vector LoadFirstValues(const float* x, int count) {
  return count >= V::kLanes ? V::Load(x) : V::LoadFirst(x, count);
}
template <typename V>
typename V::Vector LoadFirstValues(const Bf16* x, int count) {
  return LoadFirstBf16<V>(x, count);
}

/// cols values, float or bfloat16, to bytes; at most a vector's worth of bytes is written, still within the chunk.
template <typename V, typename Value>
void QuantizeRow(const Value* x, int cols, const Grid& grid, const NarrowRows& y, int row) {
  auto* out = static_cast<uint8_t*>(y.data) + static_cast<size_t>(row) * y.stride;
  y.scales[row] = grid.scale;
  y.zeros[row] = grid.zero;
  if (grid.inverse == 0.0F) {
    for (int j = 0; j < cols; ++j) out[j] = 0;
    return;
  }
  const auto inverse = V::Set(grid.inverse);
  int j = 0;
  for (; j + V::kLanes <= cols; j += V::kLanes) {
    V::StoreBytes(out + j, V::Mul(LoadFirstValues<V>(x + j, V::kLanes), inverse), grid.zero);
  }
  if (j < cols) V::StoreBytes(out + j, V::Mul(LoadFirstValues<V>(x + j, cols - j), inverse), grid.zero);
}

inline Bf16* Bf16Row(const NarrowRows& y, int row) {
  return reinterpret_cast<Bf16*>(static_cast<uint8_t*>(y.data) + static_cast<size_t>(row) * y.stride);
}

template <typename V>
void NarrowRow(const float* x, int cols, const NarrowRows& y, int row) {
  if (y.precision == Precision::kBf16) {
    RoundRow<V>(x, cols, Bf16Row(y, row));
  } else {
    QuantizeRow<V>(x, cols, Measure<V>(x, cols), y, row);
  }
}

template <typename V>
void Narrow(const float* x, int ldx, const NarrowRows& y, int rows, int cols) {
  for (int row = 0; row < rows; ++row, x += ldx) NarrowRow<V>(x, cols, y, row);
}

template <typename V>
void Quantize(const Bf16* x, int ldx, const NarrowRows& y, int rows, int cols) {
  for (int row = 0; row < rows; ++row, x += ldx) QuantizeRow<V>(x, cols, Measure<V>(x, cols), y, row);
}

}  // namespace
}  // namespace pawsight::kernels
