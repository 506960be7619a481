// kernels/avx512/gemm.cc: c = tail(a . b + bias) + residual.
//
// Panels are taken in groups that fit the second-level cache whole, all of k; each block of 14 rows then meets the whole
// group, its sums waiting in a buffer on the stack that stays in the first-level cache. So b comes from memory once, a once
// a group, and c is written once, after the tail; residual may be c because no sum passes through it.
#include <immintrin.h>

#include <cstdint>

#include "kernels/avx512/product.h"
#include "kernels/avx512/table.h"
#include "kernels/avx512/vector.h"
#include "kernels/kernels.h"

namespace pawsight::kernels {
namespace {

constexpr int kGroupPanels = 16;
constexpr size_t kGroupBytes = size_t{5} << 18;  // of the 2 MB that such a core has
constexpr int kSumStride = kGroupPanels * kPanel + 16;

int PanelsInGroup(int k) {
  const size_t fit = kGroupBytes / (static_cast<size_t>(k) * kPanel * sizeof(float));
  return fit < 1 ? 1 : fit > kGroupPanels ? kGroupPanels : static_cast<int>(fit);
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
    const float* b = args.b + static_cast<size_t>(first / kPanel) * args.panel_stride;
    for (int row = 0; row < args.rows; row += kTileRows) {
      const int rows = args.rows - row < kTileRows ? args.rows - row : kTileRows;
      const float* a = args.a + static_cast<ptrdiff_t>(row) * args.lda;
      for (int step = 0; step < args.k; step += kDepth) {
        const int depth = args.k - step < kDepth ? args.k - step : kDepth;
        FillBlock(a + step, args.lda, rows, depth, block);
        MultiplyPanels({.block = block,
                        .b = b + static_cast<ptrdiff_t>(step) * kPanel,
                        .panel_stride = args.panel_stride,
                        .sums = sums,
                        .sum_stride = kSumStride,
                        .depth = depth,
                        .fresh = step == 0},
                       rows, (width + kPanel - 1) / kPanel);
      }
      FinishRows(args, sums, row, rows, first, width);
    }
  }
}

}  // namespace avx512
}  // namespace pawsight::kernels
