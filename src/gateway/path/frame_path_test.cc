#include "gateway/path/frame_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "events/ids.h"
#include "gateway/path/testing.h"

namespace pawsight::gateway {
namespace {

using rules::AlertPhase;
using rules::Reason;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::InstantBackend;
using ::testing::IsEmpty;
using testing::Jpeg;
using testing::MemoryRecord;
using ::testing::SizeIs;

using ResultPtr = std::shared_ptr<const FrameResult>;

std::vector<rules::Rule> Rules(const std::string& json) { return rules::ParseRules(Json::Parse(json).value()).value(); }

class Listener : public Watcher {
 public:
  void OnFrame(const ResultPtr& result) override { frames.push_back(result); }
  void OnAlert(const AlertNotice& notice) override { alerts.push_back(notice); }
  std::vector<ResultPtr> frames;
  std::vector<AlertNotice> alerts;
};

constexpr Time kStart{seconds(1'700'000'000)};

class FramePathTest : public ::testing::Test {
 protected:
  FramePathTest()
      : backend_([this](const Inquiry& inquiry, const std::string& question) { return Answer(inquiry, question); }) {
    options_.gate_threads = 0;
    options_.seed = 1;
  }

  void Start() {
    path_ = std::make_unique<FramePath>(backend_, &record_, clock_, options_);
    (void)path_->observers().Subscribe("own_a", listener_);
  }
  void Restart() {
    path_.reset();
    Start();
  }
  void Set(const std::string& rules, std::vector<Snooze> snoozes = {}, bool gate = false) {
    OwnerSetup setup;
    setup.cameras = {{"cam_1", {{"room", "den"}}, gate, seconds(60)}, {"cam_2", {}, gate, seconds(60)}};
    setup.rules = Rules(rules);
    setup.snoozes = std::move(snoozes);
    setup.receivers = {"rcv_1"};
    ASSERT_TRUE(path_->SetOwner("own_a", std::move(setup)).ok());
  }
  Submission Of(uint8_t level, const std::string& camera = "cam_1") {
    Submission submission;
    submission.owner = "own_a";
    submission.camera = camera;
    submission.encoded = Jpeg(level);
    return submission;
  }
  Submitted Submit(Submission submission) {
    return path_->Submit(std::move(submission), [this](const ResultPtr& result) { results_.push_back(result); });
  }
  void Run() {
    while (path_->Step()) {
    }
  }
  /// One frame, a second later, to its end.
  ResultPtr Show(Submission submission) {
    clock_.Advance(seconds(1));
    const size_t before = results_.size();
    const Submitted submitted = Submit(std::move(submission));
    EXPECT_TRUE(submitted.status.ok()) << submitted.status.ToString();
    Run();
    EXPECT_EQ(results_.size(), before + 1);
    return results_.empty() ? nullptr : results_.back();
  }
  ResultPtr Show(uint8_t level) { return Show(Of(level)); }
  Reason ReasonOf(const ResultPtr& result, size_t rule = 0) { return result->outcomes.at(rule).reason; }
  Result<double> Answer(const Inquiry& inquiry, const std::string& question) {
    if (!trouble_.ok()) return trouble_;
    if (answers_.contains(question)) return answers_[question];
    return inquiry.encoded == Jpeg(250) ? 0.95 : 0.05;
  }

  ManualClock clock_{kStart};
  InstantBackend backend_;
  MemoryRecord record_;
  FramePathOptions options_;
  std::map<std::string, double> answers_;
  Status trouble_;
  std::shared_ptr<Listener> listener_ = std::make_shared<Listener>();
  std::vector<ResultPtr> results_;
  std::unique_ptr<FramePath> path_;
};

constexpr const char* kBright = R"([{"id":"bright","question":"Is it bright?","clear_s":0,"cooldown_s":0}])";

TEST_F(FramePathTest, AFrameIsAnsweredJudgedRecordedAndTold) {
  Start();
  Set(kBright);
  EXPECT_EQ(ReasonOf(Show(10)), Reason::kBelowThreshold);
  const ResultPtr result = Show(250);
  EXPECT_EQ(ReasonOf(result), Reason::kFired);
  EXPECT_EQ(result->outcomes[0].phase, AlertPhase::kFiring);
  EXPECT_NEAR(*result->outcomes[0].p_yes, 0.95, 1e-9);
  ASSERT_THAT(result->changes, SizeIs(1));
  EXPECT_EQ(result->changes[0].id.substr(0, 4), "alr_");
  EXPECT_EQ(result->changes[0].event, "evt_1");
  EXPECT_TRUE(result->changes[0].recorded.ok());
  EXPECT_THAT(record_.last_receivers, ElementsAre("rcv_1"));
  ASSERT_THAT(listener_->alerts, SizeIs(1));
  EXPECT_THAT(listener_->frames, SizeIs(2));
  Show(10);
  EXPECT_EQ(ReasonOf(Show(10)), Reason::kResolved);
  ASSERT_THAT(listener_->alerts, SizeIs(2));
  EXPECT_EQ(listener_->alerts[1].id, listener_->alerts[0].id) << "one id an episode";
  EXPECT_EQ(listener_->alerts[1].change, AlertChange::kResolved);
}

TEST_F(FramePathTest, NobodyIsToldOfAnAlertBeforeItIsDurable) {
  Start();
  Set(kBright);
  record_.hold = true;
  EXPECT_TRUE(Submit(Of(250)).status.ok());
  Run();
  EXPECT_THAT(results_, IsEmpty());
  EXPECT_THAT(listener_->frames, IsEmpty());
  EXPECT_THAT(listener_->alerts, IsEmpty());
  record_.hold = false;
  record_.Sync();
  EXPECT_THAT(results_, SizeIs(1));
  EXPECT_THAT(listener_->alerts, SizeIs(1));
}

TEST_F(FramePathTest, OnAFullDiskTheAlertIsToldAsNotRecordedAndRecordedLater) {
  Start();
  Set(kBright);
  record_.SetTrouble(ResourceExhausted("full", "disk_full"));
  const ResultPtr result = Show(250);
  ASSERT_THAT(result->changes, SizeIs(1));
  EXPECT_EQ(result->changes[0].recorded.reason(), "disk_full");
  EXPECT_THAT(ResultToJson(*result).Dump(), ::testing::HasSubstr("\"alerts\":[],\"unrecorded\":[\"alr_"));
  EXPECT_THAT(listener_->alerts, SizeIs(1));
  EXPECT_THAT(record_.Notices(), IsEmpty());
  record_.SetTrouble(Ok());
  path_->Tick();
  EXPECT_THAT(record_.Notices(), SizeIs(1));
  EXPECT_TRUE(path_->Drain(seconds(1)));
}

TEST_F(FramePathTest, TheNewestFrameWinsAndTheOtherIsToldSo) {
  Start();
  Set(kBright);
  backend_.hold = true;
  EXPECT_TRUE(Submit(Of(10)).status.ok());
  Run();
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(milliseconds(100));
    EXPECT_TRUE(Submit(Of(static_cast<uint8_t>(11 + i))).status.ok());
  }
  Run();
  EXPECT_EQ(backend_.num_asked, 1) << "one frame of a camera on its way";
  ASSERT_THAT(results_, SizeIs(2));
  EXPECT_EQ(ReasonOf(results_[0]), Reason::kReplaced);
  EXPECT_EQ(results_[0]->trouble.reason(), "replaced");
  backend_.hold = false;
  backend_.Release();
  Run();
  EXPECT_THAT(results_, SizeIs(4));
  EXPECT_EQ(backend_.last.encoded, Jpeg(13));
}

TEST_F(FramePathTest, AFrameTakenBeforeTheOneThatWaitsDoesNotReplaceIt) {
  Start();
  Set(kBright);
  Submission newer = Of(20);
  newer.captured = newer.sent = kStart;
  Submission older = Of(30);
  older.captured = kStart - seconds(5);
  older.sent = kStart;
  EXPECT_TRUE(Submit(newer).status.ok());
  EXPECT_TRUE(Submit(older).status.ok());
  Run();
  ASSERT_THAT(results_, SizeIs(2));
  EXPECT_EQ(ReasonOf(results_[0]), Reason::kReplaced);
  EXPECT_EQ(backend_.last.encoded, Jpeg(20));
}

TEST_F(FramePathTest, AnotherOwnersCameraIsNotThere) {
  Start();
  Set(kBright);
  OwnerSetup other;
  other.cameras = {{"cam_x", {}, false, seconds(60)}};
  ASSERT_TRUE(path_->SetOwner("own_b", std::move(other)).ok());
  EXPECT_EQ(Submit(Of(10, "cam_x")).status.reason(), "camera_unknown");
  EXPECT_FALSE(path_->Newest("own_a", "cam_x").has_value());
  EXPECT_FALSE(path_->Why("own_b", "bright").ok());
  OwnerSetup thief;
  thief.cameras = {{"cam_1", {}, false, seconds(60)}};
  EXPECT_EQ(path_->SetOwner("own_b", std::move(thief)).reason(), "camera_taken");
  EXPECT_TRUE(path_->Stats("own_b").ok());
  Show(250);
  EXPECT_THAT(listener_->frames, SizeIs(1));
}

TEST_F(FramePathTest, GuardAndQuestionGoInOneInquiryAndAWordingOnce) {
  Start();
  Set(R"([{"id":"a","question":"Is the dog on the couch?","guard":"Is there a dog?","cooldown_s":0},
          {"id":"b","question":"Is there a dog?"},
          {"id":"c","question":"is the dog on the couch","threshold":0.9}])");
  answers_ = {{"Is the dog on the couch?", 0.95}, {"Is there a dog?", 0.2}};
  const ResultPtr result = Show(100);
  EXPECT_THAT(backend_.last.questions, ElementsAre("Is the dog on the couch?", "Is there a dog?"));
  EXPECT_EQ(ReasonOf(result, 0), Reason::kGuard);
  EXPECT_EQ(ReasonOf(result, 1), Reason::kBelowThreshold);
  EXPECT_EQ(ReasonOf(result, 2), Reason::kFired);
  answers_["Is there a dog?"] = 0.6;
  EXPECT_EQ(ReasonOf(Show(100), 0), Reason::kFired);
}

TEST_F(FramePathTest, TheGateAsksOnlyWhatChangedAndWhatWasMissed) {
  Start();
  Set(R"([{"id":"often","question":"Is it bright?","threshold":0.99},
          {"id":"rarely","question":"Is it dark?","threshold":0.99,"sample_every_s":10}])",
      {}, true);
  EXPECT_TRUE(Show(100)->asked) << "never asked before";
  EXPECT_TRUE(Show(100)->asked) << "the gate has nothing to compare with yet";
  EXPECT_FALSE(Show(100)->asked);
  EXPECT_EQ(ReasonOf(results_.back(), 0), Reason::kUnchanged);
  EXPECT_EQ(ReasonOf(results_.back(), 1), Reason::kNotDue);
  EXPECT_TRUE(Show(20)->asked) << "changed";
  EXPECT_THAT(backend_.last.questions, ElementsAre("Is it bright?"));
  for (int i = 0; i < 10 && ReasonOf(results_.back(), 1) == Reason::kNotDue; ++i) Show(20);
  EXPECT_THAT(backend_.last.questions, ::testing::Contains("Is it dark?")) << "it has not seen the change yet";
}

