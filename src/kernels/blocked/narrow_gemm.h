// kernels/blocked/narrow_gemm.h: c = tail(a . b + bias) + residual with operands of few bits, over the dot products N
// of one precision and one instruction set.
//
// A tile is a few rows times a few strips of panels, all of k, its sums in registers: each sum is one chain in order of
// k, so neither the height of a tile nor the strips beside it change a bit of it. Rows of a are read where they lie, 4
// bytes at a time: RowStride keeps them out of each other's cache sets. They are cut into blocks of even height, so
// that none is left too low to hide the latency of a dot product. Each block meets a group of panels that stays in the
// second-level cache; while the last block does, the next group is asked for.
//
// N names: V, vector operations in float (avx512/vector.h lists them); Sum, a register of sums, Number, one of them,
// and Operand, a register of b or of one value of a; kTileRows, kTileVectors and StripsTogether(rows), the tiles that
// fit the registers; kPasses, into how many operands a group is unpacked, one after the other; Columns<kPass>(16 or 32
// columns of b) and Row<kPass>(a group of a); Dot(row, columns, sum); Factors(args, column), Value(sums, factors, args,
// row), the product in float; StoreNarrow(to, values), as bfloat16.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/blocked/math.h"
#include "kernels/blocked/tile.h"
#include "kernels/kernels.h"

