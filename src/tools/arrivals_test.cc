#include "tools/arrivals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

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
