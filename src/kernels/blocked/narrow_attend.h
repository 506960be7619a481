// kernels/blocked/narrow_attend.h: attention of one head in bfloat16, over the dot products D of one instruction set
// (Widened below is what D is). A block of rows at a time, as many as a register tile has: scores of all keys into
// scratch, then for each stretch of keys the weights 2^(score - largest) into the block that the product with the
// values reads; never more scores than a block's. A row's sums are chains in order of the pairs of k, whatever rows are
// beside.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/blocked/bf16.h"
#include "kernels/blocked/tile.h"
#include "kernels/kernels.h"

namespace pawsight::kernels {
namespace {

/// Products of bfloat16 with float sums where no instruction has them: both sides are widened first. The left operand
/// is widened once, when its block is filled; of each pair of k the first products are added, then the second.
template <typename Vectors>
struct Widened {
  using V = Vectors;
  using Left = float;                // what a value of the left operand is held as
  static constexpr int kHalves = 2;  // of a pair of k, each with its own columns
  static typename V::Vector Columns(const uint8_t* b, int half) {
    return half == 0 ? V::LoadFirstOfPairs(b) : V::LoadSecondOfPairs(b);
  }
  static typename V::Vector Rows(const Left* pair, int half) { return V::Set(pair[half]); }
  static typename V::Vector AddProducts(typename V::Vector sums, typename V::Vector rows, typename V::Vector columns) {
    return V::MulAdd(rows, columns, sums);
  }
  /// A vector of values to the block, or two, rounded to bfloat16.
  static void StoreLeft(Left* to, typename V::Vector x) { V::Store(to, V::RoundedToBf16(x)); }
  static void StoreLeft(Left* to, typename V::Vector x, typename V::Vector next) {
    StoreLeft(to, x);
    StoreLeft(to + V::kLanes, next);
  }
};

/// Values of the left operand that one block holds, and from one of its rows to the next: an odd number of lines more.
constexpr int kNarrowDepth = 256;
template <typename D>
constexpr int kLeftStride{kNarrowDepth + kChunk / static_cast<int>(sizeof(typename D::Left))};

/// out[row * out_stride + column] = ((fresh ? 0 : itself) + block . b) * factor over `pairs` pairs of k.
template <typename D>
struct NarrowTile {
  const typename D::Left* block = nullptr;  // rows of kLeftStride<D>
  const uint8_t* b = nullptr;               // first pair of the first panel
  size_t panel_bytes = 0;
  float* out = nullptr;
  int out_stride = 0;
  int pairs = 0;
  bool fresh = true;
  float factor = 1.0F;
};

/// Adds to the sums the products of one pair of k, or those of one half of it: a function, for a compiler that sees
/// both halves at once loads the second's columns early and spills sums.
template <typename D, int kHalf, int kRows, int kVectors>
__attribute__((always_inline)) inline void AddHalf(const typename D::Left* a, const uint8_t* b, size_t panel_bytes,
                                                   typename D::V::Vector (&sums)[kRows][kVectors]) {
  using V = typename D::V;
  constexpr int kVectorsInPanel = kPanel / V::kLanes;
  decltype(D::Columns(b, kHalf)) columns[kVectors];
  PAWSIGHT_UNROLL
  for (int v = 0; v < kVectors; ++v) {
    columns[v] = D::Columns(
        b + static_cast<size_t>(v / kVectorsInPanel) * panel_bytes + (v % kVectorsInPanel) * V::kLanes * kGroup, kHalf);
  }
  PAWSIGHT_UNROLL
  for (int i = 0; i < kRows; ++i) {
    const auto rows = D::Rows(a + i * kLeftStride<D>, kHalf);
    PAWSIGHT_UNROLL
    for (int v = 0; v < kVectors; ++v) sums[i][v] = D::AddProducts(sums[i][v], rows, columns[v]);
  }
}

/// kRows rows times the kVectors vectors of columns from vector number `first` on.
template <typename D, int kRows, int kVectors>
void MultiplyPairs(const NarrowTile<D>& tile, int first) {
  using V = typename D::V;
  constexpr int kVectorsInPanel = kPanel / V::kLanes;
  constexpr int kPairBytes = kPanel * kGroup;
  float* const out = tile.out + static_cast<ptrdiff_t>(first) * V::kLanes;
  const ptrdiff_t out_stride = tile.out_stride;
  typename V::Vector sums[kRows][kVectors];
  PAWSIGHT_UNROLL
  for (int i = 0; i < kRows; ++i) {
    PAWSIGHT_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      sums[i][v] = tile.fresh ? V::Zero() : V::Load(out + i * out_stride + v * V::kLanes);
    }
  }
  const typename D::Left* a = tile.block;
  // `first` is at a panel's start wherever kVectors reaches beyond a panel.
  const uint8_t* b = tile.b + static_cast<size_t>(first / kVectorsInPanel) * tile.panel_bytes +
                     static_cast<ptrdiff_t>(first % kVectorsInPanel) * V::kLanes * kGroup;
  const size_t panel_bytes = tile.panel_bytes;
  for (int pair = 0; pair < tile.pairs; ++pair, a += 2, b += kPairBytes) {
    if constexpr (2 * kRows > V::kTileRows) {
      for (int at = 0; at < kVectors * V::kLanes * kGroup; at += kChunk) {
        __builtin_prefetch(b + kStepsAhead * kPairBytes + at);
      }
    }
    AddHalf<D, 0>(a, b, panel_bytes, sums);
    if constexpr (D::kHalves > 1) AddHalf<D, 1>(a, b, panel_bytes, sums);
  }
  const auto factor = V::Set(tile.factor);
  PAWSIGHT_UNROLL
  for (int i = 0; i < kRows; ++i) {
    PAWSIGHT_UNROLL
    for (int v = 0; v < kVectors; ++v) V::Store(out + i * out_stride + v * V::kLanes, V::Mul(sums[i][v], factor));
  }
}

/// kRows rows times `vectors` vectors of columns; where there are few rows, more vectors together, for enough
/// independent sums to hide the latency of a product.
template <typename D, int kRows>
void MultiplyNarrowRows(const NarrowTile<D>& tile, int vectors) {
  using V = typename D::V;
  constexpr int kTogether = V::StripsTogether(kRows) * V::kTileVectors;
  int first = 0;
  for (; first + kTogether <= vectors; first += kTogether) MultiplyPairs<D, kRows, kTogether>(tile, first);
  if constexpr (kTogether > V::kTileVectors) {
    for (; first + V::kTileVectors <= vectors; first += V::kTileVectors) {
      MultiplyPairs<D, kRows, V::kTileVectors>(tile, first);
    }
  }
  for (; first < vectors; ++first) MultiplyPairs<D, kRows, 1>(tile, first);
}

/// `rows` (1..V::kTileRows) rows times `columns` columns, rounded up to vectors; column j goes to tile.out + j.
template <typename D, int kRows = D::V::kTileRows>
void MultiplyNarrow(const NarrowTile<D>& tile, int rows, int columns) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return MultiplyNarrow<D, kRows - 1>(tile, rows, columns);
  }
  MultiplyNarrowRows<D, kRows>(tile, CeilDiv(columns, D::V::kLanes));
}

