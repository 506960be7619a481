#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "kernels/kernels.h"
#include "kernels/testing.h"

namespace pawsight::kernels {
namespace {

/// `size` bytes from a cache line's start, exactly as many, so that the sanitizer sees a read beyond them.
class Bytes {
 public:
  explicit Bytes(size_t size, uint8_t fill = 0)
      : size_(size), memory_(static_cast<uint8_t*>(std::aligned_alloc(64, (size + 63) / 64 * 64))) {
    std::memset(memory_.get(), fill, size);
  }
  uint8_t* data() { return memory_.get(); }
  const uint8_t* data() const { return memory_.get(); }
  size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(uint8_t* memory) const { std::free(memory); }
  };
  size_t size_;
  std::unique_ptr<uint8_t, Free> memory_;
};

constexpr Bf16 kGuard16 = 0x4BCD;

/// Everything a product reads and writes. Rows of c and of narrow_c are further apart than they are long.
class Product {
 public:
  Product(Precision precision, int rows, int k, int n, uint64_t seed = 1, size_t spare_stride = 0)
      : rng(seed),
        stride(RowStride(precision, k) + spare_stride),
        a(static_cast<size_t>(rows) * stride),
        b(NarrowPackedBytes(precision, k, n)),
        padded(NumPanels(n) * kPanel),
        column_scales(static_cast<size_t>(padded)),
        column_sums(static_cast<size_t>(padded)),
        row_scales(static_cast<size_t>(rows)),
        zeros(static_cast<size_t>(rows)),
        bias(1, padded, 0, 2),
        residual(rows, n, 5, 3),
        c(rows, n, 7, 1),
        narrow(static_cast<size_t>(rows) * static_cast<size_t>(padded + 3) + 16, kGuard16),
        args{.a = {.precision = precision, .data = a.data(), .stride = stride},
             .b = b.data(),
             .bias = bias.row(0),
             .residual = residual.row(0),
             .ldr = residual.stride(),
             .c = c.row(0),
             .ldc = c.stride(),
             .rows = rows,
             .k = k,
             .n = n} {
    Matrix weight(n, k);
    weight.Fill(rng);
    bias.Fill(rng);
    residual.Fill(rng);
    if (precision == Precision::kInt8) {
      PackInt8(weight.row(0), k, n, k, b.data(), column_scales.data(), column_sums.data());
      args.a.scales = row_scales.data();
      args.a.zeros = zeros.data();
      args.column_scales = column_scales.data();
      args.column_sums = column_sums.data();
    } else {
      PackBf16(weight.row(0), k, n, k, b.data());
    }
    FillRows();
  }

  /// The result goes to narrow_c instead.
  void Narrow() {
    args.c = nullptr;
    args.narrow_c = narrow.data();
    args.ldc = padded + 3;
  }
  Bf16 narrow_at(int row, int column) const { return narrow[static_cast<size_t>(row * (padded + 3) + column)]; }
  bool GuardsHold() const {
    if (!c.GuardsHold()) return false;
    for (int i = 0; i < args.rows; ++i) {
      for (int j = 0; j < 3; ++j) {
        if (narrow_at(i, padded + j) != kGuard16) return false;
      }
    }
    return std::count(narrow.end() - 16, narrow.end(), kGuard16) == 16;
  }
  int8_t weight_byte(int r, int j) const {
    return static_cast<int8_t>(b.data()[static_cast<size_t>(j / kPanel) * NarrowPanelBytes(Precision::kInt8, args.k) +
                                        static_cast<size_t>(r / 4 * kPanel * kGroup + j % kPanel * kGroup + r % 4)]);
  }

  Rng rng;
  size_t stride;
  Bytes a, b;
  int padded;
  std::vector<float> column_scales;
  std::vector<int32_t> column_sums;
  std::vector<float> row_scales;
  std::vector<int32_t> zeros;
  Matrix bias, residual, c;
  std::vector<Bf16> narrow;
  NarrowGemm args;

