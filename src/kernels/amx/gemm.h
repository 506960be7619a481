// kernels/amx/gemm.h: the product of narrow operands over the tile registers T (amx/tiles.h).
//
// A tile is multiplied in 16 cycles and read from the first-level cache in 8, from the second in 16 or more: four
// products need four tiles. So a block of 32 rows takes a few chunks of k at a time through a strip of a few panels,
// its piece of a staying in the first level; the sums of the strip wait there, too. Panels are taken in groups that fit
// the second-level cache, and every block of rows meets a group before the next: b comes from memory once.
//
// The epilogue of a strip runs beside the tiles of the next, a row of a panel every few chunks, on the vector units
// that would have nothing to do. Whatever the blocking, a sum runs over the chunks in order, through memory without
// rounding.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/amx/tiles.h"
#include "kernels/avx512/vector.h"
#include "kernels/blocked/math.h"
#include "kernels/kernels.h"

namespace pawsight::kernels {
namespace {

/// 8 chunks of 32 rows are 16 KiB, the sums of 4 panels as much; the first level has 48 and a panel's chunks pass
/// through.
constexpr int kDepthChunks = 8;
constexpr int kStripPanels = 4;
/// This group and the next, which is prefetched, fit the 2 MB of such a core beside the rows of a.
constexpr size_t kGroupBytes = 768 << 10;
/// Below this many blocks of rows a group is done before the next could arrive.
constexpr int kPrefetchBlocks = 4;

constexpr ptrdiff_t kGroupLine = kPanel * kGroup;  // bytes of a group of k in all columns of a panel
constexpr ptrdiff_t kPanelChunk = kTileRows * kGroupLine;
constexpr ptrdiff_t kSumLine = kPanel * 4;
constexpr ptrdiff_t kPanelSums = kBlockRows * kSumLine;

constexpr int DividedUp(int x, int y) { return (x + y - 1) / y; }
constexpr int Lesser(int x, int y) { return x < y ? x : y; }

inline __mmask16 FirstLanes(int count) {
  return static_cast<__mmask16>(count >= 16 ? 0xFFFFU : count <= 0 ? 0U : (1U << static_cast<unsigned>(count)) - 1U);
}

template <typename T, bool kBytes, int sums, int a, int b>
inline void MultiplyTiles() {
  if constexpr (kBytes) {
    T::template MultiplyBytes<sums, a, b>();
  } else {
    T::template MultiplyBf16<sums, a, b>();
  }
}

/// Where the sums of a block of up to 32 rows and 32 columns are: `line` bytes from row to row.
struct Sums {
  uint8_t* data;
  ptrdiff_t line;
};

template <typename T, bool kLower>
inline void ZeroSums() {
  T::template Zero<kUpperLeft>();
  T::template Zero<kUpperRight>();
  if constexpr (kLower) {
    T::template Zero<kLowerLeft>();
    T::template Zero<kLowerRight>();
  }
}
template <typename T, bool kLower>
inline void LoadSums(const Sums& sums) {
  T::template Load<kUpperLeft>(sums.data, sums.line);
  T::template Load<kUpperRight>(sums.data + kTileLine, sums.line);
  if constexpr (kLower) {
    T::template Load<kLowerLeft>(sums.data + kTileRows * sums.line, sums.line);
    T::template Load<kLowerRight>(sums.data + kTileRows * sums.line + kTileLine, sums.line);
  }
}
template <typename T, bool kLower>
inline void StoreSums(const Sums& sums) {
  T::template Store<kUpperLeft>(sums.data, sums.line);
  T::template Store<kUpperRight>(sums.data + kTileLine, sums.line);
  if constexpr (kLower) {
    T::template Store<kLowerLeft>(sums.data + kTileRows * sums.line, sums.line);
    T::template Store<kLowerRight>(sums.data + kTileRows * sums.line + kTileLine, sums.line);
  }
}

/// Adds `chunks` chunks of a . b to the sums of a block, or starts them; kLower: the block has more than 16 rows. The
/// loads stand before the products, so that those from the second-level cache overlap. beside() runs once a chunk.
template <typename T, bool kBytes, bool kLower, typename Beside>
inline void MultiplyChunks(const uint8_t* a, ptrdiff_t stride, const uint8_t* b, int chunks, bool fresh,
                           const Sums& sums, Beside&& beside) {
  if (fresh) {
    ZeroSums<T, kLower>();
  } else {
    LoadSums<T, kLower>(sums);
  }
  for (int chunk = 0; chunk < chunks; ++chunk, a += kChunk, b += kPanelChunk) {
    T::template Load<kUpperRows>(a, stride);
    if constexpr (kLower) T::template Load<kLowerRows>(a + kTileRows * stride, stride);
    T::template Load<kLeftColumns>(b, kGroupLine);
    T::template Load<kRightColumns>(b + kTileLine, kGroupLine);
    MultiplyTiles<T, kBytes, kUpperLeft, kUpperRows, kLeftColumns>();
    MultiplyTiles<T, kBytes, kUpperRight, kUpperRows, kRightColumns>();
    if constexpr (kLower) {
      MultiplyTiles<T, kBytes, kLowerLeft, kLowerRows, kLeftColumns>();
      MultiplyTiles<T, kBytes, kLowerRight, kLowerRows, kRightColumns>();
    }
    beside();
  }
  StoreSums<T, kLower>(sums);
}

/// Columns [column, column + 16) of a row from its sums to c. Beyond n: nothing in c, zeros in narrow_c.
template <bool kBytes>
inline void FinishVector(const NarrowGemm& args, const uint8_t* sums, int row, int column) {
  const __mmask16 there = FirstLanes(args.n - column);
  __m512 value;
  if constexpr (kBytes) {
    const __m512i zeros =
        _mm512_mullo_epi32(_mm512_set1_epi32(args.a.zeros[row]), _mm512_loadu_si512(args.column_sums + column));
    value =
        _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_load_si512(sums), zeros)),
                      _mm512_mul_ps(_mm512_set1_ps(args.a.scales[row]), _mm512_loadu_ps(args.column_scales + column)));
  } else {
    value = _mm512_castsi512_ps(_mm512_load_si512(sums));
  }
  if (args.bias != nullptr) value = _mm512_add_ps(value, _mm512_loadu_ps(args.bias + column));
  switch (args.tail) {
    case Tail::kNone:
      break;
    case Tail::kGelu:
      value = Gelu<Avx512>(value);
      break;
  }
  if (args.residual != nullptr) {
    const float* residual = args.residual + static_cast<ptrdiff_t>(row) * args.ldr + column;
    value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(there, residual));
  }
  const ptrdiff_t at = static_cast<ptrdiff_t>(row) * args.ldc + column;
  if (args.c != nullptr) {
    _mm512_mask_storeu_ps(args.c + at, there, value);
  } else {
    const auto narrow = reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(value));
    _mm256_storeu_si256(reinterpret_cast<__m256i_u*>(args.narrow_c + at), _mm256_maskz_mov_epi16(there, narrow));
  }
}