namespace pawsight::kernels {
namespace {

/// Bytes from one group of k to the next in a panel: 2 cache lines.
constexpr ptrdiff_t kGroupBytes = static_cast<ptrdiff_t>(kPanel) * kGroup;
constexpr ptrdiff_t kLineBytes = 64;

/// Bytes of panels that meet a block of rows before the next block does: this group, much of the next and the rows fit
/// the second-level cache.
constexpr ptrdiff_t kNarrowGroup = 256 << 10;

/// How far ahead b is asked for, into the second-level cache, where more lines may be on their way than to the first.
/// Not whole pages: what is asked for would meet what is read in the same sets of the first level.
constexpr ptrdiff_t kNarrowAhead = 48 * kGroupBytes;

/// Rows of a that share one base address: 0, 1, 2, 3 and 4 strides from it are what an address can say.
constexpr int kRowsOfBase = 5;

struct NarrowTile {
  const uint8_t* a = nullptr;  // first row
  ptrdiff_t stride = 0;
  const uint8_t* b = nullptr;  // first group of k of the first strip
  ptrdiff_t panel_bytes = 0;
  ptrdiff_t ahead = 0;   // from b to what will be wanted next, laid out as b
  ptrdiff_t groups = 0;  // of k
};

template <typename N>
constexpr int kNarrowStrip{N::kTileVectors * N::V::kLanes};

inline int32_t LoadGroup(const uint8_t* bytes) {
  int32_t group;
  __builtin_memcpy(&group, bytes, sizeof group);
  return group;
}

/// sums += one group of k of the rows at `bases` times one of the columns at b.
template <typename N, int kPass, int kRows, int kVectors>
inline void MultiplyGroup(const uint8_t* const (&bases)[3], ptrdiff_t stride, const uint8_t* b, ptrdiff_t panel_bytes,
                          typename N::Sum (&sums)[kRows][kVectors]) {
  constexpr int kVectorsInPanel = kPanel / N::V::kLanes;
  typename N::Operand columns[kVectors];
  PAWSIGHT_UNROLL
  for (int v = 0; v < kVectors; ++v) {
    columns[v] = N::template Columns<kPass>(b + (v / kVectorsInPanel) * panel_bytes +
                                            (v % kVectorsInPanel) * N::V::kLanes * kGroup);
  }
  PAWSIGHT_UNROLL
  for (int i = 0; i < kRows; ++i) {
    const auto row = N::template Row<kPass>(LoadGroup(bases[i / kRowsOfBase] + (i % kRowsOfBase) * stride));
    PAWSIGHT_UNROLL
    for (int v = 0; v < kVectors; ++v) sums[i][v] = N::Dot(row, columns[v], sums[i][v]);
  }
  if constexpr (kPass + 1 < N::kPasses) {
    // Read again what was read: kept from one pass to the next, it would push sums out of the registers.
    asm volatile("" : : : "memory");
    MultiplyGroup<N, kPass + 1, kRows, kVectors>(bases, stride, b, panel_bytes, sums);
  }
}

/// out [kRows, kStrips strips] = the tile's sums. The strips begin at a panel's start unless there is one alone.
template <typename N, int kRows, int kStrips>
void MultiplyNarrowTile(const NarrowTile& tile, typename N::Number* out) {
  static_assert(kRows <= 3 * kRowsOfBase && kRows * kStrips <= N::kTileRows);
  constexpr int kVectors = N::kTileVectors * kStrips;
  constexpr int kVectorsInPanel = kPanel / N::V::kLanes;
  constexpr int kVectorsOfLine = static_cast<int>(kLineBytes) / (N::V::kLanes * kGroup);
  typename N::Sum sums[kRows][kVectors];
  PAWSIGHT_UNROLL
  for (int i = 0; i < kRows; ++i) {
    PAWSIGHT_UNROLL
    for (int v = 0; v < kVectors; ++v) sums[i][v] = N::Zero();
  }
  const ptrdiff_t stride = tile.stride;
  const ptrdiff_t panel_bytes = tile.panel_bytes;
  const ptrdiff_t ahead = tile.ahead;
  const uint8_t* bases[3] = {tile.a, tile.a + kRowsOfBase * stride, tile.a + 2 * kRowsOfBase * stride};
  const uint8_t* b = tile.b;
  for (const uint8_t* end = b + tile.groups * kGroupBytes; b != end; b += kGroupBytes) {
    PAWSIGHT_UNROLL
    for (int v = 0; v < kVectors; v += kVectorsOfLine) {
      __builtin_prefetch(
          b + ahead + (v / kVectorsInPanel) * panel_bytes + (v % kVectorsInPanel) * N::V::kLanes * kGroup, 0, 2);
    }
    MultiplyGroup<N, 0, kRows, kVectors>(bases, stride, b, panel_bytes, sums);
    for (const uint8_t*& base : bases) base += kGroup;
  }
  PAWSIGHT_UNROLL
  for (int i = 0; i < kRows; ++i) {
    PAWSIGHT_UNROLL
    for (int v = 0; v < kVectors; ++v) N::Store(out + (i * kVectors + v) * N::V::kLanes, sums[i][v]);
  }
}

/// What a vector of one row becomes: kWhole, all of its columns exist; otherwise the first `count` of them do, and the
/// others are written to narrow_c alone, as zeros.
template <typename N, Tail kTail, bool kWhole>
inline void FinishVector(const NarrowGemm& args, typename N::V::Vector value, const float* bias, int row, int column,
                         int count) {
  using V = typename N::V;
  const auto load = [count](const float* x) {
    if constexpr (kWhole) return V::Load(x);
    return V::LoadFirst(x, count);
  };
  if (bias != nullptr) value = V::Add(value, load(bias + column));
  if constexpr (kTail == Tail::kGelu) value = NarrowGelu<V>(value);
  if (args.residual != nullptr) {
    value = V::Add(value, load(args.residual + static_cast<ptrdiff_t>(row) * args.ldr + column));
  }
  const ptrdiff_t at = static_cast<ptrdiff_t>(row) * args.ldc + column;
  if (args.c == nullptr) {
    if constexpr (!kWhole) value = V::FirstOr(count, value, V::Zero());
    N::StoreNarrow(args.narrow_c + at, value);
  } else if constexpr (kWhole) {
    V::Store(args.c + at, value);
  } else {
    V::StoreFirst(args.c + at, count, value);
  }
}

/// Rows [row, row + rows) of `columns` columns from `column` on, given their sums.
template <typename N, Tail kTail>
void FinishNarrow(const NarrowGemm& args, const typename N::Number* sums, int row, int rows, int column, int columns) {
  using V = typename N::V;
  for (int j = 0; j < columns; j += V::kLanes, column += V::kLanes, sums += V::kLanes) {
    const int left = args.n - column;
    if (left <= 0 && args.c != nullptr) return;
    const auto factors = N::FactorsOf(args, column);
    for (int i = 0; i < rows; ++i) {
      if (left <= 0) {
        N::StoreNarrow(args.narrow_c + static_cast<ptrdiff_t>(row + i) * args.ldc + column, V::Zero());
        continue;
      }
      const auto value = N::Value(sums + i * columns, factors, args, row + i);
      if (left >= V::kLanes) {
        FinishVector<N, kTail, true>(args, value, args.bias, row + i, column, left);
      } else {
        FinishVector<N, kTail, false>(args, value, args.bias, row + i, column, left);
      }
    }
  }
}

template <typename N, int kRows, int kStrips>
void MultiplyStripsNarrow(const NarrowGemm& args, const NarrowTile& tile, int row, int column) {
  constexpr int kColumns = kNarrowStrip<N> * kStrips;
  alignas(64) typename N::Number sums[kRows * kColumns];
  MultiplyNarrowTile<N, kRows, kStrips>(tile, sums);
  switch (args.tail) {
    case Tail::kNone:
      FinishNarrow<N, Tail::kNone>(args, sums, row, kRows, column, kColumns);
      break;
    case Tail::kGelu:
      FinishNarrow<N, Tail::kGelu>(args, sums, row, kRows, column, kColumns);
      break;
  }
}

/// kRows rows times `panels` panels; where there are few rows, several strips together, for enough independent sums to
/// hide the latency of a dot product.
template <typename N, int kRows>
void MultiplyRowsNarrow(const NarrowGemm& args, const NarrowTile& tile, int row, int column, int panels) {
  constexpr int kTogether = N::StripsTogether(kRows);
  constexpr int kStripsInPanel = kPanel / kNarrowStrip<N>;
  const auto at = [&tile](int strip) {
    NarrowTile moved = tile;
    moved.b += (strip / kStripsInPanel) * tile.panel_bytes + (strip % kStripsInPanel) * kNarrowStrip<N> * kGroup;
    return moved;
  };
  const int strips = panels * kStripsInPanel;
  int strip = 0;
  for (; strip + kTogether <= strips; strip += kTogether) {
    MultiplyStripsNarrow<N, kRows, kTogether>(args, at(strip), row, column + strip * kNarrowStrip<N>);
  }
  if constexpr (kTogether > 1) {
    for (; strip < strips; ++strip) {
      MultiplyStripsNarrow<N, kRows, 1>(args, at(strip), row, column + strip * kNarrowStrip<N>);
    }
  }
}

/// The same for `rows` (1..N::kTileRows) rows.
template <typename N, int kRows = N::kTileRows>
void MultiplyBlockNarrow(const NarrowGemm& args, const NarrowTile& tile, int row, int rows, int column, int panels) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return MultiplyBlockNarrow<N, kRows - 1>(args, tile, row, rows, column, panels);
  }
  MultiplyRowsNarrow<N, kRows>(args, tile, row, column, panels);
}

