// kernels/avx512/gemm.cc: c = tail(a . b + bias) + residual.
//
// Panels are taken in groups that fit the second-level cache whole, all of k; each block of 14 rows then meets the whole
// group, its sums waiting in a buffer on the stack that stays in the first-level cache. So b comes from memory once, a once
// a group, and c is written once, after the tail; residual may be c because no sum passes through it. What would still be
// waited for, the next group of b and the lines of c about to be written, is asked for a few lines before each tile.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/avx512/product.h"
#include "kernels/avx512/table.h"
#include "kernels/avx512/vector.h"
#include "kernels/kernels.h"

namespace pawsight::kernels {
namespace {

constexpr int kGroupPanels = 16;
constexpr size_t kGroupBytes = 800 << 10;  // this group and much of the next fit the 2 MB of such a core
constexpr int kSumStride = kGroupPanels * kPanel + 16;

/// Below this many rows a group is done before the next could arrive: prefetching would only get in the way.
constexpr int kPrefetchRows = 8 * kTileRows;

int PanelsInGroup(int k) {
  const size_t fit = kGroupBytes / (static_cast<size_t>(k) * kPanel * sizeof(float));
  return fit < 1 ? 1 : fit > kGroupPanels ? kGroupPanels : static_cast<int>(fit);
}

constexpr int Blocks(int count, int size) { return (count + size - 1) / size; }

/// Walks over the panels of the group after this one, a few cache lines at a time, into the second-level cache.
struct NextGroup {
  const float* line = nullptr;
  int64_t lines_left = 0;
  int64_t lines_a_tile = 0;

  void Prefetch() {
    for (int64_t i = 0; i < lines_a_tile && lines_left > 0; ++i, --lines_left, line += 16) {
      _mm_prefetch(line, _MM_HINT_T1);
    }
  }
};

/// The group that begins at column `first`; nothing where there is none, or too few rows to hide it behind.
NextGroup GroupAt(const Gemm& args, int first, int group_columns) {
  if (first >= args.n || args.rows < kPrefetchRows) return {};
  const int panels = Blocks(args.n - first < group_columns ? args.n - first : group_columns, kPanel);
  const int64_t lines = static_cast<int64_t>(panels) * args.k * 2;
  const int64_t tiles = static_cast<int64_t>(Blocks(args.rows, kTileRows)) * Blocks(args.k, kDepth) * (group_columns / kPanel);
  return {.line = args.b + static_cast<size_t>(first / kPanel) * args.panel_stride,
          .lines_left = lines,
          .lines_a_tile = lines / tiles + 1};
}

void PrefetchToWrite(const float* c, int ldc, int rows) {
  for (int i = 0; i < rows; ++i) {
    __builtin_prefetch(c + static_cast<ptrdiff_t>(i) * ldc, 1);
    __builtin_prefetch(c + static_cast<ptrdiff_t>(i) * ldc + 16, 1);
  }
}

/// Bias, tail and residual of columns [0, width) of one row.
template <Tail kTail>
void Finish(const float* sums, const float* bias, const float* residual, float* c, int width) {
  for (int j = 0; j < width; j += kLanes) {
    const __mmask16 mask = FirstLanes(width - j);
    __m512 value = _mm512_loadu_ps(sums + j);
    if (bias != nullptr) value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(mask, bias + j));
    if constexpr (kTail == Tail::kGelu) value = Gelu(value);
    if (residual != nullptr) value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(mask, residual + j));
    _mm512_mask_storeu_ps(c + j, mask, value);
  }
}

void FinishRows(const Gemm& args, const float* sums, int row, int rows, int first, int width) {
  const float* bias = args.bias == nullptr ? nullptr : args.bias + first;
  for (int i = row; i < row + rows; ++i, sums += kSumStride) {
    const float* residual = args.residual == nullptr ? nullptr : args.residual + static_cast<ptrdiff_t>(i) * args.ldr + first;
    float* c = args.c + static_cast<ptrdiff_t>(i) * args.ldc + first;
    switch (args.tail) {
      case Tail::kNone:
        Finish<Tail::kNone>(sums, bias, residual, c, width);
        break;
      case Tail::kGelu:
        Finish<Tail::kGelu>(sums, bias, residual, c, width);
        break;
    }
  }
}

}  // namespace

namespace avx512 {

void MultiplyMatrices(const Gemm& args) {
  alignas(64) float block[kTileRows * kBlockStride];
  alignas(64) float sums[kTileRows * kSumStride];
  const int group_columns = PanelsInGroup(args.k) * kPanel;
  for (int first = 0; first < args.n; first += group_columns) {
    const int width = args.n - first < group_columns ? args.n - first : group_columns;
    const int panels = Blocks(width, kPanel);
    NextGroup next = GroupAt(args, first + group_columns, group_columns);
    for (int row = 0; row < args.rows; row += kTileRows) {
      const int rows = args.rows - row < kTileRows ? args.rows - row : kTileRows;
      const float* a = args.a + static_cast<ptrdiff_t>(row) * args.lda;
      float* c = args.c + static_cast<ptrdiff_t>(row) * args.ldc + first;
      for (int step = 0; step < args.k; step += kDepth) {
        const int depth = args.k - step < kDepth ? args.k - step : kDepth;
        FillBlock(a + step, args.lda, rows, depth, block);
        Tile tile = {.block = block,
                     .b = args.b + static_cast<size_t>(first / kPanel) * args.panel_stride +
                          static_cast<ptrdiff_t>(step) * kPanel,
                     .panel_stride = args.panel_stride,
                     .sums = sums,
                     .sum_stride = kSumStride,
                     .depth = depth,
                     .fresh = step == 0};
        if (args.rows < kPrefetchRows) {
          MultiplyPanels(tile, rows, panels);
          continue;
        }
        for (int panel = 0; panel < panels; ++panel, tile.b += tile.panel_stride, tile.sums += kPanel) {
          next.Prefetch();
          if (step + depth == args.k) PrefetchToWrite(c + panel * kPanel, args.ldc, rows);
          MultiplyPanels(tile, rows, 1);
        }
      }
      FinishRows(args, sums, row, rows, first, width);
    }
  }
}

}  // namespace avx512
}  // namespace pawsight::kernels
