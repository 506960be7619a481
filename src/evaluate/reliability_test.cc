#include "evaluate/reliability.h"

#include <gtest/gtest.h>

#include <vector>

namespace pawsight::evaluate {
namespace {

TEST(Reliability, TheErrorIsTheWeightedMeanOfWhatTheBinsAreOff) {
  // Three of four right at 0.9 (off by 0.15), one wrong at 0.55 with weight 4 (off by 0.55).
  const std::vector<Scored> scored = {{0.9, true}, {0.9, true}, {0.9, true}, {0.9, false}, {0.55, false, 4.0}};
  const Reliability reliability = MeasureReliability(scored);
  EXPECT_DOUBLE_EQ(reliability.weight, 8.0);
  EXPECT_NEAR(reliability.ece, (4 * 0.15 + 4 * 0.55) / 8, 1e-12);
  EXPECT_NEAR(reliability.bins[13].p, 0.9, 1e-12);
  EXPECT_NEAR(reliability.bins[13].right, 0.75, 1e-12);
  EXPECT_EQ(reliability.bins[0].weight, 0.0);
}

TEST(Reliability, CertaintyAndNothingAreInTheirBins) {
  const std::vector<Scored> sure = {{1.0, true}, {0.0, false}};
  EXPECT_EQ(MeasureReliability(sure).bins[kReliabilityBins - 1].weight, 1.0);
  EXPECT_EQ(MeasureReliability(sure).bins[0].weight, 1.0);
  EXPECT_EQ(MeasureReliability(sure).ece, 0.0);
  EXPECT_EQ(MeasureReliability({}).ece, 0.0);
}

}  // namespace
}  // namespace pawsight::evaluate