/// 2^x for x <= 0, exact at 0; below -126 it is 2^-126. Relative error about 1e-4, where a weight is rounded by up to
/// 4e-3: minimax polynomial of (2^r - 1) / r on [-1/2, 1/2]. Not a number stays so: the lowest bits of one that began
/// as bfloat16, or of none, are 0 and change no exponent.
template <typename V>
typename V::Vector RoughExp2(typename V::Vector x) {
  const auto ones = V::Set(12582912.0F);  // 3 * 2^22: a sum with it has the ones for its last place, so it is whole
  x = V::Max(V::Set(-126.0F), x);
  const auto whole = V::Add(x, ones);
  const auto r = V::Sub(x, V::Sub(whole, ones));
  auto p = V::Set(0.0550089512F);
  p = V::MulAdd(p, r, V::Set(0.24221101F));
  p = V::MulAdd(p, r, V::Set(0.69328293F));
  p = V::MulAdd(p, r, V::Set(1.0F));
  return V::AddToExponent(p, whole);
}

/// The largest of `count` scores.
template <typename V>
float LargestScore(const float* scores, int count) {
  const auto lowest = V::Set(-__builtin_inff());
  auto largest = lowest;
  int j = 0;
  for (; j + V::kLanes <= count; j += V::kLanes) largest = V::Max(largest, V::Load(scores + j));
  if (j < count) largest = V::Max(largest, V::FirstOr(count - j, V::Load(scores + j), lowest));
  return V::LargestLane(largest);
}

/// weights = 2^(scores - largest), 0 up to a whole vector; returns `sums` plus them before rounding, lane by lane.
template <typename D>
typename D::V::Vector WeighScores(const float* scores, int count, float largest, typename D::Left* weights,
                                  typename D::V::Vector sums) {
  using V = typename D::V;
  const auto shift = V::Set(largest);
  const auto weigh = [&](int at) { return RoughExp2<V>(V::Sub(V::Load(scores + at), shift)); };
  int j = 0;
  for (; j + 2 * V::kLanes <= count; j += 2 * V::kLanes) {
    const auto one = weigh(j);
    const auto other = weigh(j + V::kLanes);
    D::StoreLeft(weights + j, one, other);
    sums = V::Add(sums, V::Add(one, other));
  }
  for (; j < count; j += V::kLanes) {
    const auto weight = V::FirstOr(count - j, weigh(j), V::Zero());
    D::StoreLeft(weights + j, weight);
    sums = V::Add(sums, weight);
  }
  return sums;
}

