#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/kernels.h"
#include "kernels/testing.h"

namespace pawsight::kernels {
namespace {

class AttendOf : public EveryTable {
 protected:
  /// One head at odd alignments and strides; keys [head_dim, num_keys].
  struct Head {
    Head(int rows, int head_dim, int num_keys, uint64_t seed, double range = 1.0)
        : rng(seed),
          q(rows, head_dim, 3, 1),
          keys(head_dim, num_keys),
          values(num_keys, head_dim),
          out(rows, head_dim, 5, 2),
          scratch(AttendScratch(num_keys) + 1, NAN) {
      q.Fill(rng, -range, range);
      keys.Fill(rng, -range, range);
      values.Fill(rng);
    }
    Attend Args(const Packed& packed_keys, const Packed& packed_values) {
      return {.q = q.row(0),
              .ldq = q.stride(),
              .keys = packed_keys.floats.data(),
              .values = packed_values.floats.data(),
              .value_panel_stride = packed_values.panel_stride,
              .out = out.row(0),
              .ldo = out.stride(),
              .rows = q.rows(),
              .head_dim = q.cols(),
              .num_keys = keys.cols(),
              .scale = 1.0F / std::sqrt(static_cast<float>(q.cols())),
              .scratch = scratch.data() + 1};
    }
    /// Row `row` of the answer in double.
    std::vector<double> Expected(int row, const Attend& args) const {
      const int seen = args.causal < 0 ? args.num_keys : std::min(args.num_keys, args.causal + row + 1);
      std::vector<double> weights;
      for (int j = 0; j < seen; ++j) {
        double score = 0.0;
        for (int d = 0; d < args.head_dim; ++d) score += Wide(q.at(row, d)) * Wide(keys.at(d, j));
        weights.push_back(score * Wide(args.scale));
      }
      const double largest = *std::max_element(weights.begin(), weights.end());
      double sum = 0.0;
      for (double& weight : weights) sum += weight = std::exp(weight - largest);
      std::vector<double> expected(static_cast<size_t>(args.head_dim));
      for (int d = 0; d < args.head_dim; ++d) {
        for (int j = 0; j < seen; ++j) {
          expected[static_cast<size_t>(d)] += weights[static_cast<size_t>(j)] / sum * Wide(values.at(j, d));
        }
      }
      return expected;
    }
    void ExpectRight(const Attend& args, double tolerance) const {
      for (int i = 0; i < args.rows; ++i) {
        const std::vector<double> expected = Expected(i, args);
        for (int d = 0; d < args.head_dim; ++d) {
          ASSERT_NEAR(out.at(i, d), expected[static_cast<size_t>(d)], tolerance)
              << args.rows << " rows, " << args.head_dim << " wide, " << args.num_keys << " keys, causal "
              << args.causal << ", at " << i << ", " << d;
        }
      }
      ASSERT_TRUE(out.GuardsHold());
    }