 private:
  /// Bytes of kInt8 everywhere, as the padding may be anything; bfloat16 up to k, zeros beyond.
  void FillRows() {
    for (int i = 0; i < args.rows; ++i) {
      uint8_t* row = a.data() + static_cast<size_t>(i) * stride;
      if (args.a.precision == Precision::kInt8) {
        for (size_t r = 0; r < stride; ++r) row[r] = static_cast<uint8_t>(rng.Below(256));
        row_scales[static_cast<size_t>(i)] = static_cast<float>(rng.Uniform(0.001, 0.01));
        zeros[static_cast<size_t>(i)] = rng.Below(256);
      } else {
        auto* values = reinterpret_cast<Bf16*>(row);
        for (int r = 0; r < args.k; ++r) values[r] = ToBf16(static_cast<float>(rng.Uniform(-1.0, 1.0)));
      }
    }
  }
};

/// How far a sum of k products of bfloat16 within 1 may be from scalar's: the two add in different orders, and each
/// step rounds a sum of about sqrt(k) / 3 to 24 bits.
float Bf16Tolerance(int k) { return 1e-7F * static_cast<float>(k + 100); }

/// What the gelu of narrow results may be wrong by.
constexpr float kGeluTolerance = 2e-4F;

class NarrowGemmOf : public EveryTable {
 protected:
  /// Runs `product` with this table and with scalar and compares; c is left as this table gives it.
  void CompareWithScalar(Product& product) {
    const NarrowGemm& args = product.args;
    std::vector<Bf16> narrow = product.narrow;
    Matrix c = product.c;
    NarrowGemm reference = args;
    if (args.c != nullptr) {
      reference.c = c.row(0);
      if (args.residual == args.c) reference.residual = reference.c;
    } else {
      reference.narrow_c = narrow.data();
    }
    table().narrow_gemm(args);
    Scalar().narrow_gemm(reference);
    ASSERT_TRUE(product.GuardsHold());
    const float gelu = args.tail == Tail::kGelu ? kGeluTolerance : 0.0F;
    const float sum = args.a.precision == Precision::kBf16 ? Bf16Tolerance(args.k) : 0.0F;
    for (int i = 0; i < args.rows; ++i) {
      for (int j = 0; j < (args.c != nullptr ? args.n : product.padded); ++j) {
        const auto at = static_cast<size_t>(i * (product.padded + 3) + j);
        const float ours = args.c != nullptr ? product.c.at(i, j) : FromBf16(product.narrow[at]);
        const float expected = args.c != nullptr ? c.at(i, j) : FromBf16(narrow[at]);
        const float size = std::max(1.0F, std::fabs(expected));
        // A unit in the last place of bfloat16 is 2^-7 of a power of two.
        const float rounding = args.c != nullptr ? 1e-5F * std::fabs(expected) : std::fabs(expected) / 128.0F;
        ASSERT_LE(std::fabs(ours - expected), rounding + gelu * size + sum)
            << ours << " instead of " << expected << " at " << i << ", " << j << " of " << args.rows << " x " << args.k
            << " x " << args.n;
        if (j >= args.n) {
          ASSERT_EQ(product.narrow[at], 0);
        }
      }
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Table, NarrowGemmOf, testing::ValuesIn(Available()), TableName);

constexpr Precision kPrecisions[] = {Precision::kInt8, Precision::kBf16};

TEST_P(NarrowGemmOf, EveryNumberOfRowsAgreesWithScalar) {
  for (Precision precision : kPrecisions) {
    for (int rows = 1; rows <= 33; ++rows) {
      Product product(precision, rows, 65, 100, static_cast<uint64_t>(rows), rows % 2 == 0 ? 0 : 128);
      CompareWithScalar(product);
    }
  }
}

TEST_P(NarrowGemmOf, EveryDepthAndWidthAgreesWithScalarInFloatAndInBf16) {
  for (Precision precision : kPrecisions) {
    for (int k : {1, 3, 4, 5, 63, 64, 65, 768}) {
      for (int n : {1, 2, 16, 17, 31, 32, 33, 100, 160}) {
        for (bool narrow : {false, true}) {
          Product product(precision, k % 17 + 1, k, n, static_cast<uint64_t>(k * 1000 + n));
          if (narrow) product.Narrow();
          product.args.tail = n % 2 == 0 ? Tail::kGelu : Tail::kNone;
          CompareWithScalar(product);
        }
      }
    }
  }
}

TEST_P(NarrowGemmOf, ManyRowsAndDeepProductsAgreeWithScalar) {
  for (Precision precision : kPrecisions) {
    Product many(precision, 577, 63, 33);
    CompareWithScalar(many);
    Product deep(precision, 29, 3072, 70);
    deep.Narrow();
    CompareWithScalar(deep);
  }
}

TEST_P(NarrowGemmOf, GroupsOfPanelsMeetAtEveryWidth) {
  for (Precision precision : kPrecisions) {
    for (int n : {32 * 21 + 1, 32 * 24}) {
      Product product(precision, 15, 768, n);
      CompareWithScalar(product);
    }
  }
}

TEST_P(NarrowGemmOf, SumsOfBytesAreExact) {
  Product product(Precision::kInt8, 14, 777, 65);
  product.args.bias = nullptr;
  product.args.residual = nullptr;
  std::fill(product.row_scales.begin(), product.row_scales.end(), 1.0F);
  std::fill(product.column_scales.begin(), product.column_scales.end(), 1.0F);
  table().narrow_gemm(product.args);
  for (int i = 0; i < 14; ++i) {
    for (int j = 0; j < 65; ++j) {
      int64_t sum = 0;
      for (int r = 0; r < 777; ++r) {
        sum += (product.a.data()[static_cast<size_t>(i) * product.stride + static_cast<size_t>(r)] -
                product.zeros[static_cast<size_t>(i)]) *
               product.weight_byte(r, j);
      }
      ASSERT_EQ(product.c.at(i, j), static_cast<float>(sum));
    }
  }
}

TEST_P(NarrowGemmOf, TheLargestBytesAndTheDeepestProductDoNotOverflow) {
  constexpr int kDeepest = 32768;
  for (int zero : {0, 255}) {
    for (int8_t weight : {int8_t{127}, int8_t{-127}}) {
      Product product(Precision::kInt8, 3, kDeepest, 33);
      product.args.bias = nullptr;
      product.args.residual = nullptr;
      const uint8_t byte = zero == 0 ? 255 : 0;
      std::memset(product.a.data(), byte, product.a.size());
      std::memset(product.b.data(), weight, product.b.size());
      std::fill(product.column_sums.begin(), product.column_sums.end(), weight * kDeepest);
      std::fill(product.zeros.begin(), product.zeros.end(), zero);
      std::fill(product.row_scales.begin(), product.row_scales.end(), 1.0F);
      std::fill(product.column_scales.begin(), product.column_scales.end(), 1.0F);
      table().narrow_gemm(product.args);
      const float expected = static_cast<float>((byte - zero) * weight * kDeepest);
      for (int i = 0; i < 3; ++i) {
        for (int j = 0; j < 33; ++j) ASSERT_EQ(product.c.at(i, j), expected);
      }
    }
  }
}

TEST_P(NarrowGemmOf, BiasAndResidualAreOptionalAndTheResidualMayBeTheResult) {
  for (Precision precision : kPrecisions) {
    Product plain(precision, 17, 70, 67);
    plain.args.bias = nullptr;
    plain.args.residual = nullptr;
    CompareWithScalar(plain);
    Product same(precision, 17, 70, 67);
    same.c.Fill(same.rng);
    same.args.residual = same.args.c;
    same.args.ldr = same.args.ldc;
    CompareWithScalar(same);
    Product narrow(precision, 17, 70, 67);
    narrow.Narrow();
    CompareWithScalar(narrow);
  }
}

TEST_P(NarrowGemmOf, ARowIsTheSameBitsAloneAndAmongOthers) {
  for (Precision precision : kPrecisions) {
    for (int k : {65, 768}) {
      Product together(precision, 33, k, 291);
      together.args.tail = Tail::kGelu;
      table().narrow_gemm(together.args);
      Matrix alone(1, 291, 0, 3);
      for (int i = 0; i < 33; ++i) {
        NarrowGemm args = together.args;
        args.a = args.a.From(i);
        args.residual = together.residual.row(i);
        args.c = alone.row(0);
        args.rows = 1;
        table().narrow_gemm(args);
        ASSERT_TRUE(SameBits(alone.row(0), together.c.row(i), 291)) << "row " << i << ", k " << k;
      }
    }
  }
}

TEST_P(NarrowGemmOf, AColumnIsTheSameBitsWhicheverPanelsAreComputedTogether) {
  for (Precision precision : kPrecisions) {
    for (int rows : {1, 4, 9, 16}) {
      Product whole(precision, rows, 513, 32 * 9);
      table().narrow_gemm(whole.args);
      Matrix parts(rows, 32 * 9);
      for (int first = 0; first < 32 * 9; first += kPanel) {
        NarrowGemm part = whole.args;
        part.b = whole.b.data() + static_cast<size_t>(first / kPanel) * NarrowPanelBytes(precision, 513);
        if (precision == Precision::kInt8) {
          part.column_scales += first;
          part.column_sums += first;
        }
        part.bias += first;
        part.residual += first;
        part.c = parts.row(0) + first;
        part.ldc = parts.stride();
        part.n = kPanel;
        table().narrow_gemm(part);
      }
      for (int i = 0; i < rows; ++i) ASSERT_TRUE(SameBits(parts.row(i), whole.c.row(i), 32 * 9)) << rows;
    }
  }
}

TEST_P(NarrowGemmOf, ARowWhoseScaleIsNotANumberIsNotANumberAndTheOthersAreUntouched) {
  for (bool narrow : {false, true}) {
    for (Tail tail : {Tail::kNone, Tail::kGelu}) {
      Product product(Precision::kInt8, 29, 100, 70);
      if (narrow) product.Narrow();
      product.args.tail = tail;
      product.row_scales[7] = std::numeric_limits<float>::quiet_NaN();
      table().narrow_gemm(product.args);
      for (int i = 0; i < 29; ++i) {
        for (int j = 0; j < 70; ++j) {
          const float value = narrow ? FromBf16(product.narrow_at(i, j)) : product.c.at(i, j);
          ASSERT_EQ(std::isnan(value), i == 7);
        }
        if (narrow) {
          for (int j = 70; j < product.padded; ++j) ASSERT_EQ(product.narrow_at(i, j), 0);
        }
      }
    }
  }
}

TEST_P(NarrowGemmOf, ANumberThatIsNoneInOneRowOfBf16StaysInThatRow) {
  Product product(Precision::kBf16, 29, 300, 70);
  reinterpret_cast<Bf16*>(product.a.data() + 7 * product.stride)[123] = ToBf16(NAN);
  table().narrow_gemm(product.args);
  for (int i = 0; i < 29; ++i) {
    for (int j = 0; j < 70; ++j) ASSERT_EQ(std::isnan(product.c.at(i, j)), i == 7);
  }
}

TEST_P(NarrowGemmOf, TheGeluIsWithin2e4OfTheDefinitionAndNothingAtZero) {
  // 0 times anything and a bias: the gelu of the bias alone.
  constexpr int kPoints = 8192;
  Product product(Precision::kInt8, 1, 1, kPoints);
  product.args.residual = nullptr;
  product.args.tail = Tail::kGelu;
  std::fill(product.row_scales.begin(), product.row_scales.end(), 0.0F);
  for (int j = 0; j < kPoints; ++j) product.bias.at(0, j) = static_cast<float>(j - kPoints / 2) / 512.0F;
  product.bias.at(0, 1) = INFINITY;
  product.bias.at(0, 2) = -1e30F;
  table().narrow_gemm(product.args);
  for (int j = 0; j < kPoints; ++j) {
    const double x = Wide(product.bias.at(0, j));
    if (std::isinf(x)) {
      ASSERT_EQ(product.c.at(0, j), INFINITY);
      continue;
    }
    const double expected = 0.5 * x * std::erfc(-x / std::sqrt(2.0));
    ASSERT_NEAR(product.c.at(0, j), expected, 2e-4 + 1e-7 * std::fabs(expected)) << "gelu of " << x;
  }
  EXPECT_EQ(product.c.at(0, kPoints / 2), 0.0F);
}

}  // namespace
}  // namespace pawsight::kernels
