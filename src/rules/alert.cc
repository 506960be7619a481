#include "rules/alert.h"

#include <algorithm>
#include <bit>

namespace pawsight::rules {
namespace {

bool InCooldown(const Rule& rule, const AlertState& state, Time now) {
  return state.num_fired > 0 && now - state.resolved_at < rule.cooldown;
}

/// The newest frame enters the window of "n of m".
void Remember(const Rule& rule, AlertState& state, bool was_true) {
  const uint32_t window = rule.frames.of >= 32 ? ~0U : (1U << static_cast<unsigned>(rule.frames.of)) - 1;
  state.recent = (state.recent << 1U | (was_true ? 1U : 0U)) & window;
}

bool HasHeld(const Rule& rule, const AlertState& state, Time now) {
  if (rule.frames.needed > 0) return std::popcount(state.recent) >= rule.frames.needed;
  return now - *state.true_since >= rule.hold;
}

std::chrono::nanoseconds LongestGap(const Rule& rule) {
  return std::max<std::chrono::nanoseconds>(kMaxGap, 2 * rule.sample_every);
}

Reason OnTrueWhileFiring(AlertState& state) {
  state.false_since.reset();
  state.num_false = 0;
  return Reason::kFiring;
}

Reason OnFalseWhileFiring(const Rule& rule, AlertState& state, Time now, bool asked) {
  if (!state.false_since) state.false_since = now;
  state.num_false += asked ? 1 : 0;
  if (state.num_false < kMinFalseFrames || now - *state.false_since < rule.clear) return Reason::kClearing;
  state.phase = AlertPhase::kResolved;
  state.resolved_at = now;
  state.false_since.reset();
  state.num_false = 0;
  return Reason::kResolved;
}

Reason OnTrue(const Rule& rule, AlertState& state, Time now, bool asked) {
  if (state.phase == AlertPhase::kFiring) return OnTrueWhileFiring(state);
  if (!state.true_since) state.true_since = now;
  if (rule.frames.needed > 0 && asked) Remember(rule, state, true);
  if (InCooldown(rule, state, now)) return Reason::kCooldown;
  if (!HasHeld(rule, state, now)) {
    state.phase = AlertPhase::kPending;
    return Reason::kPending;
  }
  state.phase = AlertPhase::kFiring;
  ++state.num_fired;
  state.fired_at = now;
  state.true_since.reset();
  state.recent = 0;
  return Reason::kFired;
}

Reason OnFalse(const Rule& rule, AlertState& state, Time now, bool asked) {
  if (state.phase == AlertPhase::kFiring) return OnFalseWhileFiring(rule, state, now, asked);
  if (rule.frames.needed > 0 && asked) Remember(rule, state, false);
  if (rule.frames.needed > 0 && state.recent != 0) return Reason::kBelowThreshold;  // still n of m to come
  state.true_since.reset();
  if (state.phase == AlertPhase::kPending) state.phase = AlertPhase::kInactive;
  return Reason::kBelowThreshold;
}

/// The clock was set back: what was timed before it means nothing now. An alert that fires goes on; a cooldown begins
/// anew.
void Restart(AlertState& state, Time now) {
  state.true_since.reset();
  state.false_since.reset();
  state.num_false = 0;
  state.recent = 0;
  state.last = state.phase == AlertPhase::kFiring ? Verdict::kTrue : Verdict::kFalse;
  if (state.phase == AlertPhase::kPending) state.phase = AlertPhase::kInactive;
  if (state.resolved_at > now) state.resolved_at = now;
}

/// What time alone does: the cooldown ends, a long gap makes what was seen before it worthless for `hold`.
void Age(const Rule& rule, AlertState& state, Time now) {
  if (state.last_seen && now - *state.last_seen > LongestGap(rule) && state.phase != AlertPhase::kFiring) {
    state.true_since.reset();
    state.recent = 0;
    state.last = Verdict::kFalse;
    if (state.phase == AlertPhase::kPending) state.phase = AlertPhase::kInactive;
  }
  if (state.phase == AlertPhase::kResolved && !InCooldown(rule, state, now)) state.phase = AlertPhase::kInactive;
}

}  // namespace

std::string_view AlertPhaseName(AlertPhase phase) {
  switch (phase) {
    case AlertPhase::kInactive:
      return "inactive";
    case AlertPhase::kPending:
      return "pending";
    case AlertPhase::kFiring:
      return "firing";
    case AlertPhase::kResolved:
      return "resolved";
  }
  CHECK(false);
}

std::string_view ReasonName(Reason reason) {
  switch (reason) {
    case Reason::kUndecodable:
      return "undecodable";
    case Reason::kUnanswered:
      return "unanswered";
    case Reason::kLate:
      return "late";
    case Reason::kUnchanged:
      return "unchanged";
    case Reason::kBelowThreshold:
      return "below_threshold";
    case Reason::kUnsure:
      return "unsure";
    case Reason::kPending:
      return "pending";
    case Reason::kCooldown:
      return "cooldown";
    case Reason::kFired:
      return "fired";
    case Reason::kFiring:
      return "firing";
    case Reason::kClearing:
      return "clearing";
    case Reason::kResolved:
      return "resolved";
    case Reason::kGuard:
      return "guard";
    case Reason::kNotDue:
      return "not_due";
    case Reason::kSnoozed:
      return "snoozed";
    case Reason::kReplaced:
      return "replaced";
    case Reason::kShed:
      return "shed";
  }
  CHECK(false);
}

std::array<Reason, kNumReasons> AllReasons() {
  std::array<Reason, kNumReasons> all{};
  for (size_t i = 0; i < kNumReasons; ++i) all[i] = static_cast<Reason>(i);
  return all;
}

Retired Retire(const AlertState& state, Time now) {
  Retired retired;
  retired.ended = state.phase == AlertPhase::kFiring;
  retired.state.num_fired = state.num_fired;
  retired.state.fired_at = state.fired_at;
  retired.state.last_seen = state.last_seen ? std::min(*state.last_seen, now) : state.last_seen;
  return retired;
}

bool IsUndecided(const AlertState& state) { return state.true_since.has_value() || state.false_since.has_value(); }

bool WantsAnswer(const Rule& rule, const AlertState& state, std::optional<Time> asked_at, Time now) {
  if (!IsUndecided(state)) return false;
  const bool lately = asked_at && now >= *asked_at && now - *asked_at < kDoubtPace;
  if (state.phase == AlertPhase::kFiring) {
    return !lately || state.num_false < kMinFalseFrames || now - *state.false_since >= rule.clear;
  }
  if (InCooldown(rule, state, now)) return false;
  return !lately || rule.frames.needed > 0 || HasHeld(rule, state, now);
}

namespace {

/// The reason of a frame that says nothing of what the rule asks; nullopt of one that does.
std::optional<Reason> SaysNothing(Sighting::Kind kind) {
  switch (kind) {
    case Sighting::Kind::kAsked:
    case Sighting::Kind::kUnchanged:
      return std::nullopt;
    case Sighting::Kind::kUnanswered:
      return Reason::kUnanswered;
    case Sighting::Kind::kUndecodable:
      return Reason::kUndecodable;
    case Sighting::Kind::kLate:
      return Reason::kLate;
    case Sighting::Kind::kNotDue:
      return Reason::kNotDue;
    case Sighting::Kind::kSnoozed:
      return Reason::kSnoozed;
    case Sighting::Kind::kReplaced:
      return Reason::kReplaced;
    case Sighting::Kind::kShed:
      return Reason::kShed;
  }
  CHECK(false);
}

}  // namespace

AlertStep Advance(const Rule& rule, const AlertState& before, const Sighting& sighting) {
  if (const std::optional<Reason> nothing = SaysNothing(sighting.kind)) return {before, *nothing};
  const bool earlier = before.last_seen && sighting.time < *before.last_seen;
  const bool set_back = earlier && *before.last_seen - sighting.time > kMaxGap;
  if (earlier && !set_back) return {before, Reason::kLate};

  AlertStep step{before, Reason::kUnchanged};
  if (set_back) Restart(step.state, sighting.time);
  Age(rule, step.state, sighting.time);
  step.state.last_seen = sighting.time;
  const bool asked = sighting.kind == Sighting::Kind::kAsked;
  if (asked) step.state.last = sighting.verdict;
  const Verdict verdict = step.state.last;
  if (verdict == Verdict::kUnsure) {
    step.reason = asked ? Reason::kUnsure : Reason::kUnchanged;
    return step;
  }
  const Reason reason = verdict == Verdict::kTrue ? OnTrue(rule, step.state, sighting.time, asked)
                                                  : OnFalse(rule, step.state, sighting.time, asked);
  const bool nothing_moves = reason == Reason::kBelowThreshold || reason == Reason::kFiring;
  step.reason = !asked && nothing_moves ? Reason::kUnchanged : reason;
  if (sighting.guarded && reason == Reason::kBelowThreshold) step.reason = Reason::kGuard;
  return step;
}

}  // namespace pawsight::rules
