// kernels/amx/emulated_tiles.h: the tile registers in plain code, as the Intel SDM defines palette 1 and the
// instructions, so that what is written over them is tested where no processor has them. For tests only.
//
// What the processor refuses (a tile not configured, shapes that do not fit) stops the program. amx_test.cc compares
// the results bit for bit with real tiles where there are any. So did a run in the Bochs 3.1 emulator, whose tdpbusd
// takes b for unsigned, too: compare weights below 128 there.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/amx/tiles.h"
#include "kernels/narrow.h"

namespace pawsight::kernels {
namespace {

constexpr int kNumTiles = 8;
constexpr int kLanes = kTileLine / 4;

inline void Demand(bool allowed) {
  if (!allowed) __builtin_trap();
}

/// Denormal numbers are zeros, as arguments and as results.
inline float Flushed(float x) { return __builtin_fabsf(x) < 0x1p-126F ? __builtin_copysignf(0.0F, x) : x; }
inline float Fused(float x, float y, float z) { return Flushed(__builtin_fmaf(Flushed(x), Flushed(y), Flushed(z))); }

template <typename T>
inline T At(const uint8_t* bytes, int index) {
  T value;
  __builtin_memcpy(&value, bytes + index * static_cast<int>(sizeof(T)), sizeof(T));
  return value;
}
template <typename T>
inline void Put(uint8_t* bytes, int index, T value) {
  __builtin_memcpy(bytes + index * static_cast<int>(sizeof(T)), &value, sizeof(T));
}

/// FromBf16 would leave the linker a copy built for this processor.
inline float Widened(Bf16 x) {
  const uint32_t bits = static_cast<uint32_t>(x) << 16U;
  float wide;
  __builtin_memcpy(&wide, &bits, sizeof(wide));
  return wide;
}

class TileRegisters {
 public:
  void Configure(const TileConfig& config) {
    Demand(config.palette == 1 && config.start_row == 0);
    for (uint8_t byte : config.reserved) Demand(byte == 0);
    for (int tile = 0; tile < 16; ++tile) {
      Demand(config.rows[tile] <= kTileRows && config.row_bytes[tile] <= kTileLine);
      Demand((config.rows[tile] == 0) == (config.row_bytes[tile] == 0));
      Demand(tile < kNumTiles || config.rows[tile] == 0);
    }
    Release();
    configured_ = true;
    config_ = config;
  }
  void Release() {
    configured_ = false;
    __builtin_memset(bytes_, 0, sizeof(bytes_));
  }

  void Zero(int tile) {
    Demand(IsThere(tile));
    __builtin_memset(bytes_[tile], 0, sizeof(bytes_[tile]));
  }
  void Load(int tile, const void* from, ptrdiff_t stride) {
    Zero(tile);
    const auto* row = static_cast<const uint8_t*>(from);
    for (int r = 0; r < Rows(tile); ++r, row += stride) {
      for (int j = 0; j < RowBytes(tile); ++j) bytes_[tile][r][j] = row[j];
    }
  }
  void Store(int tile, void* to, ptrdiff_t stride) {
    Demand(IsThere(tile));
    auto* row = static_cast<uint8_t*>(to);
    for (int r = 0; r < Rows(tile); ++r, row += stride) {
      for (int j = 0; j < RowBytes(tile); ++j) row[j] = bytes_[tile][r][j];
    }
  }

  void MultiplyBytes(int sums, int a, int b) {
    DemandShapes(sums, a, b);
    for (int m = 0; m < Rows(sums); ++m) {
      uint8_t* row = bytes_[sums][m];
      for (int k = 0; k < RowBytes(a) / 4; ++k) {
        for (int n = 0; n < RowBytes(sums) / 4; ++n) {
          int32_t sum = At<int32_t>(row, n);
          for (int i = 0; i < 4; ++i) {
            sum += At<uint8_t>(bytes_[a][m], 4 * k + i) * At<int8_t>(bytes_[b][k], 4 * n + i);
          }
          Put(row, n, sum);
        }
      }
    }
  }

  /// Even and odd members of the pairs sum apart, over all of k, and meet before they join the sum.
  void MultiplyBf16(int sums, int a, int b) {
    DemandShapes(sums, a, b);
    for (int m = 0; m < Rows(sums); ++m) {
      float parts[2][kLanes] = {};
      for (int k = 0; k < RowBytes(a) / 4; ++k) {
        for (int i = 0; i < 2; ++i) {
          const float x = Widened(At<Bf16>(bytes_[a][m], 2 * k + i));
          for (int n = 0; n < RowBytes(sums) / 4; ++n) {
            parts[i][n] = Fused(x, Widened(At<Bf16>(bytes_[b][k], 2 * n + i)), parts[i][n]);
          }
        }
      }
      uint8_t* row = bytes_[sums][m];
      for (int n = 0; n < RowBytes(sums) / 4; ++n) {
        const float both = Flushed(parts[0][n] + parts[1][n]);
        Put(row, n, Flushed(Flushed(At<float>(row, n)) + both));
      }
    }
  }

 private:
  int Rows(int tile) const { return config_.rows[tile]; }
  int RowBytes(int tile) const { return config_.row_bytes[tile]; }
  bool IsThere(int tile) const { return configured_ && Rows(tile) > 0; }
  void DemandShapes(int sums, int a, int b) const {
    Demand(IsThere(sums) && IsThere(a) && IsThere(b) && sums != a && sums != b && a != b);
    Demand(Rows(sums) == Rows(a) && RowBytes(sums) == RowBytes(b) && RowBytes(a) == 4 * Rows(b));
  }

  bool configured_ = false;
  TileConfig config_;
  uint8_t bytes_[kNumTiles][kTileRows][kTileLine] = {};
};

/// Of this thread.
inline TileRegisters& Tiles() {
  static thread_local TileRegisters registers;
  return registers;
}

/// The policy that amx/gemm.h and amx/attend.h take.
struct EmulatedTiles {
  static void Configure(const TileConfig& config) { Tiles().Configure(config); }
  static void Release() { Tiles().Release(); }
  template <int tile>
  static void Zero() {
    Tiles().Zero(tile);
  }
  template <int tile>
  static void Load(const void* from, ptrdiff_t stride) {
    Tiles().Load(tile, from, stride);
  }
  template <int tile>
  static void Store(void* to, ptrdiff_t stride) {
    Tiles().Store(tile, to, stride);
  }
  template <int sums, int a, int b>
  static void MultiplyBytes() {
    Tiles().MultiplyBytes(sums, a, b);
  }
  template <int sums, int a, int b>
  static void MultiplyBf16() {
    Tiles().MultiplyBf16(sums, a, b);
  }
};

}  // namespace
}  // namespace pawsight::kernels
