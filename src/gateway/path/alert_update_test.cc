// An alert that goes on firing is told of again, at its pace, under its id, durably, over a restart
// (rules/alert_update.h).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/path/testing.h"

namespace pawsight::gateway {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using testing::InstantBackend;
using testing::Jpeg;
using testing::MemoryRecord;

constexpr Time kStart{seconds(1'700'000'000)};

class AlertUpdatePathTest : public ::testing::Test, public Watcher {
 protected:
  AlertUpdatePathTest() : backend_([this](const Inquiry&, const std::string&) { return p_yes_; }) {
    options_.gate_threads = 0;
    options_.seed = 1;
    Start("");
  }
  void Start(const std::string& more) {
    path_.reset();
    path_ = std::make_unique<FramePath>(backend_, &record_, clock_, options_);
    (void)path_->observers().Subscribe("own_a", std::shared_ptr<Watcher>(std::shared_ptr<void>(), this));
    OwnerSetup setup;
    setup.cameras = {{"cam_1", {}, false, seconds(60)}};
    setup.rules =
        rules::ParseRules(Json::Parse(R"([{"id":"r","question":"Is it bright?","cooldown_s":0)" + more + "}]").value())
            .value();
    setup.receivers = {"rcv_1"};
    ASSERT_TRUE(path_->SetOwner("own_a", std::move(setup)).ok());
  }
  void OnFrame(const std::shared_ptr<const FrameResult>&) override {}
  void OnAlert(const AlertNotice& notice) override { told_.push_back(notice); }
  /// A frame a second for so long.
  void Watch(seconds time) {
    for (int i = 0; i < time.count(); ++i) {
      clock_.Advance(seconds(1));
      Submission submission;
      submission.owner = "own_a";
      submission.camera = "cam_1";
      submission.encoded = Jpeg(static_cast<uint8_t>(i % 2));
      ASSERT_TRUE(path_->Submit(std::move(submission)).status.ok());
      while (path_->Step()) {
      }
    }
  }
  /// "fired", "updated still_on", "resolved"... in the order told.
  std::vector<std::string> Changes() const {
    std::vector<std::string> changes;
    for (const AlertNotice& notice : told_) {
      changes.push_back(std::string(AlertChangeName(notice.change)).substr(6));
      if (!notice.cause.empty()) changes.back() += " " + notice.cause;
    }
    return changes;
  }

  ManualClock clock_{kStart};
  double p_yes_ = 0.75;
  InstantBackend backend_;
  MemoryRecord record_;
  FramePathOptions options_;
  std::vector<AlertNotice> told_;
  std::unique_ptr<FramePath> path_;
};

TEST_F(AlertUpdatePathTest, OneAlertAnEpisodeIsFiredUpdatedAndResolvedUnderOneId) {
  Watch(seconds(10));
  p_yes_ = 0.95;
  Watch(seconds(60));
  EXPECT_THAT(Changes(), ElementsAre("fired", "updated surer"));
  Watch(seconds(610));
  EXPECT_THAT(Changes(), ElementsAre("fired", "updated surer", "updated still_on", "updated still_on"));
  p_yes_ = 0.05;
  Watch(seconds(20));
  ASSERT_EQ(told_.size(), 5U);
  EXPECT_EQ(told_[4].change, AlertChange::kResolved);
  for (const AlertNotice& notice : told_) {
    EXPECT_EQ(notice.id, told_[0].id);
    EXPECT_EQ(notice.number, 1U);
    EXPECT_TRUE(notice.recorded.ok());
    EXPECT_FALSE(notice.event.empty()) << "each is an event of its own";
  }
  EXPECT_EQ(told_[1].since, told_[0].time) << "since when it has been firing";
  const events::Event event = EventOf(told_[2]);
  EXPECT_EQ(event.type, "alert.updated");
  EXPECT_EQ(event.detail.GetString("cause").value(), "still_on");
  EXPECT_EQ(event.detail.GetString("fired_at").value(), FormatTime(told_[0].time));
}

TEST_F(AlertUpdatePathTest, ARestartNeitherRepeatsNorForgetsWhatWasTold) {
  Watch(seconds(200));
  const std::vector<RestoredState> states = record_.States();
  Start("");
  EXPECT_EQ(path_->RestoreStates(states), 1U);
  Watch(seconds(100));
  EXPECT_THAT(Changes(), ElementsAre("fired")) << "300 seconds are not over";
  Watch(seconds(2));
  EXPECT_THAT(Changes(), ElementsAre("fired", "updated still_on"));
}

TEST_F(AlertUpdatePathTest, ARuleWithoutUpdatesTellsItsTwoChangesOnly) {
  Start(R"(,"update_s":0)");
  Watch(seconds(1000));
  p_yes_ = 0.05;
  Watch(seconds(20));
  EXPECT_THAT(Changes(), ElementsAre("fired", "resolved"));
}

TEST_F(AlertUpdatePathTest, AnUnsureAnswerTellsNothing) {
  Watch(seconds(10));
  p_yes_ = 0.65;
  Watch(seconds(400));
  EXPECT_THAT(Changes(), ElementsAre("fired"));
  p_yes_ = 0.75;
  Watch(seconds(1));
  EXPECT_THAT(Changes(), ElementsAre("fired", "updated still_on"));
}

}  // namespace
}  // namespace pawsight::gateway
