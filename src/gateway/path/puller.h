// gateway/path/puller.h: cameras that do not send but are fetched from: each has a source (gateway/source.h) in a
// thread of its own, whose frames go to the path's door as if they had been sent. A source that fails is tried again,
// for ever, after a growing pause; a recorded one (a file) is played at its own pace, once. Where a source decodes
// (ffmpeg), its pixels are put into a JPEG. URLs are an owner's: they may not lead to a link-local address, as far as
// gateway/source_guard.h can see. Not here: which sources an owner may name beyond that; the API checks addresses too.
//
// Watchdog: a live source that is silent for SourceOptions::silence fails (kDeadlineExceeded) and is started anew.
// Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "gateway/path/frame_path.h"
#include "gateway/source.h"

namespace pawsight::gateway {

struct PullerOptions {
  size_t max_sources = 256;                  // threads, and child processes, of all owners
  bool allow_files = false;                  // files and directories of this machine
  int jpeg_quality = 85;                     // 1..100, of what a source decoded
  std::chrono::milliseconds silence{15000};  // SourceOptions::silence
  Persistence persistence{};
};

/// A camera's frames, and where they are fetched.
struct Pull {
  std::string camera;
  std::string address;  // as ParseSource takes it; may hold a password: never logged or told
  double fps = 1;       // 0.01..60

  friend bool operator==(const Pull&, const Pull&) = default;
};

class Puller {
 public:
  using SubmitFrame = std::function<Submitted(Submission submission)>;
  /// `submit`: FramePath::Submit, called from the sources' threads. It and `clock` must outlive the puller.
  Puller(SubmitFrame submit, const Clock& clock, const PullerOptions& options = {});
  /// Stops all sources, within about 0.2 s.
  ~Puller();
  Puller(const Puller&) = delete;
  Puller& operator=(const Puller&) = delete;

  /// Replaces the owner's pulls; one that stays as it is goes on undisturbed. Blocks until those that end have ended,
  /// about 0.2 s. Errors: kInvalidArgument, an address, a rate, a camera twice; kPermissionDenied `files_not_allowed`;
  /// kResourceExhausted, max_sources. Nothing is changed then.
  Status SetOwner(const std::string& owner, const std::vector<Pull>& pulls) EXCLUDES(mu_);

  /// {"sources":[{"camera","state":"starting"|"running"|"waiting"|"ended","frames","refused","failures","last_error"?,
  /// "last_frame"?}]} of an owner.
  Json Stats(const std::string& owner) const EXCLUDES(mu_);
  /// Adds sources by state, their frames and failures, over all owners.
  void WriteTo(MetricsWriter& out) const EXCLUDES(mu_);

 private:
  struct Running;  // one source and its thread
  void Run(Running& running, std::stop_token stop);
  /// False: stopped.
  bool Give(Running& running, Frame frame, std::stop_token stop);
  Status Check(const std::string& owner, const std::vector<Pull>& pulls) const REQUIRES(mu_);

  const SubmitFrame submit_;
  const Clock& clock_;
  const PullerOptions options_;
  mutable Mutex mu_;
  std::map<std::string, std::map<std::string, std::unique_ptr<Running>>> owners_ GUARDED_BY(mu_);  // then by camera
  size_t num_sources_ GUARDED_BY(mu_) = 0;
};

}  // namespace pawsight::gateway
