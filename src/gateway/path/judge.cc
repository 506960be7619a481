#include "gateway/path/judge.h"

#include <algorithm>
#include <cmath>

namespace pawsight::gateway {
namespace {

bool WantsWriting(const rules::AlertState& before, const rules::AlertState& after, const RuleState& state, Time time) {
  const bool undecided = rules::IsUndecided(after);
  if (before.phase != after.phase || rules::IsUndecided(before) != undecided) return true;
  const bool old = !state.stored_at || time < *state.stored_at || time - *state.stored_at >= kStateEvery;
  return undecided && old;
}

/// After an answer; `p_yes` of the rule's question. `same`: the verdict is what it was, so that a picture which stays
/// close is not asked about in a row again with each refresh.
void CountClose(const rules::Rule& rule, double p_yes, bool same, Time time, RuleState& state) {
  const double middle = rule.threshold.value() - rule.unsure_band / 2;
  const double p = rule.expected ? p_yes : 1 - p_yes;
  const bool soon = state.asked_at && time >= *state.asked_at && time - *state.asked_at <= 2 * rules::kDoubtPace;
  if (std::abs(p - middle) > kCloseBand) {
    state.num_close = 0;
  } else {
    const bool goes_on = soon || (same && state.num_close > kMaxClose);
    state.num_close = goes_on ? std::min(state.num_close + 1, kMaxClose + 1) : 1;
  }
}

/// What those who were told of the alert know after this frame, and whether it is worth telling them again. `judged`
/// has the answer and the reason.
void NoteTold(const rules::Rule& rule, Time time, RuleState& state, Judged& judged) {
  const double p = rule.expected ? *judged.outcome.p_yes : 1 - *judged.outcome.p_yes;
  if (judged.change == AlertChange::kFired) {
    state.told = {time, p};
  } else if (judged.outcome.reason == rules::Reason::kFiring) {
    judged.cause = rules::CauseOfUpdate(rule, state.told, p, time);
    state.told.at = std::min(state.told.at, time);  // the clock was set back
    if (judged.cause == rules::UpdateCause::kNone) return;
    judged.change = AlertChange::kUpdated;
    state.told = {time, std::max(state.told.p, p)};
  }
}

}  // namespace

Judged JudgeRule(const rules::Rule& rule, const RuleTurn& turn, std::span<const Answer> answers, Time time,
                 RuleState& state) {
  using Kind = rules::Sighting::Kind;
  Judged judged;
  judged.before = state.alert;
  judged.outcome.rule = rule.id;
  rules::Sighting sighting{time, turn.kind};
  if (turn.place.question >= 0 && !answers.empty()) {
    const double p_yes = answers[static_cast<size_t>(turn.place.question)].p_yes;
    const bool guarded =
        turn.place.guard >= 0 && answers[static_cast<size_t>(turn.place.guard)].p_yes < kGuardThreshold;
    judged.outcome.p_yes = p_yes;
    judged.outcome.verdict = guarded ? rules::Verdict::kFalse : rules::Judge(rule, p_yes);
    sighting.verdict = *judged.outcome.verdict;
    sighting.guarded = guarded;
  }
  const rules::AlertStep step = rules::Advance(rule, state.alert, sighting);
  state.alert = step.state;
  judged.outcome.reason = step.reason;
  judged.outcome.phase = step.state.phase;
  if (step.reason == rules::Reason::kFired) judged.change = AlertChange::kFired;
  if (step.reason == rules::Reason::kResolved) judged.change = AlertChange::kResolved;
  if (judged.outcome.p_yes) NoteTold(rule, time, state, judged);
  judged.write_state = judged.change.has_value() || WantsWriting(judged.before, step.state, state, time);
  if (judged.write_state) state.stored_at = time;
  const bool asked = turn.kind == Kind::kAsked;
  if (asked && judged.outcome.p_yes) {
    CountClose(rule, *judged.outcome.p_yes, judged.before.last == state.alert.last, time, state);
  }
  if (asked) state.asked_at = time;
  if (asked && step.reason != rules::Reason::kLate) state.must_ask = false;
  return judged;
}

}  // namespace pawsight::gateway
