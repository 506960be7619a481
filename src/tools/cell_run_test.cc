#include "tools/cell_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "tools/gateway_target.h"
#include "tools/recommendation.h"
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

TEST_F(CellRunTest, WhatTheLoadHasMissedIsNoFailureOfTheServerAndMarksTheCell) {
  send_ = [this](int64_t number, client::Deadline, const OnEnded& on_ended) {
    const CallOutcome outcome = number % 10 == 0 ? CallOutcome{"dropped", false, false, true} : CallOutcome{};
    clock_.Plan(clock_.Monotonic() + milliseconds(10), [=] { on_ended(outcome); });
  };
  const auto cell = Run({CellRole::kGrid, 0, 4, 0});
  EXPECT_GT(cell->unseen.at("dropped"), 0);
  EXPECT_EQ(cell->num_failed(), 0);
  EXPECT_DOUBLE_EQ(cell->answered_share(), 1);
  EXPECT_TRUE(cell->client_saturated);
  EXPECT_EQ(cell->offered, cell->latency.count + cell->num_unseen());
}

TEST_F(CellRunTest, TheCheckAtTwiceTheLoadIsPoissonWhateverElseIsAsked) {
  settings_.arrivals = ArrivalKind::kConstant;
  EXPECT_EQ(Run({CellRole::kOpen, 1, 0, 10})->arrivals, "constant");
  const auto check = Run({CellRole::kCheckOverload, 1, 0, 10});
  EXPECT_EQ(check->arrivals, "poisson");
  EXPECT_GT(check->offered, 10);
}

/// A server that answers each frame after 20 ms, as many at once as there are: with five clients 250 a second. Before
/// it a change gate, which lets one frame of a camera through in 1.9 s and gives the others back after a millisecond.
class GatedCellTest : public CellRunTest {
 protected:
  static constexpr double kServersOwn = 250;

  Result<StressCell> RunWith(size_t cameras, const CellPlan& plan) {
    free_ = std::make_unique<FreeCameras>(cameras);
    asked_.assign(cameras, -seconds(60));
    send_ = [this](int64_t, client::Deadline, const OnEnded& on_ended) {
      const size_t camera = free_->Take().camera;
      const std::chrono::nanoseconds now = clock_.Monotonic();
      const bool held_back = now - asked_[camera] < milliseconds(1900);
      if (!held_back) asked_[camera] = now;
      clock_.Plan(now + milliseconds(held_back ? 1 : 20), [=, this] {
        free_->GiveBack(camera);
        on_ended(held_back ? CallOutcome{"not_due", false, true} : CallOutcome{});
      });
    };
    return Run(plan);
  }

  std::unique_ptr<FreeCameras> free_;
  std::vector<std::chrono::nanoseconds> asked_;
};

TEST_F(GatedCellTest, OfAClosedLoopACellIsMarkedOrItsThroughputIsTheServersOwn) {
  for (const size_t cameras : {10, 50, 100, 200, 300, 400, 420, 440, 460, 480, 500, 1000}) {
    const auto cell = RunWith(cameras, {CellRole::kGrid, 0, 5, 0});
    ASSERT_TRUE(cell.ok());
    if (!cell->gate_limited) {
      EXPECT_NEAR(cell->frames_per_s, kServersOwn, 0.11 * kServersOwn) << cameras;
    }
    if (cameras <= 400) {
      EXPECT_TRUE(cell->gate_limited) << cameras << ": asks " << cell->frames_per_s;
    }
    if (cameras >= 500) {
      EXPECT_FALSE(cell->gate_limited) << cameras << ": holds back " << cell->num_gated();
    }
  }
}

TEST_F(GatedCellTest, TheCheckAtTwiceTheLoadIsOfTwiceWhatWasAskedWithTheCamerasThatTakes) {
  settings_.warmup = seconds(4);
  settings_.duration = seconds(20);
  for (const double knee : {0.5, 5.0, 40.0, 250.0}) {
    const double twice = 2 * knee;
    const auto cell =
        RunWith(static_cast<size_t>(CamerasFor(twice, {0.99, 20})), {CellRole::kCheckOverload, 0, 0, twice});
    ASSERT_TRUE(cell.ok());
    EXPECT_FALSE(cell->gate_limited) << knee;
    EXPECT_GT(cell->latency.count, 0.95 * static_cast<double>(cell->offered)) << knee << ": all were asked about";
  }
  const auto few = RunWith(100, {CellRole::kCheckOverload, 0, 0, 100});
  EXPECT_TRUE(few->gate_limited) << "asked " << few->frames_per_s << " a second of 100";
  EXPECT_EQ(CheckHolds(*few, {0.99, 1000}), std::nullopt);
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
