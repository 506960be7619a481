// kernels/blocked/layer_norm.h: layer norm over the vector operations V of one instruction set. Mean and variance are
// taken in double, as the specification has them; the columns that fill no vector are taken one by one.
#pragma once

#include "kernels/kernels.h"

namespace pawsight::kernels {
namespace {

/// The sum over a row of `term` of each value in double; `term` takes a vector of doubles or one double.
template <typename V, typename Term>
double SumOfTerms(const float* x, int cols, const Term& term) {
  auto low = V::Widened(0.0);
  auto high = V::Widened(0.0);
  int j = 0;
  for (; j + V::kLanes <= cols; j += V::kLanes) {
    const auto value = V::Load(x + j);
    low = V::Add(low, term(V::Low(value)));
    high = V::Add(high, term(V::High(value)));
  }
  double sum = V::SumOfLanes(V::Add(low, high));
  for (; j < cols; ++j) sum += term(static_cast<double>(x[j]));
  return sum;
}

template <typename V>
struct Identity {
  double operator()(double x) const { return x; }
  typename V::Doubles operator()(typename V::Doubles x) const { return x; }
};

template <typename V>
struct SquaredDistance {
  double operator()(double x) const { return (x - mean) * (x - mean); }
  typename V::Doubles operator()(typename V::Doubles x) const {
    const auto distance = V::Sub(x, V::Widened(mean));
    return V::Mul(distance, distance);
  }
  double mean;
};

template <typename V>
void LayerNorm(const float* x, int ldx, const float* gain, const float* bias, float eps, float* y, int ldy, int rows,
               int cols) {
  for (int row = 0; row < rows; ++row, x += ldx, y += ldy) {
    const double mean = SumOfTerms<V>(x, cols, Identity<V>{}) / cols;
    const double variance = SumOfTerms<V>(x, cols, SquaredDistance<V>{mean}) / cols;
    const double scale = 1.0 / V::SquareRoot(variance + static_cast<double>(eps));
    const auto means = V::Widened(mean);
    const auto scales = V::Widened(scale);
    int j = 0;
    for (; j + V::kLanes <= cols; j += V::kLanes) {
      const auto value = V::Load(x + j);
      const auto normal =
          V::Narrowed(V::Mul(V::Sub(V::Low(value), means), scales), V::Mul(V::Sub(V::High(value), means), scales));
      V::Store(y + j, V::MulAdd(normal, V::Load(gain + j), V::Load(bias + j)));
    }
    for (; j < cols; ++j) y[j] = static_cast<float>((static_cast<double>(x[j]) - mean) * scale) * gain[j] + bias[j];
  }
}

}  // namespace
}  // namespace pawsight::kernels
