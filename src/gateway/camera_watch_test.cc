#include "gateway/camera_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "base/log.h"
#include "events/rows.h"
#include "frames/decode.h"
#include "gateway/event_record.h"
#include "gateway/lines.h"
#include "gateway/path/testing.h"

namespace pawsight::gateway {
namespace {

using rules::AlertPhase;
using rules::Reason;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr const char* kOwner = "own_x";
constexpr const char* kCamera = "cam_x";

/// p_yes is the brightness of the top left pixel over 255, for every question.
Result<double> Brightness(const Inquiry& inquiry, const std::string&) {
  PAWSIGHT_ASSIGN_OR_RETURN(const frames::Decoded decoded, frames::Decode(*inquiry.encoded));
  return static_cast<double>(decoded.image.rgb[0]) / 255;
}

/// One camera, "den", on a path with a file of events.
class CameraWatchTest : public ::testing::Test {
 protected:
  CameraWatchTest() {
    SetLogLevel(LogLevel::kOff);
    std::string pattern = (std::filesystem::temp_directory_path() / "pawsight-watch-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    out_ = std::tmpfile();
  }
  ~CameraWatchTest() override {
    path_.reset();
    lines_.reset();
    store_.reset();
    std::fclose(out_);
    std::filesystem::remove_all(directory_);
    SetLogLevel(LogLevel::kInfo);
  }

  void Open(const char* rule, const CameraSetup& setup = {kCamera, {}}, const LinesOptions& lines = {}) {
    OwnerSetup home;
    home.cameras = {setup};
    home.rules = {rules::ParseRule(Json::Parse(rule).value()).value()};
    events::Camera camera;
    camera.id = kCamera;
    camera.name = "den";
    names_.Learn({kOwner, {camera}, home.rules, {}});
    store_ = events::Store::Open(EventsPath()).value();
    record_ = std::make_unique<EventRecord>(*store_, home_record_, names_);
    path_ = std::make_unique<FramePath>(backend_, record_.get(), clock_, FramePathOptions{});
    ASSERT_TRUE(path_->SetOwner(kOwner, home).ok());
    lines_ = std::make_shared<Lines>(out_, lines, names_, record_.get());
    ASSERT_TRUE(path_->observers().Subscribe(kOwner, lines_).ok());
    watch_ = std::make_unique<CameraWatch>(*path_, clock_, kOwner, kCamera, *lines_);
  }
  std::string EventsPath() const { return directory_ + "/e.sqlite"; }
  /// A frame of that brightness, a second after the last.
  std::shared_ptr<const FrameResult> Show(uint8_t level) { return ShowBytes(*testing::Jpeg(level)); }
  std::shared_ptr<const FrameResult> ShowBytes(std::vector<uint8_t> bytes) {
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
  FrameClock clock_;
  Names names_;
  Status failure_;  // of the backend
  testing::InstantBackend backend_{[this](const Inquiry& inquiry, const std::string& question) -> Result<double> {
    if (!failure_.ok()) return failure_;
    return Brightness(inquiry, question);
  }};
  testing::MemoryRecord home_record_;
  std::unique_ptr<EventRecord> record_;
  std::unique_ptr<events::Store> store_;  // closed before what it calls back goes
  std::shared_ptr<Lines> lines_;
  std::unique_ptr<FramePath> path_;
  std::unique_ptr<CameraWatch> watch_;
  int64_t number_ = 0;
};

constexpr const char* kRule = R"({"id":"rul_x","question":"Is it bright?","for_s":2,"clear_s":2,"cooldown_s":0})";
constexpr const char* kAtOnce = R"({"id":"rul_x","question":"Is it bright?"})";

TEST_F(CameraWatchTest, AFrameBecomesAnAlertThatIsStoredUnderNamesAndThenResolved) {
  Open(kRule);
  std::vector<Reason> reasons;
  for (const int level : {10, 250, 250, 250, 10, 10, 10}) {
    reasons.push_back(Show(static_cast<uint8_t>(level))->outcomes[0].reason);
  }
  EXPECT_THAT(reasons, ElementsAre(Reason::kBelowThreshold, Reason::kPending, Reason::kPending, Reason::kFired,
                                   Reason::kClearing, Reason::kClearing, Reason::kResolved));
  const std::vector<events::Event> stored = store_->List(0, 10).value();
  ASSERT_THAT(stored, SizeIs(2));
  EXPECT_EQ(stored[0].type, "alert.fired");
  EXPECT_EQ(stored[0].camera, "den");
  EXPECT_EQ(stored[0].rule, "is-it-bright");
  EXPECT_EQ(stored[0].time, Time(seconds(1'000'004)));
  EXPECT_EQ(stored[0].detail.GetString("since").value(), FormatTime(Time(seconds(1'000'002))));
  EXPECT_EQ(stored[1].type, "alert.resolved");
  EXPECT_EQ(stored[1].detail.GetString("fired_at").value(), FormatTime(stored[0].time));
  EXPECT_THAT(home_record_.Notices(), SizeIs(2)) << "and the home's own record has it";
  EXPECT_EQ(record_->PlaceOf(home_record_.Notices()[1]).sequence, 2);
  EXPECT_EQ(record_->num_written(), 2U);
}

TEST_F(CameraWatchTest, UnchangedFramesAreAskedOnlyWithoutTheGate) {
  Open(kAtOnce);
  for (int n = 0; n < 10; ++n) Show(10);
  EXPECT_LE(backend_.num_asked, 2) << "the first, and perhaps one to compare with";
}

TEST_F(CameraWatchTest, BytesThatAreNoImageAreToldAndStopNothing) {
  Open(kAtOnce);
  EXPECT_FALSE(ShowBytes({0xff, 0xd8, 0xff, 0x00})->trouble.ok());
  const auto none = ShowBytes({'t', 'e', 'x', 't'});
  EXPECT_EQ(none->trouble.reason(), "image_type_unsupported");
  EXPECT_EQ(none->sequence, 2U);
  EXPECT_EQ(Show(250)->outcomes[0].phase, AlertPhase::kFiring);
  EXPECT_THAT(Written(), HasSubstr("frame 2  "));
  EXPECT_EQ(lines_->counts().num_frames, 3U);
}

TEST_F(CameraWatchTest, ABackendThatFailsIsAskedAgainWithTheNextFrame) {
  Open(kAtOnce);
  failure_ = Unavailable("gone");
  EXPECT_EQ(Show(250)->outcomes[0].reason, Reason::kUnanswered);
  failure_ = Ok();
  EXPECT_EQ(Show(250)->outcomes[0].reason, Reason::kFired) << "though the frame has not changed";
}

TEST_F(CameraWatchTest, AnAlertIsToldThoughTheFileOfEventsRefusesIt) {
  Open(kAtOnce);
  std::filesystem::remove(EventsPath());
  const auto result = Show(250);
  ASSERT_THAT(result->changes, SizeIs(1));
  EXPECT_FALSE(result->changes[0].recorded.ok());
  EXPECT_THAT(Written(), HasSubstr("not recorded"));
  EXPECT_EQ(lines_->counts().num_changes, 1U);
  EXPECT_EQ(record_->num_written(), 0U);
}

TEST_F(CameraWatchTest, AChangeThatComesAgainIsNotPutIntoTheFileTwice) {
  Open(kAtOnce);
  home_record_.SetTrouble(ResourceExhausted("full"));
  Show(250);
  home_record_.SetTrouble(Ok());
  path_->Tick();  // what waits is tried again
  while (home_record_.Notices().empty()) std::this_thread::yield();
  EXPECT_THAT(store_->List(0, 10).value(), SizeIs(1));
}

TEST_F(CameraWatchTest, ARecordedSourceWaitsForEachAnswerAtItsFramesTimes) {
  Open(kRule, {kCamera, {}, false}, {.json = true});
  testing::ScriptedSource source(false, {[](std::stop_token, const Source::OnFrame& on_frame) {
                                   for (int n = 1; n <= 5; ++n) {
                                     on_frame({Time(seconds(2'000'000 + n)), *testing::Jpeg(250), {}});
                                   }
                                   return Ok();
                                 }});
  EXPECT_TRUE(watch_->Run(source, {}).ok());
  EXPECT_EQ(lines_->counts().num_frames, 5U);
  EXPECT_EQ(lines_->counts().num_asked, 5U);
  EXPECT_EQ(lines_->counts().num_dropped, 0U);
  EXPECT_EQ(lines_->counts().num_alerts, 1U);
  EXPECT_THAT(Written(), HasSubstr(R"("sequence":1,"time":"1970-01-24T03:33:23.000Z","camera":"den")"));
}

TEST_F(CameraWatchTest, OfALiveSourceTheNewestFrameWins) {
  Open(kAtOnce);
  std::stop_source stop;
  backend_.hold = true;
  testing::ScriptedSource source(true, {[&](std::stop_token, const Source::OnFrame& on_frame) {
                                   on_frame({clock_.Now(), *testing::Jpeg(10), {}});
                                   while (backend_.num_held() == 0) std::this_thread::yield();
                                   for (int n = 0; n < 4; ++n) on_frame({clock_.Now(), *testing::Jpeg(250), {}});
                                   while (lines_->counts().num_frames < 2) backend_.Release();
                                   stop.request_stop();
                                   return Ok();
                                 }});
  EXPECT_TRUE(watch_->Run(source, stop.get_token()).ok());
  EXPECT_EQ(lines_->counts().num_dropped, 3U);
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
