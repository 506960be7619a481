#include "tools/awaited_frames.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pawsight::tools {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;

std::string Text(const CallOutcome& outcome) {
  return outcome.reason + (outcome.gated            ? " gated"
                           : outcome.refused        ? " refused"
                           : outcome.reason.empty() ? "answered"
                                                    : " failed");
}

TEST(ToldFrame, EachFrameIsAnsweredHeldBackByTheGateRefusedOrFailed) {
  const auto outcome = [](const std::string& rest) {
    const auto told = ReadToldFrame(R"({"frame":"frm_1",)" + rest + "}");
    return told.ok() ? told->frame + " " + Text(told->outcome) : told.status().message();
  };
  EXPECT_EQ(outcome(R"("asked":true,"rules":[{"reason":"pending"}])"), "frm_1 answered");
  EXPECT_EQ(outcome(R"("asked":false,"rules":[{"reason":"unchanged"},{"reason":"not_due"}])"), "frm_1 unchanged gated");
  EXPECT_EQ(outcome(R"("asked":false,"rules":[])"), "frm_1 no_rule gated");
  EXPECT_EQ(outcome(R"("asked":false,"trouble":{"reason":"replaced"},"rules":[])"), "frm_1 replaced refused");
  EXPECT_EQ(outcome(R"("asked":true,"trouble":{"reason":"backend_failed"},"rules":[])"), "frm_1 backend_failed failed");
  EXPECT_EQ(outcome(R"("asked":false,"trouble":{"reason":""},"rules":[])"), "frm_1 trouble failed");
  EXPECT_FALSE(ReadToldFrame(R"({"count":3})").ok());
  EXPECT_FALSE(ReadToldFrame(R"({"frame":"","asked":true})").ok());
  EXPECT_FALSE(ReadToldFrame("{").ok());
}

class AwaitedFramesTest : public ::testing::Test {
 protected:
  OnEnded Note(const std::string& frame) {
    return [this, frame](const CallOutcome& outcome) { ended_.push_back(frame + " " + Text(outcome)); };
  }
  const client::Deadline start_{};
  AwaitedFrames frames_;
  std::vector<std::string> ended_;
};

TEST_F(AwaitedFramesTest, AFrameEndsWithWhatTheStreamSaysWhicheverIsFirst) {
  frames_.Await("a", start_ + seconds(1), Note("a"));
  EXPECT_THAT(ended_, ElementsAre());
  frames_.Tell({"a", {}});
  frames_.Tell({"b", {"unchanged", false, true}});
  frames_.Await("b", start_ + seconds(1), Note("b"));
  EXPECT_THAT(ended_, ElementsAre("a answered", "b unchanged gated"));
  frames_.Expire(start_ + seconds(9));
  EXPECT_EQ(ended_.size(), 2U) << "each ends once";
}

TEST_F(AwaitedFramesTest, OfWhatNobodyTellsTheDeadlineIsTheEndAndAStreamThatBreaksEndsAll) {
  frames_.Await("a", start_ + seconds(1), Note("a"));
  frames_.Await("b", start_ + seconds(2), Note("b"));
  frames_.Expire(start_ + seconds(1));
  EXPECT_THAT(ended_, ElementsAre("a not_told failed"));
  frames_.Fail("stream_broken");
  EXPECT_THAT(ended_, ElementsAre("a not_told failed", "b stream_broken failed"));
}

TEST_F(AwaitedFramesTest, WhatIsToldOfAndNeverPostedIsForgottenInItsTurn) {
  for (size_t n = 0; n <= AwaitedFrames::kMaxEarly; ++n) frames_.Tell({std::to_string(n), {}});
  frames_.Await("0", start_, Note("0"));
  frames_.Await("1", start_, Note("1"));
  EXPECT_THAT(ended_, ElementsAre("1 answered"));
}

}  // namespace
}  // namespace pawsight::tools
