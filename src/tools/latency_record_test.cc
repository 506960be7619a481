#include "tools/latency_record.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace pawsight::tools {
namespace {

using std::chrono::microseconds;

TEST(LatencyRecord, APercentileIsWithinOnePercentOfTheTrueOne) {
  LatencyRecord record;
  for (int i = 1; i <= 100000; ++i) record.Add(microseconds(10 * i));
  const LatencySummary summary = record.Summary();
  EXPECT_NEAR(summary.p50.ms, 500, 5);
  EXPECT_NEAR(summary.p90.ms, 900, 9);
  EXPECT_NEAR(summary.p99.ms, 990, 9.9);
  EXPECT_NEAR(summary.p99_9.ms, 999, 9.99);
  EXPECT_EQ(summary.max_ms, 1000);
  EXPECT_NEAR(summary.mean_ms, 500.005, 0.001);
}

TEST(LatencyRecord, TheIntervalHoldsTheTrueValueAsOftenAsItSays) {
  Rng rng(7);
  int held = 0;
  constexpr int kTimes = 400;
  for (int time = 0; time < kTimes; ++time) {
    LatencyRecord record;
    for (int i = 0; i < 500; ++i) record.Add(microseconds(static_cast<int64_t>(1000 + 99000 * rng.Uniform())));
    const Percentile p90 = record.At(0.9);
    held += p90.low_ms <= 90.1 && p90.high_ms >= 90.1 ? 1 : 0;
  }
  EXPECT_GE(held, kTimes * 0.91);
}

TEST(LatencyRecord, TheEndsAreKept) {
  LatencyRecord record;
  EXPECT_EQ(record.Summary().p99.ms, 0);
  record.Add(std::chrono::nanoseconds(-5));
  record.Add(std::chrono::hours(100));
  EXPECT_EQ(record.count(), 2);
  EXPECT_EQ(record.Summary().max_ms, 360e6);
  EXPECT_EQ(record.At(0.999).ms, 360e6);
}

}  // namespace
}  // namespace pawsight::tools
