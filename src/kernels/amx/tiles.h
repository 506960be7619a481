// kernels/amx/tiles.h: the tile registers that kernels/amx is written over: which tile holds what, and the policy with
// the real instructions. amx/emulated_tiles.h is the other policy, for tests.
//
// Written in assembly and not with the compilers' intrinsics: g++ 12's do not say that a tile load or a configuration
// reads memory, so a store that only a tile reads may be moved behind it or dropped.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pawsight::kernels {
namespace {

/// A block of sums is 2 x 2 tiles of 16 x 16; a tile of a is 16 rows of one chunk, a tile of b 16 groups of half a
/// panel.
constexpr int kTileRows = 16;
constexpr int kTileColumns = 16;
constexpr int kTileLine = 64;  // bytes of one row of a tile
constexpr int kBlockRows = 2 * kTileRows;

/// The tiles. Sums by (rows, columns): upper or lower 16 rows, left or right 16 columns.
constexpr int kUpperLeft = 0;
constexpr int kUpperRight = 1;
constexpr int kLowerLeft = 2;
constexpr int kLowerRight = 3;
constexpr int kUpperRows = 4;
constexpr int kLowerRows = 5;
constexpr int kLeftColumns = 6;
constexpr int kRightColumns = 7;

/// What ldtilecfg reads (Intel SDM volume 1, 18.3). A tile not used has neither rows nor bytes.
struct alignas(64) TileConfig {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};
static_assert(sizeof(TileConfig) == 64);

/// For a block of `rows` rows, 1..32. The last rows of a matrix get tiles of fewer rows, so nothing beyond is touched.
inline TileConfig ConfigFor(int rows) {
  const auto upper = static_cast<uint8_t>(rows < kTileRows ? rows : kTileRows);
  const auto lower = static_cast<uint8_t>(rows - upper);
  TileConfig config;
  config.rows[kUpperLeft] = config.rows[kUpperRight] = config.rows[kUpperRows] = upper;
  config.rows[kLowerLeft] = config.rows[kLowerRight] = config.rows[kLowerRows] = lower;
  config.rows[kLeftColumns] = config.rows[kRightColumns] = kTileRows;
  for (int tile = 0; tile < 8; ++tile) config.row_bytes[tile] = config.rows[tile] == 0 ? 0 : kTileLine;
  return config;
}

#if defined(__x86_64__)

/// The instructions. Volatile keeps their order, for the compiler knows nothing of tiles.
struct NativeTiles {
  /// Zeroes every tile, too.
  static void Configure(const TileConfig& config) { asm volatile("ldtilecfg %0" : : "m"(config) : "memory"); }
  /// Without it each switch of threads would go on saving 8 KiB of tiles.
  static void Release() { asm volatile("tilerelease"); }

  template <int tile>
  static void Zero() {
    asm volatile("tilezero %%tmm%c0" : : "i"(tile));
  }
  template <int tile>
  static void Load(const void* from, ptrdiff_t stride) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(stride), "i"(tile) : "memory");
  }
  template <int tile>
  static void Store(void* to, ptrdiff_t stride) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(stride), "i"(tile) : "memory");
  }
  /// sums += a . b in 32-bit integers, a of unsigned and b of signed bytes.
  template <int sums, int a, int b>
  static void MultiplyBytes() {
    asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(sums), "i"(a), "i"(b));
  }
  /// sums += a . b in float.
  template <int sums, int a, int b>
  static void MultiplyBf16() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(sums), "i"(a), "i"(b));
  }
};

#endif

}  // namespace
}  // namespace pawsight::kernels
