#include "server/exposition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace pawsight::server {
namespace {

using ::testing::HasSubstr;

WorkResult Answered(Nanos total) {
  WorkResult result{.outcome = Outcome::kOk};
  result.answers = {{{}, {}, {}}};
  result.times.total = total;
  return result;
}

TEST(Exposition, CountsOutcomesRefusalsStagesAndSharing) {
  Counters counters;
  counters.Ended(Answered(Nanos(150'000)), engine::Head::kVqa, false, 5000);
  counters.Ended(Answered(Nanos(100'000)), engine::Head::kItm, false, 6000);
  counters.Ended({.outcome = Outcome::kRefused, .refusal = Refusal::kOverloaded}, engine::Head::kVqa, false, 0);
  counters.Ended({.outcome = Outcome::kFailed}, engine::Head::kVqa, true, 0);
  counters.BatchRan(1, 1, 3, Nanos(10), Nanos(20));
  const std::string text = Exposition(counters.View(), {.queue_length = 3, .shedding = {false, true, false}});
  EXPECT_THAT(text, HasSubstr("pawsight_server_requests_total{outcome=\"ok\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("pawsight_server_requests_total{outcome=\"failed\"} 0\n"))
      << "a canary is not among them";
  EXPECT_THAT(text, HasSubstr("pawsight_server_canaries_total{outcome=\"failed\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("pawsight_server_refusals_total{reason=\"overloaded\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("pawsight_server_stage_seconds_bucket{stage=\"total\",le=\"0.0001\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("pawsight_server_stage_seconds_bucket{stage=\"total\",le=\"0.0002\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("pawsight_server_stage_seconds_sum{stage=\"total\"} 0.00025\n"));
  EXPECT_THAT(text, HasSubstr("pawsight_server_frame_questions_bucket{le=\"4\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("pawsight_server_sharing_ratio 2\n"));
  EXPECT_THAT(text, HasSubstr("pawsight_server_queue_length 3\n"));
  EXPECT_THAT(text, HasSubstr("pawsight_server_shedding{priority=\"normal\"} 1\n"));
}

TEST(Exposition, EachMetricIsExplainedOnceAndEachLineIsASampleOfTheLastExplained) {
  const std::regex sample(R"(([a-z_]+)(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [-+0-9.e]+)");
  std::set<std::string> explained;
  std::string current;
  std::istringstream lines(Exposition(Counters().View(), {}));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP ")) {
      current = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_TRUE(explained.insert(current).second) << current;
      continue;
    }
    if (line.starts_with("# TYPE ")) continue;
    std::smatch match;
    ASSERT_TRUE(std::regex_match(line, match, sample)) << line;
    EXPECT_TRUE(match[1].str().starts_with(current)) << line;
  }
  EXPECT_GE(explained.size(), 20U);
}

TEST(Counters, AHistogramsBucketsDoubleAndTheLastTakesTheRest) {
  Histogram<3> histogram(10);
  for (const uint64_t value : {0, 10, 11, 20, 40, 41, 1000}) histogram.Add(value);
  const HistogramView<3> view = histogram.View();
  EXPECT_EQ(view.counts[0], 2U);
  EXPECT_EQ(view.counts[1], 2U);
  EXPECT_EQ(view.counts[2], 1U);
  EXPECT_EQ(view.counts[3], 2U);
  EXPECT_EQ(view.sum, 1122U);
  EXPECT_EQ(view.Count(), 7U);
}

TEST(Counters, BatchesAreCountedByTheirSizeAsStatisticsWantThem) {
  Counters counters;
  counters.BatchRan(2, 2, 5, Nanos(100), Nanos(10));
  counters.BatchRan(2, 1, 5, Nanos(50), Nanos(10));
  counters.BatchRanFor(engine::Head::kItm, 2, Nanos(100), Nanos(10));
  counters.BatchRanFor(engine::Head::kItm, 2, Nanos(50), Nanos(10));
  const CountersView view = counters.View();
  const auto& itm = view.models[static_cast<size_t>(engine::Head::kItm)];
  EXPECT_EQ(itm.batches[2].count, 2U);
  EXPECT_EQ(itm.batches[2].encode_ns, 150U);
  EXPECT_EQ(view.models[static_cast<size_t>(engine::Head::kVqa)].batches[2].count, 0U) << "each model's own";
  EXPECT_EQ(view.frames_encoded, 3U);
}

}  // namespace
}  // namespace pawsight::server