TEST_F(FramePathTest, AFrameThatIsNoImageIsToldSo) {
  Start();
  Set(kBright, {}, true);
  Show(100);
  Submission bad = Of(100);
  std::vector<uint8_t> bytes = *Jpeg(100);
  bytes.resize(bytes.size() / 2);
  bad.encoded = std::make_shared<const std::vector<uint8_t>>(std::move(bytes));
  const ResultPtr result = Show(bad);
  EXPECT_EQ(ReasonOf(result), Reason::kUndecodable);
  EXPECT_EQ(result->trouble.reason(), "image_truncated");
  bad.encoded = std::make_shared<const std::vector<uint8_t>>(100, uint8_t{7});
  EXPECT_EQ(Submit(bad).status.reason(), "image_type_unsupported");
  bad.encoded = std::make_shared<const std::vector<uint8_t>>();
  EXPECT_EQ(Submit(bad).status.reason(), "image_empty");
}

TEST_F(FramePathTest, ADuplicateGivesTheFirstResultAndOtherBytesAConflict) {
  Start();
  Set(kBright);
  Submission frame = Of(250);
  frame.sequence = 7;
  const ResultPtr first = Show(frame);
  EXPECT_EQ(ReasonOf(first), Reason::kFired);
  const Submitted again = Submit(frame);
  EXPECT_EQ(again.status.reason(), "duplicate_frame");
  EXPECT_EQ(again.frame, first->frame);
  EXPECT_EQ(again.result, first);
  frame.encoded = Jpeg(10);
  EXPECT_EQ(Submit(frame).status.reason(), "id_conflict");
  EXPECT_THAT(listener_->alerts, SizeIs(1));
}

