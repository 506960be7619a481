// gateway/ingest.h: station 1 of a frame's life: runs a camera's source in a thread of its own and keeps the newest
// frame for the path. A live camera's frame that was not taken when the next one comes is dropped; a recorded source
// waits. A live source that fails is tried again, for ever, after a growing pause; one that never gave a frame ends at
// once, so that a wrong address is told. Thread-safe: the source's thread puts, one other thread takes.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>

#include "base/mutex.h"
#include "base/status.h"
#include "gateway/frame.h"
#include "gateway/source.h"

namespace pawsight::gateway {

struct IngestOptions {
  std::chrono::milliseconds first_pause{500};  // after a failure; doubles with each one in a row
  std::chrono::milliseconds longest_pause{30000};
};

struct IngestCounts {
  uint64_t num_arrived = 0;
  uint64_t num_dropped = 0;  // replaced by a newer one before they were taken
  uint64_t num_failures = 0;
};

class Ingest {
 public:
  /// Starts at once. The source must outlive this object.
  explicit Ingest(Source& source, const IngestOptions& options = {});
  /// Stops the source, within about 0.2 s.
  ~Ingest();
  Ingest(const Ingest&) = delete;
  Ingest& operator=(const Ingest&) = delete;

  /// The newest frame, once there is one; nullptr when the source has ended and every frame was taken, or `stop`.
  std::shared_ptr<const Frame> Take(std::stop_token stop) EXCLUDES(mu_);
  /// How the source ended: OK, or why it never gave a frame or, recorded, gave up. OK while it runs.
  Status end() const EXCLUDES(mu_);
  IngestCounts counts() const EXCLUDES(mu_);

 private:
  void Run(std::stop_token stop) EXCLUDES(mu_);
  bool Put(Frame frame, std::stop_token stop) EXCLUDES(mu_);
  /// Notes the failure; the pause before the next try, or nullopt to give up.
  std::optional<std::chrono::milliseconds> NoteFailure(const Status& failure) EXCLUDES(mu_);
  void WakeAll() EXCLUDES(mu_);

  Source& source_;
  const IngestOptions options_;
  mutable Mutex mu_;
  CondVar changed_;
  std::shared_ptr<const Frame> frame_ GUARDED_BY(mu_);
  bool ended_ GUARDED_BY(mu_) = false;
  Status end_ GUARDED_BY(mu_);
  IngestCounts counts_ GUARDED_BY(mu_);
  int failures_in_a_row_ GUARDED_BY(mu_) = 0;
  std::jthread thread_;  // last: stopped first
};

}  // namespace pawsight::gateway
