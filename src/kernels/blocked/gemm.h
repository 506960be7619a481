// kernels/blocked/gemm.h: c = tail(a . b + bias) + residual, over the vector operations V of one instruction set.
//
// Panels are taken in groups that fit the second-level cache whole, all of k; each block of a few rows then meets the
// whole group, its sums waiting in a buffer on the stack that stays in the first-level cache. So b comes from memory
// once, a once a group, and c is written once, after the tail; residual may be c because no sum passes through it. What
// would still be waited for, the next group of b and the lines of c about to be written, is asked for a few lines
// before each tile.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/blocked/math.h"
#include "kernels/blocked/tile.h"
#include "kernels/kernels.h"

namespace pawsight::kernels {
namespace {

constexpr int kGroupPanels = 16;
constexpr int kFewPanels = 4;
constexpr int kSumStride = kGroupPanels * kPanel + 16;

/// Below this many rows a group is done before the next could arrive: prefetching would only get in the way.
constexpr int kPrefetchRows = 100;

/// As many as fit V::kGroupBytes. Where k is so deep that they are few, copying blocks of a would cost too much beside
/// their use: then up to kFewPanels, in twice the room.
template <typename V>
int PanelsInGroup(int k) {
  const size_t panel_bytes = static_cast<size_t>(k) * kPanel * sizeof(float);
  const auto fit = static_cast<int>(V::kGroupBytes / panel_bytes);
  if (fit >= kFewPanels) return fit < kGroupPanels ? fit : kGroupPanels;
  const auto squeezed = static_cast<int>(2 * V::kGroupBytes / panel_bytes);
  return squeezed < 1 ? 1 : squeezed < kFewPanels ? squeezed : kFewPanels;
}

/// Walks over the panels of the group after this one, a few cache lines at a time, into the second-level cache.
struct NextGroup {
  const float* line = nullptr;
  int64_t lines_left = 0;
  int64_t lines_a_tile = 0;

  void Prefetch() {
    for (int64_t i = 0; i < lines_a_tile && lines_left > 0; ++i, --lines_left, line += kLine) {
      __builtin_prefetch(line, 0, 2);
    }
  }
};

/// The group that begins at column `first`; nothing where there is none, or too few rows to hide it behind.
template <typename V>
NextGroup GroupAt(const Gemm& args, int first, int group_columns) {
  if (first >= args.n || args.rows < kPrefetchRows) return {};
  const int panels = CeilDiv(args.n - first < group_columns ? args.n - first : group_columns, kPanel);
  const int64_t lines = static_cast<int64_t>(panels) * args.k * (kPanel / kLine);
  const int64_t tiles =
      static_cast<int64_t>(CeilDiv(args.rows, V::kTileRows)) * CeilDiv(args.k, kDepth) * (group_columns / kPanel);
  return {.line = args.b + static_cast<size_t>(first / kPanel) * args.panel_stride,
          .lines_left = lines,
          .lines_a_tile = lines / tiles + 1};
}

inline void PrefetchToWrite(const float* c, int ldc, int rows) {
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < kPanel; j += kLine) __builtin_prefetch(c + static_cast<ptrdiff_t>(i) * ldc + j, 1);
  }
}

/// Bias, tail and residual of columns [0, width) of one row.
template <typename V, Tail kTail>
void Finish(const float* sums, const float* bias, const float* residual, float* c, int width) {
  const auto finished = [&](int j, auto load) {
    auto value = V::Load(sums + j);
    if (bias != nullptr) value = V::Add(value, load(bias + j));
    if constexpr (kTail == Tail::kGelu) value = Gelu<V>(value);
    if (residual != nullptr) value = V::Add(value, load(residual + j));
    return value;
  };
  int j = 0;
  for (; j + V::kLanes <= width; j += V::kLanes)
    V::Store(c + j, finished(j, [](const float* x) { return V::Load(x); }));
  const int left = width - j;
  if (left > 0) {
    V::StoreFirst(c + j, left, finished(j, [left](const float* x) { return V::LoadFirst(x, left); }));
  }
}

template <typename V>
void FinishRows(const Gemm& args, const float* sums, int row, int rows, int first, int width) {
  const float* bias = args.bias == nullptr ? nullptr : args.bias + first;
  for (int i = row; i < row + rows; ++i, sums += kSumStride) {
    const float* residual =
        args.residual == nullptr ? nullptr : args.residual + static_cast<ptrdiff_t>(i) * args.ldr + first;
    float* c = args.c + static_cast<ptrdiff_t>(i) * args.ldc + first;
    switch (args.tail) {
      case Tail::kNone:
        Finish<V, Tail::kNone>(sums, bias, residual, c, width);
        break;
      case Tail::kGelu:
        Finish<V, Tail::kGelu>(sums, bias, residual, c, width);
        break;
    }
  }
}

template <typename V>
void MultiplyMatrices(const Gemm& args) {
  alignas(64) float block[V::kTileRows * kBlockStride];
  alignas(64) float sums[V::kTileRows * kSumStride];
  const int group_columns = PanelsInGroup<V>(args.k) * kPanel;
  for (int first = 0; first < args.n; first += group_columns) {
    const int width = args.n - first < group_columns ? args.n - first : group_columns;
    NextGroup next = GroupAt<V>(args, first + group_columns, group_columns);
    for (int row = 0; row < args.rows; row += V::kTileRows) {
      const int rows = args.rows - row < V::kTileRows ? args.rows - row : V::kTileRows;
      const float* a = args.a + static_cast<ptrdiff_t>(row) * args.lda;
      const float* c = args.c + static_cast<ptrdiff_t>(row) * args.ldc + first;
      for (int step = 0; step < args.k; step += kDepth) {
        const int depth = args.k - step < kDepth ? args.k - step : kDepth;
        FillBlock<V>(a + step, args.lda, rows, depth, block);
        Tile tile = {.block = block,
                     .b = args.b + static_cast<size_t>(first / kPanel) * args.panel_stride +
                          static_cast<ptrdiff_t>(step) * kPanel,
                     .panel_stride = args.panel_stride,
                     .sums = sums,
                     .sum_stride = kSumStride,
                     .depth = depth,
                     .fresh = step == 0};
        if (args.rows < kPrefetchRows) {
          MultiplyPanels<V>(tile, rows, width);
          continue;
        }
        for (int j = 0; j < width; j += kPanel, tile.b += tile.panel_stride, tile.sums += kPanel) {
          next.Prefetch();
          if (step + depth == args.k) PrefetchToWrite(c + j, args.ldc, rows);
          MultiplyPanels<V>(tile, rows, width - j < kPanel ? width - j : kPanel);
        }
      }
      FinishRows<V>(args, sums, row, rows, first, width);
    }
  }
}

}  // namespace
}  // namespace pawsight::kernels
