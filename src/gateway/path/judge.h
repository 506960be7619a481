// gateway/path/judge.h: stations 10 and 11: from what came of a frame to each rule's reason, state and alert. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gateway/path/frame_result.h"
#include "gateway/path/plan.h"

namespace pawsight::gateway {

/// What a frame is to one rule, before it is judged.
struct RuleTurn {
  rules::Sighting::Kind kind = rules::Sighting::Kind::kUnchanged;
  Place place;  // of its answers, when there are some
};

/// A guard's answer below this is a no.
inline constexpr double kGuardThreshold = 0.5;

struct Judged {
  Outcome outcome;
  std::optional<AlertChange> change;                     // of its alert, with this frame
  rules::UpdateCause cause = rules::UpdateCause::kNone;  // of an update
  rules::AlertState before;
  bool write_state = false;  // the record should have the new state
};

/// While a rule is in doubt its state is written at least so often, so that a restart goes on with it.
inline constexpr std::chrono::seconds kStateEvery{20};

/// Advances `state`. `answers`: of the inquiry, empty when there are none. With answers, a rule whose kind is not
/// kAsked (not due, late) is shown what was answered, and its state stays.
Judged JudgeRule(const rules::Rule& rule, const RuleTurn& turn, std::span<const Answer> answers, Time time,
                 RuleState& state);

}  // namespace pawsight::gateway
