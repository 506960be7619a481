#include "tools/awaited_frames.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pawsight::tools {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::UnorderedElementsAre;

std::string Text(const CallOutcome& outcome) {
  return outcome.reason + (outcome.gated            ? " gated"
                           : outcome.unseen         ? " unseen"
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
  void Await(const std::string& frame, client::Deadline deadline) {
    frames_.Await(frame, deadline, frames_.Posted(), Note(frame));
  }
  const client::Deadline start_{};
  AwaitedFrames frames_;
  std::vector<std::string> ended_;
};

TEST_F(AwaitedFramesTest, AFrameEndsWithWhatTheStreamSaysWhicheverIsFirst) {
  Await("a", start_ + seconds(1));
  EXPECT_THAT(ended_, ElementsAre());
  frames_.Tell({"a", {}});
  frames_.Tell({"b", {"unchanged", false, true}});
  Await("b", start_ + seconds(1));
  EXPECT_THAT(ended_, ElementsAre("a answered", "b unchanged gated"));
  frames_.Expire(start_ + seconds(9));
  EXPECT_EQ(ended_.size(), 2U) << "each ends once";
}

TEST_F(AwaitedFramesTest, OfWhatNobodyTellsTheDeadlineIsTheEndAndAStreamThatBreaksEndsAll) {
  Await("a", start_ + seconds(1));
  Await("b", start_ + seconds(2));
  frames_.Expire(start_ + seconds(1));
  EXPECT_THAT(ended_, ElementsAre("a not_told failed"));
  frames_.Break();
  EXPECT_THAT(ended_, ElementsAre("a not_told failed", "b stream_broken failed"));
}

TEST_F(AwaitedFramesTest, WhatTheLoadReadTooSlowlyIsUnseenAndNotTheServersFault) {
  for (const char* frame : {"a", "b", "c", "d"}) Await(frame, start_ + seconds(1));
  frames_.Missed(2);
  frames_.Tell({"a", {}});
  frames_.Expire(start_ + seconds(1));
  EXPECT_THAT(ended_, UnorderedElementsAre("a answered", EndsWith(" dropped unseen"), EndsWith(" dropped unseen"),
                                           EndsWith(" not_told failed")));
  EXPECT_EQ(ReadDropped(R"({"count":3})").value(), 3);
  EXPECT_FALSE(ReadDropped(R"({"count":-3})").ok());
  EXPECT_FALSE(ReadDropped("3").ok());
}

TEST_F(AwaitedFramesTest, WhatWasMissedIsForgottenWithTheFramesThatItMayHaveBeen) {
  Await("a", start_ + seconds(1));
  frames_.Missed(1000);  // events of other kinds, or of frames that nobody waits for
  frames_.Expire(start_ + seconds(1));
  Await("b", start_ + seconds(2));
  frames_.Expire(start_ + seconds(2));
  EXPECT_THAT(ended_, ElementsAre("a dropped unseen", "b not_told failed"));
  ended_.clear();

  Await("c", start_ + seconds(3));
  frames_.Missed(1);
  frames_.Tell({"c", {}});
  Await("d", start_ + seconds(3));
  frames_.Expire(start_ + seconds(3));
  EXPECT_THAT(ended_, ElementsAre("c answered", "d not_told failed")) << "it was an event of another kind";
}

TEST_F(AwaitedFramesTest, WhatIsMissedWhileAFrameIsPostedMayBeThatOnesUnlessItIsNotTaken) {
  const int64_t breaks = frames_.Posted();
  frames_.Missed(1);
  frames_.Await("a", start_ + seconds(1), breaks, Note("a"));
  frames_.Expire(start_ + seconds(1));
  EXPECT_THAT(ended_, ElementsAre("a dropped unseen"));
  (void)frames_.Posted();
  frames_.Missed(1);
  frames_.NotTaken();
  Await("b", start_ + seconds(2));
  frames_.Expire(start_ + seconds(2));
  EXPECT_THAT(ended_, ElementsAre("a dropped unseen", "b not_told failed"));
}

TEST_F(AwaitedFramesTest, WhatMayHaveBeenToldWhileNobodyListenedFailsByTheStreamAndWhatIsToldLaterCounts) {
  const int64_t before = frames_.Posted();
  Await("under way", start_ + seconds(1));
  frames_.Missed(1);
  frames_.Break();
  EXPECT_THAT(ended_, ElementsAre("under way stream_broken failed"));
  Await("in the gap", start_ + seconds(1));
  Await("told later", start_ + seconds(1));
  frames_.Resume();
  frames_.Await("sent before, taken after", start_ + seconds(1), before, Note("sent before, taken after"));
  Await("after", start_ + seconds(1));
  frames_.Tell({"told later", {}});
  frames_.Expire(start_ + seconds(1));
  EXPECT_THAT(ended_, UnorderedElementsAre("under way stream_broken failed", "told later answered",
                                           "in the gap stream_broken failed",
                                           "sent before, taken after stream_broken failed", "after not_told failed"));
}

TEST_F(AwaitedFramesTest, WhatIsToldOfAndNeverPostedIsForgottenInItsTurn) {
  for (size_t n = 0; n <= AwaitedFrames::kMaxEarly; ++n) frames_.Tell({std::to_string(n), {}});
  Await("0", start_);
  Await("1", start_);
  EXPECT_THAT(ended_, ElementsAre("1 answered"));
}

}  // namespace
}  // namespace pawsight::tools
