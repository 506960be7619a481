// server/queue.h: the books of the inference tier: what was accepted and what state it is in. Every decision is one of
// server/schedule.h; this carries it out. No threads, no clock, no engine calls, no callbacks: the time is an argument,
// and what has ended is handed out by TakeFinished. Not here: the threads (server/batcher.h). Thread-compatible: used
// under the batcher's mutex. Frame and Request are part of the books: what may be read without that mutex is said on
// the members.
//
// A request is a part an image. A part waits until its frame is decoded, then for a batch; frames with the same bytes
// are one Frame, so they are decoded and encoded once for all parts about them, whenever these come while any of them
// is there.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "server/counters.h"
#include "server/engine.h"
#include "server/fingerprint.h"
#include "server/schedule.h"
#include "server/work.h"

namespace pawsight::server {

struct Frame {
  // Never change once the frame is added.
  uint64_t id = 0;
  Fingerprint print;
  SharedBytes bytes;
  // Set when its decoding starts, the same from then on.
  std::shared_ptr<Engine> engine;
  uint64_t model = 0;
  // While kDecoding and kEncoding, of the thread that does it.
  std::vector<float> pixels;
  FrameHandle handle;  // once encoded

  FrameState state = FrameState::kUndecoded;
  Nanos ready_since{0};
  Nanos decode{0};
  Nanos encode{0};
  int users = 0;        // parts about it, waiting and running
  int num_waiting = 0;  // of these
  Priority counted_as = Priority::kNormal;
  bool listed = false;  // others may find it
};
using FramePtr = std::shared_ptr<Frame>;

struct Request {
  uint64_t id = 0;
  VqaWork work;  // never changes once the request is added
  Done done;
  Nanos arrival{0};
  Nanos deadline{0};
  size_t bytes = 0;
  int parts_left = 0;
  int num_waiting = 0;
  bool ended = false;
  WorkResult result;
};
using RequestPtr = std::shared_ptr<Request>;

struct Part {
  RequestPtr request;
  size_t image = 0;
  FramePtr frame;

  const std::vector<std::string>& questions() const { return request->work.QuestionsOf(image); }
  /// Which of the served models it is for.
  engine::Head model() const { return engine::HeadOf(request->work.ask.mode); }
};

/// What a runner executes; its own until it is given back to Answered.
struct Batch {
  uint64_t id = 0;
  std::shared_ptr<Engine> engine;
  Nanos started{0};
  std::vector<Part> parts;
  std::vector<FramePtr> to_encode;
  size_t num_frames = 0;
  Nanos encode{0};
};

/// An image of a request on its way in: a frame made for it, and what has the same bytes, compared: a frame that was
/// there before, an earlier image of the same request.
struct Arrival {
  FramePtr fresh;
  FramePtr same;
  int twin = -1;
};

struct Finished {
  Done done;
  WorkResult result;
  engine::Head model = engine::Head::kVqa;
  bool canary = false;
};

/// How it stands, for readiness and metrics.
struct Health {
  int queue_length = 0;  // frames that wait
  int queue_limit = 0;
  Nanos oldest_waiting_age{0};
  size_t bytes = 0;  // of encoded images held
  size_t bytes_limit = 0;
  int num_requests = 0;  // accepted and not ended
  int num_running = 0;   // batches
  int num_runners = 0;
  Nanos oldest_running_age{0};
  bool wedged = false;  // a batch has run longer than wedge_limit
  bool draining = false;
  std::array<bool, kNumPriorities> shedding{};
};

class Queue {
 public:
  /// Options as CheckOptions has them; `counters` outlives the queue.
  Queue(const ScheduleOptions& options, int num_runners, Counters& counters);

  /// Whose frames are decoded from now on.
  void SetEngine(std::shared_ptr<Engine> engine);

  /// A frame that may be equal, to be compared by the caller without the mutex.
  FramePtr Find(const Fingerprint& print) const;