TEST_F(FramePathTest, ALateFrameIsAnsweredButNeverAlerts) {
  Start();
  Set(kBright);
  Submission late = Of(250);
  late.captured = kStart - seconds(3600);
  late.sent = kStart;
  late.must_ask = true;
  const ResultPtr result = Show(late);
  EXPECT_TRUE(result->late);
  EXPECT_EQ(ReasonOf(result), Reason::kLate);
  EXPECT_NEAR(*result->outcomes[0].p_yes, 0.95, 1e-9);
  late.captured = kStart - std::chrono::hours(240);
  EXPECT_EQ(Submit(late).status.reason(), "stale");
  EXPECT_THAT(listener_->alerts, IsEmpty());
}

TEST_F(FramePathTest, AFrameThatComesAfterANewerOneWasJudgedIsLateAndNotAsked) {
  Start();
  Set(kBright, {}, true);
  Show(10);
  clock_.Advance(seconds(10));
  Submission older = Of(250);
  older.sent = clock_.Now();
  older.captured = clock_.Now() - seconds(15);
  const ResultPtr result = Show(older);
  EXPECT_TRUE(result->late);
  EXPECT_FALSE(result->asked);
  EXPECT_EQ(ReasonOf(result), Reason::kLate);
}

TEST_F(FramePathTest, AClockADayWrongIsTakenCountedAndForgottenWithItsCamera) {
  Start();
  Set(kBright);
  Submission frame = Of(250);
  frame.sent = frame.captured = kStart + std::chrono::hours(24);
  EXPECT_EQ(ReasonOf(Show(frame)), Reason::kFired);
  EXPECT_EQ(results_.back()->time, results_.back()->received) << "our time rules";
  EXPECT_THAT(path_->Metrics(), HasSubstr("pawsight_gateway_cameras_clock_wrong 1\n"));
  path_->RemoveOwner("own_a");
  EXPECT_THAT(path_->Metrics(), HasSubstr("pawsight_gateway_cameras_clock_wrong 0\n"));
}

