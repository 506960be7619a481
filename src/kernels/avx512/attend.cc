// kernels/avx512/attend.cc: attention of one head. A block of 14 rows at a time: scores of all keys into scratch, then for
// each stretch of keys the weights exp(score - largest) into the block that the product with the values reads. Each row is
// divided by the sum of its weights at the end.
//
// The weights of keys that a row may not see are never multiplied (0 times a value that is not a number would not be 0), so
// rows that see different keys are taken one by one; only the few rows of a causal text are such.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/avx512/product.h"
#include "kernels/avx512/table.h"
#include "kernels/avx512/vector.h"
#include "kernels/kernels.h"

namespace pawsight::kernels {
namespace {

constexpr int kMaxHeadDim = 256;
static_assert(kMaxHeadDim <= kDepth, "a row of q fits the block");
static_assert(kTileRows <= kAttendRows, "the scores of a block fit scratch");
constexpr int kOutStride = kMaxHeadDim + 16;

/// Floats between two rows of scores. The rows of scratch that the block leaves over pay for a line more a row, without
/// which the rows of 1024 keys would meet in one cache set.
int ScoreStride(int padded_keys) {
  static_assert((kAttendRows - kTileRows) * 8 * kPanel > kTileRows * 16);
  return padded_keys >= 8 * kPanel ? padded_keys + 16 : padded_keys;
}

float Largest(const float* scores, int count) {
  __m512 largest = _mm512_set1_ps(-__builtin_inff());
  for (int j = 0; j < count; j += kLanes) {
    largest = _mm512_mask_max_ps(largest, FirstLanes(count - j), largest, _mm512_loadu_ps(scores + j));
  }
  return _mm512_reduce_max_ps(largest);
}

/// weights = exp(scores - largest), given scores and largest times log2(e); adds them to `sums`, lane by lane.
void Weigh(const float* scores, int count, float largest, float* weights, __m512& sums) {
  const __m512 shift = _mm512_set1_ps(largest);
  for (int j = 0; j < count; j += kLanes) {
    const __mmask16 mask = FirstLanes(count - j);
    const __m512 weight = _mm512_maskz_mov_ps(mask, Exp2(_mm512_sub_ps(_mm512_loadu_ps(scores + j), shift)));
    _mm512_storeu_ps(weights + j, weight);
    sums = _mm512_add_ps(sums, weight);
  }
}

/// `rows` (at most 14) rows that all see the keys [0, seen).
void AttendBlock(const Attend& args, const float* q, float* out, int rows, int seen) {
  alignas(64) float block[kTileRows * kBlockStride];
  alignas(64) float totals[kTileRows * kOutStride];
  const int panels = (seen + kPanel - 1) / kPanel;
  const int score_stride = ScoreStride(panels * kPanel);
  // In units of log 2, so that the exponential is a power of 2.
  const __m512 scale = _mm512_set1_ps(args.scale * 1.44269504F);
  for (int i = 0; i < rows; ++i) {
    for (int d = 0; d < args.head_dim; d += kLanes) {
      const __mmask16 mask = FirstLanes(args.head_dim - d);
      const __m512 part = _mm512_maskz_loadu_ps(mask, q + static_cast<ptrdiff_t>(i) * args.ldq + d);
      _mm512_storeu_ps(block + i * kBlockStride + d, _mm512_mul_ps(part, scale));
    }
  }
  MultiplyPanels({.block = block,
                  .b = args.keys,
                  .panel_stride = static_cast<size_t>(args.head_dim) * kPanel,
                  .sums = args.scratch,
                  .sum_stride = score_stride,
                  .depth = args.head_dim,
                  .fresh = true},
                 rows, panels);

  float largest[kTileRows];
  __m512 sums[kTileRows];
  for (int i = 0; i < rows; ++i) {
    largest[i] = Largest(args.scratch + static_cast<ptrdiff_t>(i) * score_stride, seen);
    sums[i] = _mm512_setzero_ps();
  }
  for (int key = 0; key < seen; key += kDepth) {
    const int depth = seen - key < kDepth ? seen - key : kDepth;
    for (int i = 0; i < rows; ++i) {
      Weigh(args.scratch + static_cast<ptrdiff_t>(i) * score_stride + key, depth, largest[i], block + i * kBlockStride,
            sums[i]);
    }
    MultiplyPanels({.block = block,
                    .b = args.values + static_cast<ptrdiff_t>(key) * kPanel,
                    .panel_stride = args.value_panel_stride,
                    .sums = totals,
                    .sum_stride = kOutStride,
                    .depth = depth,
                    .fresh = key == 0},
                   rows, (args.head_dim + kPanel - 1) / kPanel);
  }
  for (int i = 0; i < rows; ++i) {
    const __m512 sum = _mm512_set1_ps(_mm512_reduce_add_ps(sums[i]));
    for (int d = 0; d < args.head_dim; d += kLanes) {
      _mm512_mask_storeu_ps(out + static_cast<ptrdiff_t>(i) * args.ldo + d, FirstLanes(args.head_dim - d),
                            _mm512_div_ps(_mm512_loadu_ps(totals + i * kOutStride + d), sum));
    }
  }
}

}  // namespace

namespace avx512 {

void AttendRows(const Attend& args) {
  for (int row = 0; row < args.rows;) {
    const bool sees_all = args.causal < 0 || args.causal + row + 1 >= args.num_keys;
    const int left = args.rows - row;
    const int rows = !sees_all ? 1 : left < kTileRows ? left : kTileRows;
    AttendBlock(args, args.q + static_cast<ptrdiff_t>(row) * args.ldq, args.out + static_cast<ptrdiff_t>(row) * args.ldo,
                rows, sees_all ? args.num_keys : args.causal + row + 1);
    row += rows;
  }
}

}  // namespace avx512
}  // namespace pawsight::kernels
