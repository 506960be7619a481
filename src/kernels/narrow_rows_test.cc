#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>
#include <vector>

#include "kernels/kernels.h"
#include "kernels/narrow_testing.h"

namespace pawsight::kernels {
namespace {

constexpr Precision kPrecisions[] = {Precision::kBf16, Precision::kInt8};

/// A left operand whose rows are a chunk farther apart than they need be.
struct Rows {
  Rows(Precision precision, int rows, int width)
      : cols(width),
        stride(ChunkedBytes(precision, width) + kChunk),
        bytes(stride * static_cast<size_t>(rows)),
        scales(static_cast<size_t>(rows), -7.0F),
        zeros(static_cast<size_t>(rows), -7),
        view{.precision = precision,
             .data = bytes.data(),
             .stride = stride,
             .scales = scales.data(),
             .zeros = zeros.data()} {}
  const uint8_t* row(int row) { return bytes.data() + static_cast<size_t>(row) * stride; }
  float at(int row, int col) {
    if (view.precision == Precision::kBf16) {
      Bf16 value;
      std::memcpy(&value, this->row(row) + 2 * col, 2);
      return FromBf16(value);
    }
    const auto i = static_cast<size_t>(row);
    return static_cast<float>(this->row(row)[col] - zeros[i]) * scales[i];
  }
  /// What is said of the row has the same bits: padding only where it must be 0.
  bool SameRow(int row, Rows& other, int other_row) {
    const auto i = static_cast<size_t>(row);
    const auto j = static_cast<size_t>(other_row);
    const bool narrow = view.precision == Precision::kInt8;
    const size_t count = narrow ? static_cast<size_t>(cols) : ChunkedBytes(Precision::kBf16, cols);
    return std::memcmp(this->row(row), other.row(other_row), count) == 0 &&
           (!narrow || (SameBits(&scales[i], &other.scales[j], 1) && zeros[i] == other.zeros[j]));
  }
  /// Nothing was written beyond a row's chunks.
  bool GuardsHold() {
    for (size_t i = 0; i < scales.size(); ++i) {
      if (!AlignedBytes::OnlyGuards(bytes.data() + (i + 1) * stride - kChunk, kChunk)) return false;
    }
    return bytes.GuardsHold();
  }

