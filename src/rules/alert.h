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
inline constexpr std::chrono::seconds kMaxGap{60};

enum class AlertPhase { kInactive, kPending, kFiring, kResolved };
/// "inactive", "pending", "firing", "resolved".
std::string_view AlertPhaseName(AlertPhase phase);

/// Why a frame did, or did not, make an alert. Every frame x rule has exactly one.
enum class Reason {
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
};
inline constexpr size_t kNumReasons = 12;
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
  Time fired_at{};                  // of the open or last alert
  Time resolved_at{};               // of the last alert
  Verdict last = Verdict::kFalse;   // of the last asked frame; false after a gap

  friend bool operator==(const AlertState&, const AlertState&) = default;
};

/// What came of a frame before its answer was judged.
struct Sighting {
  Time time;
  enum class Kind { kAsked, kUnchanged, kUnanswered, kUndecodable } kind = Kind::kAsked;
  Verdict verdict = Verdict::kFalse;  // of kAsked
};

struct AlertStep {
  AlertState state;
  Reason reason;
};

/// The state after a frame. `reason` is kFired or kResolved on exactly the frames that open or end an alert.
AlertStep Advance(const Rule& rule, const AlertState& state, const Sighting& sighting);

/// True while the next answers decide something (pending, clearing, a true remembered in cooldown): the change gate
/// should then let every sampled frame through, so that no alert rests on one answer repeated.
bool IsUndecided(const AlertState& state);

}  // namespace pawsight::rules
