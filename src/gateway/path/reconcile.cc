#include "gateway/path/reconcile.h"

#include <algorithm>
#include <utility>

namespace pawsight::gateway {
namespace {

const rules::Rule* FindRule(const OwnerView* view, std::string_view id) {
  if (view == nullptr) return nullptr;
  const auto at = view->rule_idx.find(id);
  return at == view->rule_idx.end() ? nullptr : &view->setup.rules[at->second];
}

/// States of the turn before and those restored, a rule once; what this process saw wins.
std::vector<RuleState> AllStates(const std::vector<RuleState>& known, std::vector<RuleState> restored) {
  std::vector<RuleState> all = known;
  for (RuleState& state : restored) {
    const auto same = [&](const RuleState& other) { return other.rule == state.rule; };
    const auto at = std::find_if(all.begin(), all.end(), same);
    if (at == all.end()) {
      all.push_back(std::move(state));
    } else if (!at->asked_at) {
      *at = std::move(state);
    }
  }
  return all;
}

/// Why the rule no longer looks through the camera.
std::string CauseOf(const rules::Rule* now, bool removed) {
  if (removed) return "camera_removed";
  if (now == nullptr) return "rule_removed";
  return now->enabled ? "camera_left" : "rule_disabled";
}

/// Ends what the state holds; true when an alert was firing.
bool End(RuleState& state, Time now) {
  rules::Retired retired = rules::Retire(state.alert, now);
  state.alert = retired.state;
  state.must_ask = true;
  state.asked_at.reset();
  return retired.ended;
}

}  // namespace

bool IsConcerned(const Camera::InTurn& turn, const OwnerView& view, const std::string& camera) {
  const std::vector<size_t>& rules = view.RulesOf(camera);
  if (turn.rules.size() != rules.size()) return true;
  for (size_t i = 0; i < rules.size(); ++i) {
    const RuleState& state = turn.states[i];
    if (state.rule != view.setup.rules[rules[i]].id || state.meaning != view.meanings[rules[i]]) return true;
  }
  return std::any_of(turn.states.begin() + static_cast<std::ptrdiff_t>(rules.size()), turn.states.end(),
                     [&](const RuleState& asleep) { return !view.rule_idx.contains(asleep.rule); });
}

Reconciled Reconcile(const Camera::InTurn& before, std::vector<RuleState> restored,
                     const std::shared_ptr<const OwnerView>& view, const std::string& camera, bool removed, Time now) {
  Reconciled made;
  made.turn.view = view;
  if (!removed) made.turn.rules = view->RulesOf(camera);
  std::vector<RuleState> known = AllStates(before.states, std::move(restored));
  const auto close = [&](RuleState& state, std::string cause) {
    const rules::AlertState was = state.alert;
    const rules::Rule* rule = FindRule(before.view.get(), state.rule);
    if (rule == nullptr) rule = FindRule(view.get(), state.rule);
    if (End(state, now)) made.closings.push_back({std::move(cause), rule, was, state});
  };
  for (const size_t idx : made.turn.rules) {
    const rules::Rule& rule = view->setup.rules[idx];
    const auto at = std::find_if(known.begin(), known.end(), [&](const RuleState& s) { return s.rule == rule.id; });
    RuleState state;
    if (at != known.end()) {
      state = std::move(*at);
      known.erase(at);
    }
    state.rule = rule.id;
    const uint64_t meaning = view->meanings[idx];
    if (state.meaning != meaning) {
      const bool moved = !(state.alert == rules::AlertState{});
      close(state, "rule_edited");
      state.meaning = meaning;
      if (moved) made.changed.push_back(made.turn.states.size());
    }
    made.turn.states.push_back(std::move(state));
  }
  for (RuleState& state : known) {
    const rules::Rule* const rule = removed ? nullptr : FindRule(view.get(), state.rule);
    const bool moved = state.alert.phase != rules::AlertPhase::kInactive;
    close(state, CauseOf(rule, removed));
    if (rule == nullptr) continue;
    if (moved) made.changed.push_back(made.turn.states.size());
    made.turn.states.push_back(std::move(state));
  }
  return made;
}

}  // namespace pawsight::gateway