  int cols;
  size_t stride;
  AlignedBytes bytes;
  std::vector<float> scales;
  std::vector<int32_t> zeros;
  NarrowRows view;
};

class NarrowRowsOf : public EveryTable {
 protected:
  void ExpectSpecified(const Matrix& x) const {
    for (const Precision precision : kPrecisions) {
      Rows expected(precision, x.rows(), x.cols());
      Rows rows(precision, x.rows(), x.cols());
      Scalar().narrow(x.row(0), x.stride(), expected.view, x.rows(), x.cols());
      table().narrow(x.row(0), x.stride(), rows.view, x.rows(), x.cols());
      ExpectSame(rows, expected);
    }
    Bf16Matrix narrow(x.rows(), x.cols(), 3, 1);
    for (int i = 0; i < x.rows(); ++i) {
      for (int j = 0; j < x.cols(); ++j) narrow.Set(i, j, x.at(i, j));
    }
    Rows expected(Precision::kInt8, x.rows(), x.cols());
    Rows rows(Precision::kInt8, x.rows(), x.cols());
    Scalar().quantize(narrow.row(0), narrow.stride(), expected.view, x.rows(), x.cols());
    table().quantize(narrow.row(0), narrow.stride(), rows.view, x.rows(), x.cols());
    ExpectSame(rows, expected);
  }
  static void ExpectSame(Rows& rows, Rows& expected) {
    for (size_t i = 0; i < rows.scales.size(); ++i) {
      EXPECT_TRUE(rows.SameRow(static_cast<int>(i), expected, static_cast<int>(i)))
          << "row " << i << " of " << rows.cols << ", scale " << rows.scales[i] << " not " << expected.scales[i]
          << ", zero " << rows.zeros[i] << " not " << expected.zeros[i];
    }
    EXPECT_TRUE(rows.GuardsHold()) << rows.cols;
  }
  void Normalise(const Matrix& x, const Matrix& gain, const Matrix& bias, Rows& y, float eps = 1e-5F) const {
    table().narrow_layer_norm(x.row(0), x.stride(), gain.row(0), bias.row(0), eps, y.view, x.rows(), x.cols());
  }
  /// Near the specification's float layer norm: half a step of bfloat16, or one of the row's bytes, and float's error.
  void ExpectNormal(const Matrix& x, const Matrix& gain, const Matrix& bias, float eps = 1e-5F) const {
    Matrix expected(x.rows(), x.cols());
    Scalar().layer_norm(x.row(0), x.stride(), gain.row(0), bias.row(0), eps, expected.row(0), expected.stride(),
                        x.rows(), x.cols());
    for (const Precision precision : kPrecisions) {
      Rows y(precision, x.rows(), x.cols());
      Normalise(x, gain, bias, y, eps);
      for (int i = 0; i < x.rows(); ++i) {
        for (int j = 0; j < x.cols(); ++j) {
          const double step = precision == Precision::kInt8 ? 0.51 * Wide(y.scales[static_cast<size_t>(i)])
                                                            : std::fabs(Wide(expected.at(i, j))) / 255.0;
          ASSERT_NEAR(y.at(i, j), expected.at(i, j), step + 5e-6) << x.cols() << " columns, at " << i << ", " << j;
        }
      }
      ASSERT_TRUE(y.GuardsHold());
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Table, NarrowRowsOf, testing::ValuesIn(Available()), TableName);

TEST_P(NarrowRowsOf, EveryWidthIsNarrowedToTheBitsOfTheSpecification) {
  for (int cols = 1; cols <= 130; ++cols) {
    Rng rng(static_cast<uint64_t>(cols));
    Matrix x(3, cols, 3, 1);
    x.Fill(rng, -3.0, 5.0);
    ExpectSpecified(x);
  }
  for (int cols : {257, 768, 3071, 3072, 8192}) {
    Rng rng(static_cast<uint64_t>(cols));
    Matrix x(2, cols, 1, 3);
    x.Fill(rng, -1e-3, 2.0);
    ExpectSpecified(x);
  }
}

TEST_P(NarrowRowsOf, EveryNumberOfRowsIsNarrowedToTheBitsOfTheSpecification) {
  for (int rows = 1; rows <= 33; ++rows) {
    Rng rng(static_cast<uint64_t>(rows));
    Matrix x(rows, 40, 5, 2);
    x.Fill(rng);
    ExpectSpecified(x);
  }
}

TEST_P(NarrowRowsOf, RowsOfOneSignOrOfOneValueOrOfZerosKeepTheBitsOfTheSpecification) {
  Rng rng(1);
  Matrix x(7, 50, 1, 1);
  x.Fill(rng, 0.5, 0.75);
  for (int j = 0; j < 50; ++j) {
    x.at(1, j) = -x.at(1, j);
    x.at(2, j) = 0.0F;
    x.at(3, j) = -0.0F;
    x.at(4, j) = 3.7F;
    x.at(5, j) = -3.7F;
    x.at(6, j) = j == 49 ? 1.0F : 0.0F;
  }
  ExpectSpecified(x);
}

TEST_P(NarrowRowsOf, NumbersHalfwayBetweenTwoGoToTheEvenOne) {
  Matrix x(2, 256);
  for (int j = 0; j < 256; ++j) {
    x.at(0, j) = static_cast<float>(j) - 0.5F;                                           // of bytes
    x.at(1, j) = std::bit_cast<float>(0x3F808000U + (static_cast<uint32_t>(j) << 16U));  // of bfloat16
  }
  x.at(0, 0) = 255.0F;  // the step is 1
  x.at(0, 1) = 0.0F;
  ExpectSpecified(x);
}

TEST_P(NarrowRowsOf, TinyAndHugeRowsKeepTheBitsOfTheSpecification) {
  constexpr float kSizes[] = {1e-45F, 1e-38F, 4.9e-31F, 5.1e-31F, 1e-30F, 1e-20F, 1e20F, 1.6e38F, 1.8e38F, 3.4e38F};
  Rng rng(2);
  Matrix x(static_cast<int>(std::size(kSizes)), 70, 1, 1);
  x.Fill(rng);
  for (int i = 0; i < x.rows(); ++i) {
    x.at(i, 3) = -1.0F;
    x.at(i, 69) = 1.0F;
    for (int j = 0; j < 70; ++j) x.at(i, j) *= kSizes[i];
  }
  ExpectSpecified(x);
  Rows rows(Precision::kInt8, x.rows(), x.cols());
  table().narrow(x.row(0), x.stride(), rows.view, x.rows(), x.cols());
  EXPECT_EQ(rows.scales.front(), 1.0F);         // too small to tell from 0
  EXPECT_TRUE(std::isnan(rows.scales.back()));  // the range is not finite
}

TEST_P(NarrowRowsOf, NotANumberOrInfiniteAnywhereMakesTheRowsScaleNotANumber) {
  for (float poison : {NAN, -NAN, INFINITY, -INFINITY, std::bit_cast<float>(0x7F800001U)}) {
    for (int at : {0, 7, 8, 31, 32, 47, 66}) {
      Rng rng(3);
      Matrix x(3, 67, 1, 1);
      x.Fill(rng);
      x.at(1, at) = poison;
      ExpectSpecified(x);
      Rows rows(Precision::kInt8, 3, 67);
      table().narrow(x.row(0), x.stride(), rows.view, 3, 67);
      EXPECT_TRUE(std::isnan(rows.scales[1]));
      EXPECT_EQ(rows.zeros[1], 0);
      EXPECT_FALSE(std::isnan(rows.scales[0]) || std::isnan(rows.scales[2]));
    }
  }
}

TEST_P(NarrowRowsOf, EveryWidthIsNormalisedWithinAStep) {
  for (int cols : {1, 2, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 100, 130, 257, 768, 8192}) {
    Rng rng(static_cast<uint64_t>(cols));
    Matrix x(3, cols, 3, 1), gain(1, cols, 0, 2), bias(1, cols, 0, 3);
    ExpectNormal(x.Fill(rng, -3.0, 5.0), gain.Fill(rng), bias.Fill(rng));
  }
}

TEST_P(NarrowRowsOf, ARowFarFromZeroIsNormalisedWithinAStep) {
  for (double size : {1e2, 1e4, -1e6}) {
    Rng rng(4);
    Matrix x(3, 768, 3, 1), gain(1, 768), bias(1, 768);
    ExpectNormal(x.Fill(rng, size - 1.0, size + 1.0), gain.Fill(rng), bias.Fill(rng));
  }
}

TEST_P(NarrowRowsOf, AConstantRowGivesTheBias) {
  for (float value : {0.0F, 1.0F, -1e30F, std::numeric_limits<float>::max()}) {
    Rng rng(5);
    Matrix x(1, 50), gain(1, 50), bias(1, 50);
    ExpectNormal(x.Fill(value), gain.Fill(rng), bias.Fill(rng));
  }
}

TEST_P(NarrowRowsOf, ValuesWhoseSquaresOverflowOrVanishAreNormalised) {
  for (float size : {1e-30F, 1e-20F, 1e15F, 1e25F, std::numeric_limits<float>::max()}) {
    Matrix x(1, 40), gain(1, 40), bias(1, 40);
    gain.Fill(1.0F);
    for (int j = 0; j < 40; ++j) x.at(0, j) = j % 2 == 0 ? size : -size;
    ExpectNormal(x, gain, bias, 0.0F);
  }
}

TEST_P(NarrowRowsOf, NotANumberInOneNormalisedRowStaysInThatRow) {
  Rng rng(6);
  Matrix x(5, 70), gain(1, 70), bias(1, 70);
  x.Fill(rng);
  gain.Fill(rng);
  x.at(2, 69) = NAN;
  Rows wide(Precision::kBf16, 5, 70);
  Rows bytes(Precision::kInt8, 5, 70);
  Normalise(x, gain, bias, wide);
  Normalise(x, gain, bias, bytes);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(std::isnan(bytes.scales[static_cast<size_t>(i)]), i == 2);
    for (int j = 0; j < 70; ++j) ASSERT_EQ(std::isnan(wide.at(i, j)), i == 2);
  }
}

TEST_P(NarrowRowsOf, ARowIsTheSameBitsAloneAndAmongOthers) {
  for (const Precision precision : kPrecisions) {
    for (int cols : {1, 16, 50, 64, 192, 257, 768}) {
      Rng rng(7);
      Matrix x(9, cols, 1), gain(1, cols), bias(1, cols);
      x.Fill(rng);
      Rows together(precision, 9, cols);
      Normalise(x, gain.Fill(rng), bias.Fill(rng), together);
      for (int i = 0; i < 9; ++i) {
        Rows alone(precision, 1, cols);
        table().narrow_layer_norm(x.row(i), x.stride(), gain.row(0), bias.row(0), 1e-5F, alone.view, 1, cols);
        ASSERT_TRUE(together.SameRow(i, alone, 0)) << cols;
      }
    }
  }
}

constexpr int kWidths[] = {1, 2, 7, 8, 16, 24, 31, 32, 33, 64, 80, 256};

TEST_P(NarrowRowsOf, KeysArePackedAsTheSpecificationPacksThem) {
  for (int head_dim : kWidths) {
    for (int num_keys : {1, 2, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 577}) {
      Rng rng(static_cast<uint64_t>(num_keys));
      Bf16Matrix keys(num_keys, head_dim, 3, 1);
      keys.Fill(rng);
      keys.Set(0, 0, NAN);
      const size_t size = NarrowPackedBytes(Precision::kBf16, head_dim, num_keys);
      AlignedBytes expected(size);
      AlignedBytes packed(size);
      Scalar().pack_keys(keys.row(0), keys.stride(), num_keys, head_dim, expected.data());
      table().pack_keys(keys.row(0), keys.stride(), num_keys, head_dim, packed.data());
      ASSERT_EQ(std::memcmp(packed.data(), expected.data(), size), 0) << num_keys << " keys of " << head_dim;
      ASSERT_TRUE(packed.GuardsHold());
    }
  }
}

TEST_P(NarrowRowsOf, ValuesArePackedAsTheSpecificationPacksThemAndRoomForMoreIsLeftAlone) {
  for (int head_dim : kWidths) {
    for (int num_keys : {1, 2, 5, 8, 31, 32, 33, 64, 65, 577}) {
      for (int room : {0, 70}) {
        Rng rng(static_cast<uint64_t>(num_keys));
        Bf16Matrix values(num_keys, head_dim, 3, 1);
        values.Fill(rng);
        const size_t panel_bytes = NarrowPanelBytes(Precision::kBf16, num_keys + room);
        const size_t size = panel_bytes * static_cast<size_t>(NumPanels(head_dim));
        AlignedBytes expected(size);
        AlignedBytes packed(size);
        Scalar().pack_values(values.row(0), values.stride(), num_keys, head_dim, expected.data(), panel_bytes);
        table().pack_values(values.row(0), values.stride(), num_keys, head_dim, packed.data(), panel_bytes);
        ASSERT_EQ(std::memcmp(packed.data(), expected.data(), size), 0) << num_keys << " values of " << head_dim;
        ASSERT_TRUE(packed.GuardsHold());
      }
    }
  }
}

}  // namespace
}  // namespace pawsight::kernels
