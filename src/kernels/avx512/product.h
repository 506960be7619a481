// kernels/avx512/product.h: the inner loop of every matrix product: up to 14 rows of a block on this thread's stack times up
// to four panels, the sums held in registers. For this folder only.
//
// 14 rows x 32 columns are 28 registers of sums, two of b and one of a: per step of k, 28 multiply-adds for 16 loads.
// Each sum is one chain of fused multiply-adds in order of k, started from 0 or from where the last call left it in memory,
// so neither the height of the tile, nor the panels beside it, nor the cuts in k change a bit of it.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/kernels.h"

#if defined(__clang__)
#define PAWSIGHT_UNROLL _Pragma("unroll")
#else
#define PAWSIGHT_UNROLL _Pragma("GCC unroll 16")
#endif

namespace pawsight::kernels {
namespace {

constexpr int kTileRows = 14;

/// The steps of k that one block of a holds.
constexpr int kDepth = 256;

/// Floats from one row of a block to the next: a line more than kDepth, or all rows would meet in the same cache set.
constexpr int kBlockStride = kDepth + 16;

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

template <int kRows, int kPanels>
void MultiplyTile(const Tile& tile) {
  constexpr int kVectors = 2 * kPanels;
  float* const memory = tile.sums;
  const ptrdiff_t sum_stride = tile.sum_stride;
  __m512 sums[kRows][kVectors];
  if (tile.fresh) {
    PAWSIGHT_UNROLL
    for (int i = 0; i < kRows; ++i) {
      PAWSIGHT_UNROLL
      for (int v = 0; v < kVectors; ++v) sums[i][v] = _mm512_setzero_ps();
    }
  } else {
    PAWSIGHT_UNROLL
    for (int i = 0; i < kRows; ++i) {
      PAWSIGHT_UNROLL
      for (int v = 0; v < kVectors; ++v) {
        sums[i][v] = _mm512_loadu_ps(memory + i * sum_stride + v * 16);
      }
    }
  }
  const float* a = tile.block;
  const float* b = tile.b;
  const size_t panel_stride = tile.panel_stride;
  for (int step = 0; step < tile.depth; ++step, ++a, b += kPanel) {
    __m512 columns[kVectors];
    PAWSIGHT_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      columns[v] = _mm512_loadu_ps(b + static_cast<size_t>(v / 2) * panel_stride + (v % 2) * 16);
    }
    PAWSIGHT_UNROLL
    for (int i = 0; i < kRows; ++i) {
      const __m512 value = _mm512_set1_ps(a[i * kBlockStride]);
      PAWSIGHT_UNROLL
      for (int v = 0; v < kVectors; ++v) sums[i][v] = _mm512_fmadd_ps(value, columns[v], sums[i][v]);
    }
  }
  PAWSIGHT_UNROLL
  for (int i = 0; i < kRows; ++i) {
    PAWSIGHT_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      _mm512_storeu_ps(memory + i * sum_stride + v * 16, sums[i][v]);
    }
  }
}

using TileFunction = void (*)(const Tile&);

/// Panels taken together where there are few rows: enough independent sums to hide the latency of a multiply-add.
constexpr int PanelsTogether(int rows) { return rows <= 3 ? 4 : rows <= 7 ? 2 : 1; }

constexpr TileFunction kOnePanel[kTileRows] = {
    MultiplyTile<1, 1>, MultiplyTile<2, 1>,  MultiplyTile<3, 1>,  MultiplyTile<4, 1>,  MultiplyTile<5, 1>,
    MultiplyTile<6, 1>, MultiplyTile<7, 1>,  MultiplyTile<8, 1>,  MultiplyTile<9, 1>,  MultiplyTile<10, 1>,
    MultiplyTile<11, 1>, MultiplyTile<12, 1>, MultiplyTile<13, 1>, MultiplyTile<14, 1>};
constexpr TileFunction kSomePanels[7] = {MultiplyTile<1, 4>, MultiplyTile<2, 4>, MultiplyTile<3, 4>, MultiplyTile<4, 2>,
                                         MultiplyTile<5, 2>, MultiplyTile<6, 2>, MultiplyTile<7, 2>};

/// `rows` (1..14) rows times `panels` panels; the sums of panel p begin at tile.sums + p * kPanel.
inline void MultiplyPanels(Tile tile, int rows, int panels) {
  const int together = PanelsTogether(rows);
  int panel = 0;
  const auto advance = [&](int by) {
    panel += by;
    tile.b += static_cast<size_t>(by) * tile.panel_stride;
    tile.sums += by * kPanel;
  };
  if (together > 1) {
    for (; panel + together <= panels; advance(together)) kSomePanels[rows - 1](tile);
  }
  for (; panel < panels; advance(1)) kOnePanel[rows - 1](tile);
}

/// Copies columns [0, depth) of `rows` rows into `block`.
inline void FillBlock(const float* a, int lda, int rows, int depth, float* block) {
  for (int i = 0; i < rows; ++i, a += lda, block += kBlockStride) {
    int r = 0;
    for (; r + 16 <= depth; r += 16) _mm512_storeu_ps(block + r, _mm512_loadu_ps(a + r));
    if (r < depth) {
      const auto mask = static_cast<__mmask16>((1U << static_cast<unsigned>(depth - r)) - 1U);
      _mm512_mask_storeu_ps(block + r, mask, _mm512_maskz_loadu_ps(mask, a + r));
    }
  }
}

}  // namespace
}  // namespace pawsight::kernels
