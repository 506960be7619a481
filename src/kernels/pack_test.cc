#include <gtest/gtest.h>

#include "kernels/kernels.h"
#include "kernels/testing.h"

namespace pawsight::kernels {
namespace {

class PackOf : public EveryTable {};
INSTANTIATE_TEST_SUITE_P(Table, PackOf, testing::ValuesIn(Available()), TableName);

TEST_P(PackOf, ATransposedMatrixIsPackedAsTheHeaderSaysAndPaddedWithZeros) {
  for (int k : {1, 2, 5, 8, 15, 16, 17, 33}) {
    for (int n = 1; n <= 100; ++n) {
      Rng rng(static_cast<uint64_t>(n));
      Matrix source(n, k, 3, 1);
      source.Fill(rng);
      Matrix b(k, n);
      for (int r = 0; r < k; ++r) {
        for (int j = 0; j < n; ++j) b.at(r, j) = source.at(j, r);
      }
      const Packed expected(b);
      Matrix packed(1, static_cast<int>(PackedSize(k, n)), 0, 5);
      packed.Fill(std::nanf(""));
      table().pack_transposed(source.row(0), source.stride(), n, k, packed.row(0));
      ASSERT_TRUE(SameBits(packed.row(0), expected.floats.data(), packed.cols())) << k << " x " << n;
      ASSERT_TRUE(packed.GuardsHold());
    }
  }
}

TEST_P(PackOf, AMatrixIsPackedAsTheHeaderSaysAndRoomForMoreRowsIsLeftAlone) {
  for (int spare : {0, 3}) {
    for (int k : {1, 2, 7, 40}) {
      for (int n = 1; n <= 100; ++n) {
        Rng rng(static_cast<uint64_t>(n));
        Matrix source(k, n, 3, 1);
        source.Fill(rng);
        const Packed expected(source, spare);
        Matrix packed(1, static_cast<int>(expected.floats.size()), 0, 5);
        packed.Fill(std::nanf(""));
        table().pack(source.row(0), source.stride(), k, n, packed.row(0), expected.panel_stride);
        ASSERT_TRUE(SameBits(packed.row(0), expected.floats.data(), packed.cols())) << k << " x " << n;
        ASSERT_TRUE(packed.GuardsHold());
      }
    }
  }
}

}  // namespace
}  // namespace pawsight::kernels
