#include "tools/gate_score.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pawsight::tools {
namespace {

using ::testing::HasSubstr;

AlertSpan Span(const std::string& rule, double fired_s, std::optional<double> resolved_s = {}) {
  return {rule, fired_s, resolved_s};
}

TEST(MatchAlerts, TheDelayIsHowMuchLaterTheGatedOneFired) {
  const Matching matching = MatchAlerts({Span("couch", 10, 40), Span("couch", 200, 260)},
                                        {Span("couch", 11.5, 42), Span("couch", 200, 260)}, 1);
  ASSERT_EQ(matching.alerts.size(), 2U);
  EXPECT_EQ(matching.alerts[0].delay_s, 1.5);
  EXPECT_EQ(matching.alerts[1].delay_s, 0);
  EXPECT_TRUE(matching.extra.empty());
}

TEST(MatchAlerts, OneThatFiresWhenItsCauseHasGoneIsNotFoundAndIsExtra) {
  const Matching matching = MatchAlerts({Span("couch", 10, 40)}, {Span("couch", 40, 60)}, 1);
  EXPECT_FALSE(matching.alerts[0].delay_s);
  EXPECT_EQ(matching.extra.size(), 1U);
}

TEST(MatchAlerts, AnotherRulesAlertIsNoMatchAndEachMatchesOnce) {
  const Matching matching =
      MatchAlerts({Span("couch", 10), Span("table", 10), Span("couch", 12)}, {Span("couch", 11)}, 1);
  EXPECT_EQ(matching.alerts[0].delay_s, 1);
  EXPECT_FALSE(matching.alerts[1].delay_s) << "another rule";
  EXPECT_FALSE(matching.alerts[2].delay_s) << "the one alert is taken";
}

TEST(MatchAlerts, ALittleEarlyIsADelayOfNothingAndMuchTooEarlyIsNoMatch) {
  EXPECT_EQ(MatchAlerts({Span("couch", 10)}, {Span("couch", 9.5)}, 1).alerts[0].delay_s, 0);
  EXPECT_FALSE(MatchAlerts({Span("couch", 10)}, {Span("couch", 8)}, 1).alerts[0].delay_s);
}

TEST(GateTally, SharesAndQuantilesAreAsByHand) {
  GateTally tally;
  tally.Add({"night", 100, 4, 1, 2, 2, 0, {0, 1}});
  tally.Add({"evening", 100, 26, 50, 2, 1, 3, {5}});
  EXPECT_EQ(tally.share_asked(), 0.15);
  EXPECT_EQ(tally.recall(), 0.75);
  EXPECT_EQ(tally.extra, 3);
  EXPECT_EQ(DelayQuantile(tally.delay_s, 0.5), 1);
  EXPECT_EQ(DelayQuantile({4, 0}, 0.25), 1);
  EXPECT_EQ(DelayQuantile({}, 0.5), 0);
  EXPECT_EQ(GateTally().recall(), 1) << "nothing to miss";
}

TEST(GateTally, TheGoalWantsAllThree) {
  const GateGoal goal;
  const GateTally good{"day", 1000, 100, 0, 100, 99, 0, {0, 0, 2}};
  EXPECT_TRUE(Reached(goal, good));
  GateTally tally = good;
  tally.asked = 101;
  EXPECT_FALSE(Reached(goal, tally));
  tally = good;
  tally.found = 98;
  EXPECT_FALSE(Reached(goal, tally));
  tally = good;
  tally.delay_s = {0, 1, 2};
  EXPECT_FALSE(Reached(goal, tally));
}

TEST(GateScore, TheFileGivesTheDaysShareElseTheClips) {
  GateScore score;
  score.days = {"days", 1000, 80, 300, 10, 10, 0, {0}};
  score.clips = {{"a.mp4", 100, 50, 0, 1, 1, 0, {}}, {"b.mp4", 300, 50, 0, 1, 1, 0, {}}};
  EXPECT_EQ(AskedShareFromJson(GateScoreToJson(score)).value(), 0.08);
  score.days = {};
  EXPECT_EQ(AskedShareFromJson(GateScoreToJson(score)).value(), 0.25);
  score.clips = {};
  EXPECT_THAT(AskedShareFromJson(GateScoreToJson(score)).status().message(), HasSubstr("nothing was measured"));
}

TEST(GateScore, AFileThatIsNoneNamesTheField) {
  const auto error = [](const char* text) { return AskedShareFromJson(Json::Parse(text).value()).status().message(); };
  EXPECT_THAT(error("{}"), HasSubstr("format: missing"));
  EXPECT_THAT(error(R"({"format":"pawsight-stress"})"), HasSubstr("format: want pawsight-gate"));
  EXPECT_THAT(error(R"({"format":"pawsight-gate","format_version":2})"), HasSubstr("format_version"));
  EXPECT_THAT(error(R"({"format":"pawsight-gate","format_version":1,"days":{"frames":10,"asked":11}})"),
              HasSubstr("asked"));
  EXPECT_THAT(ReadAskedShare("/nonexistent.json").status().message(), HasSubstr("/nonexistent.json"));
}

}  // namespace
}  // namespace pawsight::tools