/// The sums of a block of rows for a few panels.
struct Strip {
  int row = 0;
  int rows = 0;
  int panel = 0;
  int panels = 0;
  uint8_t* sums = nullptr;  // kPanelSums a panel
};

/// What runs beside the tiles: the epilogue of the strip before, and asking for the next group of b.
template <bool kBytes>
class Beside {
 public:
  explicit Beside(const NarrowGemm& args) : args_(args) {}

  /// `lines` cache lines from b on are to be in the second-level cache in `steps` steps.
  void Ask(const uint8_t* b, int64_t lines, int64_t steps) {
    line_ = b;
    lines_left_ = lines;
    lines_a_step_ = lines / steps + 1;
  }
  /// The strip's sums are whole; their epilogue is due before Follow comes again.
  void Follow(const Strip& strip) {
    strip_ = strip;
    panel_ = 0;
    row_ = 0;
    rows_left_ = strip.rows * strip.panels;
  }
  /// The steps there will be until then.
  void Spread(int steps) { rows_a_step_ = DividedUp(rows_left_, steps); }

  void Step() {
    for (int64_t i = 0; i < lines_a_step_ && lines_left_ > 0; ++i, --lines_left_, line_ += kChunk) {
      __builtin_prefetch(line_, 0, 2);
    }
    FinishRows(Lesser(rows_a_step_, rows_left_));
  }
  void Finish() { FinishRows(rows_left_); }

 private:
  /// Panel by panel, row by row.
  void FinishRows(int count) {
    for (int i = 0; i < count; ++i) {
      const uint8_t* sums = strip_.sums + panel_ * kPanelSums + row_ * kSumLine;
      const int column = (strip_.panel + panel_) * kPanel;
      FinishVector<kBytes>(args_, sums, strip_.row + row_, column);
      if (args_.narrow_c != nullptr || column + kTileColumns < args_.n) {
        FinishVector<kBytes>(args_, sums + kTileLine, strip_.row + row_, column + kTileColumns);
      }
      if (++row_ == strip_.rows) {
        row_ = 0;
        ++panel_;
      }
    }
    rows_left_ -= count;
  }

