#include "rules/alert.h"

namespace pawsight::rules {
namespace {

bool InCooldown(const Rule& rule, const AlertState& state, Time now) {
  return state.num_fired > 0 && now - state.resolved_at < rule.cooldown;
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

Reason OnTrue(const Rule& rule, AlertState& state, Time now) {
  if (state.phase == AlertPhase::kFiring) return OnTrueWhileFiring(state);
  if (!state.true_since) state.true_since = now;
  if (InCooldown(rule, state, now)) return Reason::kCooldown;
  if (now - *state.true_since < rule.hold) {
    state.phase = AlertPhase::kPending;
    return Reason::kPending;
  }
  state.phase = AlertPhase::kFiring;
  ++state.num_fired;
  state.fired_at = now;
  state.true_since.reset();
  return Reason::kFired;
}

Reason OnFalse(const Rule& rule, AlertState& state, Time now, bool asked) {
  if (state.phase == AlertPhase::kFiring) return OnFalseWhileFiring(rule, state, now, asked);
  state.true_since.reset();
  if (state.phase == AlertPhase::kPending) state.phase = AlertPhase::kInactive;
  return Reason::kBelowThreshold;
}

/// The clock was set back: what was timed before it means nothing now. An alert that fires goes on; a cooldown begins anew.
void Restart(AlertState& state, Time now) {
  state.true_since.reset();
  state.false_since.reset();
  state.num_false = 0;
  state.last = state.phase == AlertPhase::kFiring ? Verdict::kTrue : Verdict::kFalse;
  if (state.phase == AlertPhase::kPending) state.phase = AlertPhase::kInactive;
  if (state.resolved_at > now) state.resolved_at = now;
}

/// What time alone does: the cooldown ends, a long gap makes what was seen before it worthless for `hold`.
void Age(const Rule& rule, AlertState& state, Time now) {
  if (state.last_seen && now - *state.last_seen > kMaxGap && state.phase != AlertPhase::kFiring) {
    state.true_since.reset();
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
  }
  CHECK(false);
}

std::array<Reason, kNumReasons> AllReasons() {
  return {Reason::kUndecodable,    Reason::kUnanswered, Reason::kLate,     Reason::kUnchanged,
          Reason::kBelowThreshold, Reason::kUnsure,     Reason::kPending,  Reason::kCooldown,
          Reason::kFired,          Reason::kFiring,     Reason::kClearing, Reason::kResolved};
}

bool IsUndecided(const AlertState& state) { return state.true_since.has_value() || state.false_since.has_value(); }

AlertStep Advance(const Rule& rule, const AlertState& before, const Sighting& sighting) {
  if (sighting.kind == Sighting::Kind::kUndecodable) return {before, Reason::kUndecodable};
  if (sighting.kind == Sighting::Kind::kUnanswered) return {before, Reason::kUnanswered};
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
  const Reason reason = verdict == Verdict::kTrue ? OnTrue(rule, step.state, sighting.time)
                                                  : OnFalse(rule, step.state, sighting.time, asked);
  const bool nothing_moves = reason == Reason::kBelowThreshold || reason == Reason::kFiring;
  step.reason = !asked && nothing_moves ? Reason::kUnchanged : reason;
  return step;
}

}  // namespace pawsight::rules