TEST_F(FramePathTest, ADeviceThatFloodsIsRefusedAloneAndToldWhenToComeBack) {
  options_.device_rate = 2;
  options_.device_burst = 3;
  Start();
  Set(kBright);
  Submission flood = Of(10);
  flood.device = "dev_1";
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Submit(flood).status.ok());
  const Submitted refused = Submit(flood);
  EXPECT_EQ(refused.status.reason(), "device_rate");
  EXPECT_EQ(refused.retry_after, milliseconds(500));
  Submission other = Of(10, "cam_2");
  other.device = "dev_2";
  EXPECT_TRUE(Submit(other).status.ok());
  clock_.Advance(milliseconds(500));
  EXPECT_TRUE(Submit(flood).status.ok());
}

TEST_F(FramePathTest, OneOwnersFramesLeaveRoomForAnothers) {
  options_.max_owner_bytes = Jpeg(10)->size() + 100;
  Start();
  Set(kBright);
  backend_.hold = true;
  EXPECT_TRUE(Submit(Of(10)).status.ok());
  EXPECT_EQ(Submit(Of(10, "cam_2")).status.reason(), "owner_full");
  OwnerSetup other;
  other.cameras = {{"cam_x", {}, false, seconds(60)}};
  ASSERT_TRUE(path_->SetOwner("own_b", std::move(other)).ok());
  Submission theirs = Of(10, "cam_x");
  theirs.owner = "own_b";
  EXPECT_TRUE(Submit(theirs).status.ok());
  Run();
  backend_.Release();
}

TEST_F(FramePathTest, ABackendThatIsFullIsAskedLessAndItsFramesAreShed) {
  Start();
  Set(kBright);
  trouble_ = ResourceExhausted("full");
  EXPECT_EQ(ReasonOf(Show(250)), Reason::kShed);
  trouble_ = Unavailable("gone");
  EXPECT_EQ(ReasonOf(Show(250)), Reason::kUnanswered);
  trouble_ = InvalidArgument("cut short", "image_truncated");
  EXPECT_EQ(ReasonOf(Show(250)), Reason::kUndecodable);
  trouble_ = Ok();
  EXPECT_EQ(ReasonOf(Show(250)), Reason::kFired);
  EXPECT_THAT(path_->Metrics(), HasSubstr("pawsight_gateway_replies_total{outcome=\"shed\"} 1\n"));
}

