// kernels/blocked/bf16.h: ends of bfloat16 rows, over the vector operations V of one instruction set. Neither AVX2 nor
// plain AVX-512 loads or stores a part of a vector of 16 bits, so such a part goes by way of the stack.
#pragma once

#include "kernels/kernels.h"

namespace pawsight::kernels {
namespace {

/// The first `count` of kSize values are x's, the rest 0; none is read beyond them, nor when count is negative.
template <int kSize>
struct Bf16End {
  Bf16End(const Bf16* x, int count) {
    for (int j = 0; j < count && j < kSize; ++j) values[j] = x[j];
  }
  alignas(64) Bf16 values[kSize] = {};
};

/// A vector of the first `count` values as floats, then zeros.
template <typename V>
typename V::Vector LoadFirstBf16(const Bf16* x, int count) {
  if (count >= V::kLanes) return V::LoadBf16(x);
  return V::LoadBf16(Bf16End<V::kLanes>(x, count).values);
}

/// Stores the first `count` lanes, rounded.
template <typename V>
void StoreFirstBf16(Bf16* to, int count, typename V::Vector x) {
  if (count >= V::kLanes) return V::StoreBf16(to, x);
  alignas(64) Bf16 values[V::kLanes];
  V::StoreBf16(values, x);
  for (int j = 0; j < count; ++j) to[j] = values[j];
}

}  // namespace
}  // namespace pawsight::kernels
