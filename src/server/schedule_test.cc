#include "server/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"

namespace pawsight::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr Nanos Ms(int64_t ms) { return Nanos(ms * 1'000'000); }

/// An engine of 10 ms a frame, and `fixed` a batch.
ServiceEstimate Learnt(Nanos fixed = Nanos{0}, Nanos per_frame = Ms(10)) {
  ServiceEstimate estimate;
  for (int i = 0; i < 200; ++i) {
    const int frames = 1 + i % 8;
    estimate.encode.Add(frames, Seconds(fixed + per_frame * frames));
    estimate.ask.Add(frames, 0);
    estimate.questions.Add(1);
  }
  return estimate;
}

/// Frames that are ready, all different.
class Line {
 public:
  Waiting& Add(Nanos arrival, Nanos deadline = kNever, Priority priority = Priority::kNormal) {
    const uint64_t order = waiting_.size() + 1;
    waiting_.push_back({.order = order,
                        .frame = order,
                        .arrival = arrival,
                        .deadline = deadline,
                        .ready_since = arrival,
                        .priority = priority,
                        .state = FrameState::kReady});
    return waiting_.back();
  }
  BatchChoice Choose(Nanos now, const ScheduleOptions& options, const ServiceEstimate& estimate = Learnt(),
                     const Turns& turns = {}) const {
    return ChooseBatch(waiting_, turns, estimate, options, now);
  }
  std::vector<Waiting>& entries() { return waiting_; }

 private:
  std::vector<Waiting> waiting_;
};

TEST(ChooseBatch, TheEarliestDeadlineGoesFirstAndThenWhoCameFirst) {
  Line line;
  line.Add(Ms(0), Ms(900));
  line.Add(Ms(1), Ms(500));
  line.Add(Ms(2), Ms(500));
  const ScheduleOptions one{.max_batch = 1};
  EXPECT_THAT(line.Choose(Ms(3), one).chosen, ElementsAre(1));
  line.entries().erase(line.entries().begin() + 1);
  EXPECT_THAT(line.Choose(Ms(3), one).chosen, ElementsAre(1));
}

TEST(ChooseBatch, AHigherPriorityGoesFirstWhateverTheDeadlines) {
  Line line;
  line.Add(Ms(0), Ms(100), Priority::kLow);
  line.Add(Ms(0), Ms(200), Priority::kNormal);
  line.Add(Ms(0), kNever, Priority::kHigh);
  EXPECT_THAT(line.Choose(Ms(3), {.max_batch = 1}).chosen, ElementsAre(2));
}

TEST(ChooseBatch, ACanaryGoesBeforeEverything) {
  Line line;
  line.Add(Ms(0), Ms(50), Priority::kHigh);
  line.Add(Ms(5), kNever, Priority::kLow).canary = true;
  EXPECT_THAT(line.Choose(Ms(6), {.max_batch = 1}).chosen, ElementsAre(1));
}

TEST(ChooseBatch, WhatIsNotReadyOrHasExpiredIsNeverChosen) {
  Line line;
  line.Add(Ms(0), Ms(10));
  line.Add(Ms(0)).state = FrameState::kUndecoded;
  line.Add(Ms(0)).state = FrameState::kDecoding;
  line.Add(Ms(0)).state = FrameState::kEncoding;
  EXPECT_THAT(line.Choose(Ms(10), {}).chosen, IsEmpty());
  EXPECT_THAT(line.Choose(Ms(9), {}).chosen, ElementsAre(0));
}

TEST(ChooseBatch, WhatCannotBeReadyInTimeAnyMoreMakesNothingElseLate) {
  Line line;
  line.Add(Ms(0), Ms(12));
  line.Add(Ms(0), Ms(40));
  EXPECT_THAT(line.Choose(Ms(1), {.max_batch = 1}).chosen, ElementsAre(0));
  EXPECT_THAT(line.Choose(Ms(5), {.max_batch = 1}).chosen, ElementsAre(1));
}

