// rules/rule.h: what the user wrote: a question and when its answer is an alert. Read here from JSON, checked once,
// then trusted. Not here: judging an answer (rules/verdict.h), time (rules/alert.h). Values; thread-compatible.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "rules/question.h"

namespace pawsight::rules {

enum class Severity { kInfo, kWarning, kCritical };
/// "info", "warning", "critical".
std::string_view SeverityName(Severity severity);

/// The least probability of the expected answer that counts as true: 0.01 to 0.99.
class Threshold {
 public:
  /// Errors: kInvalidArgument, outside 0.01..0.99 or not a number.
  static Result<Threshold> Parse(double value);
  double value() const { return value_; }
  friend bool operator==(const Threshold&, const Threshold&) = default;

 private:
  explicit Threshold(double value) : value_(value) {}
  double value_;
};

struct Rule {
  std::string id;  // 1..64 of a-z 0-9 - _; names the rule in events and metrics
  Question question;
  bool expected = true;  // the answer that alerts: true is "yes"
  Threshold threshold;
  double unsure_band = 0.1;               // below the threshold: neither true nor false, 0..threshold
  std::chrono::milliseconds hold{0};      // "for": how long the verdict must stay true before the alert fires, to 1 day
  std::chrono::milliseconds clear{5000};  // how long it must stay false before a firing alert is resolved, to 1 day
  std::chrono::milliseconds cooldown{60000};  // after an alert is resolved, none for so long, to 7 days
  Severity severity = Severity::kWarning;
};

/// {"question": "Is the dog on the couch?"} and, each optional: "id" (default: made from the question), "expect" "yes"
/// or "no", "threshold" (0.7), "unsure_band" (0.1), "for_s" (0), "clear_s" (5), "cooldown_s" (60), "severity"
/// ("warning"). Errors: kInvalidArgument, the field and what was wanted; an unknown field is an error.
Result<Rule> ParseRule(const Json& json);
Json RuleToJson(const Rule& rule);

/// An array of at most kMaxRules rules with different ids.
/// Errors: kInvalidArgument as ParseRule's, with the place ("rules[2].threshold: ...").
inline constexpr size_t kMaxRules = 64;
Result<std::vector<Rule>> ParseRules(const Json& json);

/// "is-the-dog-on-the-couch" for "Is the dog on the couch?".
std::string RuleIdFor(const Question& question);

}  // namespace pawsight::rules
