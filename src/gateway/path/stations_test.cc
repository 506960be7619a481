// The path's small parts, each a value or a pure function.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"
#include "base/rng.h"
#include "gateway/path/cost_book.h"
#include "gateway/path/device_rates.h"
#include "gateway/path/fair_share.h"
#include "gateway/path/frame_time.h"
#include "gateway/path/gate.h"
#include "gateway/path/judge.h"
#include "gateway/path/plan.h"
#include "gateway/path/record_queue.h"
#include "gateway/path/testing.h"
#include "gateway/path/window.h"

namespace pawsight::gateway {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(FairShareTest, AnOwnerWithAThousandFramesDelaysAnothersOneByItsOwnTurn) {
  FairShare<int> share(100);
  for (int i = 0; i < 1000; ++i) share.Push("busy", i, 60);
  share.Push("quiet", -1, 60);
  int before = 0;
  while (share.Pop() != -1) ++before;
  EXPECT_LE(before, 2);
  EXPECT_EQ(share.size(), 1000U - static_cast<size_t>(before));
}

TEST(FairShareTest, LanesThatAlwaysWaitGetEqualCostWhateverTheirItemsCost) {
  FairShare<std::pair<std::string, int64_t>> share(128);
  Rng rng(3);
  std::map<std::string, int64_t> served;
  const auto push = [&](const std::string& lane, int64_t cost) { share.Push(lane, {lane, cost}, cost); };
  for (int i = 0; i < 50; ++i) {
    push("cheap", 10);
    push("dear", 128);
    push("mixed", 1 + rng.Below(128));
  }
  for (int i = 0; i < 20'000; ++i) {
    const auto [lane, cost] = *share.Pop();
    served[lane] += cost;
    push(lane, lane == "cheap" ? 10 : lane == "dear" ? 128 : 1 + rng.Below(128));
  }
  for (const auto& [lane, cost] : served) EXPECT_NEAR(static_cast<double>(cost), served["dear"], 300) << lane;
}

TEST(FairShareTest, ALaneKeepsItsOrderAndAnIdleOneSavesNothingUp) {
  FairShare<int> share(10);
  for (int i = 0; i < 5; ++i) share.Push("a", i, 1);
  std::vector<int> order;
  while (const std::optional<int> item = share.Pop()) order.push_back(*item);
  EXPECT_THAT(order, ElementsAre(0, 1, 2, 3, 4));
  EXPECT_EQ(share.Pop(), std::nullopt);
  for (int i = 0; i < 30; ++i) share.Push("a", i, 10);
  share.Push("b", 100, 10);
  EXPECT_EQ(share.Pop(), 0);
  EXPECT_EQ(share.Pop(), 100);
}

TEST(FairShareTest, TheLongestLaneGivesUpItsNewestAndTheTurnsGoOn) {
  FairShare<int> share(1);
  EXPECT_FALSE(share.DropFromLongest(0).has_value());
  for (int i = 0; i < 3; ++i) share.Push("many", i, 1);
  share.Push("few", 10, 1);
  EXPECT_EQ(share.SizeOf("many"), 3U);
  EXPECT_EQ(share.SizeOf("none"), 0U);
  EXPECT_FALSE(share.DropFromLongest(3).has_value());
  EXPECT_EQ(share.DropFromLongest(2), 2);
  EXPECT_EQ(share.DropFromLongest(1), 1);
  EXPECT_EQ(share.Pop(), 0);
  EXPECT_EQ(share.DropFromLongest(0), 10) << "a lane whose last item goes is forgotten";
  EXPECT_FALSE(share.Pop().has_value());
  share.Push("few", 11, 1);
  EXPECT_EQ(share.Pop(), 11);
  EXPECT_EQ(share.size(), 0U);
}

TEST(DeviceRatesTest, ABurstIsLetInAndThenTheRateHolds) {
  DeviceRates rates({2, 3});
  nanoseconds now{0};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(rates.Take("d", now).count(), 0);
  EXPECT_EQ(rates.Take("d", now), milliseconds(500));
  EXPECT_EQ(rates.Take("e", now).count(), 0) << "another is not held back";
  int taken = 0;
  for (int i = 0; i < 1000; ++i) {
    now += milliseconds(10);
    taken += rates.Take("d", now).count() == 0 ? 1 : 0;
  }
  EXPECT_NEAR(taken, 20, 1);
  rates.Forget(now + seconds(10));
  EXPECT_EQ(rates.size(), 0U);
}

TEST(WindowTest, AFullBackendIsAskedLessAndThenMoreAgain) {
  Window window(100);
  EXPECT_EQ(window.size(), 100);
  window.OnFull(50);
  EXPECT_EQ(window.size(), 35);
  for (int i = 0; i < 50; ++i) window.OnFull(window.size());
  EXPECT_EQ(window.size(), 1);
  for (int i = 0; i < 10'000; ++i) window.OnAnswered();
  EXPECT_EQ(window.size(), 100);
}

constexpr Time kNow{seconds(1'700'000'000)};

TEST(FrameTimeTest, WithoutACaptureTimeOrWithOneThatIsNoneOurTimeRules) {
  ClockView view;
  EXPECT_EQ(JudgeTime(view, kNow, std::nullopt, std::nullopt).time, kNow);
  for (const Time odd : {Time{}, Time(seconds(4'291'747'200)), Time::min(), Time::max()}) {  // 1970, 2106
    const FrameTime judged = JudgeTime(view, kNow, odd, odd);
    EXPECT_EQ(judged.timeliness, Timeliness::kFresh);
    EXPECT_EQ(judged.time, kNow);
  }
}

TEST(FrameTimeTest, TheTimeOfSendingTellsLatenessWhateverTheClockShows) {
  for (const nanoseconds skew : {nanoseconds(0), nanoseconds(seconds(300)), nanoseconds(-seconds(300)),
                                 nanoseconds(hours(24)), nanoseconds(-hours(24))}) {
    ClockView view;
    const Time sent = kNow + skew;
    EXPECT_EQ(JudgeTime(view, kNow, sent - seconds(2), sent).time, kNow - seconds(2));
    EXPECT_EQ(*view.skew, -skew);
    EXPECT_EQ(JudgeTime(view, kNow, sent - hours(1), sent).timeliness, Timeliness::kLate);
    EXPECT_EQ(JudgeTime(view, kNow, sent - hours(240), sent).timeliness, Timeliness::kStale);
    EXPECT_EQ(JudgeTime(view, kNow, sent + hours(1), sent).time, kNow) << "taken after it was sent: now";
  }
}

TEST(FrameTimeTest, AClockFiveMinutesOrADayWrongIsLearnedAndItsFramesAreTakenAllTheWhile) {
  for (const nanoseconds skew :
       {nanoseconds(seconds(300)), nanoseconds(-seconds(300)), nanoseconds(hours(24)), nanoseconds(-hours(24))}) {
    ClockView view;
    int fresh = 0;
    for (int i = 0; i < 100; ++i) {
      const Time now = kNow + seconds(i);
      const FrameTime judged = JudgeTime(view, now, now + skew - milliseconds(20 * (i % 3)), std::nullopt);
      EXPECT_NE(judged.timeliness, Timeliness::kStale);
      fresh += judged.timeliness == Timeliness::kFresh ? 1 : 0;
      if (i > 70) {
        EXPECT_EQ(judged.timeliness, Timeliness::kFresh);
        EXPECT_LT(std::chrono::abs(now - judged.time), seconds(1));
      }
    }
    EXPECT_EQ(fresh == 100, skew.count() >= 0) << "a clock that is ahead cannot be a backlog";
  }
}

TEST(FrameTimeTest, ABacklogIsLateAndTheNewestFrameIsNot) {
  ClockView view;
  for (int i = 0; i < 10; ++i) {
    const Time now = kNow + seconds(i);
    EXPECT_EQ(JudgeTime(view, now, now, std::nullopt).timeliness, Timeliness::kFresh);
  }
  const Time now = kNow + hours(1);
  for (int i = 0; i < 100; ++i) {  // an hour of them, sent at once
    const Time taken = kNow + seconds(30 * i);
    const FrameTime judged = JudgeTime(view, now + milliseconds(10 * i), taken, std::nullopt);
    EXPECT_EQ(judged.timeliness, Timeliness::kLate);
    EXPECT_LT(std::chrono::abs(judged.time - taken), seconds(10));
  }
  EXPECT_EQ(JudgeTime(view, now + seconds(2), now + seconds(2), std::nullopt).timeliness, Timeliness::kFresh);
  EXPECT_EQ(JudgeTime(view, now + seconds(3), kNow - hours(240), std::nullopt).timeliness, Timeliness::kStale);
}

TEST(JudgeTest, ACloseAnswerIsAskedForAgainUntilItIsClearOrStaysClose) {
  const rules::Rule rule = rules::ParseRule(Json::Parse(R"({"question":"Is it in?"})").value()).value();
  RuleState state;
  const auto answer = [&](double p_yes, Time time) {
    const std::vector<Answer> answers = {{"Is it in?", "yes", p_yes, std::nullopt}};
    (void)JudgeRule(rule, {rules::Sighting::Kind::kAsked, {0, -1}}, answers, time, state);
  };
  answer(0.05, kNow);
  EXPECT_FALSE(WantsAgain(state, kNow + seconds(2))) << "a clear no";
  answer(0.6, kNow + seconds(10));
  EXPECT_FALSE(WantsAgain(state, kNow + seconds(11))) << "asked a second ago";
  EXPECT_TRUE(WantsAgain(state, kNow + seconds(12)));
  for (int i = 1; i <= kMaxClose; ++i) answer(0.6, kNow + seconds(10 + 2 * i));
  EXPECT_FALSE(WantsAgain(state, kNow + seconds(30))) << "it stays close: only a change is news";
  answer(0.6, kNow + seconds(90));
  EXPECT_FALSE(WantsAgain(state, kNow + seconds(92))) << "also when it is refreshed: the verdict is what it was";
  answer(0.75, kNow + seconds(100));
  EXPECT_TRUE(WantsAgain(state, kNow + seconds(102))) << "another verdict";
  answer(0.99, kNow + seconds(102));
  EXPECT_FALSE(WantsAgain(state, kNow + seconds(104)));
}

TEST(PacePolicyTest, TheFirstFramesOfAChangeAreAllAskedAboutThenEveryOther) {
  PacePolicy pace;
  std::vector<int> asked;
  for (int i = 0; i < 12; ++i) {  // a frame a second, each another picture
    if (pace.HoldsBack(kNow + seconds(i))) continue;
    pace.OnLook(true, kNow + seconds(i));
    asked.push_back(i);
  }
  EXPECT_THAT(asked, ::testing::ElementsAre(0, 1, 2, 3, 4, 6, 8, 10));
}

TEST(PacePolicyTest, FiveFramesASecondAreHeldBackToOneInTwoSeconds) {
  PacePolicy pace;
  int asked = 0;
  for (int i = 0; i < 5 * 60; ++i) {
    const Time time = kNow + i * std::chrono::milliseconds(200);
    if (pace.HoldsBack(time)) continue;
    pace.OnLook(true, time);
    ++asked;
  }
  EXPECT_EQ(asked, 8 + 27);  // 0, 0.6 .. 4.2 s, then 6.2, 8.2 .. 58.2 s
}

TEST(PacePolicyTest, AFirstChangeCostsTheSameHoweverManyFramesASecondThereAre) {
  for (const int fps : {2, 5, 10, 30}) {
    PacePolicy pace;
    int asked = 0;
    for (int i = 0; i < 4 * fps; ++i) {
      const Time time = kNow + i * std::chrono::microseconds(1'000'000 / fps);
      if (pace.HoldsBack(time)) continue;
      pace.OnLook(true, time);
      ++asked;
    }
    EXPECT_GE(asked, 7) << fps;
    EXPECT_LE(asked, 9) << fps;
  }
}

TEST(PacePolicyTest, AfterARestTheNextChangeIsAFirstOneAgain) {
  PacePolicy pace;
  for (int i = 0; i < 10; ++i) {
    if (!pace.HoldsBack(kNow + seconds(i))) pace.OnLook(true, kNow + seconds(i));
  }
  EXPECT_TRUE(pace.HoldsBack(kNow + seconds(9)));
  for (int i = 10; i < 15; ++i) {
    EXPECT_FALSE(pace.HoldsBack(kNow + seconds(i))) << "who rests is looked at";
    pace.OnLook(false, kNow + seconds(i));
  }
  pace.OnLook(true, kNow + seconds(15));
  EXPECT_TRUE(pace.HoldsBack(kNow + seconds(16))) << "a pause is no rest";
  for (int i = 17; i < 25; ++i) pace.OnLook(false, kNow + seconds(i));
  for (int i = 25; i < 29; ++i) {
    EXPECT_FALSE(pace.HoldsBack(kNow + seconds(i))) << i;
    pace.OnLook(true, kNow + seconds(i));
  }
  EXPECT_FALSE(pace.HoldsBack(kNow)) << "a clock that went back silences nothing";
}

TEST(GateTest, ASkippedFrameLeavesNothingToCompareWith) {
  Gate gate(frames::ChangeOptions{});
  EXPECT_TRUE(gate.Look(*testing::Jpeg(100), kNow).value());
  EXPECT_FALSE(gate.Look(*testing::Jpeg(100), kNow + seconds(1)).value());
  gate.Skip();
  EXPECT_TRUE(gate.Look(*testing::Jpeg(100), kNow + seconds(2)).value());
  EXPECT_FALSE(gate.Look(*testing::Jpeg(100), kNow + seconds(3)).value());
  EXPECT_TRUE(gate.Look(*testing::Jpeg(100), kNow + seconds(70)).value()) << "refresh";
}

TEST(GateTest, WhatIsWantedIsLetThroughAndComparedWithFromThenOn) {
  Gate gate(frames::ChangeOptions{});
  EXPECT_TRUE(gate.Look(*testing::Jpeg(100), kNow).value());
  EXPECT_TRUE(gate.Look(*testing::Jpeg(100), kNow + seconds(40), true).value());
  EXPECT_FALSE(gate.Look(*testing::Jpeg(100), kNow + seconds(70)).value()) << "the refresh counts from the asked frame";
  EXPECT_TRUE(gate.Look(*testing::Jpeg(100), kNow + seconds(101)).value());
}

TEST(GateTest, WhileManyWaitForALookAndTheBackendHasRoomFramesGoWithoutOne) {
  ManualClock clock{kNow};
  testing::InstantBackend backend([](const Inquiry&, const std::string&) { return 0.1; });
  FramePathOptions options;
  options.gate_threads = 0;
  FramePath path(backend, nullptr, clock, options);
  OwnerSetup setup;
  for (int i = 0; i < 100; ++i) setup.cameras.push_back({"cam_" + std::to_string(i), {}, true, seconds(60)});
  setup.rules = rules::ParseRules(Json::Parse(R"([{"question":"Is it in?"}])").value()).value();
  ASSERT_TRUE(path.SetOwner("own", std::move(setup)).ok());
  const auto show = [&](int num_cameras) {
    clock.Advance(seconds(1));
    backend.num_asked = 0;
    for (int i = 0; i < num_cameras; ++i) {
      Submission frame;
      frame.owner = "own";
      frame.camera = "cam_" + std::to_string(i);
      frame.encoded = testing::Jpeg(100);
      ASSERT_TRUE(path.Submit(std::move(frame)).status.ok());
    }
    while (path.Step()) {
    }
  };
  for (int i = 0; i < 5; ++i) show(30);  // asked about for the first time, then looked at
  EXPECT_EQ(backend.num_asked, 0) << "nothing changes";
  for (int i = 0; i < 3; ++i) show(100);
  EXPECT_GE(backend.num_asked, 60) << "pressed";
  EXPECT_LE(backend.num_asked, 100 - 30);
}

std::vector<rules::Rule> ManyRules(int count, bool guards) {
  Json all(Json::Array{});
  for (int i = 0; i < count; ++i) {
    Json rule(Json::Object{{"question", "Is it " + std::to_string(i) + "?"}});
    if (guards) rule.Set("guard", "Is there " + std::to_string(i) + "?");
    all.Append(rule);
  }
  return rules::ParseRules(all).value();
}

TEST(PlanTest, WhatDoesNotFitIsLeftWholeAndComesFirstNextTime) {
  const std::vector<rules::Rule> rules = ManyRules(40, true);
  std::vector<const rules::Rule*> views;
  for (const rules::Rule& rule : rules) views.push_back(&rule);
  std::vector<bool> must_ask(40, false);
  const InquiryPlan first = PlanInquiry({}, views, must_ask);
  EXPECT_THAT(first.questions, SizeIs(kMaxInquiryQuestions));
  for (size_t i = 0; i < 40; ++i) {
    EXPECT_EQ(first.places[i].question >= 0, first.places[i].guard >= 0);
    must_ask[i] = first.places[i].question < 0;
  }
  EXPECT_TRUE(must_ask[39]);
  const InquiryPlan second = PlanInquiry({}, views, must_ask);
  for (size_t i = 0; i < 40; ++i) {
    EXPECT_TRUE(!must_ask[i] || second.places[i].question >= 0);
  }
}

TEST(PlanTest, ARuleIsSampledAtItsPaceAlsoWhenTheClockWasSetBack) {
  rules::Rule rule = ManyRules(1, false)[0];
  rule.sample_every = seconds(10);
  RuleState state;
  EXPECT_EQ(TurnOf(rule, nullptr, state, false, kNow), Turn::kDue);
  state.asked_at = kNow;
  EXPECT_EQ(TurnOf(rule, nullptr, state, false, kNow + seconds(9)), Turn::kNotDue);
  EXPECT_EQ(TurnOf(rule, nullptr, state, false, kNow + seconds(10)), Turn::kDue);
  EXPECT_EQ(TurnOf(rule, nullptr, state, false, kNow - hours(1)), Turn::kDue);
  EXPECT_EQ(TurnOf(rule, nullptr, state, true, kNow + seconds(10)), Turn::kSnoozed);
}

RecordEntry EntryOf(const std::string& rule, const std::string& state) {
  return {"own", "cam", rule, state, std::nullopt, {}};
}

TEST(RecordQueueTest, WhatWaitsIsWrittenInOrderBeforeWhatComesLater) {
  testing::MemoryRecord record;
  const auto queue = std::make_shared<RecordQueue>(&record);
  std::vector<bool> told;
  const auto tell = [&](const Result<std::vector<std::string>>& events) { told.push_back(events.ok()); };
  SetLogLevel(LogLevel::kOff);
  record.SetTrouble(ResourceExhausted("full"));
  queue->Write({EntryOf("a", "1")}, tell);
  queue->Write({EntryOf("a", "2")}, tell);
  EXPECT_THAT(told, ElementsAre(false, false));
  EXPECT_EQ(queue->counts().waiting, 2U);
  record.SetTrouble(Ok());
  queue->Retry();
  EXPECT_TRUE(queue->IsIdle());
  EXPECT_EQ(record.States()[0].text, "2");
  for (size_t i = 0; i < RecordQueue::kMaxWaiting + 3; ++i) {
    record.SetTrouble(Unavailable("locked"));
    queue->Write({EntryOf("b", "x")}, tell);
  }
  EXPECT_EQ(queue->counts().waiting, RecordQueue::kMaxWaiting);
  EXPECT_EQ(queue->counts().given_up, 3U);
  record.SetTrouble(NotFound("gone"));
  queue->Retry();
  EXPECT_TRUE(queue->IsIdle()) << "what is itself at fault holds up nothing";
  SetLogLevel(LogLevel::kInfo);
}

TEST(RecordQueueTest, AStateThatFailedDoesNotReplaceALaterOne) {
  const auto ignore = [](const Result<std::vector<std::string>>&) {};
  SetLogLevel(LogLevel::kOff);
  class Slow : public Record {
   public:
    explicit Slow(std::vector<std::pair<std::vector<RecordEntry>, Done>>& writes) : writes_(writes) {}
    void Write(std::vector<RecordEntry> entries, Done done) override { writes_.emplace_back(entries, std::move(done)); }

   private:
    std::vector<std::pair<std::vector<RecordEntry>, Done>>& writes_;
  };
  std::vector<std::pair<std::vector<RecordEntry>, Record::Done>> writes;
  Slow slow(writes);
  const auto behind = std::make_shared<RecordQueue>(&slow);
  behind->Write({EntryOf("a", "old")}, ignore);
  behind->Write({EntryOf("a", "new")}, ignore);
  writes[0].second(Unavailable("locked"));
  writes[1].second(std::vector<std::string>(1));
  behind->Retry();
  ASSERT_THAT(writes, SizeIs(3));
  EXPECT_FALSE(writes[2].first[0].state.has_value());
  SetLogLevel(LogLevel::kInfo);
}

TEST(RecordQueueTest, AFramesBytesDoNotWaitForTheCommit) {
  class Waiting : public Record {
   public:
    explicit Waiting(Done& done) : done_(done) {}
    void Write(std::vector<RecordEntry> entries, Done done) override {
      EXPECT_NE(entries[0].picture, nullptr) << "here it is made into the picture that is kept";
      done_ = std::move(done);
    }

   private:
    Done& done_;
  };
  Record::Done done;
  Waiting record(done);
  const auto queue = std::make_shared<RecordQueue>(&record);
  auto frame = std::make_shared<const std::vector<uint8_t>>(1000);
  const std::weak_ptr<const std::vector<uint8_t>> still_there = frame;
  std::vector<RecordEntry> entries = {EntryOf("a", "1")};
  entries[0].picture = std::move(frame);
  queue->Write(std::move(entries), [](const Result<std::vector<std::string>>&) {});
  EXPECT_TRUE(still_there.expired());
  done(std::vector<std::string>(1));
}

TEST(CostBookTest, APoolsPriceIsSharedOutOverWhatItAnswered) {
  CostBook book;
  book.SetPrices({{"gpu", 10}}, nanoseconds(0));
  const std::vector<std::string_view> both = {"a", "b"};
  const std::vector<std::string_view> one = {"a"};
  book.Answered("gpu", "own", both, 2);
  book.Answered("gpu", "own", one, 2);
  book.Alerted("own", "b");
  const Json rules = book.Tell("own", hours(1));
  const Json::Array& all = *rules.GetArray("rules").value();
  EXPECT_NEAR(all[0].GetNumber("dollars").value(), 7.5, 1e-9);
  EXPECT_NEAR(all[1].GetNumber("dollars_per_alert").value(), 2.5, 1e-9);
  EXPECT_TRUE(all[0].Find("dollars_per_alert")->is_null());
  book.SetPrices({}, hours(1));
  EXPECT_NEAR(book.Pools(hours(5))[0].dollars, 10, 1e-9) << "no longer there, no longer paid";
  EXPECT_THAT(*book.Tell("other", hours(1)).GetArray("rules").value(), IsEmpty());
}

}  // namespace
}  // namespace pawsight::gateway
