#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/kernels.h"
#include "kernels/testing.h"

namespace pawsight::kernels {
namespace {

class GemmOf : public EveryTable {
 protected:
  /// Everything a product reads, at odd alignments and strides.
  struct Case {
    Case(int rows, int k, int n, uint64_t seed, double range = 1.0)
        : rng(seed), a(rows, k, 3, 1), b(k, n), bias(1, n, 0, 2), residual(rows, n, 5, 3), c(rows, n, 7, 1) {
      a.Fill(rng, -range, range);
      b.Fill(rng, -range, range);
      bias.Fill(rng);
      residual.Fill(rng);
    }
    Gemm Args(const Packed& packed) {
      return {.a = a.row(0),
              .lda = a.stride(),
              .b = packed.floats.data(),
              .panel_stride = packed.panel_stride,
              .bias = bias.row(0),
              .residual = residual.row(0),
              .ldr = residual.stride(),
              .c = c.row(0),
              .ldc = c.stride(),
              .rows = a.rows(),
              .k = a.cols(),
              .n = b.cols()};
    }
    double Sum(int row, int col) const {
      double sum = 0.0;
      for (int r = 0; r < a.cols(); ++r) sum += Wide(a.at(row, r)) * Wide(b.at(r, col));
      return sum;
    }

    Rng rng;
    Matrix a, b, bias, residual, c;
  };

  static double Gelu(double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); }
};
INSTANTIATE_TEST_SUITE_P(Table, GemmOf, testing::ValuesIn(Available()), TableName);

TEST_P(GemmOf, EveryNumberOfRowsAgreesWithArithmeticInDouble) {
  for (int rows = 1; rows <= 40; ++rows) {
    Case product(rows, 37, 41, static_cast<uint64_t>(rows));
    const Packed packed(product.b, rows % 3);
    table().gemm(product.Args(packed));
    for (int i = 0; i < rows; ++i) {
      for (int j = 0; j < 41; ++j) {
        const double expected = product.Sum(i, j) + Wide(product.bias.at(0, j)) + Wide(product.residual.at(i, j));
        ASSERT_NEAR(product.c.at(i, j), expected, 1e-5) << rows << " rows, at " << i << ", " << j;
      }
    }
    ASSERT_TRUE(product.c.GuardsHold()) << rows;
  }
}

TEST_P(GemmOf, EveryDepthAndWidthAgreesWithArithmeticInDouble) {
  for (int k : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 64, 100}) {
    for (int n = 1; n <= 100; ++n) {
      Case product(n % 17 + 1, k, n, static_cast<uint64_t>(k * 1000 + n));
      const Packed packed(product.b);
      Gemm args = product.Args(packed);
      args.tail = Tail::kGelu;
      args.residual = nullptr;
      table().gemm(args);
      for (int i = 0; i < args.rows; ++i) {
        for (int j = 0; j < n; ++j) {
          const double expected = Gelu(product.Sum(i, j) + Wide(product.bias.at(0, j)));
          ASSERT_NEAR(product.c.at(i, j), expected, 1e-5) << "k " << k << ", n " << n << ", at " << i << ", " << j;
        }
      }
      ASSERT_TRUE(product.c.GuardsHold());
    }
  }
}

TEST_P(GemmOf, DeepAndWideProductsAgreeWithScalar) {
  for (int k : {255, 256, 257, 768, 1029}) {
    Case product(31, k, 301, 5);
    const Packed packed(product.b);
    table().gemm(product.Args(packed));
    const Matrix ours = product.c;
    Scalar().gemm(product.Args(packed));
    for (int i = 0; i < 31; ++i) {
      for (int j = 0; j < 301; ++j) ASSERT_NEAR(ours.at(i, j), product.c.at(i, j), 2e-5) << k;
    }
  }
}

TEST_P(GemmOf, BiasAndResidualAreOptional) {
  Case product(5, 9, 35, 3);
  const Packed packed(product.b);
  Gemm args = product.Args(packed);
  args.bias = nullptr;
  args.residual = nullptr;
  table().gemm(args);
  for (int i = 0; i < 5; ++i) {
    for (int j = 0; j < 35; ++j) EXPECT_NEAR(product.c.at(i, j), product.Sum(i, j), 1e-6);
  }
}

TEST_P(GemmOf, TheResidualMayBeTheResultItself) {
  for (int k : {9, 600}) {
    for (int n : {35, 300}) {
      Case product(33, k, n, 4);
      const Packed packed(product.b);
      table().gemm(product.Args(packed));
      const Matrix expected = product.c;
      for (int i = 0; i < 33; ++i)
        std::memcpy(product.c.row(i), product.residual.row(i), sizeof(float) * static_cast<size_t>(n));
      Gemm args = product.Args(packed);
      args.residual = args.c;
      args.ldr = args.ldc;
      table().gemm(args);
      for (int i = 0; i < 33; ++i) ASSERT_TRUE(SameBits(product.c.row(i), expected.row(i), n));
    }
  }
}

