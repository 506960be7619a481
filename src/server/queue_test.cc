// The books without threads: what is hard to time from outside.
#include "server/queue.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "server/fake_engine.h"

namespace pawsight::server::testing {
namespace {

constexpr Nanos Ms(int64_t ms) { return Nanos(ms * 1'000'000); }

class QueueTest : public ::testing::Test {
 protected:
  QueueTest() { queue_.SetEngine(std::make_shared<FakeEngine>()); }

  /// Adds work about one image; `compared`: the caller found an equal frame and compared the bytes.
  RequestPtr Add(VqaWork work, Nanos now, bool compared = true, const Fingerprint* print = nullptr) {
    auto request = std::make_shared<Request>();
    request->work = std::move(work);
    request->done = [this](const WorkResult&) { ++num_ended_; };
    std::vector<Arrival> arrivals;
    for (const SharedBytes& image : request->work.images) {
      auto fresh = std::make_shared<Frame>();
      fresh->bytes = image;
      fresh->print = print != nullptr ? *print : FingerprintOf(image.view);
      Arrival arrival{fresh, compared ? queue_.Find(fresh->print) : nullptr};
      for (size_t i = 0; i < arrivals.size() && arrival.twin < 0; ++i) {
        if (std::ranges::equal(arrivals[i].fresh->bytes.view, image.view)) arrival.twin = static_cast<int>(i);
      }
      arrivals.push_back(arrival);
    }
    queue_.Add(request, arrivals, now);
    return request;
  }
  void DecodeAll(Nanos now) {
    while (const FramePtr frame = queue_.NextDecode(now)) queue_.Decoded(frame, std::vector<float>(1), Ms(1), now);
  }
  std::optional<Batch> Next(Nanos now) {
    Nanos look_again = kNever;
    return queue_.NextBatch(now, &look_again);
  }
  void Encode(Batch& batch, Nanos now) {
    std::vector<Result<FrameHandle>> handles(batch.to_encode.size(), FrameHandle(std::make_shared<int>(0)));
    (void)queue_.Encoded(batch, std::move(handles), Ms(10), now);
  }
  void Answer(const Batch& batch, Nanos now, Nanos took = Ms(1)) {
    std::vector<Result<std::vector<engine::Answer>>> answers;
    for (const Part& part : batch.parts) answers.push_back(std::vector<engine::Answer>(part.questions().size()));
    queue_.Answered(batch, std::move(answers), 1, took, now);
  }
  /// A batch that runs and is not given back, about "a".
  std::optional<Batch> Hang(Nanos now) {
    Add(Work({"a"}, {"q"}), now);
    DecodeAll(now);
    std::optional<Batch> batch = Next(now + Ms(5));  // company is not waited for that long
    EXPECT_TRUE(batch);
    return batch;
  }
  /// From batches of one frame before time 1 s: the encoder takes 10 ms, the questions `ask`.
  void Learn(Nanos ask) {
    for (int64_t i = 0; i < 20; ++i) {
      const Nanos now = Ms(i * 40);
      auto batch = Hang(now);
      if (!batch) return;
      Encode(*batch, now + Ms(15));
      Answer(*batch, now + Ms(16), ask);
    }
    (void)queue_.TakeFinished();
  }

  Counters counters_;
  Queue queue_{{.max_batch = 2}, 1, counters_};
  int num_ended_ = 0;
};

TEST_F(QueueTest, FramesAreDecodedAheadOnlySoFar) {
  for (int i = 0; i < 20; ++i) Add(Work({"frame " + std::to_string(i)}, {"q"}), Ms(0));
  int decoded = 0;
  while (const FramePtr frame = queue_.NextDecode(Ms(0))) {
    queue_.Decoded(frame, std::vector<float>(1), Ms(1), Ms(1));
    ++decoded;
  }
  EXPECT_EQ(decoded, 4) << "(runners + 1) * max_batch";
  ASSERT_TRUE(Next(Ms(2)));
  EXPECT_NE(queue_.NextDecode(Ms(2)), nullptr);
}

TEST_F(QueueTest, AFrameThatWasEncodedIsNotEncodedAgainForWhoJoinedMeanwhile) {
  Add(Work({"same"}, {"q1"}), Ms(0));
  DecodeAll(Ms(1));
  auto first = Next(Ms(2));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->to_encode.size(), 1U);
  Add(Work({"same"}, {"q2"}), Ms(3));
  EXPECT_EQ(queue_.NextDecode(Ms(3)), nullptr);
  EXPECT_FALSE(Next(Ms(3))) << "it is being encoded";
  Encode(*first, Ms(12));
  auto second = Next(Ms(12));
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->to_encode.empty());
  Answer(*first, Ms(13));
  Encode(*second, Ms(13));
  Answer(*second, Ms(14));
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(queue_.Find(FingerprintOf(Image("same").view)), nullptr) << "nobody is about it any more";
}

