#include "base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pawsight {
namespace {

using ::testing::HasSubstr;

TEST(MetricsTest, AValueIsCountedInTheFirstBucketThatHoldsIt) {
  Buckets buckets(10);
  for (const uint64_t value : {1, 10, 11, 20, 21}) buckets.Add(value);
  buckets.Add(~uint64_t{0} >> 1U);
  const BucketsView view = buckets.View();
  EXPECT_EQ(view.counts[0], 2U);
  EXPECT_EQ(view.counts[1], 2U);
  EXPECT_EQ(view.counts[2], 1U);
  EXPECT_EQ(view.counts[BucketsView::kBuckets], 1U);
  EXPECT_EQ(view.Count(), 6U);
  EXPECT_EQ(view.Quantile(0.3), 10U);
  EXPECT_EQ(view.Quantile(0.5), 20U);
  EXPECT_EQ(BucketsView{}.Quantile(0.5), 0U);
}

TEST(MetricsTest, TheTextIsPrometheuss) {
  MetricsWriter out("pawsight_x_");
  out.Counter("frames_total", "Frames.", 3);
  out.Metric("wait_seconds", "histogram", "Waits.");
  Buckets buckets(1'000'000);
  buckets.Add(std::chrono::milliseconds(3));
  out.Histogram(buckets.View(), 1e-9, MetricLabel("stage", "a\"b"));
  const std::string text = out.Take();
  EXPECT_THAT(text, HasSubstr("# HELP pawsight_x_frames_total Frames.\n# TYPE pawsight_x_frames_total counter\n"
                              "pawsight_x_frames_total 3\n"));
  EXPECT_THAT(text, HasSubstr("pawsight_x_wait_seconds_bucket{stage=\"a\\\"b\",le=\"0.002\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("pawsight_x_wait_seconds_bucket{stage=\"a\\\"b\",le=\"0.004\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("pawsight_x_wait_seconds_bucket{stage=\"a\\\"b\",le=\"+Inf\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("pawsight_x_wait_seconds_sum{stage=\"a\\\"b\"} 0.003\n"));
}

}  // namespace
}  // namespace pawsight
