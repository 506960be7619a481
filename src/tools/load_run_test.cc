#include "tools/load_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tools/testing.h"

namespace pawsight::tools {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::Pair;

class LoadRunTest : public ::testing::Test {
 protected:
  LoadSeen Run(const LoadSpec& spec, const SendFrame& send) {
    return RunLoad(send, spec, clock_, stop_.get_token(), [](double) {}, {[] {}, [] {}});
  }
  /// Answers each frame so long after it was sent, and counts how many are under way.
  SendFrame AnswerAfter(nanoseconds time, const CallOutcome& outcome = {}) {
    return [this, time, outcome](int64_t, client::Deadline, const OnEnded& on_ended) {
      most_under_way_ = std::max(most_under_way_, ++under_way_);
      clock_.Plan(clock_.Monotonic() + time, [this, on_ended, outcome] {
        --under_way_;
        on_ended(outcome);
      });
    };
  }

  testing::PlannedClock clock_;
  std::stop_source stop_;
  int under_way_ = 0, most_under_way_ = 0;
};

TEST_F(LoadRunTest, AClosedLoopHasAsManyUnderWayAsItHasClients) {
  const LoadSeen seen =
      Run({.clients = 3, .warmup = milliseconds(100), .duration = seconds(10)}, AnswerAfter(milliseconds(10)));
  EXPECT_EQ(most_under_way_, 3);
  EXPECT_EQ(seen.offered, 3000);
  EXPECT_EQ(seen.answered, 3000) << "those under way at the end are no throughput, those at the begin are";
  EXPECT_EQ(seen.latency.count(), 3000) << "but their latency is measured";
  EXPECT_NEAR(seen.latency.At(0.99).ms, 10, 0.2);
  EXPECT_DOUBLE_EQ(seen.seconds, 10);
}

TEST_F(LoadRunTest, InAnOpenLoopWhatAStallKeptFromBeingAnsweredCountsFromWhenItWasDue) {
  LoadSpec spec{.duration = seconds(10)};
  for (int n = 0; n < 100; ++n) spec.due.push_back(milliseconds(100) * n);
  // Everything is answered at 5 s, or at once after that.
  const LoadSeen seen = Run(spec, [&](int64_t, client::Deadline, const OnEnded& on_ended) {
    clock_.Plan(std::max<nanoseconds>(clock_.Monotonic(), seconds(5)), [on_ended] { on_ended({}); });
  });
  EXPECT_EQ(seen.offered, 100);
  EXPECT_EQ(seen.answered, 100);
  EXPECT_NEAR(seen.latency.At(0.99).ms, 4900, 100);
  EXPECT_NEAR(seen.latency.At(0.25).ms, 0, 1) << "the half behind the stall";
  EXPECT_NEAR(seen.late.At(0.99).ms, 0, 1) << "they were sent when they were due";
}

TEST_F(LoadRunTest, WhatWasDueAndTheLoadWasTooSlowToSendIsUnseenAndNotForgotten) {
  LoadSpec spec{.duration = seconds(1)};
  for (int n = 0; n < 10; ++n) spec.due.push_back(milliseconds(100) * n);
  const LoadSeen seen = Run(spec, [&](int64_t number, client::Deadline, const OnEnded& on_ended) {
    if (number == 3) clock_.Pass(seconds(2));  // sending takes so long
    on_ended({});
  });
  EXPECT_EQ(seen.offered, 10);
  EXPECT_EQ(seen.answered, 4);
  EXPECT_THAT(seen.unseen, ElementsAre(Pair("not_sent", 6)));
}

TEST_F(LoadRunTest, WhoIsRefusedComesBackAfterAWhile) {
  const LoadSeen seen = Run({.clients = 1, .duration = seconds(1), .back_off = milliseconds(5)},
                            AnswerAfter(milliseconds(5), {"queue_full", true}));
  EXPECT_THAT(seen.refused, ElementsAre(Pair("queue_full", 100)));
  EXPECT_TRUE(seen.failed.empty());
  EXPECT_EQ(seen.answered, 0);
  EXPECT_EQ(seen.latency.count(), 0) << "a refusal is no answer";
  EXPECT_NEAR(seen.refused_latency.At(0.5).ms, 5, 0.1);
}

TEST_F(LoadRunTest, WhatIsDueInTheWarmUpDoesNotCount) {
  LoadSpec spec{.warmup = seconds(1), .duration = seconds(1)};
  for (int n = 0; n < 20; ++n) spec.due.push_back(milliseconds(100) * n);
  const LoadSeen seen = Run(spec, AnswerAfter(milliseconds(1)));
  EXPECT_EQ(seen.offered, 10);
  EXPECT_EQ(seen.answered, 10);
}

TEST_F(LoadRunTest, AStoppedLoadWaitsForWhatIsUnderWayAndSaysHowLongItRan) {
  clock_.Plan(milliseconds(500), [&] { stop_.request_stop(); });
  const LoadSeen seen = Run({.clients = 2, .duration = seconds(60)}, AnswerAfter(milliseconds(10)));
  EXPECT_EQ(under_way_, 0);
  EXPECT_NEAR(seen.seconds, 0.5, 0.02);
  EXPECT_NEAR(static_cast<double>(seen.answered), 200 * seen.seconds, 2) << "what came after it is no throughput";
}

TEST_F(LoadRunTest, TheMarksAreSetWhenTheTimeBeginsAndEnds) {
  nanoseconds begin{0}, end{0};
  std::vector<double> parts;
  (void)RunLoad(AnswerAfter(milliseconds(10)), {.clients = 1, .warmup = seconds(2), .duration = seconds(3)}, clock_, {},
                [&](double part) { parts.push_back(part); },
                {[&] { begin = clock_.Monotonic(); }, [&] { end = clock_.Monotonic(); }});
  EXPECT_EQ(begin, seconds(2));
  EXPECT_EQ(end, seconds(5));
  EXPECT_GE(parts.size(), 40U);
  EXPECT_TRUE(std::ranges::is_sorted(parts));
}

TEST_F(LoadRunTest, MoreReasonsThanMayBeCountAsOther) {
  const LoadSeen seen = Run({.clients = 1, .duration = seconds(1), .back_off = milliseconds(1)},
                            [&](int64_t number, client::Deadline, const OnEnded& on_ended) {
                              on_ended({"reason_" + std::to_string(number), false});
                            });
  EXPECT_EQ(seen.failed.size(), kMaxOutcomeReasons + 1);
  EXPECT_EQ(seen.failed.at("other"), 1000 - static_cast<int64_t>(kMaxOutcomeReasons));
}

TEST(CallOutcome, WhatWasShedUnexecutedIsRefusedAndAllElseFailed) {
  const auto outcome = [](const Status& status, bool may_have_run, bool retry) {
    client::InferResult result{status, may_have_run, std::nullopt};
    if (retry) result.retry_after = seconds(1);
    const CallOutcome seen = OutcomeOf(result);
    return seen.reason + (seen.refused ? " refused" : " failed");
  };
  EXPECT_EQ(outcome(ResourceExhausted("full", "queue_full"), false, true), "queue_full refused");
  EXPECT_EQ(outcome(ResourceExhausted("full"), false, true), "resource_exhausted refused");
  EXPECT_EQ(outcome(ResourceExhausted("full"), true, false), "resource_exhausted failed");
  EXPECT_EQ(outcome(Unavailable("stopping", "draining"), false, true), "draining refused");
  EXPECT_EQ(outcome(Unavailable("gone", "connect_failed"), false, false), "connect_failed failed");
  EXPECT_EQ(outcome(DeadlineExceeded("late"), true, false), "deadline_exceeded failed");
  EXPECT_EQ(OutcomeOf({protocol::InferResponse{}, true, std::nullopt}).reason, "");
}

}  // namespace
}  // namespace pawsight::tools
