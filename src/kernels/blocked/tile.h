// kernels/blocked/tile.h: the inner loop of every matrix product: a few rows of a block on this thread's stack times a
// strip of a panel, the sums held in registers. Over the vector operations V of one instruction set.
//
// A strip is V::kTileVectors vectors wide: a whole panel of 32 columns with 16 lanes, half of one with 8. V::kTileRows
// is as many rows as registers hold sums for beside the strip of b and one value of a. Each sum is one chain of fused
// multiply-adds in order of k, started from 0 or from where the last call left it in memory, so neither the height of
// the tile, nor the strips beside it, nor the cuts in k change a bit of it.
#pragma once

#include <cstddef>

#include "kernels/kernels.h"

// Sums live in registers only when every loop over them is unrolled.
#if defined(__clang__)
#define PAWSIGHT_UNROLL _Pragma("unroll")
#else
#define PAWSIGHT_UNROLL _Pragma("GCC unroll 16")
#endif

namespace pawsight::kernels {
namespace {

/// The steps of k that one block of a holds.
constexpr int kDepth = 256;

/// Floats from one row of a block to the next: a line more than kDepth, or all rows would meet in the same cache set.
constexpr int kBlockStride = kDepth + 16;

/// How many steps of k ahead b is asked for; the processor's own prefetching stops at the end of each page.
constexpr int kStepsAhead = 8;

/// Floats in a cache line.
constexpr int kLine = 16;

constexpr int CeilDiv(int count, int size) { return (count + size - 1) / size; }

/// sums[row * sum_stride + column] = (fresh ? 0 : itself) + block . b over `depth` steps of k.
struct Tile {
  const float* block = nullptr;  // rows of kBlockStride floats
  const float* b = nullptr;      // first step of k of the first panel
  size_t panel_stride = 0;
  float* sums = nullptr;
  int sum_stride = 0;
  int depth = 0;
  bool fresh = true;
};

template <typename V>
constexpr int kStrip{V::kTileVectors * V::kLanes};

/// `kStrips` strips beside each other, the first at a panel's start unless it is alone.
template <typename V, int kRows, int kStrips>
void MultiplyStrips(const Tile& tile) {
  static_assert(kStrips == 1 || 2 * kRows <= V::kTileRows, "the prefetch below looks along one panel");
  constexpr int kVectors = V::kTileVectors * kStrips;
  constexpr int kVectorsInPanel = kPanel / V::kLanes;
  float* const memory = tile.sums;
  const ptrdiff_t sum_stride = tile.sum_stride;
  typename V::Vector sums[kRows][kVectors];
  PAWSIGHT_UNROLL
  for (int i = 0; i < kRows; ++i) {
    PAWSIGHT_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      sums[i][v] = tile.fresh ? V::Zero() : V::Load(memory + i * sum_stride + v * V::kLanes);
    }
  }
  const float* a = tile.block;
  const float* b = tile.b;
  const size_t panel_stride = tile.panel_stride;
  for (int step = 0; step < tile.depth; ++step, ++a, b += kPanel) {
    // With fewer rows the loads are all there is, and come as fast as they can.
    if constexpr (2 * kRows > V::kTileRows) {
      for (int j = 0; j < kStrip<V> * kStrips; j += kLine) __builtin_prefetch(b + kStepsAhead * kPanel + j);
    }
    typename V::Vector columns[kVectors];
    PAWSIGHT_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      columns[v] =
          V::Load(b + static_cast<size_t>(v / kVectorsInPanel) * panel_stride + (v % kVectorsInPanel) * V::kLanes);
    }
    PAWSIGHT_UNROLL
    for (int i = 0; i < kRows; ++i) {
      const auto value = V::Set(a[i * kBlockStride]);
      PAWSIGHT_UNROLL
      for (int v = 0; v < kVectors; ++v) sums[i][v] = V::MulAdd(value, columns[v], sums[i][v]);
    }
  }
  PAWSIGHT_UNROLL
  for (int i = 0; i < kRows; ++i) {
    PAWSIGHT_UNROLL
    for (int v = 0; v < kVectors; ++v) V::Store(memory + i * sum_stride + v * V::kLanes, sums[i][v]);
  }
}

/// kRows rows times `strips` strips; where there are few rows, several strips together, for enough independent sums to
/// hide the latency of a multiply-add.
template <typename V, int kRows>
void MultiplyRows(const Tile& tile, int strips) {
  constexpr int kTogether = V::StripsTogether(kRows);
  constexpr int kStripsInPanel = kPanel / kStrip<V>;
  const auto at = [&tile](int strip) {
    Tile moved = tile;
    moved.b += static_cast<size_t>(strip / kStripsInPanel) * tile.panel_stride + (strip % kStripsInPanel) * kStrip<V>;
    moved.sums += strip * kStrip<V>;
    return moved;
  };
  int strip = 0;
  for (; strip + kTogether <= strips; strip += kTogether) MultiplyStrips<V, kRows, kTogether>(at(strip));
  if constexpr (kTogether > 1) {
    for (; strip < strips; ++strip) MultiplyStrips<V, kRows, 1>(at(strip));
  }
}

/// `rows` (1..V::kTileRows) rows times `columns` columns, rounded up to strips; column j's sums are at tile.sums + j.
template <typename V, int kRows = V::kTileRows>
void MultiplyPanels(const Tile& tile, int rows, int columns) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return MultiplyPanels<V, kRows - 1>(tile, rows, columns);
  }
  MultiplyRows<V, kRows>(tile, CeilDiv(columns, kStrip<V>));
}

/// Copies columns [0, depth) of `rows` rows into `block`.
template <typename V>
void FillBlock(const float* a, int lda, int rows, int depth, float* block) {
  for (int i = 0; i < rows; ++i, a += lda, block += kBlockStride) {
    int r = 0;
    for (; r + V::kLanes <= depth; r += V::kLanes) V::Store(block + r, V::Load(a + r));
    if (r < depth) V::Store(block + r, V::LoadFirst(a + r, depth - r));
  }
}

}  // namespace
}  // namespace pawsight::kernels
