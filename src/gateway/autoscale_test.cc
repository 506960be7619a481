#include "gateway/autoscale.h"

#include <gtest/gtest.h>

#include "gateway/offered.h"

namespace pawsight::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(AutoscaleTest, TheOfferedLoadOverTheTargetedCapacityIsRoundedUp) {
  EXPECT_EQ(WorkersWanted({.offered_per_s = 100, .capacity_per_s = 36, .target = 0.7}), 4);
  EXPECT_EQ(WorkersWanted({.offered_per_s = 36, .capacity_per_s = 36, .target = 1}), 1);
  EXPECT_EQ(WorkersWanted({.offered_per_s = 36.1, .capacity_per_s = 36, .target = 1}), 2);
}

TEST(AutoscaleTest, ItStaysWithinItsLimitsAndTakesNothingUnknownForALoad) {
  EXPECT_EQ(WorkersWanted({.offered_per_s = 0, .capacity_per_s = 36, .least = 2}), 2);
  EXPECT_EQ(WorkersWanted({.offered_per_s = 100, .capacity_per_s = 0, .least = 3}), 3);
  EXPECT_EQ(WorkersWanted({.offered_per_s = 1e12, .capacity_per_s = 1, .most = 50}), 50);
}

TEST(RecentRateTest, TheRateIsOfTheWholeSecondsOfTheLastMinute) {
  RecentRate rate;
  EXPECT_EQ(rate.PerSecond(seconds(5)), 0);
  for (int i = 0; i < 100; ++i) rate.Add(seconds(10) + milliseconds(100 * i));  // ten a second
  EXPECT_DOUBLE_EQ(rate.PerSecond(seconds(20)), 10);
  EXPECT_DOUBLE_EQ(rate.PerSecond(seconds(30)), 5);
  EXPECT_NEAR(rate.PerSecond(seconds(70)), 100.0 / 60, 1e-9);
  EXPECT_NEAR(rate.PerSecond(seconds(75)), 50.0 / 60, 1e-9);
  EXPECT_EQ(rate.PerSecond(seconds(1000)), 0);
}

TEST(AutoscaleTest, OfWhatWasShedUnseenAsLargeAShareWantedAnAnswerAsOfTheRest) {
  EXPECT_EQ(ShedWanting(0, 10, 10), 0);
  EXPECT_EQ(ShedWanting(100, 10, 40), 25);
  EXPECT_EQ(ShedWanting(100, 0, 0), 100) << "nothing had its turn";
  EXPECT_EQ(ShedWanting(100, 5, 4), 100);
}

}  // namespace
}  // namespace pawsight::gateway
