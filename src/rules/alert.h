// rules/alert.h: one rule's state over time on one camera: inactive, pending, firing, resolved, as in Prometheus
// alerting (https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules). A pure function of the rule,
// the state and what was seen at a time the caller names, so a week of camera time runs in a test in a moment.
//
//             true               true for `hold`            false for `clear`             cooldown over
//   inactive -------> pending ------------------> firing ----------------------> resolved ------------> inactive
//       ^____ false _____|  (at once, hold 0)        true: clearing starts anew
//
// Hysteresis. One noisy frame must not end an alert: a firing alert is resolved only after false verdicts on at least
// kMinFalseFrames asked frames, the first and the last of them `clear` or more apart, with no true between. Unsure
// moves nothing. One noisy frame does end *pending*: `hold` promises that the verdict was never false in that time. A
// frame that was not asked because it had not changed repeats the verdict of the last asked one: pending goes on to
// firing, and time counts toward clearing, but it is not a frame of its own there.
// One alert an episode: from pending to resolved there is one firing, one id. A true verdict during the cooldown is
// remembered, so an episode that outlasts the cooldown fires at its end.
// "n of m frames" stands in for `hold` where a rule has it: of the last m frames that were asked and were true or
// false, n were true. There a false frame does not end pending; m of them do. An edited rule's state. What is timed and
// measured (threshold, hold, clear, cooldown...) counts from the next frame on, against the times that stand: a shorter
// hold may fire at once. A rule that asks something else now (rules/rule.h, Meaning) begins anew: pending and cooldown
// are forgotten, and an alert that fires is ended, because what it said is no longer being watched (`Retire`). The
// number of alerts goes on.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "rules/rule.h"
#include "rules/verdict.h"

namespace pawsight::rules {

/// False verdicts on asked frames that a firing alert needs to be resolved.
inline constexpr int kMinFalseFrames = 2;
/// When no frame was seen for longer, nothing is known of that time and `hold` starts anew. A firing alert stays.
/// (A rule that is sampled more rarely may have gaps of two samples.)
inline constexpr std::chrono::seconds kMaxGap{60};

enum class AlertPhase { kInactive, kPending, kFiring, kResolved };
/// "inactive", "pending", "firing", "resolved".
std::string_view AlertPhaseName(AlertPhase phase);

/// Why a frame did, or did not, make an alert. Every frame x rule has exactly one.
enum class Reason : uint8_t {
  kUndecodable,     // the frame's bytes are no image
  kUnanswered,      // no answer: the backend refused, failed or was too late
  kLate,            // older than a frame already seen, by kMaxGap at most; by more, the clock was set back
  kUnchanged,       // not asked: like the last asked frame; no alert was near
  kBelowThreshold,  // false, and no alert to end
  kUnsure,          // in the unsure band: nothing moves
  kPending,         // true, not yet for long enough
  kCooldown,        // true, but the last alert ended too short a time ago
  kFired,           // this frame fired the alert
  kFiring,          // true, and the alert is firing already
  kClearing,        // false, but not yet for long enough to resolve the alert
  kResolved,        // this frame resolved the alert
  kGuard,           // the guard question's answer was no, so the rule counts as not true, and no alert to end
  kNotDue,          // outside the schedule, sampled not long ago, or another rule's turn
  kSnoozed,         // not asked: its owner wants no alert of it for now
  kReplaced,        // a newer frame of the camera came before this one's turn
  kShed,            // not asked: too much was waiting, here or at the backend
};
inline constexpr size_t kNumReasons = 17;
/// "undecodable", "below_threshold" and so on.
std::string_view ReasonName(Reason reason);
std::array<Reason, kNumReasons> AllReasons();

struct AlertState {
  AlertPhase phase = AlertPhase::kInactive;
  uint64_t num_fired = 0;           // alerts so far: the number of the open or last one
  std::optional<Time> last_seen;    // newest frame that was asked or unchanged
  std::optional<Time> true_since;   // not firing: true at first then and never false since
  std::optional<Time> false_since;  // firing: false at first then and never true since
  int num_false = 0;                // asked frames that were false since then
  uint32_t recent = 0;              // not firing, "n of m": the newest m frames, a bit each, the newest lowest
  Time fired_at{};                  // of the open or last alert
  Time resolved_at{};               // of the last alert
  Verdict last = Verdict::kFalse;   // of the last asked frame; false after a gap

  friend bool operator==(const AlertState&, const AlertState&) = default;
};

/// What came of a frame before its answer was judged.
struct Sighting {
  Time time;
  enum class Kind {
    kAsked,
    kUnchanged,
    // The rest leave the state as it is; each is its own reason.
    kUnanswered,
    kUndecodable,
    kLate,  // found late before it was judged, by its clock
    kNotDue,
    kSnoozed,
    kReplaced,
    kShed,
  } kind = Kind::kAsked;
  Verdict verdict = Verdict::kFalse;  // of kAsked
  bool guarded = false;               // of kAsked: false because the guard said no
};

struct AlertStep {
  AlertState state;
  Reason reason;
};

/// The state after a frame. `reason` is kFired or kResolved on exactly the frames that open or end an alert.
AlertStep Advance(const Rule& rule, const AlertState& state, const Sighting& sighting);

/// The state of a rule that is watched no more, or asks something else now: inactive, nothing pending, no cooldown.
/// True in `ended` when an alert was firing: it is over at `now`, and whoever was told of it should be told.
struct Retired {
  AlertState state;
  bool ended = false;
};
Retired Retire(const AlertState& state, Time now);

/// True while the next answers decide something: pending, clearing, a true remembered in cooldown.
bool IsUndecided(const AlertState& state);

/// Whether a frame that shows what the last asked one showed should be asked about all the same. A frame that changed
/// always should; one that did not repeats the last verdict, which is enough while time passes, but not for what is
/// decided: no alert is to rest on one answer repeated. True when this frame would open or end an alert, while false
/// frames or "n of m" are still being counted, and every kDoubtPace while an alert is near; not in cooldown, where
/// nothing can be decided. `asked_at`: when the rule was last asked.
bool WantsAnswer(const Rule& rule, const AlertState& state, std::optional<Time> asked_at, Time now);
/// Just under two seconds, so that of one frame a second every other one is asked.
inline constexpr std::chrono::milliseconds kDoubtPace{1900};

}  // namespace pawsight::rules
