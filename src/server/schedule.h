// server/schedule.h: what the inference tier decides, as pure functions of what is there and of the time: who is let
// in, what is decoded next, what runs together, when it is worth waiting for company, when a refused client may come
// back. Not here: threads (server/batcher.h), bookkeeping (server/queue.h). Thread-safe: functions without state.
//
// Order. Within a priority the earliest deadline first; work without one, or with one further off, is ordered as if it
// were `order_horizon` after its arrival, so nothing that arrives later than that overtakes it. A higher priority goes
// first, but a lower one that has a frame ready gets a turn once turn_every - 1 others started meanwhile: however much
// of higher priority there is, its first frame starts after at most turn_every + kNumPriorities - 3 others (8), and
// while it has frames ready, one of turn_every + kNumPriorities - 2 that start (9) is one of them. Work that cannot be
// ready by its deadline any more goes last, so that it never makes other work late. Between clients nothing is divided:
// who asks for more gets more. A share for each owner is for the tier that knows the owners.
//
// Where work of a higher priority has been waiting for long, the expected wait of lower work is that of its turns.
//
// Shedding. As in CoDel (RFC 8289) what is watched is the time that work has waited when it starts, never the latency:
// when no start within `shed_interval` had waited less than `shed_target`, there is a standing queue, and from then on
// only work that is expected to start within the target is let in, and of each priority what it takes to have one frame
// a runner waiting, until nobody had to be refused for an interval. Unlike in CoDel the refusal is at the door, at
// once, and what was accepted is kept. Both times are stretched for a slow engine, the target to two batches and the
// interval to ten: one that runs and one that waits for it are no standing queue. In that state the engine stays busy
// and its queue short.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "server/estimate.h"
#include "server/work.h"

namespace pawsight::server {

struct ScheduleOptions {
  int queue_limit = 512;             // frames that wait, 32..65536; normal work may fill 7/8 of it, low 3/4
  int request_limit = 65536;         // accepted and not ended, 1..65536: the concurrency cap
  size_t bytes_limit = 256U << 20U;  // of the encoded images of accepted work
  int max_batch = 8;                 // frames in one batch, 1..64
  int max_batch_questions = 64;      // in one batch; a frame with more runs alone
  Nanos max_queue_delay{2'000'000};  // longest a frame that could run waits for company
  Nanos max_wait{2'000'000'000};     // longest expected wait that is let in: what a burst may make of the queue
  Nanos shed_target{20'000'000};     // a wait that is no standing queue
  Nanos shed_interval{100'000'000};  // how long it may be longer
  int turn_every = 8;                // one of so many frames is of a lower priority, 2..
  Nanos order_horizon{10'000'000'000};
  Nanos default_timeout{30'000'000'000};  // the deadline of work that has none
  Nanos max_timeout{120'000'000'000};     // of any work; a later deadline is cut to it
  Nanos wedge_limit{8'000'000'000};       // a batch that runs longer will not come back
  Nanos min_retry{100'000'000};
  Nanos max_retry{30'000'000'000};
};

/// Errors: kInvalidArgument, an option out of range, named.
Status CheckOptions(const ScheduleOptions& options);

enum class FrameState : uint8_t { kUndecoded, kDecoding, kReady, kEncoding };

/// One frame of one request that waits. Several may be about the same frame.
struct Waiting {
  uint64_t order = 0;  // grows with arrival; breaks ties
  uint64_t frame = 0;  // the same for equal frames
  uint64_t model = 0;  // frames of one batch have the same
  Nanos arrival{0};
  Nanos deadline = kNever;
  Nanos ready_since{0};  // with state kReady
  int num_questions = 1;
  Priority priority = Priority::kNormal;
  FrameState state = FrameState::kUndecoded;
  bool canary = false;
};

/// How many frames of higher priority started since one of this priority could have.
using Turns = std::array<int, kNumPriorities>;

struct BatchChoice {
  std::vector<int> chosen;    // indices of what runs together now; empty: nothing
  int num_frames = 0;         // different ones among them
  Turns turns{};              // for the next choice
  Nanos look_again = kNever;  // nothing is chosen, but would be then: company is waited for
};

/// What a free runner does now. Never chooses what is not ready or has expired; everything about a chosen frame comes
/// along while the limit of questions allows. Cost: linear in what waits.
BatchChoice ChooseBatch(std::span<const Waiting> waiting, const Turns& turns, const ServiceEstimate& estimate,
                        const ScheduleOptions& options, Nanos now);

struct DecodeChoice {
  int chosen = -1;  // index, or -1: nothing
  Turns turns{};
};

/// What a free decoder does now: the first undecoded frame in order, of a priority that has less than `ahead` different
/// frames decoded, or being decoded, already (its own and higher ones' counted).
DecodeChoice ChooseDecode(std::span<const Waiting> waiting, const Turns& turns, int ahead,
                          const ScheduleOptions& options, Nanos now);

/// The standing-queue rule of one priority.
struct ShedState {
  Nanos above_since = kNever;  // since when every start had waited longer than the target
  Nanos last_refusal{0};       // by this rule
  bool shedding = false;
};

Nanos ShedTarget(const ServiceEstimate& estimate, const ScheduleOptions& options);
Nanos ShedInterval(const ServiceEstimate& estimate, const ScheduleOptions& options);

/// After work started that had waited for `waited`.
ShedState AfterStart(ShedState state, Nanos waited, const ServiceEstimate& estimate, const ScheduleOptions& options,
                     Nanos now);

/// What is there when work asks to be let in.
struct LoadView {
  std::array<int, kNumPriorities> parts{};   // that wait, by priority
  std::array<int, kNumPriorities> frames{};  // different ones among them
  std::array<int64_t, kNumPriorities> questions{};
  std::array<ShedState, kNumPriorities> shed{};
  size_t bytes = 0;
  int num_requests = 0;  // accepted and not ended
  int num_runners = 1;
  int num_running = 0;  // batches
  Nanos next_free{0};   // when the next runner is expected to be free
  bool wedged = false;  // every runner
  bool draining = false;
  uint64_t salt = 0;  // spreads those who come back
};

/// Who asks.
struct Newcomer {
  int frames = 1;
  int questions = 1;
  size_t bytes = 0;
  Priority priority = Priority::kNormal;
  Nanos deadline = kNever;
  bool canary = false;
};

struct Admission {
  Refusal refusal = Refusal::kNone;
  bool leave_shedding = false;  // the state of its priority ends
  bool found_idle = false;      // nothing waited and a runner was free: whatever waited long before is over
  Nanos expected_wait{0};       // until it starts
  Nanos retry_after{0};         // when refused
};

/// How long what waits at this priority and above takes until a runner is free for more; where higher priorities have
/// waited longer than the target, at least until as many turns of its own came as frames of it wait.
Nanos ExpectedWait(const LoadView& load, Priority priority, const ServiceEstimate& estimate,
                   const ScheduleOptions& options, Nanos now);

/// Limits first, then the deadline, then the longest wait and the standing queue (both kOverloaded). Work that finds
/// nothing waiting and a free runner is never refused for a prediction: it costs nobody anything, and a wrong estimate
/// is put right by it.
Admission Admit(const LoadView& load, const Newcomer& newcomer, const ServiceEstimate& estimate,
                const ScheduleOptions& options, Nanos now);

/// When a refused client may come back: once all that waits is expected to be done, at least min_retry, at most
/// max_retry, and up to twice that by `load.salt`, so that those who are refused together do not come back together.
Nanos RetryAfter(const LoadView& load, const ServiceEstimate& estimate, const ScheduleOptions& options, Nanos now);

}  // namespace pawsight::server