TEST_F(FramePathTest, WhatWaitsPastItsDeadlineIsShedThoughTheBackendIsWedged) {
  options_.max_outstanding = 1;
  Start();
  Set(kBright);
  backend_.hold = true;
  EXPECT_TRUE(Submit(Of(10)).status.ok());
  Run();
  EXPECT_TRUE(Submit(Of(10, "cam_2")).status.ok());
  Run();
  clock_.Advance(seconds(11));
  for (int i = 0; i < 16; ++i) path_->Tick();
  ASSERT_THAT(results_, SizeIs(1));
  EXPECT_EQ(results_[0]->camera, "cam_2");
  EXPECT_EQ(ReasonOf(results_[0]), Reason::kShed);
  backend_.hold = false;
  backend_.Release();
}

TEST_F(FramePathTest, AnOwnerWithManyBusyCamerasDelaysAnothersOneByItsOwnTurn) {
  options_.max_outstanding = 1;
  Start();
  Set(kBright);
  OwnerSetup busy;
  for (int i = 0; i < 50; ++i) busy.cameras.push_back({"cam_busy_" + std::to_string(i), {}, false, seconds(60)});
  busy.rules = Rules(kBright);
  ASSERT_TRUE(path_->SetOwner("own_b", std::move(busy)).ok());
  backend_.hold = true;
  for (int i = 0; i < 50; ++i) {
    Submission frame = Of(10, "cam_busy_" + std::to_string(i));
    frame.owner = "own_b";
    EXPECT_TRUE(Submit(std::move(frame)).status.ok());
  }
  EXPECT_TRUE(Submit(Of(10)).status.ok());
  int answered = 0;
  for (Run(); backend_.last.owner != "own_a" && answered < 50; Run()) answered += static_cast<int>(backend_.Release(1));
  EXPECT_LE(answered, 3);
  backend_.Release();
}

TEST_F(FramePathTest, AnEditTakesEffectAtTheNextFrameAndEndsAnAlertThatNowMeansSomethingElse) {
  Start();
  Set(kBright);
  Show(250);
  Set(R"([{"id":"bright","question":"Is it bright?","threshold":0.99,"clear_s":0,"cooldown_s":0}])");
  Run();
  EXPECT_THAT(listener_->alerts, SizeIs(1)) << "a threshold is no other meaning";
  EXPECT_EQ(ReasonOf(Show(250)), Reason::kUnsure);
  Set(R"([{"id":"bright","question":"Is it dark?"}])");
  Run();
  ASSERT_THAT(listener_->alerts, SizeIs(2));
  EXPECT_EQ(listener_->alerts[1].cause, "rule_edited");
  EXPECT_EQ(listener_->alerts[1].question, "Is it bright?") << "as it was";
  EXPECT_EQ(ReasonOf(Show(250)), Reason::kFired) << "no cooldown from before";
  Set("[]");
  Run();
  ASSERT_THAT(listener_->alerts, SizeIs(4));
  EXPECT_EQ(listener_->alerts[3].cause, "rule_removed");
  EXPECT_EQ(listener_->alerts[3].id, listener_->alerts[2].id);
}

TEST_F(FramePathTest, DisabledRulesAndCamerasThatLeaveEndTheirAlerts) {
  Start();
  Set(R"([{"id":"a","question":"Is it bright?"},{"id":"b","question":"Is it light?","cameras":{"room":"den"}}])");
  EXPECT_THAT(Show(Of(250, "cam_2"))->outcomes, SizeIs(1)) << "not in the den";
  EXPECT_THAT(Show(250)->outcomes, SizeIs(2));
  Set(R"([{"id":"a","question":"Is it bright?","enabled":false},
          {"id":"b","question":"Is it light?","cameras":["cam_2"]}])");
  Run();
  std::vector<std::string> causes;
  for (const AlertNotice& notice : listener_->alerts) causes.push_back(notice.cause);
  EXPECT_THAT(causes, ::testing::UnorderedElementsAre("", "", "", "rule_disabled", "rule_disabled", "camera_left"));
  path_->RemoveOwner("own_a");
  Run();
  EXPECT_EQ(path_->Stats("own_a").status().reason(), "owner_unknown");
}

