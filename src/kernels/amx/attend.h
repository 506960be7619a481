// kernels/amx/attend.h: attention of one head in bfloat16 over the tile registers T (amx/tiles.h). A block of 32 rows
// at a time: the scores of all keys into scratch, from them the weights in bfloat16, whose product with the values a
// block of sums holds until each row is divided by the sum of its weights.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/amx/gemm.h"
#include "kernels/amx/tiles.h"
#include "kernels/avx512/vector.h"
#include "kernels/blocked/math.h"
#include "kernels/kernels.h"

namespace pawsight::kernels {
namespace {

constexpr int kMaxHeadBytes = 256 * sizeof(Bf16);

/// Scratch of one call. Rows of scores and of weights are an odd number of cache lines apart, so that the rows of a
/// tile do not meet in the same sets of the first-level cache.
struct Scratch {
  uint8_t* scores;
  uint8_t* weights;
  ptrdiff_t score_stride;
  ptrdiff_t weight_stride;

  Scratch(void* memory, int num_keys)
      : scores(static_cast<uint8_t*>(memory)),
        weights(nullptr),
        score_stride(static_cast<ptrdiff_t>(NumPanels(num_keys)) * kSumLine + kChunk),
        weight_stride(static_cast<ptrdiff_t>(RowStride(Precision::kBf16, num_keys))) {
    weights = scores + kBlockRows * score_stride;
  }
};
static_assert(kBlockRows == kNarrowAttendRows);
static_assert(NarrowAttendScratch(64) >= kBlockRows * (2 * kSumLine + kChunk + RowStride(Precision::kBf16, 64)));
static_assert(NarrowAttendScratch(65) >= kBlockRows * (3 * kSumLine + kChunk + RowStride(Precision::kBf16, 65)));

/// `count` values as whole chunks, zeros behind them.
inline void CopyPadded(const Bf16* from, int count, uint8_t* to) {
  for (int d = 0; d < count; d += 32) {
    const int left = count - d;
    const auto there = static_cast<__mmask32>(left >= 32 ? 0xFFFFFFFFU : (1U << static_cast<unsigned>(left)) - 1U);
    _mm512_store_si512(to + static_cast<ptrdiff_t>(d) * 2, _mm512_maskz_loadu_epi16(there, from + d));
  }
}

template <typename T>
void MultiplyPanel(int rows, const uint8_t* a, ptrdiff_t stride, const uint8_t* b, int chunks, const Sums& sums) {
  if (rows > kTileRows) {
    MultiplyChunks<T, false, true>(a, stride, b, chunks, true, sums, [] {});
  } else {
    MultiplyChunks<T, false, false>(a, stride, b, chunks, true, sums, [] {});
  }
}

/// Calls visit(j, half, lanes) for the vectors of `count` scores up to a panel's end. What is gathered in two halves
/// waits half as long for itself.
template <typename Visit>
inline void ForVectors(int count, Visit&& visit) {
  int j = 0;
  for (; j + kPanel <= count; j += kPanel) {
    visit(j, 0, FirstLanes(16));
    visit(j + 16, 1, FirstLanes(16));
  }
  if (j < count) {
    visit(j, 0, FirstLanes(count - j));
    visit(j + 16, 1, FirstLanes(count - j - 16));
  }
}

/// weights = 2^(scale * score - largest), 0 up to the last panel's end; returns their sum before rounding.
inline float WeighRow(const float* scores, int num_keys, float scale, Bf16* weights) {
  const __m512 scales = _mm512_set1_ps(scale);
  __m512 largest[2] = {_mm512_set1_ps(-__builtin_inff()), _mm512_set1_ps(-__builtin_inff())};
  ForVectors(num_keys, [&](int j, int half, __mmask16 there) {
    const __m512 score = _mm512_mul_ps(_mm512_load_ps(scores + j), scales);
    largest[half] = _mm512_mask_max_ps(largest[half], there, largest[half], score);
  });
  const __m512 shift = _mm512_set1_ps(_mm512_reduce_max_ps(Avx512::Max(largest[0], largest[1])));
  __m512 sums[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
  ForVectors(num_keys, [&](int j, int half, __mmask16 there) {
    const __m512 power = Exp2<Avx512>(_mm512_fmsub_ps(_mm512_load_ps(scores + j), scales, shift));
    const __m512 weight = _mm512_maskz_mov_ps(there, power);
    sums[half] = _mm512_add_ps(sums[half], weight);
    _mm256_store_si256(reinterpret_cast<__m256i*>(weights + j), reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(weight)));
  });
  return _mm512_reduce_add_ps(_mm512_add_ps(sums[0], sums[1]));
}

/// Columns [column, column + 32) of `rows` rows, those below head_dim.
inline void DivideRows(const NarrowAttend& args, const uint8_t* sums, const float* weight_sums, int row, int rows,
                       int column) {
  for (int i = 0; i < rows; ++i) {
    const __m512 weights = _mm512_set1_ps(weight_sums[i]);
    Bf16* out = args.out + static_cast<ptrdiff_t>(row + i) * args.ldo;
    for (int d = 0; d < kPanel; d += 16) {
      const __m512 quotient = _mm512_div_ps(_mm512_load_ps(sums + i * kSumLine + d * 4), weights);
      _mm256_mask_storeu_epi16(out + column + d, FirstLanes(args.head_dim - column - d),
                               reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(quotient)));
    }
  }
}

/// Rows [row, row + rows), at most a block; the tiles are configured for as many.
template <typename T>
void AttendBlock(const NarrowAttend& args, int row, int rows) {
  alignas(64) uint8_t q[kBlockRows * (kMaxHeadBytes + kChunk)];
  alignas(64) uint8_t sums[kPanelSums];
  float weight_sums[kBlockRows];
  const Scratch scratch(args.scratch, args.num_keys);
  const auto q_stride = static_cast<ptrdiff_t>(RowStride(Precision::kBf16, args.head_dim));
  const int head_chunks = static_cast<int>(ChunkedBytes(Precision::kBf16, args.head_dim) / kChunk);
  const int key_panels = NumPanels(args.num_keys);
  for (int i = 0; i < rows; ++i) {
    CopyPadded(args.q + static_cast<ptrdiff_t>(row + i) * args.ldq, args.head_dim, q + i * q_stride);
  }
  for (int panel = 0; panel < key_panels; ++panel) {
    const uint8_t* keys = static_cast<const uint8_t*>(args.keys) + panel * head_chunks * kPanelChunk;
    MultiplyPanel<T>(rows, q, q_stride, keys, head_chunks, {scratch.scores + panel * kSumLine, scratch.score_stride});
  }
  for (int i = 0; i < rows; ++i) {
    const auto* scores = reinterpret_cast<const float*>(scratch.scores + i * scratch.score_stride);
    auto* weights = reinterpret_cast<Bf16*>(scratch.weights + i * scratch.weight_stride);
    weight_sums[i] = WeighRow(scores, args.num_keys, args.scale * 1.44269504F, weights);
  }
  // A panel of keys is a chunk of values' k.
  for (int panel = 0; panel < NumPanels(args.head_dim); ++panel) {
    const uint8_t* values =
        static_cast<const uint8_t*>(args.values) + static_cast<size_t>(panel) * args.value_panel_bytes;
    MultiplyPanel<T>(rows, scratch.weights, scratch.weight_stride, values, key_panels, {sums, kSumLine});
    DivideRows(args, sums, weight_sums, row, rows, panel * kPanel);
  }
}

template <typename T>
void AttendNarrow(const NarrowAttend& args) {
  int configured = 0;
  for (int row = 0; row < args.rows; row += kBlockRows) {
    const int rows = Lesser(kBlockRows, args.rows - row);
    if (rows != configured) T::Configure(ConfigFor(rows));
    configured = rows;
    AttendBlock<T>(args, row, rows);
  }
  if (configured != 0) T::Release();
}

}  // namespace
}  // namespace pawsight::kernels
