#include "tools/metrics_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pawsight::tools {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr std::string_view kText =
    "# HELP process_cpu_seconds_total Processor time.\n"
    "# TYPE process_cpu_seconds_total counter\n"
    "process_cpu_seconds_total 12.5\n"
    "process_resident_memory_bytes 4.2e+07 1700000000000\n"
    "outcomes_total{reason=\"late\"} 3\n"
    "outcomes_total{reason=\"unchanged\"} 40\r\n"
    "outcomes_total{reason=\"od\\\"d\"} 1\n"
    "outcomes_total{reason=\"two\",owner=\"a\"} 1\n"
    "outcomes_totally{reason=\"late\"} 9\n"
    "broken NaN\n"
    "cut 1";

TEST(MetricsText, ASampleIsFoundByItsNameAndLabels) {
  EXPECT_EQ(MetricOf(kText, "process_cpu_seconds_total"), 12.5);
  EXPECT_EQ(MetricOf(kText, "process_resident_memory_bytes"), 4.2e7);
  EXPECT_EQ(MetricOf(kText, "outcomes_total{reason=\"late\"}"), 3);
  EXPECT_EQ(MetricOf(kText, "cut"), 1);
  EXPECT_EQ(MetricOf(kText, "process_cpu"), std::nullopt) << "a longer name is another";
  EXPECT_EQ(MetricOf(kText, "broken"), std::nullopt);
  EXPECT_EQ(MetricOf("", "up"), std::nullopt);
}

TEST(MetricsText, SamplesOfOneLabelAreReadByItsValue) {
  EXPECT_THAT(MetricByLabel(kText, "outcomes_total", "reason"), ElementsAre(Pair("late", 3), Pair("unchanged", 40)));
  EXPECT_THAT(MetricByLabel(kText, "outcomes_total", "owner"), IsEmpty());
}

TEST(MetricsText, GrowthLeavesOutWhatStoodStillOrWasStartedAnew) {
  EXPECT_THAT(Growth({{"late", 3}, {"shed", 7}, {"fired", 5}}, {{"late", 3}, {"shed", 9}, {"fired", 1}, {"guard", 2}}),
              ElementsAre(Pair("guard", 2), Pair("shed", 2)));
}

}  // namespace
}  // namespace pawsight::tools