TEST_F(FramePathTest, ASnoozedRuleIsNotAskedUnlessItsAlertFires) {
  Start();
  Set(kBright, {{"bright", "cam_1", kStart + seconds(100)}});
  EXPECT_EQ(ReasonOf(Show(250)), Reason::kSnoozed);
  EXPECT_FALSE(results_.back()->asked);
  EXPECT_EQ(ReasonOf(Show(Of(250, "cam_2"))), Reason::kFired);
  Set(kBright, {{"", "", kStart + seconds(100)}});
  Show(Of(10, "cam_2"));
  EXPECT_EQ(ReasonOf(Show(Of(10, "cam_2"))), Reason::kResolved) << "who was told is told that it is over";
  EXPECT_EQ(ReasonOf(Show(Of(250, "cam_2"))), Reason::kSnoozed);
  clock_.Advance(seconds(100));
  EXPECT_EQ(ReasonOf(Show(250)), Reason::kFired);
}

TEST_F(FramePathTest, ARestartGoesOnWithPendingFiringAndCooldown) {
  Start();
  const char* rules = R"([{"id":"hold","question":"Is it bright?","for_s":30},
                          {"id":"cool","question":"Is it light?","clear_s":0,"cooldown_s":60}])";
  Set(rules);
  answers_ = {{"Is it bright?", 0.9}, {"Is it light?", 0.9}};
  EXPECT_EQ(ReasonOf(Show(100), 0), Reason::kPending);
  EXPECT_EQ(ReasonOf(results_.back(), 1), Reason::kFired);
  const std::string alert = results_.back()->changes[0].id;
  for (int i = 0; i < 25; ++i) Show(100);
  Restart();
  Set(rules);
  EXPECT_EQ(path_->RestoreStates(record_.States()), 2U);
  answers_["Is it light?"] = 0.1;
  for (int i = 0; i < 5; ++i) Show(100);
  EXPECT_EQ(ReasonOf(results_.back(), 0), Reason::kFired) << "30 s since before the restart";
  EXPECT_EQ(record_.Notices()[1].id, alert) << "the alert that ended is the one that fired before the restart";
  answers_["Is it light?"] = 0.9;
  Restart();
  Set(rules);
  EXPECT_EQ(path_->RestoreStates(record_.States()), 2U);
  EXPECT_EQ(ReasonOf(Show(100), 0), Reason::kFiring);
  EXPECT_EQ(ReasonOf(results_.back(), 1), Reason::kCooldown);
  std::vector<RestoredState> broken = record_.States();
  broken[0].text = "{}";
  broken[1].rule = "gone";
  EXPECT_EQ(path_->RestoreStates(broken), 0U);
}

TEST_F(FramePathTest, AnAlertWhoseRuleWasDeletedBeforeARestartIsEndedAndTold) {
  Start();
  Set(R"([{"id":"bright","question":"Is it bright?"},{"id":"light","question":"Is it light?"}])");
  Show(250);
  const std::vector<AlertNotice> open = record_.Notices();
  ASSERT_THAT(open, SizeIs(2));
  Restart();
  Set(kBright);
  EXPECT_EQ(path_->RestoreStates(record_.States()), 1U);
  EXPECT_EQ(path_->EndOrphans(open), 1U);
  const AlertNotice& ended = listener_->alerts.back();
  EXPECT_EQ(ended.id, open[1].id);
  EXPECT_EQ(ended.cause, "orphaned");
  EXPECT_EQ(ended.since, open[1].time);
  EXPECT_EQ(ReasonOf(Show(250)), Reason::kFiring) << "the other goes on";
  EXPECT_EQ(path_->EndOrphans({open[0]}), 0U);
}

TEST_F(FramePathTest, OwnQuestionsAreAnsweredAlsoWhenNoRuleIsDue) {
  Start();
  Set("[]", {}, true);
  Submission frame = Of(100);
  frame.questions = {"Is there a cat?", "is it bright"};
  answers_ = {{"Is there a cat?", 0.8}};
  const ResultPtr result = Show(frame);
  ASSERT_NE(AnswerTo(*result, "is there a cat"), nullptr);
  EXPECT_NEAR(AnswerTo(*result, "is there a cat")->p_yes, 0.8, 1e-9);
  EXPECT_EQ(AnswerTo(*result, "Is there a dog?"), nullptr);
  frame.questions.assign(17, "Is it?");
  EXPECT_EQ(Submit(frame).status.reason(), "too_many_questions");
  frame.questions = {" "};
  EXPECT_EQ(Submit(frame).status.reason(), "question_empty");
}

