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

TEST(Rng, TheFirstNumbersOfASeedAreThePublishedOnes) {
  Rng rng(1234567);  // SplitMix64's reference values for this seed
  EXPECT_EQ(rng.Next(), 6457827717110365317ULL);
  EXPECT_EQ(rng.Next(), 3203168211198807973ULL);
}

}  // namespace
}  // namespace pawsight
