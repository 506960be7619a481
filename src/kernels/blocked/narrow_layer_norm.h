// kernels/blocked/narrow_layer_norm.h: layer norm whose result is a left operand of few bits, over the vector
// operations V of one instruction set. Its sums are in float: what they lose is far below the bits that the result
// keeps.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/blocked/layer_norm.h"
#include "kernels/blocked/narrow_rows.h"
#include "kernels/blocked/tile.h"
#include "kernels/kernels.h"

namespace pawsight::kernels {
namespace {

constexpr int kMaxCols = 8192;

/// Sums over a row are taken in so many lots, side by side, for one addition would wait for the other.
constexpr int kLots = 4;

/// The sum of the lots' lanes.
template <typename V>
float SumOfLots(const typename V::Vector (&lots)[kLots]) {
  return V::SumOfLanes(V::Add(V::Add(lots[0], lots[1]), V::Add(lots[2], lots[3])));
}

/// Gives `take` each vector of a row and the lot it falls in, the last one filled up with `filler`.
template <typename V, typename Take>
void ForEachVector(const float* x, int cols, typename V::Vector filler, const Take& take) {
  int j = 0;
  for (; j + kLots * V::kLanes <= cols; j += kLots * V::kLanes) {
    PAWSIGHT_UNROLL
    for (int lot = 0; lot < kLots; ++lot) take(V::Load(x + j + lot * V::kLanes), lot);
  }
  for (; j + V::kLanes <= cols; j += V::kLanes) take(V::Load(x + j), 0);
  if (j < cols) take(V::FirstOr(cols - j, V::LoadFirst(x + j, cols - j), filler), 0);
}

/// Mean and variance of a row in float. The sum of the distances from the first mean, which is off by its own rounding,
/// corrects both.
template <typename V>
struct Moments {
  Moments(const float* x, int cols) {
    const float share = 1.0F / static_cast<float>(cols);
    const auto shares = V::Set(share);
    typename V::Vector sums[kLots] = {V::Zero(), V::Zero(), V::Zero(), V::Zero()};
    ForEachVector<V>(x, cols, V::Zero(),
                     [&](typename V::Vector value, int lot) { sums[lot] = V::MulAdd(value, shares, sums[lot]); });
    mean = SumOfLots<V>(sums);
    const auto center = V::Set(mean);
    typename V::Vector distances[kLots] = {V::Zero(), V::Zero(), V::Zero(), V::Zero()};
    typename V::Vector squares[kLots] = {V::Zero(), V::Zero(), V::Zero(), V::Zero()};
    ForEachVector<V>(x, cols, center, [&](typename V::Vector value, int lot) {
      const auto distance = V::Sub(value, center);
      distances[lot] = V::Add(distances[lot], distance);
      squares[lot] = V::MulAdd(distance, distance, squares[lot]);
    });
    offset = SumOfLots<V>(distances) * share;
    variance = SumOfLots<V>(squares) * share - offset * offset;
  }

  float mean;    // roughly
  float offset;  // of the true mean from it
  float variance;
};

/// Gives `take` each vector of a normalised row, where it begins, and zeros after the row's end.
template <typename V, typename Take>
void NormaliseRow(const float* x, const Moments<V>& moments, const float* gain, const float* bias, float eps, int cols,
                  const Take& take) {
  const double variance = static_cast<double>(moments.variance) + static_cast<double>(eps);
  const auto scale = static_cast<float>(1.0 / V::SquareRoot(variance));
  const auto mean = V::Set(moments.mean);
  const auto scales = V::Set(scale);
  const auto shift = V::Set(-moments.offset * scale);
  int j = 0;
  for (; j + V::kLanes <= cols; j += V::kLanes) {
    const auto normal = V::MulAdd(V::Sub(V::Load(x + j), mean), scales, shift);
    take(j, V::MulAdd(normal, V::Load(gain + j), V::Load(bias + j)));
  }
  if (j < cols) {
    const int left = cols - j;
    const auto normal = V::MulAdd(V::Sub(V::LoadFirst(x + j, left), mean), scales, shift);
    take(j, V::MulAdd(normal, V::LoadFirst(gain + j, left), V::LoadFirst(bias + j, left)));
  }
}

/// Where squares overflow or vanish in float, the float layer norm's doubles do the row.
template <typename V>
void NarrowLayerNorm(const float* x, int ldx, const float* gain, const float* bias, float eps, const NarrowRows& y,
                     int rows, int cols) {
  constexpr float kLeast = 1e-25F;
  constexpr float kMost = 1e25F;
  alignas(64) float normal[kMaxCols];
  for (int row = 0; row < rows; ++row, x += ldx) {
    const Moments<V> moments(x, cols);
    if (!(moments.variance > kLeast && moments.variance < kMost)) {
      LayerNorm<V>(x, cols, gain, bias, eps, normal, cols, 1, cols);
      NarrowRow<V>(normal, cols, y, row);
    } else if (y.precision == Precision::kBf16) {
      Bf16* out = Bf16Row(y, row);
      NormaliseRow<V>(x, moments, gain, bias, eps, cols,
                      [out](int j, typename V::Vector value) { V::StoreBf16(out + j, value); });
      PadRow<V>(cols, out);
    } else {
      Extremes<V> extremes;
      NormaliseRow<V>(x, moments, gain, bias, eps, cols, [&](int j, typename V::Vector value) {
        extremes.Take(0, value);
        V::Store(normal + j, value);
      });
      QuantizeRow<V>(normal, cols, extremes.ToGrid(), y, row);
    }
  }
}

}  // namespace
}  // namespace pawsight::kernels
