#include "tools/cell_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/testing.h"

namespace pawsight::tools {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::Pair;

class CellRunTest : public ::testing::Test {
 protected:
  CellRunTest() {
    settings_.warmup = seconds(1);
    settings_.duration = seconds(4);
    send_ = [this](int64_t number, client::Deadline, const OnEnded& on_ended) {
      numbers_.push_back(number);
      clock_.Plan(clock_.Monotonic() + milliseconds(20), [on_ended] { on_ended({}); });
    };
  }
  Result<StressCell> Run(const CellPlan& plan) {
    return RunCell(send_, 3, plan, settings_, place_, clock_, stop_.get_token(), [](double) {});
  }

  testing::PlannedClock clock_;
  std::stop_source stop_;
  CellSettings settings_;
  ServerPlace place_;
  SendFrame send_;
  std::vector<int64_t> numbers_;
};

TEST_F(CellRunTest, AClosedLoopsCellSaysWhatCameOfIt) {
  const auto cell = Run({CellRole::kGrid, 2, 5, 0});
  ASSERT_TRUE(cell.ok());
  EXPECT_EQ(cell->server, 2);
  EXPECT_EQ(cell->clients, 5);
  EXPECT_EQ(cell->arrivals, "");
  EXPECT_DOUBLE_EQ(cell->seconds, 4);
  EXPECT_NEAR(cell->frames_per_s, 250, 3);
  EXPECT_EQ(cell->answers, 3 * cell->answered);
  EXPECT_NEAR(cell->latency.p50.ms, 20, 0.5);
  EXPECT_EQ(cell->server_cores, std::nullopt) << "nobody tells";
}

TEST_F(CellRunTest, NoTwoCellsSendTheSameFrames) {
  ASSERT_TRUE(Run({CellRole::kGrid, 1, 1, 0}).ok());
  const int64_t last = numbers_.back();
  numbers_.clear();
  ASSERT_TRUE(Run({CellRole::kGrid, 1, 2, 0}).ok());
  EXPECT_GT(numbers_.front(), last);
}

/// One frame of five fails at once; the others are answered after 1 to 1.99 s.
TEST_F(CellRunTest, OfAClosedLoopTheShareAnsweredAndTheThroughputAreTheServersOwn) {
  settings_.warmup = seconds(20);
  send_ = [this](int64_t number, client::Deadline, const OnEnded& on_ended) {
    const bool fails = number % 5 == 0;
    const milliseconds takes = fails ? milliseconds(5) : milliseconds(1000 + number * 37 % 100 * 10);
    clock_.Plan(clock_.Monotonic() + takes, [=] { on_ended({fails ? "internal" : "", false}); });
  };
  const auto cell = Run({CellRole::kGrid, 0, 50, 0});
  ASSERT_TRUE(cell.ok());
  EXPECT_NEAR(cell->answered_share(), 0.8, 0.01) << "what fails ends sooner, and is not more for that";
  // 50 clients; a frame takes 0.8 x 1495 ms + 0.2 x (5 + 5) ms.
  EXPECT_NEAR(cell->frames_per_s, 50 * 0.8 / 1.198, 1) << "what was under way at the begin counts";
  EXPECT_EQ(cell->offered, cell->latency.count + cell->num_failed());
}

TEST_F(CellRunTest, InAClosedLoopWhoIsRefusedTriesAgainAndInAnOpenLoopTheFrameIsLost) {
  send_ = [this](int64_t number, client::Deadline, const OnEnded& on_ended) {
    const CallOutcome outcome = number % 10 < 6   ? CallOutcome{}
                                : number % 10 < 9 ? CallOutcome{"full", true}
                                                  : CallOutcome{"internal"};
    clock_.Plan(clock_.Monotonic() + milliseconds(10), [=] { on_ended(outcome); });
  };
  EXPECT_NEAR(Run({CellRole::kGrid, 0, 4, 0})->answered_share(), 6.0 / 7, 0.005);
  settings_.arrivals = ArrivalKind::kConstant;
  EXPECT_NEAR(Run({CellRole::kOpen, 0, 0, 250})->answered_share(), 0.6, 0.005);
}

TEST_F(CellRunTest, TheCheckAtTwiceTheLoadIsPoissonWhateverElseIsAsked) {
  settings_.arrivals = ArrivalKind::kConstant;
  EXPECT_EQ(Run({CellRole::kOpen, 1, 0, 10})->arrivals, "constant");
  const auto check = Run({CellRole::kCheckOverload, 1, 0, 10});
  EXPECT_EQ(check->arrivals, "poisson");
  EXPECT_GT(check->offered, 10);
}

TEST_F(CellRunTest, WhatTheServersMetricsTellIsBetweenBeginAndEnd) {
  int looks = 0;
  place_.metrics = [&]() -> Result<std::string> {
    return std::string(++looks == 1 ? "process_cpu_seconds_total 10\nprocess_resident_memory_bytes 1e7\n"
                                      "pawsight_gateway_outcomes_total{reason=\"unsure\"} 5\n"
                                    : "process_cpu_seconds_total 16\nprocess_resident_memory_bytes 2e7\n"
                                      "pawsight_gateway_outcomes_total{reason=\"unsure\"} 8\n");
  };
  const auto cell = Run({CellRole::kGrid, 0, 1, 0});
  EXPECT_EQ(looks, 2);
  EXPECT_DOUBLE_EQ(cell->server_cores.value(), 1.5);
  EXPECT_DOUBLE_EQ(cell->server_rss_mb.value(), 20);
  EXPECT_THAT(cell->outcomes, ElementsAre(Pair("unsure", 3)));
}

TEST_F(CellRunTest, AServerThatDoesNotTellIsMeasuredAllTheSame) {
  place_.metrics = []() -> Result<std::string> { return Unavailable("gone"); };
  place_.stats = []() -> Result<std::string> { return std::string("<html>"); };
  const auto cell = Run({CellRole::kGrid, 0, 1, 0});
  ASSERT_TRUE(cell.ok());
  EXPECT_EQ(cell->server_cores, std::nullopt);
  EXPECT_FALSE(cell->server_times);
}

TEST_F(CellRunTest, ACellThatIsCutShortIsNone) {
  clock_.Plan(milliseconds(4500), [&] { stop_.request_stop(); });
  EXPECT_EQ(Run({CellRole::kGrid, 1, 1, 0}).status().code(), StatusCode::kCancelled);
}

}  // namespace
}  // namespace pawsight::tools
