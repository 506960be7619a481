// tools/awaited_frames.h: frames that were posted and whose fate is told elsewhere, by the gateway's live stream: which
// are waited for, until when, and what it said. Not here: posting and the stream (tools/gateway_target.h). Thread-safe.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "tools/load_run.h"

namespace pawsight::tools {

/// What a gateway says when a frame was not asked because there was too much.
bool IsShed(const std::string& reason);

/// What became of one frame.
struct ToldFrame {
  std::string frame;  // its id, not empty
  CallOutcome outcome;
};
/// The data of a `frame` event. Asked and answered: answered. In trouble: its reason, refused where that was for want
/// of room. Else nobody asked, because the gate held it back or no rule had its turn: gated, by the gateway's word for
/// the first rule ("unchanged", "not_due"), "no_rule" without any. Errors: kInvalidArgument, it is none. Pure.
Result<ToldFrame> ReadToldFrame(const std::string& data);

/// The data of a `dropped` event: how many events the gateway had for this reader and gave up, because it read too
/// slowly. Errors: kInvalidArgument. Pure.
Result<int64_t> ReadDropped(const std::string& data);

class AwaitedFrames {
 public:
  /// Frames that were told of before anybody waited for them: more, and the first is forgotten.
  static constexpr size_t kMaxEarly = 8192;

  /// `on_ended` is called once: by Tell, Expire or Break, or at once when the stream was faster than the 202; without
  /// the lock. `breaks`: what Posted gave.
  void Await(const std::string& frame, client::Deadline deadline, int64_t breaks, OnEnded on_ended) EXCLUDES(mu_);
  /// A frame is being posted, before anybody knows its id: Await or NotTaken follows. Gives num_breaks().
  int64_t Posted() EXCLUDES(mu_);
  /// One that was posted is not to be waited for.
  void NotTaken() EXCLUDES(mu_);
  int64_t num_breaks() const EXCLUDES(mu_);
  void Tell(const ToldFrame& told) EXCLUDES(mu_);
  /// So many frames were told of and the load did not read it in time: which ones, nobody says. As many of those whose
  /// deadline comes next end unseen, "dropped": that is the load's fault and tells nothing of the server. At no time
  /// are there more of these to come than frames that wait or are being posted, so none is left when all have ended.
  void Missed(int64_t count) EXCLUDES(mu_);
  /// Those whose deadline is not after `now` have failed: "not_told"; "stream_broken" where nobody was told for a while
  /// since they were sent.
  void Expire(client::Deadline now) EXCLUDES(mu_);
  /// The stream has broken: all that wait have failed, "stream_broken". Until Resume nobody is told of anything; what
  /// comes to be waited for meanwhile may be told of after it.
  void Break() EXCLUDES(mu_);
  void Resume() EXCLUDES(mu_);

 private:
  void BoundMissed() REQUIRES(mu_);

  struct Waiting {
    client::Deadline deadline;
    OnEnded on_ended;
    bool over_a_break = false;  // for a while since it was sent nobody was told
  };
  mutable Mutex mu_;
  int64_t num_breaks_ GUARDED_BY(mu_) = 0;
  bool broken_ GUARDED_BY(mu_) = false;
  int64_t num_posted_ GUARDED_BY(mu_) = 0;  // and neither waited for nor given up
  int64_t num_missed_ GUARDED_BY(mu_) = 0;  // of those that wait or are being posted
  std::unordered_map<std::string, Waiting> waiting_ GUARDED_BY(mu_);
  std::unordered_map<std::string, CallOutcome> early_ GUARDED_BY(mu_);
  std::deque<std::string> early_order_ GUARDED_BY(mu_);  // of early_, and some that are no longer there
};

}  // namespace pawsight::tools
