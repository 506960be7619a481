#include "base/clock.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/rng.h"

namespace pawsight {
namespace {

TEST(Clock, TimesAreWrittenAsRfc3339InUtcAlsoBefore1970) {
  EXPECT_EQ(FormatTime(Time(std::chrono::milliseconds(1769847330250))), "2026-01-31T08:15:30.250Z");
  EXPECT_EQ(FormatTime(Time(std::chrono::milliseconds(-1))), "1969-12-31T23:59:59.999Z");
}

TEST(Clock, AManualClockMovesBothTimesOnlyWhenTold) {
  ManualClock clock(Time(std::chrono::hours(1)));
  clock.Advance(std::chrono::seconds(90));
  EXPECT_EQ(FormatTime(clock.Now()), "1970-01-01T01:01:30.000Z");
  EXPECT_EQ(clock.Monotonic(), std::chrono::seconds(90));
}

TEST(Clock, WhoWaitsOnAManualClockWakesWhenTheTimeComesAndNotBefore) {
  ManualClock clock;
  Mutex mu;
  CondVar cv;
  std::chrono::nanoseconds woke{0};
  std::thread waiter([&] {
    MutexLock lock(mu);
    while (clock.Monotonic() < std::chrono::seconds(2)) clock.WaitUntil(mu, cv, std::chrono::seconds(2));
    woke = clock.Monotonic();
  });
  clock.Advance(std::chrono::seconds(1));
  clock.Advance(std::chrono::seconds(1));
  waiter.join();
  EXPECT_EQ(woke, std::chrono::seconds(2));
}

TEST(Clock, ATimeThatIsPastIsNotWaitedFor) {
  Mutex mu;
  CondVar cv;
  MutexLock lock(mu);
  const SystemClock system;
  system.WaitUntil(mu, cv, system.Monotonic() - std::chrono::seconds(1));
  const ManualClock manual;
  manual.WaitUntil(mu, cv, std::chrono::nanoseconds(0));
}

TEST(Clock, ATimeIsReadBackAsItWasWritten) {
  const Time time(std::chrono::milliseconds(1769847330250));
  EXPECT_EQ(FormatTime(time), "2026-01-31T08:15:30.250Z");
  EXPECT_EQ(ParseTime("2026-01-31T08:15:30.250Z").value(), time);
  EXPECT_EQ(ParseTime("2026-01-31T09:15:30.25+01:00").value(), time);
  EXPECT_EQ(ParseTime("2026-01-31T07:45:30.250000000-00:30").value(), time);
  EXPECT_EQ(FormatTime(ParseTime("2016-12-31T23:59:60Z").value()), "2017-01-01T00:00:00.000Z");
  EXPECT_EQ(FormatTime(ParseTime("2024-02-29T00:00:00Z").value()), "2024-02-29T00:00:00.000Z");
}

TEST(Clock, WhatIsNoTimeIsRefused) {
  for (const char* text :
       {"", "now", "2026-01-31", "2026-01-31T08:15:30", "2026-01-31 08:15:30Z", "2026-01-31t08:15:30z",
        "2026-02-29T08:15:30Z", "2026-13-01T08:15:30Z", "2026-01-31T24:15:30Z", "2026-01-31T08:60:30Z",
        "2026-01-31T08:15:61Z", "2026-01-31T08:15:30.Z", "2026-01-31T08:15:30.0123456789Z", "2026-01-31T08:15:30Z ",
        "2026-01-31T08:15:30+1:00", "2026-01-31T08:15:30+01:60", "1969-12-31T23:59:59Z", "9999-01-01T00:00:00Z",
        "-026-01-31T08:15:30Z", "2026-01-31T08:15:30+24:00"}) {
    EXPECT_FALSE(ParseTime(text).ok()) << text;
  }
}

TEST(Rng, TheFirstNumbersOfASeedAreThePublishedOnes) {
  Rng rng(1234567);  // SplitMix64's reference values for this seed
  EXPECT_EQ(rng.Next(), 6457827717110365317ULL);
  EXPECT_EQ(rng.Next(), 3203168211198807973ULL);
}

}  // namespace
}  // namespace pawsight
