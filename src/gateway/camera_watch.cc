#include "gateway/camera_watch.h"

#include <cstdlib>
#include <filesystem>
#include <future>
#include <utility>

#include "base/log.h"
#include "events/rows.h"
#include "frames/encode.h"

namespace pawsight::gateway {
namespace {

using std::chrono::milliseconds;

constexpr int kJpegQuality = 90;               // of pixels that a source decoded
constexpr size_t kMaxFrameBytes = 32U << 20U;  // as a directory's files may be
constexpr milliseconds kDrainLimit{1000};
constexpr Persistence kPersistence{
    .always = false, .first_pause = milliseconds(500), .longest_pause = milliseconds(30'000)};

/// No frame of its own time, only room for a newer one.
bool WasDropped(const FrameResult& result) {
  return result.trouble.reason() == "replaced" || result.trouble.reason() == "draining";
}

FramePathOptions PathOptionsOf(const CameraWatchOptions& options) {
  FramePathOptions path;
  path.max_outstanding = 1;  // one camera has one turn at a time
  path.max_frame_bytes = kMaxFrameBytes;
  path.answer_within = options.answer_within;
  return path;
}

}  // namespace

class CameraWatch::DayClock : public Clock {
 public:
  explicit DayClock(const Clock& clock) : clock_(clock) {}
  Time Now() const override {
    const int64_t told = now_;
    return told == kNotTold ? clock_.Now() : Time(std::chrono::nanoseconds(told));
  }
  std::chrono::nanoseconds Monotonic() const override { return clock_.Monotonic(); }
  void WaitUntil(Mutex& mu, CondVar& cv, std::chrono::nanoseconds until) const override REQUIRES(mu) {
    clock_.WaitUntil(mu, cv, until);
  }
  void SetNow(Time now) { now_ = now.time_since_epoch().count(); }

 private:
  static constexpr int64_t kNotTold = -1;
  const Clock& clock_;
  std::atomic<int64_t> now_{kNotTold};
};

/// The path tells of frames; what came of their alerts is in their results.
class CameraWatch::Teller : public Watcher {
 public:
  explicit Teller(CameraWatch& watch) : watch_(watch) {}
  void OnFrame(const std::shared_ptr<const FrameResult>& result) override { watch_.Tell(result); }
  void OnAlert(const AlertNotice&) override {}

 private:
  CameraWatch& watch_;
};

Result<std::string> DefaultEventsPath() {
  const char* data = std::getenv("XDG_DATA_HOME");  // read at start, before there are other threads
  const char* home = std::getenv("HOME");
  std::filesystem::path directory;
  if (data != nullptr && data[0] == '/') {
    directory = data;
  } else if (home != nullptr && home[0] == '/') {
    directory = std::filesystem::path(home) / ".local" / "share";
  } else {
    return FailedPrecondition("events: neither XDG_DATA_HOME nor HOME is set; name the file with --events");
  }
  directory /= "pawsight";
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error)
    return FailedPrecondition("events: " + directory.string() + ": " + error.message() +
                              "; name the file with --events");
  return (directory / "events.sqlite").string();
}

CameraWatch::CameraWatch(std::vector<rules::Rule> rules, AsyncBackend& backend, const Clock& clock, std::FILE* out,
                         std::unique_ptr<events::Store> store, const CameraWatchOptions& options)
    : options_(options),
      rules_(std::move(rules)),
      clock_(std::make_unique<DayClock>(clock)),
      record_(store == nullptr ? nullptr : std::make_unique<EventRecord>(*store)),
      store_(std::move(store)),
      terminal_(out, options.terminal),
      page_(options.camera, options.source, options.backend, rules_, store_.get(),
            [this] { return path_->Newest(std::string(events::kLocalOwner), options_.camera); }),
      path_(std::make_unique<FramePath>(backend, record_.get(), *clock_, PathOptionsOf(options))) {
  page_.AddRoutes(router_);
}

CameraWatch::~CameraWatch() {
  server_.reset();
  path_.reset();  // ends what is on its way, and tells of it
}

Status CameraWatch::Start() {
  const std::string owner(events::kLocalOwner);
  OwnerSetup setup;
  setup.rules = rules_;
  setup.cameras.push_back({options_.camera, {}, options_.gate, options_.refresh});
  PAWSIGHT_RETURN_IF_ERROR(path_->SetOwner(owner, std::move(setup)));
  PAWSIGHT_RETURN_IF_ERROR(path_->observers().Subscribe(owner, std::make_shared<Teller>(*this)).status());
  if (!options_.listen) return Ok();
  net::HttpServerOptions server;
  server.listen = *options_.listen;
  PAWSIGHT_ASSIGN_OR_RETURN(server_, net::HttpServer::Start(server, router_));
  return Ok();
}

Result<std::unique_ptr<CameraWatch>> CameraWatch::Open(std::vector<rules::Rule> rules, AsyncBackend& backend,
                                                       const Clock& clock, std::FILE* out,
                                                       const CameraWatchOptions& options) {
  std::unique_ptr<events::Store> store;
  if (!options.events_path.empty()) {
    PAWSIGHT_ASSIGN_OR_RETURN(store, events::Store::Open(options.events_path));
  }
  std::unique_ptr<CameraWatch> watch(new CameraWatch(std::move(rules), backend, clock, out, std::move(store), options));
  PAWSIGHT_RETURN_IF_ERROR(watch->Start());
  return watch;
}

FrameReport CameraWatch::ReportOf(const std::shared_ptr<const FrameResult>& result) const {
  FrameReport report{result->sequence.value_or(0), result, {}};
  for (const AlertNotice& notice : result->changes) {
    report.sequences.push_back(record_ == nullptr ? 0 : record_->SequenceOf(notice.event));
  }
  return report;
}

void CameraWatch::Tell(const std::shared_ptr<const FrameResult>& result) {
  {
    MutexLock lock(mu_);
    if (WasDropped(*result)) {
      ++summary_.num_dropped;
      return;
    }
    ++summary_.num_frames;
    summary_.num_asked += result->asked ? 1 : 0;
    num_changes_ += result->changes.size();
    for (const AlertNotice& notice : result->changes)
      summary_.num_alerts += notice.change == AlertChange::kFired ? 1 : 0;
  }
  const FrameReport report = ReportOf(result);
  terminal_.OnFrame(rules_, report);
  page_.OnFrame(rules_, report);
}

std::shared_ptr<const FrameResult> CameraWatch::Offer(Frame frame, FramePath::Done done) {
  Submission submission;
  submission.owner = std::string(events::kLocalOwner);
  submission.camera = options_.camera;
  submission.sequence = ++number_;
  Status trouble;
  if (frame.encoded.empty() && frame.image.width > 0) {
    Result<std::vector<uint8_t>> jpeg = frames::EncodeJpeg(frame.image, kJpegQuality);
    trouble = jpeg.status();
    if (jpeg.ok()) frame.encoded = std::move(*jpeg);
  }
  submission.encoded = std::make_shared<const std::vector<uint8_t>>(std::move(frame.encoded));
  if (trouble.ok()) trouble = path_->Submit(std::move(submission), std::move(done)).status;
  if (trouble.ok()) return nullptr;
  const auto refused = std::make_shared<FrameResult>();
  refused->owner = std::string(events::kLocalOwner);
  refused->camera = options_.camera;
  refused->sequence = number_;
  refused->time = refused->received = clock_->Now();
  refused->trouble = std::move(trouble);
  Tell(refused);
  return refused;
}

FrameReport CameraWatch::Take(Frame frame) {
  clock_->SetNow(frame.time);
  const auto told = std::make_shared<std::promise<std::shared_ptr<const FrameResult>>>();
  std::future<std::shared_ptr<const FrameResult>> result = told->get_future();
  const auto refused = Offer(std::move(frame), [told](const auto& came) { told->set_value(came); });
  return ReportOf(refused != nullptr ? refused : result.get());
}

Status CameraWatch::Run(Source& source, std::stop_token stop) {
  const auto on_frame = [&](Frame frame) {
    if (source.live()) {
      (void)Offer(std::move(frame), {});  // a refusal was told
    } else {
      (void)Take(std::move(frame));  // the observers have it
    }
    return !stop.stop_requested();
  };
  const Status status = KeepRunning(source, kPersistence, stop, on_frame, [](const Status& why, int in_a_row) {
    if (in_a_row == 1) LogWarning("source.lost", {{"reason", why.ToString()}});
  });
  (void)path_->Drain(kDrainLimit);  // what the store did not take is counted
  const uint64_t num_written = record_ == nullptr ? 0 : record_->num_written();
  MutexLock lock(mu_);
  summary_.num_unrecorded = record_ == nullptr ? 0 : num_changes_ - num_written;
  return status;
}

WatchSummary CameraWatch::summary() const {
  MutexLock lock(mu_);
  return summary_;
}

}  // namespace pawsight::gateway
