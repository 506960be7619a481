#include "tools/arrivals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace pawsight::tools {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Arrivals, EachKindHasTheRateThatWasAsked) {
  for (const ArrivalKind kind :
       {ArrivalKind::kConstant, ArrivalKind::kPoisson, ArrivalKind::kBurst, ArrivalKind::kMotion}) {
    const auto due = Arrivals(kind, 20, seconds(3600), 1);
    ASSERT_TRUE(due.ok());
    EXPECT_NEAR(static_cast<double>(due->size()), 72000, 72000 * 0.06) << ArrivalName(kind);
    EXPECT_TRUE(std::ranges::is_sorted(*due));
    EXPECT_LT(due->back(), seconds(3600));
    EXPECT_EQ(*ParseArrival(ArrivalName(kind)), kind);
  }
}

/// How unevenly they come: the variance of counts in ten seconds over their mean. 0 for a clock, 1 for chance.
double Dispersion(ArrivalKind kind) {
  std::vector<double> counts(1440);
  const auto times = Arrivals(kind, 5, seconds(14400), 3).value();
  for (const auto due : times) ++counts[static_cast<size_t>(due / seconds(10))];
  double mean = 0, variance = 0;
  for (const double count : counts) mean += count / static_cast<double>(counts.size());
  for (const double count : counts) variance += (count - mean) * (count - mean) / static_cast<double>(counts.size());
  return variance / mean;
}

TEST(Arrivals, EachKindIsAsUnevenAsItsNameSays) {
  EXPECT_NEAR(Dispersion(ArrivalKind::kConstant), 0, 0.05);
  EXPECT_NEAR(Dispersion(ArrivalKind::kPoisson), 1, 0.15);
  EXPECT_NEAR(Dispersion(ArrivalKind::kBurst), 10, 1.5) << "ten at once";
  EXPECT_GT(Dispersion(ArrivalKind::kMotion), 3) << "a camera that sees something sends a frame a second";
  EXPECT_LT(Dispersion(ArrivalKind::kMotion), 12);
}

TEST(Arrivals, AMotionBoutIsAFrameASecondOfOneCamera) {
  const auto due =
      Arrivals(ArrivalKind::kMotion, 0.01, seconds(1'000'000), 1).value();  // one camera, stretched to the rate
  std::vector<std::chrono::nanoseconds> gaps;
  for (size_t n = 1; n < due.size(); ++n) gaps.push_back(due[n] - due[n - 1]);
  std::ranges::sort(gaps);
  EXPECT_EQ(gaps[gaps.size() / 10], gaps[gaps.size() / 2]) << "most are the bout's own";
  EXPECT_GT(gaps.back(), 50 * gaps[gaps.size() / 2]) << "and then it is quiet for long";
}

TEST(Arrivals, ASeedRepeatsAndAnotherDoesNot) {
  const auto of = [](uint64_t seed) { return *Arrivals(ArrivalKind::kMotion, 2, seconds(60), seed); };
  EXPECT_EQ(of(1), of(1));
  EXPECT_NE(of(1), of(2));
}

TEST(Arrivals, TooManyAreRefused) {
  EXPECT_FALSE(Arrivals(ArrivalKind::kConstant, 1e9, seconds(60), 1).ok());
  EXPECT_FALSE(ParseArrival("often").ok());
}

TEST(Arrivals, AFileOfTimesIsReplayed) {
  EXPECT_THAT(*ReplayArrivals("0\n0.5\r\n\n1.25\n7\n", seconds(5)),
              ::testing::ElementsAre(milliseconds(0), milliseconds(500), milliseconds(1250)));
  EXPECT_THAT(ReplayArrivals("1\nx\n", seconds(5)).status().ToString(), ::testing::HasSubstr("line 2"));
  EXPECT_THAT(ReplayArrivals("1\n0.5\n", seconds(5)).status().ToString(), ::testing::HasSubstr("earlier"));
  EXPECT_FALSE(ReplayArrivals("-1", seconds(5)).ok());
  EXPECT_FALSE(ReplayArrivals("nan", seconds(5)).ok());
}

}  // namespace
}  // namespace pawsight::tools