TEST_F(FramePathTest, OutsideItsScheduleARuleIsNotDueButAFiringAlertIsFollowedToItsEnd) {
  Start();  // kStart is 22:13:20 UTC
  Set(R"([{"id":"r","question":"Is it bright?","clear_s":0,"schedule":{"from":"22:00","to":"22:14","zone":"UTC"}}])");
  EXPECT_EQ(ReasonOf(Show(250)), Reason::kFired);
  clock_.Advance(seconds(60));
  Show(10);
  EXPECT_EQ(ReasonOf(Show(10)), Reason::kResolved);
  EXPECT_EQ(ReasonOf(Show(10)), Reason::kNotDue);
  OwnerSetup bad;
  bad.rules = Rules(R"([{"question":"Is it?","schedule":{"zone":"Mars/Olympus"}}])");
  EXPECT_EQ(path_->SetOwner("own_a", std::move(bad)).reason(), "zone_unknown");
}

TEST_F(FramePathTest, MoreRulesThanACamerasTurnTakesAreRefused) {
  Start();
  std::string rules = "[";
  for (int i = 0; i < 65; ++i) rules += (i > 0 ? "," : "") + ("{\"question\":\"Is it " + std::to_string(i) + "?\"}");
  OwnerSetup setup;
  setup.cameras = {{"cam_1", {}, false, seconds(60)}};
  const Json all = Json::Parse(rules + "]").value();
  for (const Json& rule : all.as_array()) setup.rules.push_back(rules::ParseRule(rule).value());
  EXPECT_EQ(path_->SetOwner("own_a", setup).reason(), "too_many_rules");
  setup.rules[7].enabled = false;
  EXPECT_TRUE(path_->SetOwner("own_a", setup).ok());
}

TEST_F(FramePathTest, WhyAndCostAndStatsTellWhatHappened) {
  options_.why_kept = 3;
  Start();
  path_->SetPrices({{"pool", 3.6}});
  Set(kBright);
  for (const int level : {10, 10, 10, 250}) Show(static_cast<uint8_t>(level));
  const Json why = path_->Why("own_a", "bright").value();
  EXPECT_EQ(why.Find("counts")->GetInteger("below_threshold").value(), 3);
  ASSERT_THAT(*why.GetArray("newest").value(), SizeIs(3));
  EXPECT_EQ((*why.GetArray("newest").value())[0].GetString("reason").value(), "fired");
  clock_.Advance(seconds(996));
  const Json cost = path_->Cost("");
  const Json& pool = (*cost.GetArray("pools").value())[0];
  EXPECT_NEAR(pool.GetNumber("dollars").value(), 1.0, 1e-6);
  EXPECT_NEAR(pool.GetNumber("dollars_per_million_frames").value(), 250'000, 1);
  const Json of_owner = path_->Cost("own_a");
  EXPECT_NEAR((*of_owner.GetArray("rules").value())[0].GetNumber("dollars_per_alert").value(), 1.0, 1e-6);
  const Json stats = path_->Stats("own_a").value();
  EXPECT_EQ((*stats.GetArray("cameras").value())[0].GetInteger("accepted").value(), 4);
  EXPECT_THAT(path_->Metrics(), HasSubstr("pawsight_gateway_outcomes_total{reason=\"fired\"} 1\n"));
  EXPECT_EQ(path_->Newest("own_a", "cam_1")->encoded, Jpeg(250));
}

TEST_F(FramePathTest, DrainingTakesNoMoreAndEndsWhatIsThere) {
  Start();
  Set(kBright);
  EXPECT_TRUE(Submit(Of(10)).status.ok());
  EXPECT_TRUE(path_->Drain(seconds(1)));
  EXPECT_THAT(results_, SizeIs(1));
  EXPECT_EQ(Submit(Of(10)).status.reason(), "draining");
}

TEST_F(FramePathTest, WhatWaitsWhenThePathEndsIsToldSo) {
  Start();
  Set(kBright);
  EXPECT_TRUE(Submit(Of(10)).status.ok());
  path_.reset();
  ASSERT_THAT(results_, SizeIs(1));
  EXPECT_EQ(results_[0]->trouble.reason(), "draining");
}

TEST_F(FramePathTest, IdsAreInTheOrderOfTime) {
  Start();
  Set(kBright);
  const std::string first = Submit(Of(10)).frame;
  clock_.Advance(milliseconds(1));
  EXPECT_LT(first, Submit(Of(10)).frame);
  EXPECT_TRUE(events::IsId("frm_", first));
}

}  // namespace
}  // namespace pawsight::gateway