constexpr int kMaxNarrowHeadDim = 256;
static_assert(kMaxNarrowHeadDim <= kNarrowDepth, "a row of q fits the block");
constexpr int kNarrowTotalStride = kMaxNarrowHeadDim + 16;

/// The scores of `rows` rows, in units of log 2, are in scratch; their weighted values go to `totals`, the sums of
/// their weights to `weight_sums`.
template <typename D>
void WeighNarrowValues(const NarrowAttend& args, int rows, int score_stride, typename D::Left* block, float* totals,
                       float* weight_sums) {
  using V = typename D::V;
  const auto* scores = static_cast<const float*>(args.scratch);
  float largest[V::kTileRows];
  typename V::Vector sums[V::kTileRows];
  for (int i = 0; i < rows; ++i) {
    largest[i] = LargestScore<V>(scores + static_cast<ptrdiff_t>(i) * score_stride, args.num_keys);
    sums[i] = V::Zero();
  }
  for (int key = 0; key < args.num_keys; key += kNarrowDepth) {
    const int depth = args.num_keys - key < kNarrowDepth ? args.num_keys - key : kNarrowDepth;
    for (int i = 0; i < rows; ++i) {
      sums[i] = WeighScores<D>(scores + static_cast<ptrdiff_t>(i) * score_stride + key, depth, largest[i],
                               block + i * kLeftStride<D>, sums[i]);
    }
    MultiplyNarrow<D>(
        {.block = block,
         .b = static_cast<const uint8_t*>(args.values) + static_cast<ptrdiff_t>(key) * kPanel * kGroup / 2,
         .panel_bytes = args.value_panel_bytes,
         .out = totals,
         .out_stride = kNarrowTotalStride,
         .pairs = CeilDiv(depth, 2),
         .fresh = key == 0},
        rows, args.head_dim);
  }
  for (int i = 0; i < rows; ++i) weight_sums[i] = V::SumOfLanes(sums[i]);
}

/// `rows` (at most a tile's) rows.
template <typename D>
void NarrowAttendBlock(const NarrowAttend& args, const Bf16* q, Bf16* out, int rows) {
  using V = typename D::V;
  alignas(64) typename D::Left block[V::kTileRows * kLeftStride<D>];
  alignas(64) float totals[V::kTileRows * kNarrowTotalStride];
  float weight_sums[V::kTileRows];
  for (int i = 0; i < rows; ++i, q += args.ldq) {
    for (int d = 0; d < args.head_dim; d += V::kLanes) {
      D::StoreLeft(block + i * kLeftStride<D> + d, LoadFirstBf16<V>(q + d, args.head_dim - d));
    }
  }
  // An odd number of lines, lest the rows of 1024 keys meet in one cache set; scratch has room for far more rows.
  static_assert(V::kTileRows * 2 <= kNarrowAttendRows, "the scores of a block fit scratch");
  const int score_stride = (CeilDiv(args.num_keys, kLine) | 1) * kLine;
  MultiplyNarrow<D>({.block = block,
                     .b = static_cast<const uint8_t*>(args.keys),
                     .panel_bytes = NarrowPanelBytes(Precision::kBf16, args.head_dim),
                     .out = static_cast<float*>(args.scratch),
                     .out_stride = score_stride,
                     .pairs = CeilDiv(args.head_dim, 2),
                     .factor = args.scale * 1.44269504F},
                    rows, args.num_keys);
  WeighNarrowValues<D>(args, rows, score_stride, block, totals, weight_sums);
  for (int i = 0; i < rows; ++i, out += args.ldo) {
    const float* total = totals + i * kNarrowTotalStride;
    const auto share = V::Set(1.0F / weight_sums[i]);
    for (int d = 0; d < args.head_dim; d += V::kLanes) {
      StoreFirstBf16<V>(out + d, args.head_dim - d, V::Mul(V::Load(total + d), share));
    }
  }
}

template <typename D>
void NarrowAttendRows(const NarrowAttend& args) {
  constexpr int kRows = D::V::kTileRows;
  for (int row = 0; row < args.rows; row += kRows) {
    const int left = args.rows - row;
    NarrowAttendBlock<D>(args, args.q + static_cast<ptrdiff_t>(row) * args.ldq,
                         args.out + static_cast<ptrdiff_t>(row) * args.ldo, left < kRows ? left : kRows);
  }
}

}  // namespace
}  // namespace pawsight::kernels
