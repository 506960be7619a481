// tools/load_run.h: sends frames for a while and tells what came of them: a closed loop of so many clients, each with
// one frame under way, or an open loop of frames that come when they are due, whatever became of those before. Latency
// is counted from when a frame was due (coordinated omission). Not here: what is sent (tools/load_frames.h) and how
// (client/inference_client.h, tools/gateway_target.h), the server's own numbers. Run blocks its thread; the threads on
// which frames end only note.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "client/inference_client.h"
#include "tools/latency_record.h"

namespace pawsight::tools {

struct LoadSpec {
  int clients = 0;                            // of a closed loop, 1..4096; 0: an open loop
  std::vector<std::chrono::nanoseconds> due;  // of an open loop: offsets, ascending, of warm-up and time together
  std::chrono::nanoseconds warmup{0};         // frames due in it are not counted
  std::chrono::nanoseconds duration{0};
  std::chrono::nanoseconds timeout{10'000'000'000};  // of a frame; then it has failed
  std::chrono::nanoseconds back_off{5'000'000};      // of a closed loop's client that was not answered
};

/// What became of the frames that were due (closed: sent) within `duration`, whenever they ended, also of those that
/// the load itself was too slow to send in that time (unseen, "not_sent"): every one of them is in `latency`, `gated`,
/// `refused`, `failed` or `unseen`, so that shares of them are of the same frames. (A share of what *ended* by some
/// moment would have more of what ends soon.) `answered` is the throughput's: in an open loop the count of `latency`;
/// in a closed one the answers that came within the time, whenever their frames were sent: what was under way when it
/// began stands for what is when it ends.
struct LoadSeen {
  int64_t offered = 0;
  int64_t answered = 0;
  std::map<std::string, int64_t> gated, refused, failed, unseen;
  LatencyRecord latency;          // of answered frames
  LatencyRecord refused_latency;  // from when they were sent
  LatencyRecord late;             // how much later than due they were sent
  double seconds = 0;             // less than asked when it was stopped
  /// What a closed loop's clients spent with the frames in `gated`: from sent to ended and the back-off, of all
  /// together.
  std::chrono::nanoseconds gated_time{0};
};

/// How a frame ended: "" answered, else its reason; `refused`: it was shed, unexecuted; `gated`: it was not worth
/// asking about, and nothing is wrong; `unseen`: the load has missed what became of it, and nothing is said of the
/// server.
struct CallOutcome {
  std::string reason;
  bool refused = false;
  bool gated = false;
  bool unseen = false;
};
using OnEnded = std::function<void(CallOutcome)>;
/// Sends frame number 0, 1, 2...; does not wait. `on_ended` is called once, from any thread, perhaps before this
/// returns, and soon after the deadline at the latest.
using SendFrame = std::function<void(int64_t number, client::Deadline deadline, OnEnded on_ended)>;

/// Asks an inference server; `make` gives the request of a frame. `server` outlives what it returns.
using MakeRequest = std::function<std::shared_ptr<const protocol::InferRequest>(int64_t number)>;
SendFrame AskServer(client::InferenceClient& server, MakeRequest make);
CallOutcome OutcomeOf(const client::InferResult& result);

/// Reasons are the server's words: past so many of them others count as "other".
constexpr size_t kMaxOutcomeReasons = 64;

/// Called about ten times a second with the share done, by Run's thread.
using OnProgress = std::function<void(double)>;
/// Called by Run's thread when the warm-up is over and when the time is, before what is under way has ended: read what
/// is to be compared.
struct LoadMarks {
  std::function<void()> begin, end;
};

/// Returns when all frames have ended: at most `timeout` after the time. Stopped early, with what there is.
LoadSeen RunLoad(const SendFrame& send, const LoadSpec& spec, const Clock& clock, std::stop_token stop,
                 const OnProgress& progress, const LoadMarks& marks);

}  // namespace pawsight::tools