TEST_F(QueueTest, AnEqualFingerprintOfOtherBytesSharesNothing) {
  const Fingerprint forged{1, 2, 3};
  Add(Work({"mine"}, {"q"}), Ms(0), true, &forged);
  Add(Work({"yours"}, {"q"}), Ms(0), false, &forged);  // the caller compared, and they differed
  DecodeAll(Ms(1));
  auto batch = Next(Ms(2));
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->to_encode.size(), 2U);
  Encode(*batch, Ms(3));
  Answer(*batch, Ms(4));
  EXPECT_TRUE(queue_.empty());
}

TEST_F(QueueTest, TwoImagesOfOneRequestShareOnlyWhenTheirBytesAreEqual) {
  const Fingerprint forged{1, 2, 3};
  Add(Work({"mine", "yours", "mine"}, {"q"}), Ms(0), true, &forged);
  DecodeAll(Ms(1));
  auto batch = Next(Ms(2));
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->to_encode.size(), 2U);
  EXPECT_EQ(batch->parts.size(), 3U);
}

TEST_F(QueueTest, AFrameOfAReplacedModelIsSharedByNobodyNew) {
  Add(Work({"same"}, {"q"}), Ms(0));
  DecodeAll(Ms(1));
  queue_.SetEngine(std::make_shared<FakeEngine>("new "));
  Add(Work({"same"}, {"q"}), Ms(2));
  DecodeAll(Ms(2));
  auto old = Next(Ms(3));
  ASSERT_TRUE(old);
  EXPECT_EQ(old->parts.size(), 1U) << "a batch is of one model";
  auto fresh = Next(Ms(3));
  ASSERT_TRUE(fresh);
  EXPECT_NE(old->engine, fresh->engine);
}

TEST_F(QueueTest, EachStageIsTimed) {
  const RequestPtr request = Add(Work({"a"}, {"q"}), Ms(10));
  const FramePtr frame = queue_.NextDecode(Ms(12));
  queue_.Decoded(frame, std::vector<float>(1), Ms(3), Ms(15));
  auto batch = Next(Ms(20));
  ASSERT_TRUE(batch);
  Encode(*batch, Ms(30));
  Answer(*batch, Ms(31));
  const std::vector<Finished> finished = queue_.TakeFinished();
  ASSERT_EQ(finished.size(), 1U);
  const StageTimes& times = finished[0].result.times;
  EXPECT_EQ(times.queue, Ms(7)) << "2 for the decoder, 5 for the runner";
  EXPECT_EQ(times.decode, Ms(3));
  EXPECT_EQ(times.encode, Ms(10));
  EXPECT_EQ(times.ask, Ms(1));
  EXPECT_EQ(times.total, Ms(21));
}

