// kernels/blocked/narrow_pack.h: a head's keys and values in bfloat16 to panels, over the vector operations V of one
// instruction set. A pair of bfloat16 moves as the 32 bits of a lane.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/blocked/bf16.h"
#include "kernels/blocked/tile.h"
#include "kernels/kernels.h"

namespace pawsight::kernels {
namespace {

/// Bytes from one pair's row of a panel to the next.
constexpr int kPairStride = kPanel * kGroup;

constexpr int ChunkedValues(int count) {
  return static_cast<int>(ChunkedBytes(Precision::kBf16, count) / sizeof(Bf16));
}

/// The pairs [0, V::kLanes) of V::kLanes keys become as many pairs' rows of a panel; `count` values of each of the
/// first `rows` keys are read, the rest is 0.
template <typename V>
void PackPairs(const Bf16* keys, int ld, int rows, int count, uint8_t* panel) {
  typename V::Vector square[V::kLanes];
  if (rows >= V::kLanes && count >= 2 * V::kLanes) {
    PAWSIGHT_UNROLL
    for (int i = 0; i < V::kLanes; ++i) square[i] = V::LoadBits(keys + static_cast<ptrdiff_t>(i) * ld);
  } else {
    for (int i = 0; i < V::kLanes; ++i) {
      const Bf16* key = i < rows ? keys + static_cast<ptrdiff_t>(i) * ld : keys;
      square[i] = V::LoadBits(Bf16End<2 * V::kLanes>(key, i < rows ? count : 0).values);
    }
  }
  V::Transpose(square);
  PAWSIGHT_UNROLL
  for (int i = 0; i < V::kLanes; ++i) V::StoreBits(panel + i * kPairStride, square[i]);
}

template <typename V>
void NarrowPackKeys(const Bf16* keys, int ld, int num_keys, int head_dim, void* packed) {
  const int padded = ChunkedValues(head_dim);
  static_assert(kChunk / kGroup % V::kLanes == 0, "whole squares in a chunk");
  auto* panel = static_cast<uint8_t*>(packed);
  for (int first = 0; first < num_keys; first += kPanel, panel += NarrowPanelBytes(Precision::kBf16, head_dim)) {
    for (int key = first; key < first + kPanel; key += V::kLanes) {
      const Bf16* corner = keys + static_cast<ptrdiff_t>(key < num_keys ? key : first) * ld;
      for (int d = 0; d < padded; d += 2 * V::kLanes) {
        PackPairs<V>(
            d < head_dim ? corner + d : corner, ld, num_keys - key, head_dim - d,
            panel + static_cast<ptrdiff_t>(d / 2) * kPairStride + static_cast<ptrdiff_t>(key - first) * kGroup);
      }
    }
  }
}

/// The first `columns` values, kPanel at most, of two neighbouring keys side by side, then zeros.
template <typename V>
void PackPairOfRows(const Bf16* one, const Bf16* other, int columns, uint8_t* to) {
  int j = 0;
  for (; j < kPanel && j + V::kLanes <= columns; j += V::kLanes) {
    V::StoreBits(to + j * kGroup, V::Paired(one + j, other + j));
  }
  if (j >= kPanel) return;
  const Bf16End<kPanel> first(one, columns);
  const Bf16End<kPanel> second(other, columns);
  for (; j < kPanel; j += V::kLanes) V::StoreBits(to + j * kGroup, V::Paired(first.values + j, second.values + j));
}

template <typename V>
void NarrowPackValues(const Bf16* values, int ld, int num_keys, int head_dim, void* packed, size_t panel_bytes) {
  const int padded = ChunkedValues(num_keys);
  constexpr Bf16 kZeros[kPanel] = {};
  for (int first = 0; first < head_dim; first += kPanel) {
    auto* to = static_cast<uint8_t*>(packed) + static_cast<size_t>(first / kPanel) * panel_bytes;
    const Bf16* value = values + first;
    int key = 0;
    for (; key + 2 <= num_keys; key += 2, value += 2 * static_cast<ptrdiff_t>(ld), to += kPairStride) {
      PackPairOfRows<V>(value, value + ld, head_dim - first, to);
    }
    if (key < num_keys) {
      PackPairOfRows<V>(value, kZeros, head_dim - first, to);
      key += 2;
      to += kPairStride;
    }
    for (; key < padded; key += 2, to += kPairStride) PackPairOfRows<V>(kZeros, kZeros, kPanel, to);
  }
}

}  // namespace
}  // namespace pawsight::kernels
