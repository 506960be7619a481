// kernels/blocked/attend.h: attention of one head, over the vector operations V of one instruction set. A block of rows
// at a time: scores of all keys into scratch, then for each stretch of keys the weights exp(score - largest) into the
// block that the product with the values reads. Each row is divided by the sum of its weights at the end.
//
// The weights of keys that a row may not see are never multiplied (0 times a value that is not a number would not be
// 0), so rows that see different keys are taken one by one; only the few rows of a causal text are such.
#pragma once

#include <cstddef>

#include "kernels/blocked/math.h"
#include "kernels/blocked/tile.h"
#include "kernels/kernels.h"

namespace pawsight::kernels {
namespace {

constexpr int kMaxHeadDim = 256;
static_assert(kMaxHeadDim <= kDepth, "a row of q fits the block");
constexpr int kTotalStride = kMaxHeadDim + 16;

/// Floats between two rows of scores. The rows of scratch that the block leaves over pay for a line more a row, without
/// which the rows of 1024 keys would meet in one cache set.
template <typename V>
int ScoreStride(int padded_keys) {
  constexpr int kWorthwhile = 8 * kPanel;
  static_assert((kAttendRows - V::kTileRows) * kWorthwhile >= V::kTileRows * 16, "the scores of a block fit scratch");
  return padded_keys >= kWorthwhile ? padded_keys + 16 : padded_keys;
}

template <typename V>
float Largest(const float* scores, int count) {
  const auto lowest = V::Set(-__builtin_inff());
  auto largest = lowest;
  int j = 0;
  for (; j + V::kLanes <= count; j += V::kLanes) largest = V::Max(largest, V::Load(scores + j));
  if (j < count) largest = V::Max(largest, V::FirstOr(count - j, V::Load(scores + j), lowest));
  return V::LargestLane(largest);
}

/// weights = 2^(scores - largest), 0 up to a whole vector; returns `sums` plus them, lane by lane.
template <typename V>
typename V::Vector Weigh(const float* scores, int count, float largest, float* weights, typename V::Vector sums) {
  const auto shift = V::Set(largest);
  int j = 0;
  for (; j + V::kLanes <= count; j += V::kLanes) {
    const auto weight = Exp2<V>(V::Sub(V::Load(scores + j), shift));
    V::Store(weights + j, weight);
    sums = V::Add(sums, weight);
  }
  if (j < count) {
    const auto weight = V::FirstOr(count - j, Exp2<V>(V::Sub(V::Load(scores + j), shift)), V::Zero());
    V::Store(weights + j, weight);
    sums = V::Add(sums, weight);
  }
  return sums;
}

/// `rows` rows of q into the block, scaled to scores in units of log 2, so that the exponential is a power of 2.
template <typename V>
void FillQueries(const Attend& args, const float* q, int rows, float* block) {
  const auto scale = V::Set(args.scale * 1.44269504F);
  for (int i = 0; i < rows; ++i, q += args.ldq, block += kBlockStride) {
    for (int d = 0; d < args.head_dim; d += V::kLanes)
      V::Store(block + d, V::Mul(V::LoadFirst(q + d, args.head_dim - d), scale));
  }
}

/// The scores of `rows` rows for the keys [0, seen) are in scratch; their weighted values go to `totals`, the sums of
/// their weights to `weight_sums`.
template <typename V>
void WeighValues(const Attend& args, int rows, int seen, int score_stride, float* block, float* totals,
                 float* weight_sums) {
  float largest[V::kTileRows];
  typename V::Vector sums[V::kTileRows];
  for (int i = 0; i < rows; ++i) {
    largest[i] = Largest<V>(args.scratch + static_cast<ptrdiff_t>(i) * score_stride, seen);
    sums[i] = V::Zero();
  }
  for (int key = 0; key < seen; key += kDepth) {
    const int depth = seen - key < kDepth ? seen - key : kDepth;
    for (int i = 0; i < rows; ++i) {
      const float* scores = args.scratch + static_cast<ptrdiff_t>(i) * score_stride + key;
      sums[i] = Weigh<V>(scores, depth, largest[i], block + i * kBlockStride, sums[i]);
    }
    MultiplyPanels<V>({.block = block,
                       .b = args.values + static_cast<ptrdiff_t>(key) * kPanel,
                       .panel_stride = args.value_panel_stride,
                       .sums = totals,
                       .sum_stride = kTotalStride,
                       .depth = depth,
                       .fresh = key == 0},
                      rows, args.head_dim);
  }
  for (int i = 0; i < rows; ++i) weight_sums[i] = V::SumOfLanes(sums[i]);
}

/// `rows` (at most a tile's) rows that all see the keys [0, seen).
template <typename V>
void AttendBlock(const Attend& args, const float* q, float* out, int rows, int seen) {
  alignas(64) float block[V::kTileRows * kBlockStride];
  alignas(64) float totals[V::kTileRows * kTotalStride];
  float weight_sums[V::kTileRows];
  FillQueries<V>(args, q, rows, block);
  const int score_stride = ScoreStride<V>(CeilDiv(seen, kPanel) * kPanel);
  MultiplyPanels<V>({.block = block,
                     .b = args.keys,
                     .panel_stride = static_cast<size_t>(args.head_dim) * kPanel,
                     .sums = args.scratch,
                     .sum_stride = score_stride,
                     .depth = args.head_dim,
                     .fresh = true},
                    rows, seen);
  WeighValues<V>(args, rows, seen, score_stride, block, totals, weight_sums);
  for (int i = 0; i < rows; ++i, out += args.ldo) {
    const float* total = totals + i * kTotalStride;
    const auto sum = V::Set(weight_sums[i]);
    for (int d = 0; d < args.head_dim; d += V::kLanes) {
      V::StoreFirst(out + d, args.head_dim - d, V::Div(V::Load(total + d), sum));
    }
  }
}

template <typename V>
void AttendRows(const Attend& args) {
  for (int row = 0; row < args.rows;) {
    const bool sees_all = args.causal < 0 || args.causal + row + 1 >= args.num_keys;
    const int left = args.rows - row;
    const int rows = !sees_all ? 1 : left < V::kTileRows ? left : V::kTileRows;
    AttendBlock<V>(args, args.q + static_cast<ptrdiff_t>(row) * args.ldq,
                   args.out + static_cast<ptrdiff_t>(row) * args.ldo, rows,
                   sees_all ? args.num_keys : args.causal + row + 1);
    row += rows;
  }
}

}  // namespace
}  // namespace pawsight::kernels
