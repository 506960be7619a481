#include "gateway/backends/choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pawsight::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

TEST(SmoothWeights, TurnsAreSpreadAsEvenlyAsCanBe) {
  SmoothWeights weights({3, 1, 0});
  std::vector<size_t> turns;
  for (int n = 0; n < 8; ++n) turns.push_back(weights.Next());
  EXPECT_THAT(turns, ElementsAre(0, 0, 1, 0, 0, 0, 1, 0));
  SmoothWeights uneven({97, 2, 1});
  std::vector<int> counts(3);
  for (int n = 0; n < 1000; ++n) ++counts[uneven.Next()];
  EXPECT_THAT(counts, ElementsAre(970, 20, 10));
}

TEST(EvenShare, IsMetWithoutChance) {
  EvenShare share;
  int count = 0;
  for (int n = 0; n < 1000; ++n) count += share.Next(0.05) ? 1 : 0;
  EXPECT_NEAR(count, 50, 1);
  EXPECT_TRUE(share.Next(1));
}

TEST(RecentMean, FollowsWhatIsNewAndForgetsWhatIsOld) {
  RecentMean mean;
  std::chrono::nanoseconds now = seconds(5);
  for (int n = 0; n < 100; ++n) mean.Add(now += milliseconds(1), 1.0);
  EXPECT_NEAR(mean.value(), 1.0, 1e-9);
  for (int n = 0; n < 50; ++n) mean.Add(now += milliseconds(1), 3.0);
  EXPECT_GT(mean.value(), 2.9);
  EXPECT_EQ(mean.Recent(now + seconds(9)), mean.value());
  EXPECT_EQ(mean.Recent(now + seconds(11)), 0);
  mean.Add(now += seconds(60), 7.0);
  EXPECT_GT(mean.value(), 6.9);
}

TEST(ChooseOfTwo, TheBusyAndTheSlowAreSeldomChosen) {
  Rng rng(1);
  const std::vector<LoadView> loads = {{0, 0.010, false}, {0, 0.100, false}, {20, 0.010, false}, {0, 0.010, true}};
  std::vector<int> counts(4);
  for (int n = 0; n < 10000; ++n) ++counts[ChooseOfTwo(loads, rng)];
  EXPECT_GT(counts[0], 4500);  // whenever it is one of the two
  EXPECT_EQ(counts[3], 0);     // never the better of two
  EXPECT_GT(counts[1], counts[2]);
}

TEST(RetryBudget, IsAShareOfFirstTries) {
  RetryBudget budget(0.2, 100);
  while (budget.Spend()) {
  }
  int retries = 0;
  for (int n = 0; n < 1000; ++n) {
    budget.Earn();
    retries += budget.Spend() ? 1 : 0;
  }
  EXPECT_NEAR(retries, 200, 1);
  for (int n = 0; n < 10000; ++n) budget.Earn();
  EXPECT_LE(budget.saved(), 100);
}

}  // namespace
}  // namespace pawsight::gateway