  /// Lets the request in or not. Refused or past its deadline: it has ended.
  void Add(const RequestPtr& request, std::span<const Arrival> arrivals, Nanos now);

  /// Ends a request that cannot be taken at all.
  void Reject(const RequestPtr& request, Outcome outcome, const Status& status, Nanos now);

  /// The next frame to decode, or null. Give it back to Decoded.
  FramePtr NextDecode(Nanos now);
  void Decoded(const FramePtr& frame, Result<std::vector<float>> pixels, Nanos took, Nanos now);

  /// What a free runner does now; when there is nothing, `look_again` is when there may be without any further event.
  std::optional<Batch> NextBatch(Nanos now, Nanos* look_again);
  /// The encoder's results, one a frame of batch.to_encode. Pixels are handed back, to die outside the mutex.
  std::vector<std::vector<float>> Encoded(Batch& batch, std::vector<Result<FrameHandle>> handles, Nanos took,
                                          Nanos now);
  /// Of each part, whether somebody still waits for it.
  std::vector<bool> Wanted(const Batch& batch) const;
  /// The answers, one list a part; ends the batch.
  void Answered(const Batch& batch, std::vector<Result<std::vector<engine::Answer>>> answers, size_t num_computed,
                Nanos took, Nanos now);

  void Cancel(uint64_t request, Nanos now);
  /// Ends what is past its deadline.
  void Expire(Nanos now);
  /// The next time Expire has something to do.
  Nanos NextDeadline() const { return deadlines_.empty() ? kNever : deadlines_.begin()->first; }

  void Drain() { draining_ = true; }
  /// Ends all that was accepted as failed: kUnavailable, `why`.
  void Abandon(const std::string& why, Nanos now);
  bool empty() const { return live_.empty(); }
  int num_running() const { return static_cast<int>(running_.size()); }

  bool has_finished() const { return !finished_.empty(); }
  std::vector<Finished> TakeFinished() { return std::exchange(finished_, {}); }

  Health health(Nanos now) const;
  const ServiceEstimate& estimate() const { return estimate_; }

 private:
  struct Running {
    uint64_t id = 0;
    Nanos started{0};
    Nanos expected_end{0};
  };

  LoadView Load(Nanos now) const;
  void Accept(const RequestPtr& request, std::span<const Arrival> arrivals, Nanos now);
  FramePtr FrameFor(const Arrival& arrival, const std::vector<FramePtr>& earlier, bool canary);
  void PushWaiting(const RequestPtr& request, size_t image, const FramePtr& frame, Nanos now);
  /// Takes entry `index` out; the last one moves there.
  Part TakeWaiting(size_t index);
  void SetState(Frame& frame, FrameState state, Nanos now);
  void NoteStarts(std::span<const Part> parts, Nanos now);
  void Release(const FramePtr& frame);
  void End(Request& request, Outcome outcome, Status status, Nanos now);
  /// kInvalid for kInvalidArgument, else kFailed.
  void EndWithFault(Request& request, Status status, Nanos now);

  const ScheduleOptions options_;
  const int num_runners_;
  Counters& counters_;
  std::shared_ptr<Engine> engine_;
  uint64_t model_ = 0;
  bool draining_ = false;

  std::vector<Waiting> waiting_;  // the schedule's view of parts_, entry by entry
  std::vector<Part> parts_;
  LoadView load_;  // its counts; the rest is filled in by Load
  Turns batch_turns_{};
  Turns decode_turns_{};
  ServiceEstimate estimate_;
  Nanos last_arrival_ = kNever;
  std::vector<Running> running_;
  std::unordered_map<uint64_t, RequestPtr> live_;
  std::set<std::pair<Nanos, uint64_t>> deadlines_;
  std::unordered_map<Fingerprint, FramePtr, FingerprintHash> listed_;
  std::vector<Finished> finished_;
  uint64_t next_id_ = 1;
};

}  // namespace pawsight::server
