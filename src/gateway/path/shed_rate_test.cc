// What was shed before it could be asked about counts as offered: a fleet that is too small must not look large enough.
#include <gtest/gtest.h>

#include "gateway/path/testing.h"

namespace pawsight::gateway {
namespace {

using std::chrono::seconds;
using testing::InstantBackend;
using testing::Jpeg;
using testing::MemoryRecord;

class ShedRateTest : public ::testing::Test {
 protected:
  ShedRateTest() : backend_([](const Inquiry&, const std::string&) { return 0.05; }) {
    options_.gate_threads = 0;
    options_.max_outstanding = 1;
    options_.seed = 1;
    path_ = std::make_unique<FramePath>(backend_, &record_, clock_, options_);
    OwnerSetup setup;
    setup.cameras = {{"cam_1", {}, false, seconds(60)}, {"cam_2", {}, false, seconds(60)}};
    setup.rules = rules::ParseRules(Json::Parse(R"([{"question":"Is it?","cameras":["cam_1"]}])").value()).value();
    CHECK(path_->SetOwner("own_a", std::move(setup)).ok());
  }
  void Submit(const char* camera) {
    Submission submission;
    submission.owner = "own_a";
    submission.camera = camera;
    submission.encoded = Jpeg(10);
    EXPECT_TRUE(path_->Submit(std::move(submission)).status.ok());
  }
  void Run() {
    while (path_->Step()) {
    }
  }

  ManualClock clock_{Time(seconds(1'700'000'000))};
  InstantBackend backend_;
  MemoryRecord record_;
  FramePathOptions options_;
  std::unique_ptr<FramePath> path_;
};

TEST_F(ShedRateTest, WithRoomForAllNothingIsShed) {
  for (int second = 0; second < 20; ++second) {
    Submit("cam_1");
    Run();
    clock_.Advance(seconds(1));
  }
  EXPECT_EQ(path_->ShedPerSecond(), 0);
}

TEST_F(ShedRateTest, FramesReplacedWhileTheBackendIsFullCountAsFarAsTheyWouldHaveAsked) {
  backend_.hold = true;
  Submit("cam_1");
  Run();  // at the backend, which is full now
  clock_.Advance(seconds(1));
  for (int second = 0; second < 30; ++second) {
    for (int i = 0; i < 4; ++i) Submit("cam_1");
    Run();
    clock_.Advance(seconds(1));
  }
  EXPECT_NEAR(path_->ShedPerSecond(), 4, 0.3) << "nothing had its turn: all may have wanted an answer";
  backend_.hold = false;
  backend_.Release();
  Run();
  // One camera has a rule and one has not: half of the frames that have their turn ask.
  for (int second = 0; second < 61; ++second) {
    for (const char* camera : {"cam_1", "cam_2"}) {
      Submit(camera);
      Submit(camera);  // replaces the first
      Run();
    }
    clock_.Advance(seconds(1));
  }
  EXPECT_NEAR(path_->ShedPerSecond(), 1, 0.1) << "two a second are replaced, half of them would have asked";
}

}  // namespace
}  // namespace pawsight::gateway
