#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "kernels/kernels.h"
#include "kernels/narrow_testing.h"

namespace pawsight::kernels {

#if defined(__x86_64__)
const Kernels& Avx512Table();
#endif

namespace {

/// Weights are rounded to bfloat16 and so are the results: half a step each, of numbers up to 1.
constexpr double kStep = 1.0 / 256;

class NarrowAttendOf : public EveryTable {
 protected:
  /// One head at odd alignments and strides, its keys and values packed, with room for more values.
  struct Head {
    Head(int rows, int head_dim, int num_keys, uint64_t seed, double range = 1.0)
        : rng(seed),
          q(rows, head_dim, 3, 1),
          keys(num_keys, head_dim, 5, 1),
          values(num_keys, head_dim),
          out(rows, head_dim, 5, 3),
          packed_keys(NarrowPackedBytes(Precision::kBf16, head_dim, num_keys)),
          value_panel_bytes(NarrowPanelBytes(Precision::kBf16, num_keys + 40)),
          packed_values(value_panel_bytes * static_cast<size_t>(NumPanels(head_dim))),
          scratch(NarrowAttendScratch(num_keys)) {
      q.Fill(rng, -range, range);
      keys.Fill(rng, -range, range);
      values.Fill(rng);
    }
    /// The guards of packed_values that are left are small numbers: finite, as they must be.
    NarrowAttend Args() {
      Scalar().pack_keys(keys.row(0), keys.stride(), keys.rows(), keys.cols(), packed_keys.data());
      Scalar().pack_values(values.row(0), values.stride(), values.rows(), values.cols(), packed_values.data(),
                           value_panel_bytes);
      std::fill_n(scratch.data(), scratch.size(), uint8_t{0xFF});  // not a number, as float or as bfloat16
      return {.q = q.row(0),
              .ldq = q.stride(),
              .keys = packed_keys.data(),
              .values = packed_values.data(),
              .value_panel_bytes = value_panel_bytes,
              .out = out.row(0),
              .ldo = out.stride(),
              .rows = q.rows(),
              .head_dim = q.cols(),
              .num_keys = keys.rows(),
              .scale = 1.0F / std::sqrt(static_cast<float>(q.cols())),
              .scratch = scratch.data()};
    }
    /// Row `row` of the answer in double, nothing rounded.
    std::vector<double> Expected(int row, const NarrowAttend& args) const {
      std::vector<double> weights;
      for (int j = 0; j < args.num_keys; ++j) {
        double score = 0.0;
        for (int d = 0; d < args.head_dim; ++d) score += Wide(q.at(row, d)) * Wide(keys.at(j, d));
        weights.push_back(score * Wide(args.scale));
      }
      const double largest = *std::max_element(weights.begin(), weights.end());
      double sum = 0.0;
      for (double& weight : weights) sum += weight = std::exp(weight - largest);
      std::vector<double> expected(static_cast<size_t>(args.head_dim));
      for (int d = 0; d < args.head_dim; ++d) {
        for (int j = 0; j < args.num_keys; ++j) {
          expected[static_cast<size_t>(d)] += weights[static_cast<size_t>(j)] / sum * Wide(values.at(j, d));
        }
      }
      return expected;
    }
    /// Every `stride`th row is within `absolute` and `relative`.
    void ExpectRight(const NarrowAttend& args, double absolute, double relative = 1.01 * kStep, int stride = 1) const {
      for (int i = 0; i < args.rows; i += stride) {
        const std::vector<double> expected = Expected(i, args);
        for (int d = 0; d < args.head_dim; ++d) {
          const double value = expected[static_cast<size_t>(d)];
          ASSERT_NEAR(out.at(i, d), value, absolute + relative * std::fabs(value))
              << args.rows << " rows, " << args.head_dim << " wide, " << args.num_keys << " keys, at " << i << ", "
              << d;
        }
      }
      ASSERT_TRUE(out.GuardsHold());
    }

