#include "gateway/ingest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "gateway/testing.h"

namespace pawsight::gateway {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using Script = testing::ScriptedSource::Script;

/// Gives `count` frames.
Script Frames(int count) {
  return [count](std::stop_token, const Source::OnFrame& on_frame) {
    for (int n = 0; n < count; ++n) {
      if (!on_frame({})) return Ok();
    }
    return Ok();
  };
}

Script Fail(Status status) {
  return [status](std::stop_token, const Source::OnFrame&) { return status; };
}

std::vector<uint64_t> TakeAll(Ingest& ingest) {
  std::vector<uint64_t> numbers;
  while (const std::shared_ptr<const Frame> frame = ingest.Take({})) numbers.push_back(frame->number);
  return numbers;
}

TEST(IngestTest, NoFrameOfARecordedSourceIsDropped) {
  testing::ScriptedSource source(false, {Frames(5)});
  Ingest ingest(source);
  EXPECT_THAT(TakeAll(ingest), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_TRUE(ingest.end().ok());
  EXPECT_EQ(ingest.counts().num_dropped, 0U);
}

TEST(IngestTest, OfALiveSourceTheNewestFrameWins) {
  std::atomic<bool> given{false};
  testing::ScriptedSource source(true, {[&](std::stop_token, const Source::OnFrame& on_frame) {
                                   for (int n = 0; n < 5; ++n) on_frame({});
                                   given = true;
                                   return Ok();
                                 }});
  Ingest ingest(source);
  while (!given) std::this_thread::yield();
  EXPECT_THAT(TakeAll(ingest), ElementsAre(5));
  EXPECT_EQ(ingest.counts().num_arrived, 5U);
  EXPECT_EQ(ingest.counts().num_dropped, 4U);
}

TEST(IngestTest, ASourceThatNeverGaveAFrameEndsWithItsError) {
  testing::ScriptedSource source(true, {Fail(Unavailable("refused"))});
  Ingest ingest(source);
  EXPECT_EQ(ingest.Take({}), nullptr);
  EXPECT_EQ(ingest.end().code(), StatusCode::kUnavailable);
  EXPECT_EQ(source.num_runs, 1U);
}

TEST(IngestTest, ALiveSourceThatIsLostIsTriedAgain) {
  const Script one_and_lost = [](std::stop_token, const Source::OnFrame& on_frame) {
    on_frame({});
    return Unavailable("lost");
  };
  testing::ScriptedSource source(true, {one_and_lost, Fail(Unavailable("still away")), Frames(1)});
  Ingest ingest(source, {.first_pause = milliseconds(1), .longest_pause = milliseconds(2)});
  EXPECT_EQ(TakeAll(ingest).back(), 2U);
  EXPECT_EQ(source.num_runs, 3U);
  EXPECT_EQ(ingest.counts().num_failures, 2U);
  EXPECT_TRUE(ingest.end().ok());
}

TEST(IngestTest, ARecordedSourceThatFailsInTheMiddleSaysSo) {
  testing::ScriptedSource source(false, {[](std::stop_token, const Source::OnFrame& on_frame) {
                                   on_frame({});
                                   return DataLoss("half a file");
                                 }});
  Ingest ingest(source);
  EXPECT_THAT(TakeAll(ingest), ElementsAre(1));
  EXPECT_EQ(ingest.end().code(), StatusCode::kDataLoss);
}

TEST(IngestTest, StoppingEndsTakeAndTheSource) {
  testing::ScriptedSource source(true, {[](std::stop_token stop, const Source::OnFrame&) {
                                   SleepUntil(std::chrono::steady_clock::now() + std::chrono::hours(1), stop);
                                   return Ok();
                                 }});
  std::stop_source stop;
  Ingest ingest(source);
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_EQ(ingest.Take(stop.get_token()), nullptr);
}

}  // namespace
}  // namespace pawsight::gateway
