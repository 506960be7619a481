#include "rules/verdict.h"

namespace pawsight::rules {

std::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kTrue:
      return "true";
    case Verdict::kFalse:
      return "false";
    case Verdict::kUnsure:
      return "unsure";
  }
  CHECK(false);
}

Verdict Judge(const Rule& rule, double p_yes) {
  CHECK(p_yes >= 0 && p_yes <= 1);
  const double p = rule.expected ? p_yes : 1 - p_yes;
  if (p >= rule.threshold.value()) return Verdict::kTrue;
  return p < rule.threshold.value() - rule.unsure_band ? Verdict::kFalse : Verdict::kUnsure;
}

}  // namespace pawsight::rules
