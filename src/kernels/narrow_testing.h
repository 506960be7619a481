// kernels/narrow_testing.h: what the tests of narrow operands share: guarded, aligned bytes and rows of bfloat16 at odd
// alignments. For tests only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/rng.h"
#include "kernels/kernels.h"
#include "kernels/testing.h"

namespace pawsight::kernels {

/// `count` bytes from a cache line's start, all kGuard at first, and a line of guards after them.
class AlignedBytes {
 public:
  static constexpr uint8_t kGuard = 0xA5;

  explicit AlignedBytes(size_t count) : count_(count), bytes_(count + 2 * kChunk, kGuard) {}
  uint8_t* data() { return bytes_.data() + (kChunk - reinterpret_cast<uintptr_t>(bytes_.data()) % kChunk) % kChunk; }
  size_t size() const { return count_; }
  bool GuardsHold() { return OnlyGuards(data() + count_, kChunk); }
  static bool OnlyGuards(const uint8_t* bytes, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      if (bytes[i] != kGuard) return false;
    }
    return true;
  }

 private:
  size_t count_;
  std::vector<uint8_t> bytes_;
};

/// Row-major bfloat16. The first is `skew` values past an even start; `gap` guards lie between rows, 16 at the end.
class Bf16Matrix {
 public:
  static constexpr Bf16 kGuard = 0x4321;

  Bf16Matrix(int rows, int cols, int gap = 0, int skew = 0)
      : rows_(rows),
        cols_(cols),
        stride_(cols + gap),
        skew_(skew),
        values_(static_cast<size_t>(skew + rows * stride_ + 16), kGuard) {}

  int rows() const { return rows_; }
  int cols() const { return cols_; }
  int stride() const { return stride_; }
  Bf16* row(int row) { return values_.data() + skew_ + row * stride_; }
  const Bf16* row(int row) const { return values_.data() + skew_ + row * stride_; }
  float at(int row, int col) const { return FromBf16(this->row(row)[col]); }
  void Set(int row, int col, float value) { this->row(row)[col] = ToBf16(value); }

  Bf16Matrix& Fill(Rng& rng, double low = -1.0, double high = 1.0) {
    for (int i = 0; i < rows_; ++i) {
      for (int j = 0; j < cols_; ++j) Set(i, j, static_cast<float>(rng.Uniform(low, high)));
    }
    return *this;
  }
  /// Nothing was written outside the rows.
  bool GuardsHold() const {
    size_t guards = 0;
    for (Bf16 value : values_) guards += value == kGuard ? 1 : 0;
    return guards >= values_.size() - static_cast<size_t>(rows_ * cols_);
  }

 private:
  int rows_;
  int cols_;
  int stride_;
  int skew_;
  std::vector<Bf16> values_;
};

/// The same bits, NaN and the sign of zero included.
inline bool SameBits(const Bf16* x, const Bf16* y, int count) {
  return std::memcmp(x, y, static_cast<size_t>(count) * sizeof(Bf16)) == 0;
}

}  // namespace pawsight::kernels
