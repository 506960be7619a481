// The threads around the queue, on a manual clock and an engine that holds where it is told: nothing here sleeps.
#include "server/batcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "base/rng.h"
#include "server/fake_engine.h"

namespace pawsight::server::testing {
namespace {

using ::testing::HasSubstr;

constexpr Nanos Sec(int64_t seconds) { return Nanos(seconds * 1'000'000'000); }

class BatcherTest : public ::testing::Test {
 protected:
  void Start(BatcherOptions options = {}) {
    engine_ = std::make_shared<FakeEngine>();
    auto started = Batcher::Start(options, engine_, clock_);
    ASSERT_TRUE(started.ok()) << started.status().ToString();
    batcher_ = std::move(started).value();
  }
  Ending Submit(VqaWork work) {
    Ending ending;
    batcher_->Submit(std::move(work), ending.done());
    return ending;
  }
  /// A piece of work that the only runner is busy with until the gate of Look opens.
  Ending Occupy() {
    engine_->look.Close();
    const Ending busy = Submit(Work({"busy"}, {"q"}));
    engine_->look.Await(1);
    return busy;
  }
  void ExpectNothingLeft() {
    EXPECT_TRUE(batcher_->Drain(Sec(1)));
    const Health health = batcher_->health();
    EXPECT_EQ(health.queue_length, 0);
    EXPECT_EQ(health.bytes, 0U);
    EXPECT_EQ(health.num_requests, 0);
    EXPECT_EQ(health.num_running, 0);
  }

  ManualClock clock_;
  std::shared_ptr<FakeEngine> engine_;
  std::unique_ptr<Batcher> batcher_;
};

TEST_F(BatcherTest, EachImageIsAskedEachOfItsQuestionsAndTheAnswersAreInTheirOrder) {
  Start();
  const WorkResult same = Submit(Work({"a", "b"}, {"q1", "q2"})).Await();
  ASSERT_EQ(same.outcome, Outcome::kOk) << same.status.ToString();
  ASSERT_EQ(same.answers.size(), 2U);
  EXPECT_EQ(same.answers[0][0].text, "a: q1");
  EXPECT_EQ(same.answers[0][1].text, "a: q2");
  EXPECT_EQ(same.answers[1][1].text, "b: q2");
  VqaWork own = Work({"a", "b"}, {"q1"});
  own.questions = {{"q1"}, {"q2", "q3"}};
  const WorkResult result = Submit(std::move(own)).Await();
  ASSERT_EQ(result.outcome, Outcome::kOk);
  EXPECT_EQ(result.answers[0].size(), 1U);
  EXPECT_EQ(result.answers[1][1].text, "b: q3");
  ExpectNothingLeft();
  EXPECT_EQ(batcher_->counters().requests[0], 2U);
  EXPECT_EQ(batcher_->counters().questions, 7U);
}

TEST_F(BatcherTest, RequestsAboutEqualBytesShareOneEncodingAndEqualQuestionsAreAskedOnce) {
  Start();
  const Ending busy = Occupy();
  const Ending one = Submit(Work({"same"}, {"q1", "q2"}));
  const Ending two = Submit(Work({"same", "same"}, {"q2", "q3"}));
  engine_->look.Open();
  EXPECT_EQ(one.Await().answers[0][1].text, "same: q2");
  EXPECT_EQ(two.Await().answers[1][0].text, "same: q2");
  EXPECT_EQ(two.Await().answers[0][1].text, "same: q3");
  ExpectNothingLeft();
  EXPECT_EQ(engine_->num_looked, 2) << "busy and same";
  EXPECT_EQ(engine_->preprocess.num_came(), 2);
  EXPECT_EQ(engine_->num_asked, 4) << "q of busy, q1, q2 and q3 of same";
  EXPECT_GT(batcher_->counters().SharingRatio(), 1.9);
}

TEST_F(BatcherTest, ACanarysFrameIsNoneOfThoseThatSharingIsMeasuredBy) {
  Start();
  VqaWork canary = Work({"bird"}, {"q"});
  canary.canary = true;
  EXPECT_EQ(Submit(std::move(canary)).Await().outcome, Outcome::kOk);
  EXPECT_EQ(Submit(Work({"a"}, {"q"})).Await().outcome, Outcome::kOk);
  ExpectNothingLeft();
  EXPECT_EQ(batcher_->counters().frames_encoded, 1U);
  EXPECT_EQ(batcher_->counters().SharingRatio(), 1.0);
}

TEST_F(BatcherTest, WhoJoinsWhileTheFrameIsEncodedUsesThatEncoding) {
  Start({.num_runners = 2});
  engine_->look.Close();
  const Ending first = Submit(Work({"same"}, {"q1"}));
  engine_->look.Await(1);
  const Ending second = Submit(Work({"same"}, {"q2"}));
  engine_->look.Open();
  EXPECT_EQ(first.Await().outcome, Outcome::kOk);
  EXPECT_EQ(second.Await().answers[0][0].text, "same: q2");
  EXPECT_EQ(engine_->num_looked, 1);
}

TEST_F(BatcherTest, WorkThatIsCancelledWhileItWaitsEndsAtOnceAndMakesRoomAtOnce) {
  Start();
  const Ending busy = Occupy();
  VqaWork work = Work({"a", "b"}, {"q"});
  const auto token = work.cancel = std::make_shared<CancelToken>();
  const Ending ending = Submit(std::move(work));
  EXPECT_EQ(batcher_->health().queue_length, 2);
  token->Cancel();
  ASSERT_EQ(ending.times(), 1) << "before Cancel returns";
  EXPECT_EQ(ending.Await().outcome, Outcome::kCancelled);
  EXPECT_EQ(batcher_->health().queue_length, 0);
  EXPECT_EQ(batcher_->health().bytes, 4U) << "of busy";
  token->Cancel();
  engine_->look.Open();
  EXPECT_EQ(busy.Await().outcome, Outcome::kOk);
  ExpectNothingLeft();
  EXPECT_EQ(engine_->num_looked, 1);
  EXPECT_EQ(ending.times(), 1);
}

TEST_F(BatcherTest, WorkThatIsCancelledWhileItIsDecodedEndsAtOnce) {
  Start();
  engine_->preprocess.Close();
  VqaWork work = Work({"a"}, {"q"});
  const auto token = work.cancel = std::make_shared<CancelToken>();
  const Ending ending = Submit(std::move(work));
  engine_->preprocess.Await(1);
  token->Cancel();
  EXPECT_EQ(ending.times(), 1);
  EXPECT_EQ(batcher_->health().bytes, 0U);
  engine_->preprocess.Open();
  ExpectNothingLeft();
  EXPECT_EQ(engine_->num_looked, 0);
}

TEST_F(BatcherTest, WorkThatIsCancelledWhileItRunsEndsAtOnceAndItsQuestionsAreNotAsked) {
  Start();
  engine_->look.Close();
  VqaWork work = Work({"a"}, {"q"});
  const auto token = work.cancel = std::make_shared<CancelToken>();
  const Ending ending = Submit(std::move(work));
  engine_->look.Await(1);
  token->Cancel();
  EXPECT_EQ(ending.times(), 1);
  EXPECT_EQ(ending.Await().outcome, Outcome::kCancelled);
  engine_->look.Open();
  ExpectNothingLeft();
  EXPECT_EQ(engine_->num_asked, 0);
  EXPECT_EQ(ending.times(), 1);
}

TEST_F(BatcherTest, OneWhoVanishesTakesNothingFromWhoAskedAboutTheSameFrame) {
  Start();
  const Ending busy = Occupy();
  VqaWork work = Work({"same"}, {"q1"});
  const auto token = work.cancel = std::make_shared<CancelToken>();
  const Ending gone = Submit(std::move(work));
  const Ending stays = Submit(Work({"same"}, {"q2"}));
  token->Cancel();
  engine_->look.Open();
  EXPECT_EQ(stays.Await().answers[0][0].text, "same: q2");
  EXPECT_EQ(gone.Await().outcome, Outcome::kCancelled);
  ExpectNothingLeft();
}

TEST_F(BatcherTest, WorkThatWasCancelledBeforeItCameIsNeverTaken) {
  Start();
  VqaWork work = Work({"a"}, {"q"});
  work.cancel = std::make_shared<CancelToken>();
  work.cancel->Cancel();
  const Ending ending = Submit(std::move(work));
  EXPECT_EQ(ending.times(), 1);
  EXPECT_EQ(ending.Await().outcome, Outcome::kCancelled);
  ExpectNothingLeft();
  EXPECT_EQ(engine_->preprocess.num_came(), 0);
}

TEST_F(BatcherTest, ACancelThatComesAfterTheEndOrAfterTheBatcherDoesNothing) {
  Start();
  VqaWork work = Work({"a"}, {"q"});
  const auto token = work.cancel = std::make_shared<CancelToken>();
  const Ending ending = Submit(std::move(work));
  EXPECT_EQ(ending.Await().outcome, Outcome::kOk);
  batcher_.reset();
  token->Cancel();
  EXPECT_EQ(ending.times(), 1);
}

TEST_F(BatcherTest, AFrameThatIsNoImageIsInvalidAndSaysWhichAndHurtsNobodyElse) {
  Start();
  const Ending bad = Submit(Work({"a", "garbage"}, {"q"}));
  const Ending good = Submit(Work({"a"}, {"q"}));
  EXPECT_EQ(bad.Await().outcome, Outcome::kInvalid);
  EXPECT_EQ(bad.Await().status.reason(), "image_type_unsupported");
  EXPECT_THAT(bad.Await().status.message(), HasSubstr("images[1]"));
  EXPECT_EQ(good.Await().outcome, Outcome::kOk);
  ExpectNothingLeft();
}

TEST_F(BatcherTest, AFrameOrAQuestionThatTheEngineFailsOnFailsNobodyElseInItsBatch) {
  Start();
  const Ending busy = Occupy();
  const Ending unseeable = Submit(Work({"unseeable"}, {"q"}));
  const Ending unanswerable = Submit(Work({"a"}, {"q", "unanswerable"}));
  const Ending good = Submit(Work({"a"}, {"q"}));
  const Ending other = Submit(Work({"b"}, {"q"}));
  engine_->look.Open();
  EXPECT_EQ(unseeable.Await().outcome, Outcome::kFailed);
  EXPECT_EQ(unseeable.Await().status.code(), StatusCode::kInternal);
  EXPECT_EQ(unanswerable.Await().outcome, Outcome::kFailed);
  EXPECT_EQ(good.Await().answers[0][0].text, "a: q");
  EXPECT_EQ(other.Await().answers[0][0].text, "b: q");
  ExpectNothingLeft();
}

TEST_F(BatcherTest, WhatCannotBeTakenIsInvalidAtOnce) {
  Start({.schedule = {.bytes_limit = 100}});
  const auto reason = [&](VqaWork work) {
    const Ending ending = Submit(std::move(work));
    EXPECT_EQ(ending.times(), 1);
    EXPECT_EQ(ending.Await().outcome, Outcome::kInvalid);
    return ending.Await().status.reason();
  };
  EXPECT_EQ(reason(Work({}, {"q"})), "num_images");
  EXPECT_EQ(reason(Work(std::vector<std::string>(17, "a"), {"q"})), "num_images");
  EXPECT_EQ(reason(Work({"a"}, {})), "question_empty");
  EXPECT_EQ(reason(Work({"a"}, {"q", ""})), "question_empty");
  EXPECT_EQ(reason(Work({"a"}, std::vector<std::string>(257, "q"))), "too_many_questions");
  EXPECT_EQ(reason(Work({std::string(101, 'a')}, {"q"})), "image_too_large");
  VqaWork lists = Work({"a", "b", "c"}, {"q"});
  lists.questions = {{"q"}, {"q"}};
  EXPECT_EQ(reason(std::move(lists)), "num_questions");
}

TEST_F(BatcherTest, MoreQuestionsThanTheEngineTakesAtOnceAreAskedInSeveralCalls) {
  Start();
  std::vector<std::string> questions;
  for (int i = 0; i < 200; ++i) questions.push_back("q" + std::to_string(i));
  const WorkResult result = Submit(Work({"a"}, questions)).Await();
  ASSERT_EQ(result.outcome, Outcome::kOk);
  for (size_t i = 0; i < 200; ++i) EXPECT_EQ(result.answers[0][i].text, "a: q" + std::to_string(i));
  EXPECT_EQ(engine_->ask.num_came(), 4);
}

TEST_F(BatcherTest, AFullQueueRefusesOnTheSpotAndSaysWhenToComeBack) {
  Start({.schedule = {.queue_limit = 32}});
  const Ending busy = Occupy();
  std::vector<Ending> waiting;
  for (int i = 0; i < 28; ++i) waiting.push_back(Submit(Work({"frame " + std::to_string(i)}, {"q"})));
  const Ending refused = Submit(Work({"one more"}, {"q"}));
  ASSERT_EQ(refused.times(), 1);
  const WorkResult result = refused.Await();
  EXPECT_EQ(result.outcome, Outcome::kRefused);
  EXPECT_EQ(result.refusal, Refusal::kQueueFull);
  EXPECT_EQ(result.status.code(), StatusCode::kResourceExhausted);
  EXPECT_GE(result.retry_after, batcher_->options().schedule.min_retry);
  engine_->look.Open();
  for (const Ending& ending : waiting) EXPECT_EQ(ending.Await().outcome, Outcome::kOk);
  ExpectNothingLeft();
  EXPECT_EQ(batcher_->counters().refusals[static_cast<size_t>(Refusal::kQueueFull)], 1U);
}

TEST_F(BatcherTest, ACanaryPassesAFullQueueAndRunsNext) {
  Start({.schedule = {.queue_limit = 32, .max_batch = 1}});
  const Ending busy = Occupy();
  for (int i = 0; i < 28; ++i) Submit(Work({"frame " + std::to_string(i)}, {"q"}));
  engine_->preprocess.Await(3);  // as many as are decoded ahead
  VqaWork canary = Work({"frame 5"}, {"q"});
  canary.canary = true;
  const Ending ending = Submit(std::move(canary));
  engine_->preprocess.Await(4);
  clock_.Advance(Nanos(1));
  engine_->look.Open();
  EXPECT_EQ(ending.Await().outcome, Outcome::kOk);
  ExpectNothingLeft();
  EXPECT_EQ(engine_->num_looked, 30) << "it shared nothing";
  EXPECT_EQ(batcher_->counters().canaries[0], 1U);
  EXPECT_EQ(batcher_->counters().requests[0], 29U);
}

TEST_F(BatcherTest, WorkWhoseTimeRunsOutWhileItWaitsExpiresAndIsNeverExecuted) {
  Start();
  const Ending busy = Occupy();
  VqaWork work = Work({"late"}, {"q"});
  work.deadline = Sec(2);
  const Ending late = Submit(std::move(work));
  clock_.Advance(Sec(2));
  EXPECT_EQ(late.Await().outcome, Outcome::kExpired);
  EXPECT_EQ(late.Await().status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(batcher_->health().queue_length, 0);
  engine_->look.Open();
  ExpectNothingLeft();
  EXPECT_EQ(engine_->num_looked, 1);
}

TEST_F(BatcherTest, WorkThatComesTooLateExpiresAtOnce) {
  Start();
  clock_.Advance(Sec(5));
  VqaWork work = Work({"late"}, {"q"});
  work.deadline = Sec(4);
  EXPECT_EQ(Submit(std::move(work)).times(), 1);
  ExpectNothingLeft();
  EXPECT_EQ(engine_->preprocess.num_came(), 0);
}

TEST_F(BatcherTest, AWedgedEngineIsSeenAndWhoWaitsForItIsToldByItsDeadline) {
  Start();
  const Ending stuck = Occupy();
  EXPECT_FALSE(batcher_->health().wedged);
  clock_.Advance(Sec(9));
  const Health health = batcher_->health();
  EXPECT_TRUE(health.wedged);
  EXPECT_EQ(health.oldest_running_age, Sec(9));
  const Ending refused = Submit(Work({"a"}, {"q"}));
  EXPECT_EQ(refused.Await().refusal, Refusal::kWedged);
  EXPECT_EQ(refused.Await().status.code(), StatusCode::kUnavailable);
  clock_.Advance(Sec(21));  // default_timeout
  EXPECT_EQ(stuck.Await().outcome, Outcome::kExpired);
  engine_->look.Open();
  ExpectNothingLeft();
  EXPECT_FALSE(batcher_->health().wedged);
  EXPECT_EQ(stuck.times(), 1);
}

TEST_F(BatcherTest, DrainingTakesNoMoreAndFinishesWhatWasAccepted) {
  Start();
  const Ending busy = Occupy();
  const Ending accepted = Submit(Work({"a"}, {"q"}));
  auto drained = std::async(std::launch::async, [&] { return batcher_->Drain(Sec(30)); });
  while (!batcher_->health().draining) std::this_thread::yield();
  const Ending refused = Submit(Work({"b"}, {"q"}));
  EXPECT_EQ(refused.Await().refusal, Refusal::kDraining);
  EXPECT_EQ(refused.Await().status.code(), StatusCode::kUnavailable);
  engine_->look.Open();
  EXPECT_TRUE(drained.get());
  EXPECT_EQ(busy.times(), 1);
  EXPECT_EQ(accepted.times(), 1);
  EXPECT_EQ(accepted.Await().outcome, Outcome::kOk);
}

TEST_F(BatcherTest, DrainingAWedgedEngineEndsInTimeAndSaysSo) {
  Start();
  const Ending stuck = Occupy();
  const Ending waiting = Submit(Work({"a"}, {"q"}));
  auto drained = std::async(std::launch::async, [&] { return batcher_->Drain(Sec(20)); });
  while (!batcher_->health().draining) std::this_thread::yield();
  clock_.Advance(Sec(20));  // less than it takes the work to expire
  EXPECT_FALSE(drained.get());
  EXPECT_EQ(stuck.Await().status.code(), StatusCode::kUnavailable);
  EXPECT_EQ(waiting.Await().outcome, Outcome::kFailed);
  engine_->look.Open();
}

TEST_F(BatcherTest, WhatIsLeftWhenTheBatcherGoesEndsAsFailed) {
  Start();
  engine_->preprocess.Close();
  const Ending ending = Submit(Work({"a"}, {"q"}));
  engine_->preprocess.Await(1);
  auto gone = std::async(std::launch::async, [&] { batcher_.reset(); });
  EXPECT_EQ(ending.Await().outcome, Outcome::kFailed);
  engine_->preprocess.Open();
  gone.get();
  EXPECT_EQ(ending.times(), 1);
}

TEST_F(BatcherTest, ASwapLetsRunningBatchesKeepTheOldModelAndThenLetsItGo) {
  Start();
  const Ending old = Occupy();
  const std::weak_ptr<FakeEngine> gone = engine_;
  const auto fresh = std::make_shared<FakeEngine>("new ");
  batcher_->Swap(fresh);
  const Ending next = Submit(Work({"a"}, {"q"}));
  engine_->look.Open();
  EXPECT_EQ(old.Await().answers[0][0].text, "busy: q");
  EXPECT_EQ(next.Await().answers[0][0].text, "new a: q");
  ExpectNothingLeft();
  engine_.reset();
  EXPECT_TRUE(gone.expired());
}

TEST_F(BatcherTest, SwapsUnderLoadFailNoRequest) {
  Start({.schedule = {.queue_limit = 4096}, .num_runners = 2, .num_decoders = 2});
  std::vector<Ending> endings;
  for (int i = 0; i < 1000; ++i) {
    if (i % 50 == 0) batcher_->Swap(std::make_shared<FakeEngine>("model " + std::to_string(i) + " "));
    endings.push_back(Submit(Work({"frame " + std::to_string(i % 7)}, {"q" + std::to_string(i % 3)})));
  }
  for (size_t i = 0; i < endings.size(); ++i) {
    const WorkResult result = endings[i].Await();
    ASSERT_EQ(result.outcome, Outcome::kOk) << result.status.ToString();
    const std::string want = "frame " + std::to_string(i % 7) + ": q" + std::to_string(i % 3);
    EXPECT_THAT(result.answers[0][0].text, ::testing::EndsWith(want));
  }
  ExpectNothingLeft();
}

TEST_F(BatcherTest, WhateverManyClientsDoEachPieceOfWorkEndsOnceAndTheCountsAddUp) {
  Start({.schedule = {.queue_limit = 64, .bytes_limit = 4096}, .num_runners = 2, .num_decoders = 2});
  constexpr int kClients = 4;
  constexpr int kEach = 300;
  std::vector<std::thread> clients;
  std::vector<std::vector<Ending>> endings(kClients);
  for (int client = 0; client < kClients; ++client) {
    clients.emplace_back([&, client] {
      Rng rng(static_cast<uint64_t>(client) + 1);
      for (int i = 0; i < kEach; ++i) {
        const char* kinds[] = {"garbage", "unseeable", "frame 1", "frame 2", "frame 3", "frame 4"};
        VqaWork work = Work({kinds[rng.Below(6)], kinds[2 + rng.Below(4)]}, {"q" + std::to_string(rng.Below(3))});
        work.priority = static_cast<Priority>(rng.Below(3));
        work.canary = rng.Chance(0.02);
        const auto token = work.cancel = rng.Chance(0.5) ? std::make_shared<CancelToken>() : nullptr;
        endings[static_cast<size_t>(client)].push_back(Submit(std::move(work)));
        if (token != nullptr && rng.Chance(0.5)) token->Cancel();
      }
    });
  }
  for (std::thread& thread : clients) thread.join();
  ExpectNothingLeft();
  const CountersView counters = batcher_->counters();
  std::array<uint64_t, kNumOutcomes> seen{};
  for (const auto& list : endings) {
    for (const Ending& ending : list) {
      ASSERT_EQ(ending.times(), 1);
      ++seen[static_cast<size_t>(ending.Await().outcome)];
    }
  }
  for (size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], counters.requests[i] + counters.canaries[i]) << i;
  EXPECT_GT(seen[0], 0U);
}

TEST(BatcherOptions, OutOfRangeAreRefusedByName) {
  const ManualClock clock;
  const auto message = [&](const BatcherOptions& options) {
    return Batcher::Start(options, std::make_shared<FakeEngine>(), clock).status().message();
  };
  EXPECT_THAT(message({.num_runners = 0}), HasSubstr("num_runners"));
  EXPECT_THAT(message({.num_decoders = 65}), HasSubstr("num_decoders"));
  EXPECT_THAT(message({.schedule = {.wedge_limit = Nanos{0}}}), HasSubstr("wedge_limit"));
  EXPECT_THAT(message({.schedule = {.max_batch = 0}}), HasSubstr("max_batch"));
}

}  // namespace
}  // namespace pawsight::server::testing
