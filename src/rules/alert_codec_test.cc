#include "rules/alert_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "base/rng.h"

namespace pawsight::rules {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

Rule MakeRule(std::string_view text) { return ParseRule(Json::Parse(text).value()).value(); }

TEST(AlertCodecTest, EveryStateThatAdvanceMakesIsWrittenAndReadBackTheSame) {
  Rng rng(11);
  int num_phases[4] = {};
  for (int world = 0; world < 100; ++world) {
    Rule rule = MakeRule(R"({"question":"Is it?","for_s":2,"clear_s":1,"cooldown_s":4})");
    if (world % 2 == 0) rule.frames = {1 + rng.Below(3), 3 + rng.Below(30)};
    StoredState stored{{}, Meaning(rule), "alr_x", {}};
    Time now{seconds(1'700'000'000)};
    Verdict mood = Verdict::kFalse;
    for (int i = 0; i < 200; ++i) {
      now += milliseconds(rng.Below(3000)) + std::chrono::nanoseconds(rng.Below(1000));
      if (rng.Chance(0.2)) mood = static_cast<Verdict>(rng.Below(3));
      const auto kind = rng.Chance(0.2) ? Sighting::Kind::kUnchanged : Sighting::Kind::kAsked;
      stored.state = Advance(rule, stored.state, {now, kind, mood}).state;
      if (rng.Chance(0.02)) stored.state = Retire(stored.state, now).state;
      stored.told = stored.state.phase == AlertPhase::kFiring ? Told{now, rng.Below(1001) / 1000.0} : Told{};
      ++num_phases[static_cast<size_t>(stored.state.phase)];
      const Result<StoredState> read = DecodeState(EncodeState(stored));
      ASSERT_TRUE(read.ok()) << EncodeState(stored) << read.status().ToString();
      ASSERT_EQ(*read, stored) << EncodeState(stored);
    }
  }
  for (const int count : num_phases) EXPECT_GT(count, 100);
}

TEST(AlertCodecTest, WhatIsNoStateIsRefused) {
  for (const char* text : {"", "{}", "[]", R"({"v":1})", R"({"v":1,"meaning":"x","phase":"inactive","last":"false"})",
                           R"({"v":1,"meaning":"0","phase":"asleep","last":"false"})",
                           R"({"v":1,"meaning":"0","phase":"firing","last":"false"})",
                           R"({"v":1,"meaning":"0","phase":"pending","last":"true"})",
                           R"({"v":1,"meaning":"0","phase":"inactive","last":"false","fired":-1})",
                           R"({"v":1,"meaning":"0","phase":"firing","fired":1,"last":"true","told_p":1001})",
                           R"({"v":1,"meaning":"0","phase":"inactive","last":"false","false_since":5})"}) {
    EXPECT_EQ(DecodeState(text).status().code(), StatusCode::kInvalidArgument) << text;
  }
  EXPECT_EQ(DecodeState(R"({"v":2})").status().code(), StatusCode::kUnimplemented);
  EXPECT_TRUE(DecodeState(R"({"v":1,"meaning":"0","phase":"inactive","last":"false","later":[1]})").ok());
}

TEST(AlertCodecTest, AnAlertOfAnOlderProgramWasToldOfWhenItFired) {
  const StoredState stored =
      DecodeState(R"({"v":1,"meaning":"0","phase":"firing","fired":1,"fired_at":5000,"last":"true"})").value();
  EXPECT_EQ(stored.told.at, Time(std::chrono::nanoseconds(5000)));
  EXPECT_EQ(stored.told.p, 1);
}

}  // namespace
}  // namespace pawsight::rules
