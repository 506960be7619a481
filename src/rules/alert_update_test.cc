#include "rules/alert_update.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace pawsight::rules {
namespace {

using std::chrono::seconds;

constexpr Time kFired{seconds(1'700'000'000)};

Rule MakeRule(const std::string& more) {
  return ParseRule(Json::Parse(R"({"question":"Is it in?")" + more + "}").value()).value();
}

TEST(AlertUpdateTest, WhatGoesOnIsToldOnceInItsTime) {
  const Rule rule = MakeRule("");
  const Told told{kFired, 0.8};
  EXPECT_EQ(CauseOfUpdate(rule, told, 0.8, kFired + seconds(299)), UpdateCause::kNone);
  EXPECT_EQ(CauseOfUpdate(rule, told, 0.8, kFired + seconds(300)), UpdateCause::kStillOn);
  EXPECT_EQ(CauseOfUpdate(MakeRule(R"(,"update_s":10)"), told, 0.1, kFired + seconds(10)), UpdateCause::kStillOn);
}

TEST(AlertUpdateTest, ASurerAnswerIsNewsButNotAtOnceAndNotASmallRise) {
  const Rule rule = MakeRule("");
  const Told told{kFired, 0.75};
  EXPECT_EQ(CauseOfUpdate(rule, told, 0.95, kFired + seconds(29)), UpdateCause::kNone);
  EXPECT_EQ(CauseOfUpdate(rule, told, 0.84, kFired + seconds(60)), UpdateCause::kNone);
  EXPECT_EQ(CauseOfUpdate(rule, told, 0.95, kFired + seconds(30)), UpdateCause::kSurer);
  EXPECT_EQ(CauseOfUpdate(rule, {kFired, 1}, 1, kFired + seconds(60)), UpdateCause::kNone)
      << "what was told is unknown";
}

TEST(AlertUpdateTest, ARuleMayTellNoneAndAClockSetBackTellsNone) {
  EXPECT_EQ(CauseOfUpdate(MakeRule(R"(,"update_s":0)"), {kFired, 0}, 1, kFired + seconds(86400)), UpdateCause::kNone);
  EXPECT_EQ(CauseOfUpdate(MakeRule(""), {kFired, 0}, 1, kFired - seconds(86400)), UpdateCause::kNone);
}

}  // namespace
}  // namespace pawsight::rules
