#include "gateway/camera_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "base/log.h"
#include "frames/decode.h"
#include "gateway/path/testing.h"

namespace pawsight::gateway {
namespace {

using rules::AlertPhase;
using rules::Reason;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using Script = testing::ScriptedSource::Script;

std::vector<rules::Rule> Rules(const char* json) { return rules::ParseRules(Json::Parse(json).value()).value(); }

/// p_yes is the brightness of the top left pixel over 255, for every question.
Result<double> Brightness(const Inquiry& inquiry, const std::string&) {
  PAWSIGHT_ASSIGN_OR_RETURN(const frames::Decoded decoded, frames::Decode(*inquiry.encoded));
  return static_cast<double>(decoded.image.rgb[0]) / 255;
}

class CameraWatchTest : public ::testing::Test {
 protected:
  CameraWatchTest() {
    SetLogLevel(LogLevel::kOff);
    std::string pattern = (std::filesystem::temp_directory_path() / "pawsight-watch-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    out_ = std::tmpfile();
  }
  ~CameraWatchTest() override {
    watch_.reset();
    std::fclose(out_);
    std::filesystem::remove_all(directory_);
    SetLogLevel(LogLevel::kInfo);
  }

  void Open(const char* rules, CameraWatchOptions options = {}) {
    watch_ = CameraWatch::Open(Rules(rules), backend_, clock_, out_, options).value();
  }
  std::string EventsPath() const { return directory_ + "/e.sqlite"; }
  /// A frame of that brightness, a second after the last.
  FrameReport Show(uint8_t level) { return ShowBytes(*testing::Jpeg(level)); }
  FrameReport ShowBytes(std::vector<uint8_t> bytes) {
    return watch_->Take({Time(seconds(1'000'000 + ++number_)), std::move(bytes), {}});
  }
  std::string Written() {
    std::fflush(out_);
    std::string text(static_cast<size_t>(std::ftell(out_)), '\0');
    std::rewind(out_);
    EXPECT_EQ(std::fread(text.data(), 1, text.size(), out_), text.size());
    return text;
  }

  std::string directory_;
  std::FILE* out_ = nullptr;
  const SystemClock clock_;
  Status failure_;  // of the backend
  testing::InstantBackend backend_{[this](const Inquiry& inquiry, const std::string& question) -> Result<double> {
    if (!failure_.ok()) return failure_;
    return Brightness(inquiry, question);
  }};
  std::unique_ptr<CameraWatch> watch_;
  int64_t number_ = 0;
};

constexpr const char* kOneRule = R"([{"question":"Is it bright?","for_s":2,"clear_s":2,"cooldown_s":0}])";
constexpr const char* kAtOnce = R"([{"question":"Is it bright?"}])";

TEST_F(CameraWatchTest, AFrameBecomesAnAlertThatIsStoredAndThenResolved) {
  Open(kOneRule, {.camera = "den", .events_path = EventsPath()});
  std::vector<Reason> reasons;
  std::vector<int64_t> sequences;
  for (const int level : {10, 250, 250, 250, 10, 10, 10}) {
    const FrameReport report = Show(static_cast<uint8_t>(level));
    reasons.push_back(report.result->outcomes[0].reason);
    sequences.insert(sequences.end(), report.sequences.begin(), report.sequences.end());
  }
  EXPECT_THAT(reasons, ElementsAre(Reason::kBelowThreshold, Reason::kPending, Reason::kPending, Reason::kFired,
                                   Reason::kClearing, Reason::kClearing, Reason::kResolved));
  EXPECT_THAT(sequences, ElementsAre(1, 2));
  watch_.reset();
  const std::vector<events::Event> stored = events::Store::Open(EventsPath()).value()->List(0, 10).value();
  ASSERT_THAT(stored, SizeIs(2));
  EXPECT_EQ(stored[0].type, "alert.fired");
  EXPECT_EQ(stored[0].camera, "den");
  EXPECT_EQ(stored[0].rule, "is-it-bright");
  EXPECT_EQ(stored[0].time, Time(seconds(1'000'004)));
  EXPECT_EQ(stored[0].detail.GetString("since").value(), FormatTime(Time(seconds(1'000'002))));
  EXPECT_EQ(stored[1].type, "alert.resolved");
  EXPECT_EQ(stored[1].detail.GetString("fired_at").value(), FormatTime(stored[0].time));
}

TEST_F(CameraWatchTest, UnchangedFramesAreAskedOnlyWithoutTheGate) {
  Open(kAtOnce);
  for (int n = 0; n < 10; ++n) Show(10);
  EXPECT_LE(backend_.num_asked, 2) << "the first, and perhaps one to compare with";
  const int before = backend_.num_asked;
  Open(kAtOnce, {.gate = false});
  for (int n = 0; n < 5; ++n) Show(10);
  EXPECT_EQ(backend_.num_asked, before + 5);
}

TEST_F(CameraWatchTest, BytesThatAreNoImageAreToldAndStopNothing) {
  Open(kAtOnce);
  const FrameReport half = ShowBytes({0xff, 0xd8, 0xff, 0x00});
  EXPECT_FALSE(half.result->trouble.ok());
  const FrameReport none = ShowBytes({'t', 'e', 'x', 't'});
  EXPECT_EQ(none.result->trouble.reason(), "image_type_unsupported");
  EXPECT_EQ(none.number, 2U);
  EXPECT_EQ(Show(250).result->outcomes[0].phase, AlertPhase::kFiring);
  EXPECT_THAT(Written(), HasSubstr("frame 2  "));
  EXPECT_EQ(watch_->summary().num_frames, 3U);
}

TEST_F(CameraWatchTest, ABackendThatFailsIsAskedAgainWithTheNextFrame) {
  Open(kAtOnce);
  failure_ = Unavailable("gone");
  EXPECT_EQ(Show(250).result->outcomes[0].reason, Reason::kUnanswered);
  failure_ = Ok();
  EXPECT_EQ(Show(250).result->outcomes[0].reason, Reason::kFired) << "though the frame has not changed";
}

TEST_F(CameraWatchTest, LinesAreReadableAndJsonHasTheSameFacts) {
  Open(kOneRule, {.camera = "den"});
  Show(10);
  const FrameReport report = Show(250);
  EXPECT_EQ(Terminal::Lines(Rules(kOneRule), report, true), "13:46:42  frame 2  Is it bright? yes 0.98 [pending]\n");
  const Json json = FrameToJson(report);
  EXPECT_EQ(json.GetString("camera").value(), "den");
  EXPECT_EQ(json.GetInteger("frame").value(), 2);
  EXPECT_EQ(json.GetString("time").value(), "1970-01-12T13:46:42.000Z");
  const Json& rule = (*json.GetArray("rules").value())[0];
  EXPECT_EQ(rule.GetString("reason").value(), "pending");
  EXPECT_NEAR(rule.GetNumber("p_yes").value(), 0.98, 0.01);
  Show(250);
  const FrameReport fired = Show(250);
  EXPECT_THAT(Terminal::Lines(Rules(kOneRule), fired, false), HasSubstr("ALERT     Is it bright?  yes 0.98"));
  EXPECT_EQ(AlertToJson(fired, 0).GetString("since").value(), "1970-01-12T13:46:42.000Z");
  EXPECT_EQ(AlertToJson(fired, 0).GetInteger("frame").value(), 4);
}

TEST_F(CameraWatchTest, AnAlertIsToldThoughTheStoreRefusesIt) {
  Open(kAtOnce, {.events_path = EventsPath()});
  std::filesystem::remove(EventsPath());
  const FrameReport report = Show(250);
  ASSERT_THAT(report.result->changes, SizeIs(1));
  EXPECT_FALSE(report.result->changes[0].recorded.ok());
  EXPECT_THAT(Written(), HasSubstr("not recorded"));
  testing::ScriptedSource nothing(false, {});
  EXPECT_TRUE(watch_->Run(nothing, {}).ok());
  EXPECT_EQ(watch_->summary().num_unrecorded, 1U);
}

TEST_F(CameraWatchTest, ARecordedSourceWaitsForEachAnswerAtItsFramesTimes) {
  Open(kOneRule, {.gate = false, .terminal = {.json = true}});
  testing::ScriptedSource source(false, {[](std::stop_token, const Source::OnFrame& on_frame) {
                                   for (int n = 1; n <= 5; ++n) {
                                     on_frame({Time(seconds(2'000'000 + n)), *testing::Jpeg(250), {}});
                                   }
                                   return Ok();
                                 }});
  EXPECT_TRUE(watch_->Run(source, {}).ok());
  EXPECT_EQ(watch_->summary().num_frames, 5U);
  EXPECT_EQ(watch_->summary().num_asked, 5U);
  EXPECT_EQ(watch_->summary().num_dropped, 0U);
  EXPECT_EQ(watch_->summary().num_alerts, 1U);
  EXPECT_THAT(Written(), HasSubstr(R"("type":"alert.fired","id":"","sequence":0,"time":"1970-01-24T03:33:23.000Z")"));
}

TEST_F(CameraWatchTest, OfALiveSourceTheNewestFrameWins) {
  Open(kAtOnce);
  std::stop_source stop;
  backend_.hold = true;
  testing::ScriptedSource source(true, {[&](std::stop_token, const Source::OnFrame& on_frame) {
                                   on_frame({clock_.Now(), *testing::Jpeg(10), {}});
                                   while (backend_.num_held() == 0) std::this_thread::yield();
                                   for (int n = 0; n < 4; ++n) on_frame({clock_.Now(), *testing::Jpeg(250), {}});
                                   while (watch_->summary().num_frames < 2) backend_.Release();
                                   stop.request_stop();
                                   return Ok();
                                 }});
  EXPECT_TRUE(watch_->Run(source, stop.get_token()).ok());
  EXPECT_EQ(watch_->summary().num_dropped, 3U);
  EXPECT_THAT(Written(), HasSubstr("frame 5  "));
}

TEST_F(CameraWatchTest, ASourceThatNeverGaveAFrameEndsTheWatch) {
  Open(kAtOnce);
  testing::ScriptedSource source(true,
                                 {[](std::stop_token, const Source::OnFrame&) { return Unavailable("refused"); }});
  EXPECT_EQ(watch_->Run(source, {}).code(), StatusCode::kUnavailable);
}

}  // namespace
}  // namespace pawsight::gateway
