#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/kernels.h"
#include "kernels/testing.h"

namespace pawsight::kernels {
namespace {

class LayerNormOf : public EveryTable {
 protected:
  void Normalise(const Matrix& x, const Matrix& gain, const Matrix& bias, Matrix& y, float eps = 1e-5F) const {
    table().layer_norm(x.row(0), x.stride(), gain.row(0), bias.row(0), eps, y.row(0), y.stride(), x.rows(), x.cols());
  }
};
INSTANTIATE_TEST_SUITE_P(Table, LayerNormOf, testing::ValuesIn(Available()), TableName);

TEST_P(LayerNormOf, EveryWidthAgreesWithArithmeticInDouble) {
  for (int cols = 1; cols <= 130; ++cols) {
    Rng rng(static_cast<uint64_t>(cols));
    Matrix x(3, cols, 3, 1), gain(1, cols, 0, 2), bias(1, cols, 0, 3), y(3, cols, 5, 2);
    x.Fill(rng, -3.0, 5.0);
    gain.Fill(rng);
    bias.Fill(rng);
    Normalise(x, gain, bias, y);
    for (int i = 0; i < 3; ++i) {
      double mean = 0.0;
      double variance = 0.0;
      for (int j = 0; j < cols; ++j) mean += Wide(x.at(i, j)) / cols;
      for (int j = 0; j < cols; ++j) variance += std::pow(Wide(x.at(i, j)) - mean, 2) / cols;
      for (int j = 0; j < cols; ++j) {
        const double expected =
            (Wide(x.at(i, j)) - mean) / std::sqrt(variance + 1e-5) * Wide(gain.at(0, j)) + Wide(bias.at(0, j));
        ASSERT_NEAR(y.at(i, j), expected, 1e-6) << cols;
      }
    }
    ASSERT_TRUE(y.GuardsHold());
  }
}

TEST_P(LayerNormOf, ARowIsTheSameBitsAloneAndAmongOthers) {
  for (int cols : {1, 16, 50, 64, 192, 257, 768}) {
    Rng rng(2);
    Matrix x(9, cols, 1), gain(1, cols), bias(1, cols), together(9, cols), alone(1, cols, 0, 3);
    x.Fill(rng);
    gain.Fill(rng);
    bias.Fill(rng);
    Normalise(x, gain, bias, together);
    for (int i = 0; i < 9; ++i) {
      table().layer_norm(x.row(i), x.stride(), gain.row(0), bias.row(0), 1e-5F, alone.row(0), cols, 1, cols);
      ASSERT_TRUE(SameBits(alone.row(0), together.row(i), cols)) << cols;
    }
  }
}

TEST_P(LayerNormOf, TheResultMayReplaceItsInput) {
  Rng rng(3);
  Matrix x(4, 77), gain(1, 77), bias(1, 77), y(4, 77);
  x.Fill(rng);
  gain.Fill(rng);
  bias.Fill(rng);
  Normalise(x, gain, bias, y);
  Normalise(x, gain, bias, x);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(SameBits(x.row(i), y.row(i), 77));
}

TEST_P(LayerNormOf, AConstantRowGivesTheBias) {
  for (float value : {0.0F, 1.0F, -1e30F, std::numeric_limits<float>::max()}) {
    Rng rng(4);
    Matrix x(1, 50), gain(1, 50), bias(1, 50), y(1, 50);
    x.Fill(value);
    gain.Fill(rng);
    bias.Fill(rng);
    Normalise(x, gain, bias, y);
    for (int j = 0; j < 50; ++j) EXPECT_NEAR(y.at(0, j), bias.at(0, j), 1e-6);
  }
}

TEST_P(LayerNormOf, ValuesWhoseSquaresOverflowAreNormalised) {
  for (float size : {1e-30F, 1e25F, std::numeric_limits<float>::max()}) {
    Matrix x(1, 40), gain(1, 40), bias(1, 40), y(1, 40);
    gain.Fill(1.0F);
    for (int j = 0; j < 40; ++j) x.at(0, j) = j % 2 == 0 ? size : -size;
    Normalise(x, gain, bias, y, 0.0F);
    for (int j = 0; j < 40; ++j) EXPECT_NEAR(y.at(0, j), j % 2 == 0 ? 1.0 : -1.0, 1e-6) << size;
  }
}

TEST_P(LayerNormOf, NotANumberInOneRowStaysInThatRow) {
  Rng rng(5);
  Matrix x(5, 70), gain(1, 70), bias(1, 70), y(5, 70);
  x.Fill(rng);
  gain.Fill(rng);
  x.at(2, 69) = NAN;
  Normalise(x, gain, bias, y);
  for (int i = 0; i < 5; ++i) {
    for (int j = 0; j < 70; ++j) ASSERT_EQ(std::isnan(y.at(i, j)), i == 2);
  }
}

}  // namespace
}  // namespace pawsight::kernels