TEST_F(QueueTest, ADeadlineFurtherThanTheLongestTimeoutIsCutToIt) {
  VqaWork work = Work({"a"}, {"q"});
  work.deadline = Ms(3'600'000);
  Add(std::move(work), Ms(0));
  EXPECT_EQ(queue_.NextDeadline(), Ms(120'000));
  Add(Work({"b"}, {"q"}), Ms(0));
  EXPECT_EQ(queue_.NextDeadline(), Ms(30'000));
  queue_.Expire(Ms(120'000));
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(queue_.TakeFinished().size(), 2U);
}

TEST_F(QueueTest, WhatTheLastOneEndedNeverStopsTheNextOne) {
  Add(Work({"a"}, {"q"}), Ms(0));
  const FramePtr frame = queue_.NextDecode(Ms(0));
  queue_.Decoded(frame, Unavailable("out of memory"), Ms(1), Ms(1));
  Add(Work({"a"}, {"q"}), Ms(2));
  DecodeAll(Ms(2));
  auto batch = Next(Ms(3));
  ASSERT_TRUE(batch);
  (void)queue_.Encoded(*batch, {Internal("no")}, Ms(1), Ms(4));
  std::vector<Result<std::vector<engine::Answer>>> answers = {Cancelled("no longer wanted")};
  queue_.Answered(*batch, std::move(answers), 0, Ms(1), Ms(4));
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(queue_.num_running(), 0);
  const std::vector<Finished> finished = queue_.TakeFinished();
  ASSERT_EQ(finished.size(), 2U);
  EXPECT_EQ(finished[0].result.status.code(), StatusCode::kUnavailable);
  EXPECT_EQ(finished[1].result.status.code(), StatusCode::kInternal);
}

/// A batch that does not come back. What is let in behind it was expected to be in time: it ends at its deadline, 504.
/// What is expected to be too late is refused at the door, 429. Which of the two depends on what batches took before
/// and on what waits, never on the hang itself: a batch that is late is expected at any moment.
TEST_F(QueueTest, BehindABatchThatHangsWhoIsLetInExpiresAtItsDeadline) {
  Learn(Ms(10));
  const auto hung = Hang(Ms(1000));
  VqaWork work = Work({"b"}, {"q"});
  work.deadline = Ms(6200);
  Add(std::move(work), Ms(6000));
  EXPECT_TRUE(queue_.TakeFinished().empty()) << "let in: 200 ms are enough for a batch of 10 ms";
  queue_.Expire(Ms(6199));
  EXPECT_TRUE(queue_.TakeFinished().empty());
  queue_.Expire(Ms(6200));
  const std::vector<Finished> finished = queue_.TakeFinished();
  ASSERT_EQ(finished.size(), 1U);
  EXPECT_EQ(finished[0].result.outcome, Outcome::kExpired);
  EXPECT_EQ(finished[0].result.status.code(), StatusCode::kDeadlineExceeded);
}

TEST_F(QueueTest, BehindABatchThatHangsWhoWouldBeTooLateByWhatWasLearntIsRefused) {
  Learn(Ms(300));
  const auto hung = Hang(Ms(1000));
  VqaWork work = Work({"b"}, {"q"});
  work.deadline = Ms(6200);
  Add(std::move(work), Ms(6000));
  const std::vector<Finished> finished = queue_.TakeFinished();
  ASSERT_EQ(finished.size(), 1U);
  EXPECT_EQ(finished[0].result.refusal, Refusal::kDeadline);
  EXPECT_EQ(finished[0].result.status.code(), StatusCode::kResourceExhausted);
}

TEST_F(QueueTest, BehindABatchThatHasHungTooLongEveryoneIsTurnedAway) {
  Learn(Ms(10));
  const auto hung = Hang(Ms(1000));
  Add(Work({"b"}, {"q"}), Ms(9005));
  EXPECT_TRUE(queue_.TakeFinished().empty()) << "8 s are the limit";
  Add(Work({"c"}, {"q"}), Ms(9006));
  const std::vector<Finished> finished = queue_.TakeFinished();
  ASSERT_EQ(finished.size(), 1U);
  EXPECT_EQ(finished[0].result.refusal, Refusal::kWedged);
  EXPECT_EQ(finished[0].result.status.code(), StatusCode::kUnavailable);
}

TEST_F(QueueTest, WhileNothingRunsAndNothingWaitsNobodyIsRefusedForWhatWasLearnt) {
  Learn(Ms(300));
  VqaWork work = Work({"b"}, {"q"});
  work.deadline = Ms(1200);
  Add(std::move(work), Ms(1000));  // the decoder, say, hangs
  EXPECT_TRUE(queue_.TakeFinished().empty());
  queue_.Expire(Ms(1200));
  const std::vector<Finished> finished = queue_.TakeFinished();
  ASSERT_EQ(finished.size(), 1U);
  EXPECT_EQ(finished[0].result.outcome, Outcome::kExpired);
}

}  // namespace
}  // namespace pawsight::server::testing
