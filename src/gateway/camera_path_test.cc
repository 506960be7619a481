#include "gateway/camera_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "frames/encode.h"
#include "gateway/terminal.h"
#include "gateway/testing.h"

namespace pawsight::gateway {
namespace {

using rules::AlertPhase;
using rules::Reason;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Plain;
using ::testing::SizeIs;

std::vector<rules::Rule> Rules(const char* json) { return rules::ParseRules(Json::Parse(json).value()).value(); }

class CameraPathTest : public ::testing::Test {
 protected:
  CameraPathTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "pawsight-path-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
  }
  ~CameraPathTest() override { std::filesystem::remove_all(directory_); }

  void Make(const char* rules, const CameraPathOptions& options = {}) {
    path_ = std::make_unique<CameraPath>(Rules(rules), backend_, store_.get(), clock_, options);
  }
  void OpenStore(int64_t max_bytes = 0) {
    store_ = std::move(events::Store::Open(directory_ + "/e.sqlite", {.max_bytes = max_bytes}).value());
  }
  /// A frame of that brightness, a second after the last.
  FrameReport Show(uint8_t level) {
    Frame frame;
    frame.image = Plain(level);
    return ShowFrame(std::move(frame));
  }
  FrameReport ShowFrame(Frame frame) {
    frame.number = ++number_;
    frame.time = Time(seconds(1000 + number_));
    return path_->Take(std::make_shared<const Frame>(std::move(frame)));
  }

  std::string directory_;
  ManualClock clock_;
  testing::BrightnessBackend backend_;
  std::unique_ptr<events::Store> store_;
  std::unique_ptr<CameraPath> path_;
  uint64_t number_ = 0;
};

constexpr const char* kOneRule = R"([{"question":"Is it bright?","for_s":2,"clear_s":2,"cooldown_s":0}])";

TEST_F(CameraPathTest, AFrameBecomesAnAlertThatIsStoredAndThenResolved) {
  OpenStore();
  Make(kOneRule, {.camera = "den"});
  std::vector<Reason> reasons;
  std::vector<std::string> types;
  for (const int level : {10, 250, 250, 250, 250, 10, 10, 10, 10}) {
    const FrameReport report = Show(static_cast<uint8_t>(level));
    reasons.push_back(report.outcomes[0].reason);
    for (const AlertChange& change : report.changes)
      types.push_back(change.event.type + (change.recorded.ok() ? "" : "?"));
  }
  EXPECT_THAT(reasons, ElementsAre(Reason::kBelowThreshold, Reason::kPending, Reason::kPending, Reason::kFired,
                                   Reason::kUnchanged, Reason::kClearing, Reason::kClearing, Reason::kResolved,
                                   Reason::kUnchanged));
  EXPECT_THAT(types, ElementsAre("alert.fired", "alert.resolved"));
  const std::vector<events::Event> stored = store_->List(0, 10).value();
  ASSERT_THAT(stored, SizeIs(2));
  EXPECT_EQ(stored[0].camera, "den");
  EXPECT_EQ(stored[0].rule, "is-it-bright");
  EXPECT_EQ(stored[0].time, Time(seconds(1004)));
  EXPECT_EQ(stored[0].detail.GetString("since").value(), FormatTime(Time(seconds(1002))));
  EXPECT_EQ(stored[1].detail.GetString("fired_at").value(), FormatTime(stored[0].time));
}

TEST_F(CameraPathTest, FramesThatDidNotChangeAreNotAsked) {
  Make(R"([{"question":"Is it bright?"}])");
  for (int n = 0; n < 10; ++n) Show(10);
  EXPECT_EQ(backend_.num_asked, 1);
  EXPECT_EQ(Show(250).outcomes[0].reason, Reason::kFired);
  EXPECT_EQ(backend_.num_asked, 2);
}

TEST_F(CameraPathTest, WhileAnAlertIsPendingEveryFrameIsAsked) {
  Make(R"([{"question":"Is it bright?","for_s":5}])");
  Show(10);
  for (int n = 0; n < 6; ++n) Show(250);
  EXPECT_EQ(backend_.num_asked, 7);
  Show(250);
  EXPECT_EQ(backend_.num_asked, 7) << "firing: the gate decides again";
}

TEST_F(CameraPathTest, WithoutTheGateEveryFrameIsAsked) {
  Make(R"([{"question":"Is it bright?"}])", {.gate = false});
  for (int n = 0; n < 5; ++n) Show(10);
  EXPECT_EQ(backend_.num_asked, 5);
}

TEST_F(CameraPathTest, AWordingIsAskedOnceAndJudgedByEachRule) {
  Make(R"([{"id":"a","question":"Is it bright?"},
           {"id":"b","question":"is it bright","expect":"no"},
           {"id":"c","question":"Is it red?"}])");
  const FrameReport report = Show(250);
  EXPECT_THAT(backend_.last_questions, ElementsAre("Is it bright?", "Is it red?"));
  EXPECT_EQ(report.outcomes[0].phase, AlertPhase::kFiring);
  EXPECT_EQ(report.outcomes[1].phase, AlertPhase::kInactive);
  EXPECT_EQ(report.outcomes[2].phase, AlertPhase::kFiring);
}