template <typename N>
void MultiplyNarrow(const NarrowGemm& args) {
  const auto panel_bytes = static_cast<ptrdiff_t>(NarrowPanelBytes(N::kPrecision, args.k));
  const int panels = NumPanels(args.n);
  const int blocks = CeilDiv(args.rows, N::kTileRows);
  const auto fit = static_cast<int>(kNarrowGroup / panel_bytes);
  // A single block has no use for what it has read.
  const int group = blocks == 1 ? panels : fit < 2 ? 2 : fit;
  const auto* a = static_cast<const uint8_t*>(args.a.data);
  const auto stride = static_cast<ptrdiff_t>(args.a.stride);
  for (int panel = 0; panel < panels; panel += group) {
    const int width = panels - panel < group ? panels - panel : group;
    NarrowTile tile = {.stride = stride,
                       .b = static_cast<const uint8_t*>(args.b) + panel * panel_bytes,
                       .panel_bytes = panel_bytes,
                       .groups = CeilDiv(args.k * NarrowBytes(N::kPrecision), kGroup)};
    for (int block = 0; block < blocks; ++block) {
      const auto row = static_cast<int>(static_cast<int64_t>(args.rows) * block / blocks);
      const auto end = static_cast<int>(static_cast<int64_t>(args.rows) * (block + 1) / blocks);
      tile.a = a + row * stride;
      tile.ahead = block > 0 && block + 1 == blocks ? width * panel_bytes : kNarrowAhead;
      MultiplyBlockNarrow<N>(args, tile, row, end - row, panel * kPanel, width);
    }
  }
}

}  // namespace
}  // namespace pawsight::kernels
