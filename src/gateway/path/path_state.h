// gateway/path/path_state.h: FramePath's inside: the books and the lock around them, and a frame's travel through the
// stations. For frame_path.cc, travel.cc and path_report.cc. Thread-safe.
//
// Who may touch what: everything in the mailbox is under `mu`. A camera's `turn` belongs to the travel that has its
// turn, from Take to Finish, on whichever thread that is; handing it on happens under `mu`. No station runs under a
// lock.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "gateway/path/cost_book.h"
#include "gateway/path/device_rates.h"
#include "gateway/path/frame_path.h"
#include "gateway/path/judge.h"
#include "gateway/path/mailbox.h"
#include "gateway/path/numbers.h"
#include "gateway/path/reconcile.h"
#include "gateway/path/record_queue.h"
#include "gateway/path/why_log.h"
#include "gateway/path/window.h"
#include "gateway/recent_rate.h"

namespace pawsight::gateway {

/// One frame on its way, with its camera's turn.
struct Trip {
  std::shared_ptr<Camera> camera;
  std::unique_ptr<PendingFrame> frame;
  std::vector<RuleTurn> turns;  // one a rule of camera->turn
  InquiryPlan plan;
  std::shared_ptr<FrameResult> result = std::make_shared<FrameResult>();
  std::chrono::nanoseconds stage_began{0};
  bool holds_slot = true;     // counts as outstanding
  bool gate_pressed = false;  // ask without a look
};

struct FramePath::State : std::enable_shared_from_this<FramePath::State> {
  State(AsyncBackend& answers, Record* writes, const Clock& time, const FramePathOptions& chosen);

  // The door (frame_path.cc)
  Submitted Submit(Submission submission, Done done) EXCLUDES(mu);
  Submitted Admit(std::unique_ptr<PendingFrame> frame, uint64_t fingerprint) EXCLUDES(mu);
  /// Refusals that a camera's own past decides: rate, duplicates, time, room.
  Submitted CheckAgainstPast(Camera& camera, PendingFrame& frame, uint64_t fingerprint) REQUIRES(mu);
  void NoteClock(Camera& camera) REQUIRES(mu);
  Status SetOwner(const std::string& owner, OwnerSetup setup) EXCLUDES(mu);
  size_t RestoreStates(const std::vector<RestoredState>& states) EXCLUDES(mu);
  size_t EndOrphans(const std::vector<AlertNotice>& open) EXCLUDES(mu);
  /// Whether a state of its camera has this alert firing, or may have.
  bool IsWatched(const AlertNotice& open) const REQUIRES(mu);
  void Tick() EXCLUDES(mu);
  bool Drain(std::chrono::milliseconds at_most) EXCLUDES(mu);
  void RunGate() EXCLUDES(mu);
  void RunTime() EXCLUDES(mu);
  void Stop() EXCLUDES(mu);

  // The travel (travel.cc)
  bool Step() EXCLUDES(mu);
  /// `removed`: whatever the view says, the camera was gone.
  void ReconcileTurn(Camera& camera, const std::shared_ptr<const OwnerView>& view, std::vector<RuleState> restored,
                     bool removed);
  void TellClosings(const Camera& camera, const Reconciled& made);
  /// Records the end of an alert that no frame ended, and tells of it.
  void TellEnd(AlertNotice notice, std::optional<std::string> state, std::vector<std::string> receivers);
  void Plan(Trip& trip);
  /// Whether anything is to be asked; settles the turns of rules that are not.
  bool WantsAsking(Trip& trip);
  /// What the rules that are due want of a frame, the most of any.
  enum class Need {
    kNone,       // none is due
    kIfChanged,  // an answer if it changed
    kAnswer,     // an answer (rules::WantsAnswer)
    kMust,       // an answer, and the gate's opinion is of no use: it does not know what the rule has missed
  };
  static Need NeedOf(const Trip& trip);
  /// Whether the change gate lets it through; else the rules that were due have another kind.
  bool PassesGate(Trip& trip, const CameraSetup& setup, Need need);
  void Ask(const std::shared_ptr<Trip>& trip);
  void OnReply(const std::shared_ptr<Trip>& trip, Result<Reply> reply);
  void Conclude(const std::shared_ptr<Trip>& trip);
  void End(const std::shared_ptr<Trip>& trip) EXCLUDES(mu);
  void FinishTurn(const std::shared_ptr<Camera>& camera, const PendingFrame* frame,
                  const std::shared_ptr<const FrameResult>& result) EXCLUDES(mu);
  void ReleaseSlot(Trip& trip, const Status& reply) EXCLUDES(mu);
  AlertNotice NoticeOf(const Trip& trip, const rules::Rule& rule, const RuleState& state, const Judged& judged);

  /// Ends a frame that never had a turn: each rule of its camera gets `reason`. Not under `mu`.
  void EndUntravelled(std::unique_ptr<PendingFrame> frame, const std::shared_ptr<const OwnerView>& view,
                      const std::shared_ptr<const std::vector<std::pair<std::string, rules::AlertPhase>>>& phases,
                      rules::Reason reason, Status trouble) EXCLUDES(mu);
  void Deliver(const std::shared_ptr<const FrameResult>& result, const Done& done);

  // What is told (path_report.cc)
  Result<Json> Stats(const std::string& owner) const EXCLUDES(mu);
  std::string Metrics() const EXCLUDES(mu);

  /// As events::NewId, but repeatable from the seed.
  std::string NewId(std::string_view prefix, Time now);
  bool MayStep() const REQUIRES(mu) { return mailbox.HasTurn() && outstanding < window.size(); }
  /// More cameras wait for their turn than the gate looks at in time, while the backend has room: then a look costs
  /// more than an answer, and frames go without one.
  bool IsGatePressed() const REQUIRES(mu) {
    const auto lookers = static_cast<size_t>(options.gate_threads > 0 ? options.gate_threads : 1);
    return mailbox.num_in_line() > kPressedLine * lookers && outstanding <= window.size() / 2;
  }
  static constexpr size_t kPressedLine = 32;  // a thread; some 30 ms of looks

  bool IsInside() const REQUIRES(mu) { return mailbox.num_frames() > 0 || turns > 0 || mailbox.HasTurn(); }

  const FramePathOptions options;
  AsyncBackend& backend;
  const Clock& clock;
  rules::Zones zones;
  const std::shared_ptr<RecordQueue> record;
  Observers observers;
  WhyLog why;
  CostBook cost;
  PathNumbers numbers;
  std::atomic<uint64_t> random;

  mutable Mutex mu;
  CondVar work;  // a camera may have its turn, or stopping
  CondVar idle;  // a turn has ended
  CondVar quit;  // stopping: wakes the timekeeper
  Mailbox mailbox GUARDED_BY(mu);
  DeviceRates devices GUARDED_BY(mu);
  RecentRate shed GUARDED_BY(mu);   // frames that did not come to their turn, or too late, because too much was there
  RecentRate ended GUARDED_BY(mu);  // turns of frames
  RecentRate asked GUARDED_BY(mu);  // of those, the ones that asked
  Window window GUARDED_BY(mu);
  int outstanding GUARDED_BY(mu) = 0;  // turns that have not had their answer yet
  int turns GUARDED_BY(mu) = 0;        // cameras that have a turn
  bool draining GUARDED_BY(mu) = false;
  bool stopping GUARDED_BY(mu) = false;
  size_t tick_bucket GUARDED_BY(mu) = 0;
  size_t num_clocks_wrong GUARDED_BY(mu) = 0;  // cameras whose clock_is_wrong
  std::vector<std::thread> threads;            // started and joined by FramePath
};

}  // namespace pawsight::gateway
