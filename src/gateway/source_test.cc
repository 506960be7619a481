#include "gateway/source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/files.h"
#include "frames/decode.h"
#include "frames/encode.h"
#include "gateway/rtsp_testing.h"
#include "gateway/testing.h"
#include "net/child_process.h"
#include "net/http_server.h"
#include "net/testing.h"

namespace pawsight::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Plain;
using ::testing::SizeIs;

class SourceTest : public ::testing::Test {
 protected:
  SourceTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "pawsight-source-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
  }
  ~SourceTest() override { std::filesystem::remove_all(directory_); }

  void Save(const std::string& name, const std::vector<uint8_t>& bytes) {
    std::ofstream(directory_ + "/" + name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  /// The first `most` frames.
  Status Run(const std::string& address, size_t most, const SourceOptions& options = {.fps = 2}) {
    const SourceSpec spec = ParseSource(address).value();
    return MakeSource(spec, options, clock_)->Run({}, [&](Frame frame) {
      frames_.push_back(std::move(frame));
      return frames_.size() < most;
    });
  }

  std::string directory_;
  ManualClock clock_{Time(seconds(1000))};
  std::vector<Frame> frames_;
};

TEST_F(SourceTest, AnAddressTellsItsKind) {
  Save("v.mp4", {1});
  EXPECT_EQ(ParseSource("rtsp://u:p@cam/1")->kind, SourceKind::kRtsp);
  EXPECT_EQ(ParseSource("https://cam/snap.jpg")->kind, SourceKind::kHttp);
  EXPECT_EQ(ParseSource(directory_)->kind, SourceKind::kDirectory);
  EXPECT_EQ(ParseSource(directory_ + "/v.mp4")->kind, SourceKind::kVideoFile);
  EXPECT_EQ(ParseSource("").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ParseSource("gopher://x").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ParseSource("concat:a|b").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(ParseSource("/no/such").status().code(), StatusCode::kNotFound);
}

TEST_F(SourceTest, ADirectoryGivesItsImagesByNameAtTheSamplingRate) {
  Save("b.jpg", {2});
  Save("a.PNG", {1});
  Save("c.jpeg", {3});
  Save("notes.txt", {4});
  ASSERT_TRUE(Run(directory_, 10).ok());
  ASSERT_THAT(frames_, SizeIs(3));
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(frames_[i].encoded[0], i + 1);
    EXPECT_EQ(frames_[i].time, Time(seconds(1000)) + i * milliseconds(500));
  }
  const std::string empty = directory_ + "/empty";
  std::filesystem::create_directory(empty);
  EXPECT_EQ(Run(empty, 1).code(), StatusCode::kNotFound);
}

TEST_F(SourceTest, AVideoFileIsSampledAndScaledByFfmpeg) {
  const std::string video = directory_ + "/-o test 'v'.mp4";  // a name that would be an option, or break a shell line
  auto made = net::ChildProcess::Start({"ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i",
                                        "testsrc=size=640x360:rate=10:duration=3", "-c:v", "mpeg4", "file:" + video});
  if (!made.ok()) GTEST_SKIP() << "LOUD: ffmpeg is missing, video sources are not tested";
  std::vector<uint8_t> ignored(10);
  while ((*made)->Read(ignored, seconds(60), {}).value() > 0) {
  }
  ASSERT_EQ((*made)->Wait(), 0) << (*made)->LastError();
  ASSERT_TRUE(Run(video, 100, {.fps = 2, .max_width = 320, .silence = seconds(60)}).ok());
  ASSERT_THAT(frames_, SizeIs(6));
  EXPECT_EQ(frames_[0].image.width, 320);
  EXPECT_EQ(frames_[0].image.height, 180);
  EXPECT_EQ(frames_[5].time - frames_[0].time, milliseconds(2500));
  frames_.clear();
  EXPECT_TRUE(Run(video, 2).ok());
  EXPECT_THAT(frames_, SizeIs(2)) << "the reader had enough";
  EXPECT_EQ(RecordedFps({SourceKind::kVideoFile, video}).value(), 10);
}

TEST_F(SourceTest, AFileWithoutVideoIsDataLossWithFfmpegsReason) {
  Save("v.mp4", std::vector<uint8_t>(1000, 7));
  const Status status = Run(directory_ + "/v.mp4", 1, {.silence = seconds(60)});
  if (status.code() == StatusCode::kFailedPrecondition)
    GTEST_SKIP() << "LOUD: ffmpeg is missing, video sources are not tested";
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("Invalid data"));
  const Status rate = RecordedFps({SourceKind::kVideoFile, directory_ + "/v.mp4"}).status();
  EXPECT_EQ(rate.code(), StatusCode::kDataLoss);
  EXPECT_THAT(rate.message(), HasSubstr("Invalid data"));
  EXPECT_EQ(RecordedFps({SourceKind::kDirectory, directory_}).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(SourceTest, AnRtspCameraThatIsNotThereIsUnavailableAndItsPasswordIsNotShown) {
  const Status status = Run("rtsp://admin:geheim@127.0.0.1:1/live", 1, {.silence = seconds(60)});
  if (status.code() == StatusCode::kFailedPrecondition)
    GTEST_SKIP() << "LOUD: ffmpeg is missing, video sources are not tested";
  EXPECT_EQ(status.code(), StatusCode::kUnavailable) << status.ToString();
  EXPECT_THAT(status.message(), Not(HasSubstr("geheim")));
}

TEST_F(SourceTest, APasswordSoLongThatFfmpegsLineIsCutInTheMiddleOfItIsNotShown) {
  const Status status = Run("rtsp://admin:" + std::string(600, 'g') + "@127.0.0.1:1/live", 1, {.silence = seconds(60)});
  if (status.code() == StatusCode::kFailedPrecondition)
    GTEST_SKIP() << "LOUD: ffmpeg is missing, video sources are not tested";
  EXPECT_THAT(status.message(), HasSubstr("rtsp://127.0.0.1:1/live"));
  EXPECT_THAT(status.message(), Not(HasSubstr("gggg")));
}

TEST_F(SourceTest, AnRtspCamerasFramesComeAtTheSamplingRateAndItsEndIsAFailure) {
  const testing::RtspCamera camera(frames::EncodeJpeg(Plain(200), 90).value(), 40);
  const SourceOptions options{.fps = 2, .silence = seconds(60)};
  const Status enough = Run(camera.url(), 3, options);
  if (enough.code() == StatusCode::kFailedPrecondition)
    GTEST_SKIP() << "LOUD: ffmpeg is missing, video sources are not tested";
  ASSERT_TRUE(enough.ok()) << enough.ToString();
  ASSERT_THAT(frames_, SizeIs(3));
  EXPECT_EQ(frames_[0].image.width, 160);
  EXPECT_NEAR(frames_[0].image.pixel(20, 60)[1], 200, 3);
  EXPECT_NEAR(frames_[0].image.pixel(140, 60)[1], 40, 3);
  frames_.clear();
  EXPECT_EQ(Run(camera.url(), 1000, options).code(), StatusCode::kUnavailable);
  EXPECT_GE(frames_.size(), 6U) << "40 frames are four seconds";
  EXPECT_LE(frames_.size(), 10U);
  EXPECT_EQ(camera.num_plays(), 2);
}

TEST_F(SourceTest, AnRtspCameraThatFallsSilentIsLeft) {
  const testing::RtspCamera camera(frames::EncodeJpeg(Plain(200), 90).value(), 40, true);
  Status status;
  int num_runs = 0;
  // Silence is also what there is until ffmpeg has started, however long that takes on this machine.
  for (milliseconds silence(1000); frames_.empty() && silence < std::chrono::minutes(10); silence *= 4) {
    status = Run(camera.url(), 1000, {.fps = 20, .silence = silence});
    if (status.code() == StatusCode::kFailedPrecondition)
      GTEST_SKIP() << "LOUD: ffmpeg is missing, video sources are not tested";
    ++num_runs;
  }
  EXPECT_GE(frames_.size(), 1U);
  EXPECT_GE(camera.num_plays(), 1);
  EXPECT_LE(camera.num_plays(), num_runs) << "it is not asked again by itself";
  EXPECT_THAT(status.code(), AnyOf(StatusCode::kDeadlineExceeded, StatusCode::kUnavailable)) << "we notice, or ffmpeg";
}

TEST_F(SourceTest, ASnapshotUrlIsFetchedAtTheSamplingRate) {
  int num_requests = 0;
  net::Router router;
  router.Add("GET", "/snap.jpg", [&](const net::HttpRequest&) {
    ++num_requests;
    return net::HttpResponse{200, "image/jpeg", "image " + std::to_string(num_requests), {}};
  });
  const auto server = net::HttpServer::Start({}, router).value();
  const auto before = std::chrono::steady_clock::now();
  ASSERT_TRUE(Run(server->url() + "/snap.jpg", 3, {.fps = 20}).ok());
  EXPECT_GE(std::chrono::steady_clock::now() - before, milliseconds(90));
  ASSERT_THAT(frames_, SizeIs(3));
  EXPECT_EQ(std::string(frames_[2].encoded.begin(), frames_[2].encoded.end()), "image 3");
  EXPECT_EQ(Run(server->url() + "/none", 1).code(), StatusCode::kNotFound);
}

TEST_F(SourceTest, WhereverAUrlLeadsALinkLocalAddressIsNotAskedWhenSomebodyElseNamedIt) {
  net::Router router;
  router.Add("GET", "/snap.jpg", [](const net::HttpRequest&) {
    return net::HttpResponse{302, "text/plain", "", {{"Location", "http://169.254.169.254/latest/meta-data"}}};
  });
  const auto server = net::HttpServer::Start({}, router).value();
  const SourceOptions guarded{.fps = 2, .silence = seconds(60), .refuse_link_local = true};
  for (const std::string& url :
       {server->url() + "/snap.jpg", std::string("http://169.254.169.254/"), std::string("http://[fe80::1]/"),
        std::string("rtsp://2852039166/live"), std::string("rtsp://me:pw@[fe80::1%25lo]:554/live")}) {
    const Status refused = Run(url, 1, guarded);
    EXPECT_EQ(refused.code(), StatusCode::kPermissionDenied) << url << refused.ToString();
    EXPECT_EQ(refused.reason(), "address_refused") << url;
    EXPECT_THAT(refused.message(), Not(HasSubstr("pw")));
  }
  const testing::RtspCamera camera(frames::EncodeJpeg(Plain(90), 80).value(), 100);
  std::string named = camera.url();
  named.replace(named.find("127.0.0.1"), 9, "localhost");
  const Status status = Run(named, 1, guarded);
  if (status.code() == StatusCode::kFailedPrecondition) GTEST_SKIP() << "LOUD: ffmpeg is missing, RTSP is not tested";
  EXPECT_TRUE(status.ok()) << status.ToString();
}

TEST_F(SourceTest, AnMjpegStreamIsCutIntoFrames) {
  std::string body;
  for (int n = 0; n < 3; ++n)
    body += "--cut\r\nContent-Type: image/jpeg\r\nContent-Length: 3\r\n\r\njp" + std::to_string(n) + "\r\n";
  net::Router router;
  router.Add("GET", "/mjpeg", [&](const net::HttpRequest&) {
    return net::HttpResponse{200, "multipart/x-mixed-replace; boundary=cut", body, {}};
  });
  const auto server = net::HttpServer::Start({}, router).value();
  const Status status = Run(server->url() + "/mjpeg", 10, {.fps = 60});
  EXPECT_EQ(status.code(), StatusCode::kUnavailable)
      << "a live stream that ends is a failure, tried again by KeepRunning";
  ASSERT_GE(frames_.size(), 1U) << "later parts come too soon for the sampling rate";
  EXPECT_EQ(std::string(frames_[0].encoded.begin(), frames_[0].encoded.end()), "jp0");
}

TEST_F(SourceTest, StoppingEndsASourceThatWaits) {
  net::Router router;
  router.Add("GET", "/snap.jpg", [&](const net::HttpRequest&) {
    return net::HttpResponse{200, "image/jpeg", "x", {}};
  });
  const auto server = net::HttpServer::Start({}, router).value();
  std::stop_source stop;
  const auto source = MakeSource(ParseSource(server->url() + "/snap.jpg").value(), {.fps = 0.01}, clock_);
  EXPECT_TRUE(source
                  ->Run(stop.get_token(),
                        [&](Frame) {
                          stop.request_stop();
                          return true;
                        })
                  .ok());
}

using Script = testing::ScriptedSource::Script;

/// Gives `count` frames and ends as `end`.
Script Frames(int count, Status end = Ok()) {
  return [count, end](std::stop_token, const Source::OnFrame& on_frame) {
    for (int n = 0; n < count; ++n) {
      if (!on_frame({})) return Ok();
    }
    return end;
  };
}

struct Kept {
  Status end;
  int num_frames = 0;
  std::vector<int> failures;  // in a row
};
/// Until so many frames, or until it ends.
Kept Keep(Source& source, bool always, int most = 1000) {
  Kept kept;
  std::stop_source stop;
  const Persistence persistence{always, milliseconds(1), milliseconds(2)};
  kept.end = KeepRunning(
      source, persistence, stop.get_token(),
      [&](Frame) {
        if (++kept.num_frames == most) stop.request_stop();
        return !stop.stop_requested();
      },
      [&](const Status&, int in_a_row) { kept.failures.push_back(in_a_row); });
  return kept;
}

TEST(KeepRunningTest, ALiveSourceThatIsLostIsTriedAgainAndTheFailuresInARowAreCounted) {
  testing::ScriptedSource source(
      true, {Frames(1, Unavailable("lost")), Frames(0, Unavailable("still away")), Frames(0), Frames(1), Frames(1)});
  const Kept kept = Keep(source, false, 3);
  EXPECT_TRUE(kept.end.ok());
  EXPECT_THAT(kept.failures, ElementsAre(1, 2, 3, 1)) << "one that ends has failed";
}

TEST(KeepRunningTest, ASourceThatNeverGaveAFrameIsGivenUpUnlessItIsKeptAlways) {
  testing::ScriptedSource once(true, {Frames(0, Unavailable("refused"))});
  EXPECT_EQ(Keep(once, false).end.code(), StatusCode::kUnavailable);
  EXPECT_EQ(once.num_runs, 1U);
  testing::ScriptedSource always(true, {Frames(0, Unavailable("refused")), Frames(1)});
  EXPECT_TRUE(Keep(always, true, 1).end.ok());
  EXPECT_EQ(always.num_runs, 2U);
}

TEST(KeepRunningTest, ARecordedSourceEndsAndOneThatFailsInTheMiddleSaysSo) {
  testing::ScriptedSource whole(false, {Frames(5)});
  const Kept kept = Keep(whole, false);
  EXPECT_TRUE(kept.end.ok());
  EXPECT_EQ(kept.num_frames, 5);
  testing::ScriptedSource half(false, {Frames(1, DataLoss("half a file"))});
  EXPECT_EQ(Keep(half, false).end.code(), StatusCode::kDataLoss);
}

}  // namespace
}  // namespace pawsight::gateway
