// `pawsight cost` and `pawsight scenes gate` from outside: files in, figures out.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/files.h"
#include "base/json.h"
#include "program.h"
#include "tools/stress_result.h"

namespace pawsight::integration {
namespace {

using ::testing::DoubleNear;
using ::testing::HasSubstr;

/// 20 frames a second of 5 questions; 95 of 100 answered at the cap.
std::string StressResultText() {
  tools::StressResult result;
  result.made_at = "2026-11-25T00:00:00Z";
  result.target.kind = "model";
  result.target.name = "pawsight-mini";
  result.load.questions_a_frame = 5;
  result.machine = {"a processor", 2};
  tools::StressCell cell;
  cell.role = tools::CellRole::kCheckCap;
  cell.clients = 8;
  cell.offered = 149;
  cell.answered = 90;  // in the time; five came after it
  cell.latency.count = 95;
  cell.failed = {{"internal", 5}};
  cell.refused = {{"request_limit", 49}};  // asked again a moment later
  result.cells.push_back(cell);
  result.recommendation.emplace();
  result.recommendation->safe_per_s = 20;
  result.recommendation->slo_kept = true;
  return tools::ResultToJson(result).Dump();
}

constexpr const char* kBaseline =
    R"({"format":"pawsight-baseline","format_version":1,"what":"PyTorch","machine":"2 threads","made_at":"2026-11-25",
    "calls_per_s":4,"ours":[{"questions":1,"frames_per_s":25},{"questions":5,"frames_per_s":24}],"ours_precision":"int8",
    "ours_same_precision":{"precision":"bf16","frames_per_s":10}})";

TEST(Cost, AResultAGateAndABaselineGiveFiguresAndTheSavingsFactors) {
  const TempFolder folder;
  WriteText(folder.Path("result.json"), StressResultText());
  WriteText(folder.Path("baseline.json"), kBaseline);
  WriteText(folder.Path("gate.json"),
            R"({"format":"pawsight-gate","format_version":1,"days":{"frames":1000,"asked":100}})");
  const Ended ended = RunProgram({"cost", folder.Path("result.json"), "--price-per-hour", "0.36", "--gate",
                                  folder.Path("gate.json"), "--baseline", folder.Path("baseline.json"), "--json"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  const Json json = Json::Parse(ended.out).value();
  const Json& figures = *json.Find("figures");
  EXPECT_THAT(figures.GetNumber("per_million_asked").value(), DoubleNear(5, 1e-9));
  EXPECT_THAT(figures.GetNumber("per_million_offered").value(), DoubleNear(0.5, 1e-9));
  EXPECT_THAT(figures.GetNumber("per_million_answered").value(), DoubleNear(5 / 0.95, 1e-9));
  const Json& saving = *json.Find("saving");
  EXPECT_THAT(saving.GetNumber("whole").value(), DoubleNear(300, 1e-6));
  EXPECT_THAT(saving.GetNumber("gating").value(), DoubleNear(10, 1e-9));

  EXPECT_THAT(saving.GetNumber("same_precision").value(), DoubleNear(2.5, 1e-9));
  EXPECT_THAT(saving.GetNumber("precision").value(), DoubleNear(2.5, 1e-9));
  const Ended shown = RunProgram(
      {"cost", folder.Path("result.json"), "--price-per-hour", "0.36", "--baseline", folder.Path("baseline.json")});
  EXPECT_THAT(shown.out,
              HasSubstr("engine: 6.25 times = same precision (bf16) 2.50 x precision (int8 over bf16) 2.50"));

  std::string other = kBaseline;
  other.insert(1, R"("model":"random-base",)");
  WriteText(folder.Path("other.json"), other);
  const Ended mixed = RunProgram(
      {"cost", folder.Path("result.json"), "--price-per-hour", "0.36", "--baseline", folder.Path("other.json")});
  EXPECT_EQ(mixed.code, 2);
  EXPECT_THAT(mixed.err, HasSubstr("of random-base, and"));
}

TEST(Cost, AnInstanceOfTheListThatShipsHasItsPriceDateAndRegion) {
  const Ended ended = RunProgram({"cost", "--frames-per-s", "30", "--instance", "c7i.large"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("c7i.large: $0.08925 an hour on demand in us-east-1, as of 2026-01-19"));
  const Ended list = RunProgram({"cost", "--list"});
  ASSERT_EQ(list.code, 0) << list.err;
  EXPECT_THAT(list.out, HasSubstr("inf2.xlarge"));
}

TEST(Cost, WhatIsMissingOrWrongIsNamed) {
  const auto error = [](const std::vector<std::string>& arguments) {
    std::vector<std::string> all = {"cost"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const Ended ended = RunProgram(all);
    EXPECT_EQ(ended.code, 2) << ended.err;
    return ended.err;
  };
  EXPECT_THAT(error({"--instance", "c7i.large"}), HasSubstr("want RESULT.json"));
  EXPECT_THAT(error({"--frames-per-s", "30"}), HasSubstr("want --instance NAME or --price-per-hour X"));
  EXPECT_THAT(error({"--frames-per-s", "30", "--instance", "c7i.larg"}), HasSubstr("did you mean c7i.large?"));
  EXPECT_THAT(error({"--frames-per-s", "0", "--price-per-hour", "1"}), HasSubstr("frames_per_s: want"));
  EXPECT_THAT(error({"--frames-per-s", "30", "--price-per-hour", "1", "--asked-share", "2"}), HasSubstr("asked_share"));
  EXPECT_EQ(RunProgram({"cost", "/nonexistent.json", "--price-per-hour", "1"}).code, 3);
}

TEST(ScenesGate, AShortDayGivesAFileThatCostReads) {
  const TempFolder folder;
  const Ended ended =
      RunProgram({"scenes", "gate", "--share", "0.01", "--width", "160", "--json", "--out", folder.Path("gate.json")});
  ASSERT_EQ(ended.code, 0) << ended.err;
  const Json json = Json::Parse(ended.out).value();
  const Json& days = *json.Find("days");
  EXPECT_NEAR(static_cast<double>(days.GetInteger("frames").value()), 864, 10);
  EXPECT_LT(days.GetNumber("share_asked").value(), 0.6);
  EXPECT_EQ(json.GetArray("kinds").value()->size(), 4U);
  const Ended cost =
      RunProgram({"cost", "--frames-per-s", "30", "--price-per-hour", "1", "--gate", folder.Path("gate.json")});
  EXPECT_EQ(cost.code, 0) << cost.err;
  EXPECT_THAT(cost.out, HasSubstr("measured: "));
}

}  // namespace
}  // namespace pawsight::integration