TEST_F(CameraPathTest, ABackendThatFailsIsAskedAgainWithTheNextFrame) {
  Make(R"([{"question":"Is it bright?"}])");
  backend_.failure = Unavailable("gone");
  EXPECT_EQ(Show(250).outcomes[0].reason, Reason::kUnanswered);
  backend_.failure = Ok();
  EXPECT_EQ(Show(250).outcomes[0].reason, Reason::kFired) << "though the frame has not changed";
}

TEST_F(CameraPathTest, ABackendThatBreaksItsWordIsNotBelieved) {
  Make(R"([{"question":"Is it bright?"}])");
  backend_.spoil = [](std::vector<Answer>& answers) { answers[0].p_yes = std::nan(""); };
  EXPECT_EQ(Show(250).trouble.code(), StatusCode::kInternal);
  backend_.spoil = [](std::vector<Answer>& answers) { answers.clear(); };
  EXPECT_EQ(Show(250).trouble.code(), StatusCode::kInternal);
  EXPECT_EQ(path_->states()[0].phase, AlertPhase::kInactive);
}

TEST_F(CameraPathTest, EncodedFramesAreDecodedAndBadOnesAreToldAndStopNothing) {
  Make(R"([{"question":"Is it bright?"}])");
  Frame bad;
  bad.encoded = {0xff, 0xd8, 0xff, 0x00};
  const FrameReport report = ShowFrame(std::move(bad));
  EXPECT_EQ(report.outcomes[0].reason, Reason::kUndecodable);
  EXPECT_FALSE(report.trouble.reason().empty());
  EXPECT_EQ(backend_.num_asked, 0);
  Frame good;
  good.encoded = frames::EncodeJpeg(Plain(250), 90).value();
  EXPECT_EQ(ShowFrame(std::move(good)).outcomes[0].reason, Reason::kFired);
}

TEST_F(CameraPathTest, AnAlertIsToldThoughTheDiskIsFull) {
  OpenStore();
  events::Event filler;
  filler.type = "filler";
  filler.detail = Json(Json::Object{{"x", std::string(3000, 'x')}});
  store_.reset();
  OpenStore(64 << 10);
  while (store_->Append(filler).ok()) {
  }
  filler.detail = Json();
  while (store_->Append(filler).ok()) {
  }
  Make(R"([{"question":"Is it bright?"}])");
  const FrameReport report = Show(250);
  ASSERT_THAT(report.changes, SizeIs(1));
  EXPECT_EQ(report.changes[0].recorded.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(Terminal::Lines(path_->rules(), report, true), HasSubstr("not recorded"));
  EXPECT_EQ(path_->recorder().num_waiting(), 1U);
}

TEST_F(CameraPathTest, LinesAreReadableAndJsonHasTheSameFacts) {
  Make(kOneRule, {.camera = "den"});
  const FrameReport report = Show(250);
  EXPECT_EQ(Terminal::Lines(path_->rules(), report, true), "00:16:41  frame 1  Is it bright? yes 0.98 [pending]\n");
  const Json json = FrameToJson("den", path_->rules(), report);
  EXPECT_EQ(json.GetString("time").value(), "1970-01-01T00:16:41.000Z");
  const Json& rule = (*json.GetArray("rules").value())[0];
  EXPECT_EQ(rule.GetString("reason").value(), "pending");
  EXPECT_NEAR(rule.GetNumber("p_yes").value(), 0.98, 0.01);
  Show(250);
  EXPECT_THAT(Terminal::Lines(path_->rules(), Show(250), false), HasSubstr("ALERT     Is it bright?  yes 0.98"));
}

TEST(RecorderTest, EventsWaitInOrderUntilTheStoreTakesThem) {
  std::vector<std::string> stored;
  Status disk = ResourceExhausted("full");
  Recorder recorder([&](const events::Event& event) -> Result<events::Event> {
    if (!disk.ok()) return disk;
    stored.push_back(event.rule);
    return event;
  });
  EXPECT_EQ(recorder.Record({.rule = "a"}).status().code(), StatusCode::kResourceExhausted);
  EXPECT_FALSE(recorder.Record({.rule = "b"}).ok());
  EXPECT_FALSE(recorder.Flush().ok());
  disk = Ok();
  EXPECT_TRUE(recorder.Record({.rule = "c"}).ok());
  EXPECT_THAT(stored, ElementsAre("a", "b", "c"));
  EXPECT_EQ(recorder.num_waiting(), 0U);
}

TEST(RecorderTest, WhatWaitsIsBoundedAndWhatIsGivenUpIsCounted) {
  Recorder recorder([](const events::Event&) -> Result<events::Event> { return Unavailable("locked"); });
  for (size_t n = 0; n < kMaxWaitingEvents + 2; ++n) EXPECT_FALSE(recorder.Record({}).ok());
  EXPECT_EQ(recorder.num_waiting(), kMaxWaitingEvents);
  EXPECT_EQ(recorder.num_given_up(), 2U);
}

TEST(RecorderTest, AnEventThatIsItselfAtFaultHoldsUpNoOther) {
  Recorder recorder([](const events::Event& event) -> Result<events::Event> {
    if (event.type.empty()) return InvalidArgument("event.type: empty");
    return event;
  });
  EXPECT_FALSE(recorder.Record({}).ok());
  EXPECT_EQ(recorder.num_waiting(), 0U);
  EXPECT_TRUE(recorder.Record({.type = "alert.fired"}).ok());
}

}  // namespace
}  // namespace pawsight::gateway
