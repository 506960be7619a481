// rules/verdict.h: one answer judged by one rule: true, false or unsure. Pure; it knows no time (rules/alert.h does).
#pragma once

#include <string_view>

#include "rules/rule.h"

namespace pawsight::rules {

enum class Verdict { kTrue, kFalse, kUnsure };
/// "true", "false", "unsure".
std::string_view VerdictName(Verdict verdict);

/// With p the probability of the answer the rule expects (p_yes, or 1 - p_yes when it expects "no"): true from the
/// threshold up; false below threshold - unsure_band; unsure between. The band lies below the threshold so that the
/// number a user sets is the number that alerts; an unsure answer moves no alert either way, which makes the pair a
/// Schmitt trigger. p_yes in [0, 1].
Verdict Judge(const Rule& rule, double p_yes);

}  // namespace pawsight::rules
