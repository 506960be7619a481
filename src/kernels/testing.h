// kernels/testing.h: what the kernels' tests share: matrices at odd alignments with guarded gaps, and a suite that runs
// for every table this CPU has. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "base/rng.h"
#include "kernels/kernels.h"

namespace pawsight::kernels {

/// Row-major floats. The first is `skew` floats past an aligned start; `gap` guards lie between rows, 16 at the end.
class Matrix {
 public:
  static constexpr float kGuard = 12345.0F;

  Matrix(int rows, int cols, int gap = 0, int skew = 0)
      : rows_(rows),
        cols_(cols),
        stride_(cols + gap),
        skew_(skew),
        floats_(static_cast<size_t>(skew + rows * stride_ + 16), kGuard) {
    Fill(0.0F);
  }

  int rows() const { return rows_; }
  int cols() const { return cols_; }
  int stride() const { return stride_; }
  float* row(int row) { return floats_.data() + skew_ + row * stride_; }
  const float* row(int row) const { return floats_.data() + skew_ + row * stride_; }
  float& at(int row, int col) { return this->row(row)[col]; }
  float at(int row, int col) const { return this->row(row)[col]; }

  Matrix& Fill(Rng& rng, double low = -1.0, double high = 1.0) {
    for (int i = 0; i < rows_; ++i) {
      for (int j = 0; j < cols_; ++j) at(i, j) = static_cast<float>(rng.Uniform(low, high));
    }
    return *this;
  }
  Matrix& Fill(float value) {
    for (int i = 0; i < rows_; ++i) {
      for (int j = 0; j < cols_; ++j) at(i, j) = value;
    }
    return *this;
  }
  /// Nothing was written outside the rows.
  bool GuardsHold() const {
    size_t guards = 0;
    for (float value : floats_) guards += value == kGuard ? 1 : 0;
    return guards >= floats_.size() - static_cast<size_t>(rows_ * cols_);
  }

 private:
  int rows_;
  int cols_;
  int stride_;
  int skew_;
  std::vector<float> floats_;
};

/// Arithmetic in double, said aloud.
constexpr double Wide(float x) { return static_cast<double>(x); }

/// The same bits, NaN and the sign of zero included.
inline bool SameBits(const float* x, const float* y, int count) {
  return std::memcmp(x, y, static_cast<size_t>(count) * sizeof(float)) == 0;
}

/// b packed element by element as kernels.h defines it, `spare` rows of NaN room at the end of each panel.
struct Packed {
  explicit Packed(const Matrix& b, int spare = 0)
      : panel_stride(static_cast<size_t>(b.rows() + spare) * kPanel),
        floats(panel_stride * static_cast<size_t>((b.cols() + kPanel - 1) / kPanel), std::nanf("")) {
    for (size_t panel = 0; panel * panel_stride < floats.size(); ++panel) {
      for (int r = 0; r < b.rows(); ++r) {
        for (int j = 0; j < kPanel; ++j) {
          const int column = static_cast<int>(panel) * kPanel + j;
          floats[panel * panel_stride + static_cast<size_t>(r * kPanel + j)] =
              column < b.cols() ? b.at(r, column) : 0.0F;
        }
      }
    }
  }

  size_t panel_stride;
  std::vector<float> floats;
};

/// A suite of tests run with each table: TEST_P(suite, ...) calls table().
class EveryTable : public testing::TestWithParam<const Kernels*> {
 protected:
  const Kernels& table() const { return *GetParam(); }
};
inline std::string TableName(const testing::TestParamInfo<const Kernels*>& suite) {
  return std::string(suite.param->name);
}

}  // namespace pawsight::kernels
