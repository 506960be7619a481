#include "gateway/path/puller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "base/log.h"
#include "frames/decode.h"
#include "gateway/back_off.h"
#include "gateway/path/testing.h"
#include "net/child_process.h"
#include "net/http_server.h"
#include "net/testing.h"

namespace pawsight::gateway {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

static_assert(PauseAfter(1, milliseconds(500), milliseconds(30'000)) == milliseconds(500));
static_assert(PauseAfter(3, milliseconds(500), milliseconds(30'000)) == milliseconds(2000));
static_assert(PauseAfter(100, milliseconds(500), milliseconds(30'000)) == milliseconds(30'000));

class PullerTest : public ::testing::Test {
 protected:
  PullerTest() { SetLogLevel(LogLevel::kOff); }
  ~PullerTest() override { SetLogLevel(LogLevel::kInfo); }

  Puller::SubmitFrame Door() {
    return [this](Submission submission) {
      MutexLock lock(mu_);
      frames_.push_back(std::move(submission));
      arrived_.NotifyAll();
      return Submitted{};
    };
  }
  /// The newest, once there are so many.
  Submission WaitFor(size_t count) {
    MutexLock lock(mu_);
    while (frames_.size() < count) arrived_.Wait(mu_);
    return frames_.back();
  }
  static std::string StateOf(const Puller& puller) {
    const Json stats = puller.Stats("own");
    return (*stats.GetArray("sources").value())[0].GetString("state").value();
  }

  const SystemClock clock_;
  Mutex mu_;
  CondVar arrived_;
  std::vector<Submission> frames_ GUARDED_BY(mu_);
  PullerOptions options_{.allow_files = true,
                         .persistence = {.first_pause = milliseconds(1), .longest_pause = milliseconds(5)}};
};

TEST_F(PullerTest, FramesOfASnapshotUrlGoToTheDoorAndAFailureIsTriedAgain) {
  std::atomic<int> requests{0};
  net::Router router;
  const std::string jpeg(testing::Jpeg(100)->begin(), testing::Jpeg(100)->end());
  router.Add("GET", "/snap.jpg", [&](const net::HttpRequest&) {
    return ++requests % 3 == 0 ? net::HttpResponse{503, "text/plain", "busy", {}}
                               : net::HttpResponse{200, "image/jpeg", jpeg, {}};
  });
  const auto server = net::HttpServer::Start({}, router).value();
  Puller puller(Door(), clock_, options_);
  ASSERT_TRUE(puller.SetOwner("own", {{"cam", server->url() + "/snap.jpg", 60}}).ok());
  const Submission frame = WaitFor(4);
  EXPECT_EQ(frame.owner, "own");
  EXPECT_EQ(frame.camera, "cam");
  EXPECT_EQ(*frame.encoded, *testing::Jpeg(100));
  const Json stats = puller.Stats("own");
  EXPECT_GE((*stats.GetArray("sources").value())[0].GetInteger("failures").value(), 1);
  EXPECT_TRUE(puller.SetOwner("own", {}).ok()) << "ends it";
  EXPECT_EQ(puller.Stats("own").Dump(), R"({"sources":[]})");
}

TEST_F(PullerTest, AFileIsPlayedAtItsPaceOnceAndItsPixelsBecomeJpeg) {
  std::string pattern = (std::filesystem::temp_directory_path() / "pawsight-puller-XXXXXX").string();
  const std::string directory = mkdtemp(pattern.data());
  const std::string video = directory + "/v.mp4";
  auto made = net::ChildProcess::Start({"ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i",
                                        "testsrc=size=320x180:rate=20:duration=0.2", "-c:v", "mpeg4", "file:" + video});
  if (!made.ok()) GTEST_SKIP() << "LOUD: ffmpeg is missing, video sources are not tested";
  std::vector<uint8_t> ignored(10);
  while ((*made)->Read(ignored, std::chrono::seconds(60), {}).value() > 0) {
  }
  Puller puller(Door(), clock_, options_);
  const auto before = std::chrono::steady_clock::now();
  ASSERT_TRUE(puller.SetOwner("own", {{"cam", video, 20}}).ok());
  const Submission frame = WaitFor(4);
  EXPECT_GE(std::chrono::steady_clock::now() - before, milliseconds(150));
  EXPECT_EQ(frames::Decode(*frame.encoded)->image.width, 320);
  while (StateOf(puller) != "ended") std::this_thread::yield();
  std::filesystem::remove_all(directory);
}

TEST_F(PullerTest, WhatIsNotAllowedIsRefusedAndNothingChanges) {
  options_.allow_files = false;
  options_.max_sources = 1;
  Puller puller(Door(), clock_, options_);
  EXPECT_EQ(puller.SetOwner("own", {{"cam", "/etc/passwd", 1}}).reason(), "files_not_allowed");
  EXPECT_EQ(puller.SetOwner("own", {{"cam", "file:///etc/passwd", 1}}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(puller.SetOwner("own", {{"cam", "http://127.0.0.1:1/x", 0}}).code(), StatusCode::kInvalidArgument);
  const std::vector<Pull> two = {{"a", "http://127.0.0.1:1/x", 1}, {"b", "http://127.0.0.1:1/x", 1}};
  EXPECT_EQ(puller.SetOwner("own", two).reason(), "too_many_sources");
  EXPECT_EQ(puller.Stats("own").Dump(), R"({"sources":[]})");
}

TEST_F(PullerTest, ARefusalIsToldUntilAFrameIsTaken) {
  net::Router router;
  const std::string jpeg(testing::Jpeg(100)->begin(), testing::Jpeg(100)->end());
  router.Add("GET", "/snap.jpg", [&](const net::HttpRequest&) {
    return net::HttpResponse{200, "image/jpeg", jpeg, {}};
  });
  const auto server = net::HttpServer::Start({}, router).value();
  std::atomic<bool> refuses{true};
  const auto door = [&](Submission) {
    return refuses ? Submitted{.status = ResourceExhausted("too many", "device_rate")} : Submitted{};
  };
  Puller puller(door, clock_, options_);
  ASSERT_TRUE(puller.SetOwner("own", {{"cam", server->url() + "/snap.jpg", 60}}).ok());
  const auto tells = [&] {
    return puller.Stats("own").Dump().find(R"("last_refusal":"device_rate")") != std::string::npos;
  };
  while (!tells()) std::this_thread::yield();
  refuses = false;
  while (tells()) std::this_thread::yield();
  EXPECT_TRUE(puller.SetOwner("own", {}).ok());
}

TEST_F(PullerTest, APasswordIsNotTold) {
  Puller puller(Door(), clock_, options_);
  ASSERT_TRUE(puller.SetOwner("own", {{"cam", "http://admin:geheim@127.0.0.1:1/snap.jpg", 60}}).ok());
  while (StateOf(puller) != "waiting") std::this_thread::yield();
  EXPECT_THAT(puller.Stats("own").Dump(), Not(HasSubstr("geheim")));
}

}  // namespace
}  // namespace pawsight::gateway