TEST(ChooseBatch, AnAbsentDeadlineIsOrderedByTheHorizonSoItIsNotOvertakenForEver) {
  Line line;
  line.Add(Ms(0));
  line.Add(Ms(9'000), Ms(9'900));
  const ScheduleOptions options{.max_batch = 1, .order_horizon = Ms(10'000)};
  EXPECT_THAT(line.Choose(Ms(9'001), options).chosen, ElementsAre(1));
  line.entries()[1] = {
      .order = 2, .frame = 2, .arrival = Ms(9'800), .deadline = Ms(10'400), .state = FrameState::kReady};
  EXPECT_THAT(line.Choose(Ms(9'801), options).chosen, ElementsAre(0));
}

TEST(ChooseBatch, EverythingAboutAChosenFrameComesAlongWhateverItsPriority) {
  Line line;
  line.Add(Ms(0)).frame = 7;
  line.Add(Ms(0)).frame = 8;
  line.Add(Ms(1), kNever, Priority::kLow).frame = 7;
  const BatchChoice choice = line.Choose(Ms(3), {.max_batch = 1});
  EXPECT_THAT(choice.chosen, ElementsAre(0, 2));
  EXPECT_EQ(choice.num_frames, 1);
}

TEST(ChooseBatch, QuestionsOfABatchAreLimitedButAFrameWithMoreRunsAlone) {
  Line line;
  line.Add(Ms(0)).num_questions = 100;
  line.Add(Ms(1)).num_questions = 40;
  line.Add(Ms(2)).num_questions = 30;
  line.Add(Ms(3)).num_questions = 20;
  const ServiceEstimate unknown;
  EXPECT_THAT(line.Choose(Ms(4), {}, unknown).chosen, ElementsAre(0));
  line.entries().erase(line.entries().begin());
  EXPECT_THAT(line.Choose(Ms(4), {}, unknown).chosen, UnorderedElementsAre(0, 2));
}

TEST(ChooseBatch, FramesOfAnotherModelWaitForTheirOwnBatch) {
  Line line;
  line.Add(Ms(0)).model = 1;
  line.Add(Ms(1)).model = 2;
  line.Add(Ms(2)).model = 1;
  EXPECT_THAT(line.Choose(Ms(4), {}, ServiceEstimate{}).chosen, ElementsAre(0, 2));
}

TEST(ChooseBatch, ABatchGrowsOnlyWhileThatMakesAFrameCheaper) {
  Line line;
  for (int i = 0; i < 20; ++i) line.Add(Ms(i));
  const auto frames = [&](const ServiceEstimate& estimate) { return line.Choose(Ms(30), {}, estimate).num_frames; };
  EXPECT_EQ(frames(ServiceEstimate{}), 8) << "nothing is known yet";
  EXPECT_EQ(frames(Learnt(Nanos{0}, Ms(36))), 1);
  EXPECT_EQ(frames(Learnt(Ms(4), Ms(36))), 2);
  EXPECT_EQ(frames(Learnt(Ms(30), Ms(1))), 8);
}

TEST(ChooseBatch, ABatchDoesNotGrowPastTheDeadlineOfWhoIsInIt) {
  Line line;
  line.Add(Ms(0), Ms(65));
  for (int i = 0; i < 8; ++i) line.Add(Ms(1));
  EXPECT_EQ(line.Choose(Ms(2), {}, Learnt(Ms(30), Ms(10))).num_frames, 3);
}

TEST(ChooseBatch, CompanyIsWaitedForOnlyWhileItCanPayOff) {
  Line line;
  line.Add(Ms(0));
  const ScheduleOptions options{.max_queue_delay = Ms(5)};
  ServiceEstimate estimate = Learnt(Ms(20), Ms(2));
  EXPECT_THAT(line.Choose(Ms(0), options, estimate).chosen, ElementsAre(0)) << "nobody is known to come";
  estimate.interval.Add(0.002);
  const BatchChoice wait = line.Choose(Ms(0), options, estimate);
  EXPECT_THAT(wait.chosen, IsEmpty());
  EXPECT_EQ(wait.look_again, Ms(4)) << "twice the usual interval";
  EXPECT_THAT(line.Choose(Ms(4), options, estimate).chosen, ElementsAre(0));
  ServiceEstimate seldom = Learnt(Ms(20), Ms(2));
  seldom.interval.Add(0.5);
  EXPECT_THAT(line.Choose(Ms(0), options, seldom).chosen, ElementsAre(0));
  ServiceEstimate cheap = Learnt(Nanos{0}, Ms(20));
  cheap.interval.Add(0.002);
  EXPECT_THAT(line.Choose(Ms(0), options, cheap).chosen, ElementsAre(0)) << "company saves nothing";
}

TEST(ChooseBatch, NobodyIsMadeLateByWaitingAndMaxQueueDelayIsTheLongest) {
  ServiceEstimate estimate = Learnt(Ms(20), Ms(2));
  estimate.interval.Add(0.004);
  const ScheduleOptions options{.max_queue_delay = Ms(5)};
  Line tight;
  tight.Add(Ms(0), Ms(26));
  EXPECT_THAT(tight.Choose(Ms(0), options, estimate).chosen, ElementsAre(0));
  Line line;
  line.Add(Ms(0));
  line.Add(Ms(4));
  EXPECT_EQ(line.Choose(Ms(4), options, estimate).look_again, Ms(5)) << "of the oldest";
  EXPECT_EQ(line.Choose(Ms(5), options, estimate).num_frames, 2);
}

TEST(ChooseBatch, AFrameThatIsBeingDecodedIsCompanyOnItsWay) {
  Line line;
  line.Add(Ms(0));
  line.Add(Ms(0)).state = FrameState::kDecoding;
  ServiceEstimate estimate = Learnt(Ms(20), Ms(2));
  estimate.decode.Add(0.001);
  EXPECT_EQ(line.Choose(Ms(0), {.max_queue_delay = Ms(5)}, estimate).look_again, Ms(2));
}

TEST(ChooseBatch, ALowerPriorityStartsAfterABoundedNumberOfHigherOnes) {
  const ScheduleOptions options{.max_batch = 1};
  Turns turns{};
  int since_low = 0;
  int since_normal = 0;
  int worst_low = 0;
  int worst_normal = 0;
  std::array<int, kNumPriorities> started{};
  for (int i = 0; i < 1000; ++i) {
    Line line;  // there is always one of each
    line.Add(Ms(0), Ms(1000), Priority::kLow);
    line.Add(Ms(0), Ms(1000), Priority::kNormal);
    line.Add(Ms(0), Ms(1000), Priority::kHigh);
    const BatchChoice choice = line.Choose(Ms(1), options, ServiceEstimate{}, turns);
    ASSERT_EQ(choice.chosen.size(), 1U);
    turns = choice.turns;
    const int taken = choice.chosen[0];
    ++started[static_cast<size_t>(taken)];
    since_low = taken == 0 ? 0 : since_low + 1;
    since_normal = taken == 1 ? 0 : since_normal + 1;
    worst_low = std::max(worst_low, since_low);
    worst_normal = std::max(worst_normal, since_normal);
  }
  EXPECT_LE(worst_low, 8);
  EXPECT_LE(worst_normal, 8);
  EXPECT_GE(started[0], 1000 / 9);
  EXPECT_GE(started[2], 700) << "the higher priority keeps the rest";
}

TEST(ChooseDecode, TheFirstInOrderIsDecodedAndNoMoreAheadThanMayBe) {
  Line line;
  line.Add(Ms(0), Ms(500)).state = FrameState::kUndecoded;
  line.Add(Ms(0), Ms(300)).state = FrameState::kUndecoded;
  line.Add(Ms(0), Ms(10)).state = FrameState::kUndecoded;
  EXPECT_EQ(ChooseDecode(line.entries(), {}, 2, {}, Ms(20)).chosen, 1) << "the expired one never is";
  line.Add(Ms(0)).state = FrameState::kReady;
  EXPECT_EQ(ChooseDecode(line.entries(), {}, 2, {}, Ms(20)).chosen, 1);
  line.Add(Ms(0)).state = FrameState::kDecoding;
  EXPECT_EQ(ChooseDecode(line.entries(), {}, 2, {}, Ms(20)).chosen, -1);
}

TEST(ChooseDecode, WhatIsDecodedOfALowerPriorityKeepsNoHigherOneOut) {
  Line line;
  for (int i = 0; i < 4; ++i) line.Add(Ms(0), kNever, Priority::kLow);
  line.Add(Ms(1), kNever, Priority::kHigh).state = FrameState::kUndecoded;
  line.Add(Ms(0), kNever, Priority::kLow).state = FrameState::kUndecoded;
  EXPECT_EQ(ChooseDecode(line.entries(), {}, 2, {}, Ms(2)).chosen, 4);
  line.entries()[4].state = FrameState::kReady;
  EXPECT_EQ(ChooseDecode(line.entries(), {}, 2, {}, Ms(2)).chosen, -1);
}

TEST(Admit, EachLimitRefusesWithItsReason) {
  const ScheduleOptions options{.queue_limit = 64, .bytes_limit = 1000};
  const ServiceEstimate estimate = Learnt();
  const auto refusal = [&](const LoadView& load, const Newcomer& newcomer) {
    return Admit(load, newcomer, estimate, options, Ms(0)).refusal;
  };
  EXPECT_EQ(refusal({}, {}), Refusal::kNone);
  EXPECT_EQ(refusal({.draining = true}, {}), Refusal::kDraining);
  EXPECT_EQ(refusal({.bytes = 900}, {.bytes = 101}), Refusal::kBytesFull);
  const ScheduleOptions capped{.request_limit = 6};
  EXPECT_EQ(Admit({.num_requests = 5}, {}, estimate, capped, Ms(0)).refusal, Refusal::kNone);
  EXPECT_EQ(Admit({.num_requests = 6}, {}, estimate, capped, Ms(0)).refusal, Refusal::kRequestLimit);
  EXPECT_EQ(Admit({.num_requests = 6}, {.canary = true}, estimate, capped, Ms(0)).refusal, Refusal::kNone);
  EXPECT_EQ(refusal({.parts = {0, 55, 0}}, {}), Refusal::kNone);
  EXPECT_EQ(refusal({.parts = {0, 56, 0}}, {}), Refusal::kQueueFull);
  EXPECT_EQ(refusal({.parts = {0, 56, 0}}, {.priority = Priority::kHigh}), Refusal::kNone);
  EXPECT_EQ(refusal({.parts = {0, 0, 48}}, {.priority = Priority::kLow}), Refusal::kQueueFull);
  EXPECT_EQ(refusal({.parts = {0, 0, 64}}, {.priority = Priority::kHigh}), Refusal::kQueueFull);
  EXPECT_EQ(refusal({.parts = {0, 0, 64}, .bytes = 5000}, {.canary = true}), Refusal::kNone);
}

TEST(Admit, WhatWouldMissItsDeadlineIsRefusedUnlessItCostsNobodyAnything) {
  const ServiceEstimate estimate = Learnt();  // 10 ms a frame
  const LoadView busy{
      .parts = {0, 4, 0}, .frames = {0, 4, 0}, .questions = {0, 4, 0}, .num_running = 1, .next_free = Ms(5)};
  EXPECT_EQ(Admit(busy, {.deadline = Ms(54)}, estimate, {}, Ms(0)).refusal, Refusal::kDeadline);
  EXPECT_EQ(Admit(busy, {.deadline = Ms(56)}, estimate, {}, Ms(0)).refusal, Refusal::kNone);
  EXPECT_EQ(Admit(busy, {.priority = Priority::kHigh, .deadline = Ms(16)}, estimate, {}, Ms(0)).refusal,
            Refusal::kNone);
  EXPECT_EQ(Admit({}, {.deadline = Ms(1)}, estimate, {}, Ms(0)).refusal, Refusal::kNone);
}

TEST(Admit, ABurstMayMakeTheQueueOnlySoLong) {
  LoadView load{.parts = {0, 190, 0}, .frames = {0, 190, 0}, .questions = {0, 190, 0}, .num_running = 1};
  EXPECT_EQ(Admit(load, {}, Learnt(), {}, Ms(0)).refusal, Refusal::kNone) << "1.9 s";
  load.parts = load.frames = {0, 210, 0};
  load.questions = {0, 210, 0};
  EXPECT_EQ(Admit(load, {}, Learnt(), {}, Ms(0)).refusal, Refusal::kOverloaded);
  EXPECT_EQ(Admit(load, {.priority = Priority::kHigh}, Learnt(), {}, Ms(0)).refusal, Refusal::kNone);
}

TEST(Admit, UnderAHigherPriorityThatStandsInAQueueTheWaitIsThatOfTheTurns) {
  LoadView load{.parts = {10, 0, 10}, .frames = {10, 0, 10}, .questions = {10, 0, 10}, .num_running = 1};
  EXPECT_NEAR(Seconds(ExpectedWait(load, Priority::kLow, Learnt(), {}, Ms(0))), 0.2, 0.01);
  load.shed[0].above_since = Ms(0);
  EXPECT_NEAR(Seconds(ExpectedWait(load, Priority::kLow, Learnt(), {}, Ms(0))), 0.8, 0.04);
  EXPECT_NEAR(Seconds(ExpectedWait(load, Priority::kHigh, Learnt(), {}, Ms(0))), 0.1, 0.01);
}

TEST(Shedding, BeginsWhenEveryStartOfAnIntervalHadWaitedTooLongAndNotBefore) {
  const ServiceEstimate quick = Learnt(Nanos{0}, Ms(1));
  const ScheduleOptions options;
  ShedState state;
  for (int64_t t = 0; t <= 99; t += 3) state = AfterStart(state, Ms(25), quick, options, Ms(t));
  EXPECT_FALSE(state.shedding);
  state = AfterStart(state, Ms(19), quick, options, Ms(100));  // one that did not wait
  for (int64_t t = 101; t <= 200; t += 3) state = AfterStart(state, Ms(25), quick, options, Ms(t));
  EXPECT_FALSE(state.shedding);
  state = AfterStart(state, Ms(25), quick, options, Ms(201));
  EXPECT_TRUE(state.shedding);
}

TEST(Shedding, LetsInOnlyWhatStartsSoonAndEndsWhenNobodyHadToBeRefusedForAnInterval) {
  const ServiceEstimate quick = Learnt(Nanos{0}, Ms(1));
  LoadView load{.parts = {0, 30, 0}, .frames = {0, 30, 0}, .questions = {0, 30, 0}, .num_running = 1};
  EXPECT_EQ(Admit(load, {}, quick, {}, Ms(50)).refusal, Refusal::kNone);
  load.shed[1] = {.last_refusal = Ms(0), .shedding = true};
  EXPECT_EQ(Admit(load, {}, quick, {}, Ms(50)).refusal, Refusal::kOverloaded);
  EXPECT_EQ(Admit(load, {.priority = Priority::kHigh}, quick, {}, Ms(50)).refusal, Refusal::kNone);
  EXPECT_TRUE(Admit(load, {}, quick, {}, Ms(100)).leave_shedding);
  load.parts = load.frames = {0, 10, 0};
  load.questions = {0, 10, 0};
  const Admission soon = Admit(load, {}, quick, {}, Ms(50));
  EXPECT_EQ(soon.refusal, Refusal::kNone);
  EXPECT_FALSE(soon.leave_shedding);
}

TEST(Shedding, TargetAndIntervalAreStretchedForASlowEngine) {
  EXPECT_EQ(ShedTarget(Learnt(Nanos{0}, Ms(1)), {}), Ms(20));
  EXPECT_EQ(ShedInterval(Learnt(Nanos{0}, Ms(1)), {}), Ms(100));
  EXPECT_NEAR(Seconds(ShedTarget(Learnt(Nanos{0}, Ms(36)), {})), 0.072, 0.001);
  EXPECT_NEAR(Seconds(ShedInterval(Learnt(Nanos{0}, Ms(36)), {})), 0.36, 0.01);
}

TEST(RetryAfter, IsWhenTheQueueIsDoneAndSpreadsThoseWhoComeBack) {
  const ServiceEstimate estimate = Learnt();
  LoadView load{.parts = {0, 100, 0}, .frames = {0, 100, 0}, .questions = {0, 100, 0}, .num_running = 1};
  const Nanos first = RetryAfter(load, estimate, {}, Ms(0));
  EXPECT_NEAR(Seconds(first), 1.0, 0.05);
  load.salt = 32;
  EXPECT_NEAR(Seconds(RetryAfter(load, estimate, {}, Ms(0))), 1.5, 0.1);
  EXPECT_EQ(RetryAfter({}, estimate, {}, Ms(0)), Ms(100));
}

TEST(Estimate, TellsWhatABatchCostsFromWhatAFrameCosts) {
  Rng rng(3);
  LineFit fit;
  EXPECT_EQ(fit.fixed() + fit.slope(), 0);
  for (int i = 0; i < 300; ++i) {
    const int x = 1 + rng.Below(8);
    fit.Add(x, 0.020 + 0.004 * x + 0.0005 * rng.Normal());
  }
  EXPECT_NEAR(fit.fixed(), 0.020, 0.001);
  EXPECT_NEAR(fit.slope(), 0.004, 0.0003);
}

TEST(Estimate, OfBatchesOfOneSizeAllIsSaidToBeTheFramesAndNothingIsEverNegative) {
  LineFit same;
  for (int i = 0; i < 50; ++i) same.Add(4, 0.08);
  EXPECT_FALSE(same.knows_fixed());
  EXPECT_DOUBLE_EQ(same.slope(), 0.02);
  EXPECT_NEAR(same.fixed(), 0, 1e-12);
  LineFit falling;
  for (int i = 0; i < 50; ++i) falling.Add(1 + i % 4, 0.1 - 0.01 * (i % 4));
  EXPECT_GE(falling.slope(), 0);
  EXPECT_GE(falling.fixed(), 0);
}

TEST(Estimate, WhatIsFixedIsNotForgottenWhileBatchesAreOfOneSizeButAllFollowsASlowerMachine) {
  LineFit fit;
  for (int i = 0; i < 100; ++i) fit.Add(1 + i % 8, 0.03 + 0.01 * (1 + i % 8));
  for (int i = 0; i < 500; ++i) fit.Add(4, 0.07);
  EXPECT_TRUE(fit.knows_fixed());
  EXPECT_NEAR(fit.fixed(), 0.03, 0.001);
  for (int i = 0; i < 500; ++i) fit.Add(4, 0.14);
  EXPECT_NEAR(fit.fixed(), 0.06, 0.005);
  EXPECT_NEAR(fit.slope(), 0.02, 0.002);
}

TEST(Options, EachOutOfRangeIsNamed) {
  EXPECT_TRUE(CheckOptions({}).ok());
  EXPECT_THAT(CheckOptions({.queue_limit = 0}).message(), ::testing::StartsWith("queue_limit"));
  EXPECT_THAT(CheckOptions({.max_batch = 65}).message(), ::testing::StartsWith("max_batch"));
  EXPECT_THAT(CheckOptions({.shed_target = Nanos{0}}).message(), ::testing::StartsWith("shed_target"));
  EXPECT_THAT(CheckOptions({.turn_every = 1}).message(), ::testing::StartsWith("turn_every"));
}

}  // namespace
}  // namespace pawsight::server