TEST_P(GemmOf, ARowIsTheSameBitsAloneAndAmongOthers) {
  for (int rows : {2, 3, 5, 8, 13, 14, 15, 29, 40, 61}) {
    for (int k : {37, 300, 777}) {
      Case product(rows, k, 291, static_cast<uint64_t>(rows));
      const Packed packed(product.b);
      Gemm together = product.Args(packed);
      together.tail = Tail::kGelu;
      table().gemm(together);
      Matrix alone(1, 291, 0, 3);
      for (int i = 0; i < rows; ++i) {
        Gemm args = together;
        args.a = product.a.row(i);
        args.residual = product.residual.row(i);
        args.c = alone.row(0);
        args.rows = 1;
        table().gemm(args);
        ASSERT_TRUE(SameBits(alone.row(0), product.c.row(i), 291)) << "row " << i << " of " << rows << ", k " << k;
      }
    }
  }
}

TEST_P(GemmOf, AColumnIsTheSameBitsWhicheverPanelsAreComputedTogether) {
  Case product(16, 513, 32 * 9 + 5, 8);
  const Packed packed(product.b);
  for (int rows : {1, 4, 16}) {
    Gemm whole = product.Args(packed);
    whole.rows = rows;
    whole.tail = Tail::kGelu;
    table().gemm(whole);
    for (int step : {1, 2, 3, 5, 8}) {
      Matrix parts(rows, whole.n);
      for (int first = 0; first < whole.n; first += step * kPanel) {
        Gemm part = whole;
        part.b += static_cast<size_t>(first / kPanel) * packed.panel_stride;
        part.bias += first;
        part.residual += first;
        part.c = parts.row(0) + first;
        part.ldc = parts.stride();
        part.n = std::min(step * kPanel, whole.n - first);
        table().gemm(part);
      }
      for (int i = 0; i < rows; ++i)
        ASSERT_TRUE(SameBits(parts.row(i), product.c.row(i), whole.n)) << rows << " " << step;
    }
  }
}

TEST_P(GemmOf, GeluIsAccurateOverItsWholeRange) {
  constexpr int kPoints = 4001;
  Matrix one(1, 1), c(1, kPoints), b(1, kPoints);
  one.Fill(1.0F);
  for (int j = 0; j < kPoints; ++j) b.at(0, j) = static_cast<float>(j - kPoints / 2) * 0.005F;
  const Packed packed(b);
  table().gemm({.a = one.row(0),
                .lda = 1,
                .b = packed.floats.data(),
                .panel_stride = packed.panel_stride,
                .c = c.row(0),
                .ldc = kPoints,
                .rows = 1,
                .k = 1,
                .n = kPoints,
                .tail = Tail::kGelu});
  for (int j = 0; j < kPoints; ++j) {
    const double expected = Gelu(Wide(b.at(0, j)));
    ASSERT_NEAR(c.at(0, j), expected, 2e-7 * std::max(1.0, std::fabs(expected))) << "gelu of " << b.at(0, j);
  }
}

TEST_P(GemmOf, ExtremeValuesGiveNoNotANumberThatScalarDoesNotGive) {
  const float big = std::numeric_limits<float>::max();
  const float small = std::numeric_limits<float>::denorm_min();
  const std::vector<float> values = {0.0F,  -0.0F, small,   -small,   1e-38F,   -1e-38F,   1.0F,
                                     -1.0F, 13.0F, -13.0F,  1e4F,     -1e4F,    1e19F,     -1e19F,
                                     big,   -big,  big / 4, -big / 4, INFINITY, -INFINITY, NAN};
  const int n = static_cast<int>(values.size());
  Matrix b(1, n), ours(n, n), scalar(n, n), a(n, 1);
  for (int j = 0; j < n; ++j) a.at(j, 0) = b.at(0, j) = values[static_cast<size_t>(j)];
  const Packed packed(b);
  for (Tail tail : {Tail::kNone, Tail::kGelu}) {
    Gemm args = {.a = a.row(0),
                 .lda = 1,
                 .b = packed.floats.data(),
                 .panel_stride = packed.panel_stride,
                 .c = ours.row(0),
                 .ldc = n,
                 .rows = n,
                 .k = 1,
                 .n = n,
                 .tail = tail};
    table().gemm(args);
    args.c = scalar.row(0);
    Scalar().gemm(args);
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < n; ++j) {
        const float x = ours.at(i, j);
        const float y = scalar.at(i, j);
        if (std::isnan(y) && !std::isnan(a.at(i, 0) * b.at(0, j))) continue;  // gelu(-infinity) is 0 or not a number
        const bool same =
            std::isnan(y) ? std::isnan(x) : x == y || std::fabs(x - y) <= 2e-7F * std::max(1.0F, std::fabs(y));
        EXPECT_TRUE(same) << x << " where scalar gives " << y << ", for " << a.at(i, 0) << " * " << b.at(0, j);
      }
    }
  }
}

TEST_P(GemmOf, NotANumberInOneRowStaysInThatRow) {
  Case product(29, 300, 70, 6);
  product.a.at(7, 123) = NAN;
  const Packed packed(product.b);
  table().gemm(product.Args(packed));
  for (int i = 0; i < 29; ++i) {
    for (int j = 0; j < 70; ++j) ASSERT_EQ(std::isnan(product.c.at(i, j)), i == 7);
  }
}

}  // namespace
}  // namespace pawsight::kernels