    Rng rng;
    Matrix q, keys, values, out;
    std::vector<float> scratch;
  };
};
INSTANTIATE_TEST_SUITE_P(Table, AttendOf, testing::ValuesIn(Available()), TableName);

TEST_P(AttendOf, EveryNumberOfRowsAndKeysAgreesWithArithmeticInDouble) {
  for (int rows = 1; rows <= 40; ++rows) {
    for (int num_keys = rows % 7 + 1; num_keys <= 100; num_keys += 7) {
      Head head(rows, 16, num_keys, static_cast<uint64_t>(rows * 100 + num_keys));
      const Packed keys(head.keys);
      const Packed values(head.values, rows % 3);
      const Attend args = head.Args(keys, values);
      table().attend(args);
      head.ExpectRight(args, 2e-6);
    }
  }
}

TEST_P(AttendOf, EveryHeadWidthAgreesWithArithmeticInDouble) {
  for (int head_dim = 1; head_dim <= 256; head_dim += head_dim < 70 ? 1 : 31) {
    Head head(17, head_dim, 45, static_cast<uint64_t>(head_dim));
    const Packed keys(head.keys);
    const Packed values(head.values);
    const Attend args = head.Args(keys, values);
    table().attend(args);
    head.ExpectRight(args, 2e-6);
  }
}

TEST_P(AttendOf, AFrameOfBlipBaseAgreesWithArithmeticInDouble) {
  Head head(30, 64, 577, 1);
  const Packed keys(head.keys);
  const Packed values(head.values);
  const Attend args = head.Args(keys, values);
  table().attend(args);
  head.ExpectRight(args, 2e-6);
}

TEST_P(AttendOf, CausalRowsSeeTheirPastOnly) {
  for (int causal : {0, 1, 5, 30, 31, 200}) {
    for (int num_keys : {1, 8, 33, 70}) {
      Head head(37, 32, num_keys, 7);
      const Packed keys(head.keys);
      const Packed values(head.values);
      Attend args = head.Args(keys, values);
      args.causal = causal;
      table().attend(args);
      head.ExpectRight(args, 2e-6);
    }
  }
}

TEST_P(AttendOf, KeysBeyondTheLimitContributeNothingEvenWhenTheyAreNotNumbers) {
  for (float poison : {NAN, INFINITY, -INFINITY, 3e38F}) {
    Head head(20, 24, 60, 9);
    Packed keys(head.keys);
    Packed values(head.values);
    Attend args = head.Args(keys, values);
    args.num_keys = 41;
    args.causal = 25;  // row 15 and later see all 41
    table().attend(args);
    const Matrix clean = head.out;
    for (int j = 30; j < 60; ++j) {
      for (int d = 0; d < 24; ++d) head.keys.at(d, j) = head.values.at(j, d) = poison;
    }
    keys = Packed(head.keys);
    values = Packed(head.values);
    args.keys = keys.floats.data();
    args.values = values.floats.data();
    table().attend(args);
    for (int i = 0; i < 5; ++i) {  // row 4 is the last that sees keys 0..29 only
      ASSERT_TRUE(SameBits(head.out.row(i), clean.row(i), 24)) << "row " << i << " saw " << poison;
    }
  }
}

TEST_P(AttendOf, ARowIsTheSameBitsAloneAndAmongOthers) {
  for (int causal : {-1, 3}) {
    for (int rows : {2, 5, 13, 16, 17, 33, 47}) {
      for (int num_keys : {1, 9, 40, 131}) {
        Head head(rows, 40, num_keys, static_cast<uint64_t>(rows));
        const Packed keys(head.keys);
        const Packed values(head.values);
        Attend args = head.Args(keys, values);
        args.causal = causal;
        table().attend(args);
        const Matrix together = head.out;
        for (int i = 0; i < rows; ++i) {
          Attend alone = args;
          alone.q = head.q.row(i);
          alone.out = head.out.row(i);
          alone.rows = 1;
          if (causal >= 0) alone.causal = causal + i;
          std::fill(head.scratch.begin(), head.scratch.end(), NAN);
          table().attend(alone);
          ASSERT_TRUE(SameBits(head.out.row(i), together.row(i), 40))
              << "row " << i << " of " << rows << ", keys " << num_keys << ", causal " << causal;
        }
      }
    }
  }
}

TEST_P(AttendOf, ALimitOnKeysGivesTheSameBitsAsAShorterListOfKeys) {
  Head longer(19, 32, 90, 11);
  const Packed all_keys(longer.keys);
  const Packed all_values(longer.values);
  for (int seen : {1, 15, 32, 50, 89}) {
    Attend args = longer.Args(all_keys, all_values);
    args.num_keys = seen;
    table().attend(args);
    Head shorter(19, 32, seen, 11);
    for (int j = 0; j < seen; ++j) {
      for (int d = 0; d < 32; ++d) {
        shorter.keys.at(d, j) = longer.keys.at(d, j);
        shorter.values.at(j, d) = longer.values.at(j, d);
      }
    }
    const Packed keys(shorter.keys);
    const Packed values(shorter.values);
    shorter.q = longer.q;
    table().attend(shorter.Args(keys, values));
    for (int i = 0; i < 19; ++i) ASSERT_TRUE(SameBits(shorter.out.row(i), longer.out.row(i), 32)) << seen;
  }
}

TEST_P(AttendOf, ScoresFarApartOrAllVeryNegativeGiveNoNotANumber) {
  for (double range : {1e-30, 50.0, 1e4, 1e15}) {
    Head head(19, 16, 70, 13, range);
    const Packed keys(head.keys);
    const Packed values(head.values);
    const Attend args = head.Args(keys, values);
    table().attend(args);
    for (int i = 0; i < 19; ++i) {
      double total = 0.0;
      for (int d = 0; d < 16; ++d) {
        ASSERT_TRUE(std::isfinite(head.out.at(i, d))) << range;
        ASSERT_LE(std::fabs(head.out.at(i, d)), 1.0001F);
        total += std::fabs(Wide(head.out.at(i, d)));
      }
      EXPECT_GT(total, 0.0);
    }
  }
  Head head(5, 4, 40, 14);
  head.q.Fill(1e18F);
  head.keys.Fill(-1e18F);
  const Packed keys(head.keys);
  const Packed values(head.values);
  const Attend args = head.Args(keys, values);
  table().attend(args);  // every score is the same, -2e36: a plain mean
  head.ExpectRight(args, 1e-6);
}

TEST_P(AttendOf, NotANumberInOneRowStaysInThatRowAndInAKeyReachesAllRows) {
  Head head(19, 16, 40, 15);
  head.q.at(6, 3) = NAN;
  const Packed keys(head.keys);
  const Packed values(head.values);
  table().attend(head.Args(keys, values));
  for (int i = 0; i < 19; ++i) {
    for (int d = 0; d < 16; ++d) ASSERT_EQ(std::isnan(head.out.at(i, d)), i == 6);
  }
  Head sick(19, 16, 40, 15);
  sick.keys.at(2, 39) = NAN;
  const Packed sick_keys(sick.keys);
  table().attend(sick.Args(sick_keys, values));
  for (int i = 0; i < 19; ++i) {
    for (int d = 0; d < 16; ++d) ASSERT_TRUE(std::isnan(sick.out.at(i, d)));
  }
}

}  // namespace
}  // namespace pawsight::kernels