    Rng rng;
    Bf16Matrix q, keys, values, out;
    AlignedBytes packed_keys;
    size_t value_panel_bytes;
    AlignedBytes packed_values;
    AlignedBytes scratch;
  };
};
INSTANTIATE_TEST_SUITE_P(Table, NarrowAttendOf, testing::ValuesIn(Available()), TableName);

/// What a CPU with AVX-512 but without its bfloat16 gets, on one that has both.
std::vector<const Kernels*> WithoutBf16() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512dq") != 0) return {&Avx512Table()};
#endif
  return {};
}
INSTANTIATE_TEST_SUITE_P(WithoutBf16, NarrowAttendOf, testing::ValuesIn(WithoutBf16()), TableName);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(NarrowAttendOf);

TEST_P(NarrowAttendOf, EveryNumberOfRowsAndKeysAgreesWithArithmeticInDouble) {
  for (int rows = 1; rows <= 33; ++rows) {
    for (int num_keys = rows % 7 + 1; num_keys <= 100; num_keys += 7) {
      Head head(rows, 16, num_keys, static_cast<uint64_t>(rows * 100 + num_keys));
      const NarrowAttend args = head.Args();
      table().narrow_attend(args);
      head.ExpectRight(args, 0.5 * kStep);
    }
  }
}

TEST_P(NarrowAttendOf, EveryHeadWidthAgreesWithArithmeticInDouble) {
  for (int head_dim : {1, 2, 3, 8, 15, 16, 17, 24, 31, 32, 33, 48, 64, 65, 80, 127, 128, 200, 255, 256}) {
    for (int num_keys : {1, 2, 5, 31, 32, 33, 45}) {
      Head head(17, head_dim, num_keys, static_cast<uint64_t>(head_dim));
      const NarrowAttend args = head.Args();
      table().narrow_attend(args);
      head.ExpectRight(args, 0.5 * kStep);
    }
  }
}

TEST_P(NarrowAttendOf, AFrameOfBlipBaseAgreesWithArithmeticInDouble) {
  Head head(577, 64, 577, 1, 2.0);
  const NarrowAttend args = head.Args();
  table().narrow_attend(args);
  head.ExpectRight(args, 0.1 * kStep, kStep, 7);  // errors of 577 weights mostly cancel
}

TEST_P(NarrowAttendOf, EveryKeysWeightReachesItsValue) {
  for (int num_keys : {1, 2, 5, 31, 32, 33, 100, 255, 256, 257, 511, 512, 513, 577, 1024}) {
    Head head(15, 256, num_keys, 3);
    for (int j = 0; j < num_keys; ++j) {
      for (int d = 0; d < 256; ++d) head.values.Set(j, d, j % 256 == d ? 1.0F : 0.0F);
    }
    const NarrowAttend args = head.Args();
    table().narrow_attend(args);
    head.ExpectRight(args, 0.0, 2.1 * kStep);  // a lost key would halve a result or make it 0
  }
}

TEST_P(NarrowAttendOf, OneKeyGivesItsValueBitForBit) {
  for (int head_dim : {1, 24, 64}) {
    Head head(15, head_dim, 1, 4, 30.0);
    table().narrow_attend(head.Args());
    for (int i = 0; i < 15; ++i) ASSERT_TRUE(SameBits(head.out.row(i), head.values.row(0), head_dim)) << head_dim;
  }
}

TEST_P(NarrowAttendOf, ARowIsTheSameBitsAloneAndAmongOthers) {
  for (int rows : {2, 5, 13, 14, 15, 16, 17, 28, 33, 47}) {
    for (int num_keys : {1, 9, 16, 17, 40, 131, 300, 577}) {
      Head head(rows, 40, num_keys, static_cast<uint64_t>(rows));
      const NarrowAttend args = head.Args();
      table().narrow_attend(args);
      const Bf16Matrix together = head.out;
      for (int i = 0; i < rows; ++i) {
        NarrowAttend alone = args;
        alone.q = head.q.row(i);
        alone.out = head.out.row(i);
        alone.rows = 1;
        table().narrow_attend(alone);
        ASSERT_TRUE(SameBits(head.out.row(i), together.row(i), 40))
            << "row " << i << " of " << rows << ", keys " << num_keys;
      }
    }
  }
}

TEST_P(NarrowAttendOf, KeysAndValuesBeyondTheirNumberChangeNoBit) {
  for (int seen : {1, 2, 15, 16, 17, 31, 32, 50, 89}) {
    Head head(19, 32, 90, 11);
    NarrowAttend args = head.Args();
    args.num_keys = seen;
    table().narrow_attend(args);
    const Bf16Matrix clean = head.out;
    for (int j = seen; j < 90; ++j) {
      for (int d = 0; d < 32; ++d) {
        head.keys.Set(j, d, NAN);
        head.values.Set(j, d, -1e30F);  // finite, as the header asks
      }
    }
    args = head.Args();
    args.num_keys = seen;
    table().narrow_attend(args);
    for (int i = 0; i < 19; ++i) ASSERT_TRUE(SameBits(head.out.row(i), clean.row(i), 32)) << seen;
  }
}

TEST_P(NarrowAttendOf, ScoresFarApartOrAllVeryNegativeGiveNoNotANumber) {
  for (double range : {1e-30, 50.0, 1e2, 1e4, 1e15}) {
    Head head(19, 16, 70, 13, range);
    table().narrow_attend(head.Args());
    for (int i = 0; i < 19; ++i) {
      double total = 0.0;
      for (int d = 0; d < 16; ++d) {
        ASSERT_TRUE(std::isfinite(head.out.at(i, d))) << range;
        ASSERT_LE(std::fabs(head.out.at(i, d)), 1.01F);
        total += std::fabs(Wide(head.out.at(i, d)));
      }
      EXPECT_GT(total, 0.0);
    }
  }
  Head head(5, 4, 40, 14);
  for (float size : {1e-20F, 1e2F, 1e18F}) {
    for (int d = 0; d < 4; ++d) {
      for (int i = 0; i < 5; ++i) head.q.Set(i, d, size);
      for (int j = 0; j < 40; ++j) head.keys.Set(j, d, -size);
    }
    const NarrowAttend args = head.Args();
    table().narrow_attend(args);  // every score is the same, down to -2e36: a plain mean
    head.ExpectRight(args, 1e-6, kStep);
  }
}

TEST_P(NarrowAttendOf, AScaleOfAnySignIsTheScoresFactor) {
  for (float scale : {-0.5F, 0.0F, 1.0F, 3.0F}) {
    Head head(15, 24, 33, 16);
    NarrowAttend args = head.Args();
    args.scale = scale;
    table().narrow_attend(args);
    head.ExpectRight(args, 0.7 * kStep);
  }
}

TEST_P(NarrowAttendOf, NotANumberInOneRowStaysInThatRowAndInAKeyReachesAllRows) {
  Head head(19, 16, 40, 15);
  head.q.Set(6, 3, NAN);
  table().narrow_attend(head.Args());
  for (int i = 0; i < 19; ++i) {
    for (int d = 0; d < 16; ++d) ASSERT_EQ(std::isnan(head.out.at(i, d)), i == 6);
  }
  Head sick(19, 16, 40, 15);
  sick.keys.Set(39, 2, NAN);
  table().narrow_attend(sick.Args());
  for (int i = 0; i < 19; ++i) {
    for (int d = 0; d < 16; ++d) ASSERT_TRUE(std::isnan(sick.out.at(i, d)));
  }
}

}  // namespace
}  // namespace pawsight::kernels
