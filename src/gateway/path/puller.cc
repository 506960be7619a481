#include "gateway/path/puller.h"

#include <array>
#include <set>
#include <utility>

#include "base/log.h"
#include "frames/encode.h"
#include "net/http_client.h"

namespace pawsight::gateway {
namespace {

using std::chrono::steady_clock;

enum class PullState { kStarting, kRunning, kWaiting, kEnded };
constexpr std::array<std::string_view, 4> kStateNames = {"starting", "running", "waiting", "ended"};

}  // namespace

struct Puller::Running {
  std::string owner;
  Pull pull;
  std::unique_ptr<Source> source;
  std::optional<Time> first_time;          // of a recorded source; the thread's
  steady_clock::time_point first_given{};  // when that frame was given; the thread's

  mutable Mutex mu;
  PullState state GUARDED_BY(mu) = PullState::kStarting;
  uint64_t frames GUARDED_BY(mu) = 0;
  uint64_t refused GUARDED_BY(mu) = 0;
  uint64_t failures GUARDED_BY(mu) = 0;
  Status last_error GUARDED_BY(mu);
  std::string last_refusal GUARDED_BY(mu);  // a reason; "": the last frame was taken
  std::optional<Time> last_frame GUARDED_BY(mu);

  std::jthread thread;  // last: stopped and joined before the rest goes
};

Puller::Puller(SubmitFrame submit, const Clock& clock, const PullerOptions& options)
    : submit_(std::move(submit)), clock_(clock), options_(options) {
  CHECK(options.jpeg_quality >= 1 && options.jpeg_quality <= 100);
}

Puller::~Puller() {
  std::map<std::string, std::map<std::string, std::unique_ptr<Running>>> all;
  {
    MutexLock lock(mu_);
    all.swap(owners_);
  }
  for (auto& [owner, running] : all) {
    for (auto& [camera, one] : running) one->thread.request_stop();
  }
}

Status Puller::Check(const std::string& owner, const std::vector<Pull>& pulls) const {
  std::set<std::string> cameras;
  for (const Pull& pull : pulls) {
    if (!cameras.insert(pull.camera).second) return InvalidArgument("source: a camera has two");
    if (!(pull.fps >= 0.01 && pull.fps <= 60)) return InvalidArgument("source: fps: want 0.01 to 60");
    const bool is_url = pull.address.find("://") != std::string::npos;
    if (!is_url && !options_.allow_files) {
      return PermissionDenied("source: want a URL; files of this machine are not allowed", "files_not_allowed");
    }
    PAWSIGHT_RETURN_IF_ERROR(ParseSource(pull.address).status());
  }
  const auto known = owners_.find(owner);
  const size_t before = known == owners_.end() ? 0 : known->second.size();
  if (num_sources_ - before + pulls.size() > options_.max_sources) {
    return ResourceExhausted("source: more than " + std::to_string(options_.max_sources) + " of all owners",
                             "too_many_sources");
  }
  return Ok();
}

Status Puller::SetOwner(const std::string& owner, const std::vector<Pull>& pulls) {
  std::vector<std::unique_ptr<Running>> ended;  // joined outside the lock
  MutexLock lock(mu_);
  PAWSIGHT_RETURN_IF_ERROR(Check(owner, pulls));
  auto& running = owners_[owner];
  num_sources_ -= running.size();
  std::map<std::string, std::unique_ptr<Running>> next;
  for (const Pull& pull : pulls) {
    const auto known = running.find(pull.camera);
    if (known != running.end() && known->second->pull == pull) {
      next[pull.camera] = std::move(known->second);
      running.erase(known);
      continue;
    }
    auto fresh = std::make_unique<Running>();
    fresh->owner = owner;
    fresh->pull = pull;
    const SourceOptions how{.fps = pull.fps, .silence = options_.silence, .refuse_link_local = true};
    fresh->source = MakeSource(ParseSource(pull.address).value(), how, clock_);
    Running* const one = fresh.get();
    fresh->thread = std::jthread([this, one](std::stop_token stop) { Run(*one, std::move(stop)); });
    next[pull.camera] = std::move(fresh);
  }
  for (auto& [camera, old] : running) {
    old->thread.request_stop();
    ended.push_back(std::move(old));
  }
  num_sources_ += next.size();
  if (next.empty()) {
    owners_.erase(owner);
  } else {
    running = std::move(next);
  }
  return Ok();
}

bool Puller::Give(Running& running, Frame frame, std::stop_token stop) {
  if (!running.source->live()) {  // at its own pace
    if (!running.first_time) {
      running.first_time = frame.time;
      running.first_given = steady_clock::now();
    }
    const auto due =
        running.first_given + std::chrono::duration_cast<steady_clock::duration>(frame.time - *running.first_time);
    if (!SleepUntil(due, stop)) return false;
  }
  Submission submission;
  submission.owner = running.owner;
  submission.camera = running.pull.camera;
  if (frame.encoded.empty()) {
    Result<std::vector<uint8_t>> jpeg = frames::EncodeJpeg(frame.image, options_.jpeg_quality);
    if (!jpeg.ok()) return true;  // a picture of no size
    frame.encoded = std::move(*jpeg);
  }
  submission.encoded = std::make_shared<const std::vector<uint8_t>>(std::move(frame.encoded));
  const Submitted submitted = submit_(std::move(submission));
  MutexLock lock(running.mu);
  running.state = PullState::kRunning;
  running.last_frame = clock_.Now();
  ++running.frames;
  if (!submitted.status.ok()) ++running.refused;
  running.last_refusal = submitted.status.ok() ? "" : submitted.status.reason();
  return !stop.stop_requested();
}

void Puller::Run(Running& running, std::stop_token stop) {
  const auto on_failure = [&](const Status& why, int in_a_row) {
    {
      MutexLock lock(running.mu);
      running.state = PullState::kWaiting;
      running.last_error = why;
      ++running.failures;
    }
    if (in_a_row == 1) LogWarning("source.lost", {{"camera", running.pull.camera}, {"reason", why.ToString()}});
  };
  const Status status = KeepRunning(
      *running.source, options_.persistence, stop, [&](Frame frame) { return Give(running, std::move(frame), stop); },
      on_failure);
  if (stop.stop_requested()) return;
  MutexLock lock(running.mu);
  running.state = PullState::kEnded;
  if (!status.ok()) running.last_error = status;
}

Json Puller::Stats(const std::string& owner) const {
  Json::Array sources;
  MutexLock lock(mu_);
  const auto of_owner = owners_.find(owner);
  if (of_owner != owners_.end()) {
    for (const auto& [camera, running] : of_owner->second) {
      MutexLock running_lock(running->mu);
      Json source(Json::Object{{"camera", camera},
                               {"address", net::RedactUrl(running->pull.address)},
                               {"state", kStateNames[static_cast<size_t>(running->state)]},
                               {"frames", running->frames},
                               {"refused", running->refused},
                               {"failures", running->failures}});
      if (!running->last_error.ok()) source.Set("last_error", running->last_error.ToString());
      if (!running->last_refusal.empty()) source.Set("last_refusal", running->last_refusal);
      if (running->last_frame) source.Set("last_frame", FormatTime(*running->last_frame));
      sources.push_back(std::move(source));
    }
  }
  return Json(Json::Object{{"sources", std::move(sources)}});
}

void Puller::WriteTo(MetricsWriter& out) const {
  std::array<uint64_t, kStateNames.size()> states{};
  uint64_t frames = 0;
  uint64_t refused = 0;
  uint64_t failures = 0;
  {
    MutexLock lock(mu_);
    for (const auto& [owner, sources] : owners_) {
      for (const auto& [camera, running] : sources) {
        MutexLock running_lock(running->mu);
        ++states[static_cast<size_t>(running->state)];
        frames += running->frames;
        refused += running->refused;
        failures += running->failures;
      }
    }
  }
  out.Metric("sources", "gauge", "Sources that frames are fetched from, by state.");
  for (size_t i = 0; i < states.size(); ++i) {
    out.Sample(static_cast<double>(states[i]), MetricLabel("state", kStateNames[i]));
  }
  out.Gauge("sources_frames", "Frames fetched by the sources there are.", static_cast<double>(frames));
  out.Gauge("sources_frames_refused", "Those that the path did not take.", static_cast<double>(refused));
  out.Gauge("sources_failures", "How often the sources there are have failed.", static_cast<double>(failures));
}

}  // namespace pawsight::gateway