  const NarrowGemm& args_;
  Strip strip_;
  int panel_ = 0;  // of the strip: where the epilogue is
  int row_ = 0;
  int rows_left_ = 0;  // rows of one panel
  int rows_a_step_ = 0;
  const uint8_t* line_ = nullptr;
  int64_t lines_left_ = 0;
  int64_t lines_a_step_ = 0;
};

/// Few rows are bound by the reading of b, which then goes straight through each panel.
inline int ChunksTogether(int rows, int chunks) {
  if (rows <= kTileRows) return chunks;
  return DividedUp(chunks, DividedUp(chunks, kDepthChunks));
}

template <typename T, bool kBytes>
void MultiplyStrip(const NarrowGemm& args, const Strip& strip, Beside<kBytes>& beside) {
  const int chunks = static_cast<int>(ChunkedBytes(args.a.precision, args.k) / kChunk);
  const int together = ChunksTogether(strip.rows, chunks);
  const auto stride = static_cast<ptrdiff_t>(args.a.stride);
  const uint8_t* a = static_cast<const uint8_t*>(args.a.data) + strip.row * stride;
  beside.Spread(chunks * strip.panels);
  for (int chunk = 0; chunk < chunks; chunk += together) {
    const int count = Lesser(together, chunks - chunk);
    for (int panel = 0; panel < strip.panels; ++panel) {
      const uint8_t* b = static_cast<const uint8_t*>(args.b) +
                         (static_cast<ptrdiff_t>(strip.panel + panel) * chunks + chunk) * kPanelChunk;
      const Sums sums = {strip.sums + panel * kPanelSums, kSumLine};
      const auto step = [&beside] { beside.Step(); };
      if (strip.rows > kTileRows) {
        MultiplyChunks<T, kBytes, true>(a + chunk * kChunk, stride, b, count, chunk == 0, sums, step);
      } else {
        MultiplyChunks<T, kBytes, false>(a + chunk * kChunk, stride, b, count, chunk == 0, sums, step);
      }
    }
  }
  beside.Finish();
}

/// Whole strips, at least one.
inline int PanelsInGroup(int chunks) {
  const auto fit = static_cast<int>(kGroupBytes / (static_cast<size_t>(chunks) * kPanelChunk));
  return fit < kStripPanels ? kStripPanels : fit / kStripPanels * kStripPanels;
}

template <typename T, bool kBytes>
void MultiplyBlocks(const NarrowGemm& args) {
  alignas(64) uint8_t sums[2][kStripPanels * kPanelSums];
  const int chunks = static_cast<int>(ChunkedBytes(args.a.precision, args.k) / kChunk);
  const int panels = NumPanels(args.n);
  const int blocks = DividedUp(args.rows, kBlockRows);
  const int group_panels = PanelsInGroup(chunks);
  Beside<kBytes> beside(args);
  int configured = 0;
  int turn = 0;
  for (int first = 0; first < panels; first += group_panels) {
    const int end = Lesser(first + group_panels, panels);
    if (blocks >= kPrefetchBlocks) {
      beside.Ask(static_cast<const uint8_t*>(args.b) + static_cast<ptrdiff_t>(end) * chunks * kPanelChunk,
                 static_cast<int64_t>(Lesser(group_panels, panels - end)) * chunks * (kPanelChunk / kChunk),
                 static_cast<int64_t>(blocks) * chunks * (end - first));
    }
    for (int row = 0; row < args.rows; row += kBlockRows) {
      const int rows = Lesser(kBlockRows, args.rows - row);
      if (rows != configured) T::Configure(ConfigFor(rows));
      configured = rows;
      for (int panel = first; panel < end; panel += kStripPanels, turn = 1 - turn) {
        const Strip strip = {row, rows, panel, Lesser(kStripPanels, end - panel), sums[turn]};
        MultiplyStrip<T, kBytes>(args, strip, beside);
        beside.Follow(strip);
      }
    }
  }
  beside.Finish();
  T::Release();
}

template <typename T>
void MultiplyNarrow(const NarrowGemm& args) {
  if (args.rows <= 0 || args.n <= 0) return;
  switch (args.a.precision) {
    case Precision::kInt8:
      MultiplyBlocks<T, true>(args);
      return;
    case Precision::kBf16:
      MultiplyBlocks<T, false>(args);
      return;
    case Precision::kFp32:
      return;
  }
}

}  // namespace
}  // namespace pawsight::kernels
