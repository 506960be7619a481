// gateway/camera_path.h: the way of one camera's frames through stations 2 to 12: has it changed (frames/motion), what
// to ask (rules/question), the answers (gateway/backend_pool), the verdicts and alerts (rules), the record
// (gateway/recorder), and then whoever watches. No thread of its own and no waiting but for the backend and the disk:
// the caller brings frames, so a test or the demo runs it on a virtual clock. Used by one thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "events/store.h"
#include "frames/motion.h"
#include "gateway/backend_pool.h"
#include "gateway/frame.h"
#include "gateway/path/judge.h"
#include "gateway/path/plan.h"
#include "gateway/recorder.h"
#include "gateway/report.h"
#include "rules/alert.h"
#include "rules/question.h"
#include "rules/rule.h"
#include "rules/time_zone.h"

namespace pawsight::gateway {

struct CameraPathOptions {
  std::string camera = "camera";   // its name in events, and its id to rules that name cameras; it has no labels
  bool gate = true;                // ask only about frames that changed; false asks about all
  frames::ChangeOptions change{};  // refresh: asked at the latest so long after the last time
};

class CameraPath {
 public:
  /// `backend`, `store` (null: nothing is recorded) and `clock` (measures the backend) must outlive the path.
  /// rules: 1..64, whose time zones are known (ParseRules with Zones; CHECK). Rules that are disabled or look through
  /// another camera are never due. Nobody is told of alerts but observers: `receivers` are for the gateway.
  CameraPath(std::vector<rules::Rule> rules, Backend& backend, events::Store* store, const Clock& clock,
             const CameraPathOptions& options);

  /// They are told of every frame in the order added and must outlive the path.
  void AddObserver(PathObserver& observer) { observers_.push_back(&observer); }

  /// Takes one frame through. Bad bytes, a failing backend or a full disk are told in the report; they stop nothing.
  FrameReport Take(std::shared_ptr<const Frame> frame);

  /// Tries once more to record what waits for the store, for the end of a watch; gives how many events were never
  /// recorded.
  uint64_t FlushEvents() {
    (void)recorder_.Flush();  // what it could not take is counted
    return recorder_.num_waiting() + recorder_.num_given_up();
  }

  const std::vector<rules::Rule>& rules() const { return rules_; }
  /// One a rule.
  std::vector<rules::AlertState> states() const;
  /// Events that could not be recorded yet.
  const Recorder& recorder() const { return recorder_; }

 private:
  /// Each rule's turn with a frame taken at `time`; true when one is due.
  bool TakeTurns(Time time);
  /// Whether to ask about the frame, decoding as little as that needs. Errors: frames::Decode's.
  Result<bool> WorthAsking(const Frame& frame);
  /// The decoded frame, put into `decoded` when the source gave bytes.
  static Result<const frames::Image*> Pixels(const Frame& frame, frames::Image& decoded);
  /// Settles the turns of what was asked; empty when nothing was answered.
  std::vector<Answer> Ask(const Frame& frame, FrameReport& report);
  void SetDue(rules::Sighting::Kind kind);
  void Judge(size_t rule_idx, std::span<const Answer> answers, FrameReport& report);
  void RecordChange(size_t rule_idx, const rules::AlertState& before, FrameReport& report);

  const std::vector<rules::Rule> rules_;
  const Clock& clock_;
  const CameraPathOptions options_;
  std::vector<std::shared_ptr<const rules::TimeZone>> zones_;  // one a rule; null without a schedule
  BackendPool backend_;
  frames::ChangeGate gate_;
  Recorder recorder_;
  std::vector<RuleState> states_;
  std::vector<RuleTurn> turns_;  // with the frame that is on its way
  std::vector<PathObserver*> observers_;
};

}  // namespace pawsight::gateway
