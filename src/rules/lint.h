// rules/lint.h: advice for a person who writes a rule: what the model will answer badly and what will alert too often
// or never. Each finding has a stable code; some are so sure to go wrong that the rule should be refused. English only.
// Not here: what ParseRule refuses. Pure; thread-compatible.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/rule.h"

namespace pawsight::rules {

struct Finding {
  std::string_view code;   // "two_questions", stable
  std::string_view field;  // "question", "guard", "cooldown_s": where in the rule
  std::string advice;      // one sentence
  bool refuse = false;     // the model cannot answer it; the API refuses unless told otherwise
};

/// Codes. Of a question or a guard: two_questions (refuse), not_yes_no (refuse), choice (refuse), long_question,
/// negation, number, time_words. Of the rule: no_hold, no_cooldown, sampled_past_hold, frames_past_sampling,
/// threshold_low, never_due.
std::vector<Finding> LintRule(const Rule& rule);

}  // namespace pawsight::rules
