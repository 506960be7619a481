#include "gateway/path/plan.h"

#include <algorithm>
#include <unordered_map>

namespace pawsight::gateway {
namespace {

/// Gives each wording its place.
class Wordings {
 public:
  explicit Wordings(std::vector<std::string>& questions) : questions_(questions) {}

  /// -1 when there is no place left.
  int PlaceOf(const rules::Question& question) {
    const auto known = places_.find(question.key());
    if (known != places_.end()) return known->second;
    if (questions_.size() >= kMaxInquiryQuestions) return -1;
    const int place = static_cast<int>(questions_.size());
    questions_.push_back(question.text());
    places_.emplace(question.key(), place);
    return place;
  }
  bool FitsBoth(const rules::Question& a, const std::optional<rules::Question>& b) const {
    const size_t fresh = (places_.contains(a.key()) ? 0 : 1) + (b && !places_.contains(b->key()) ? 1 : 0);
    return questions_.size() + fresh <= kMaxInquiryQuestions;
  }

 private:
  std::vector<std::string>& questions_;
  std::unordered_map<std::string_view, int> places_;  // views of the questions' keys, which outlive the plan's making
};

}  // namespace

Turn TurnOf(const rules::Rule& rule, const rules::TimeZone* zone, const RuleState& state, bool snoozed, Time now) {
  const bool firing = state.alert.phase == rules::AlertPhase::kFiring;
  if (snoozed && !firing) return Turn::kSnoozed;
  if (rule.schedule && !firing && !rules::IsInside(*rule.schedule, zone->WallClockAt(now))) return Turn::kNotDue;
  const bool asked_lately = state.asked_at && now >= *state.asked_at && now - *state.asked_at < rule.sample_every;
  return asked_lately ? Turn::kNotDue : Turn::kDue;
}

bool WantsAgain(const RuleState& state, Time now) {
  if (state.num_close < 1 || state.num_close > kMaxClose || !state.asked_at) return false;
  return now < *state.asked_at || now - *state.asked_at >= rules::kDoubtPace;
}

InquiryPlan PlanInquiry(std::span<const rules::Question> own, std::span<const rules::Rule* const> rules,
                        const std::vector<bool>& must_ask) {
  InquiryPlan plan;
  Wordings wordings(plan.questions);
  for (const rules::Question& question : own) plan.own.push_back(wordings.PlaceOf(question));
  plan.places.resize(rules.size());
  for (const bool urgent : {true, false}) {
    for (size_t i = 0; i < rules.size(); ++i) {
      if (must_ask[i] != urgent || !wordings.FitsBoth(rules[i]->question, rules[i]->guard)) continue;
      plan.places[i].question = wordings.PlaceOf(rules[i]->question);
      if (rules[i]->guard) plan.places[i].guard = wordings.PlaceOf(*rules[i]->guard);
    }
  }
  return plan;
}

bool IsSnoozed(std::span<const SnoozeView> snoozes, std::string_view rule, std::string_view camera, Time now) {
  return std::any_of(snoozes.begin(), snoozes.end(), [&](const SnoozeView& snooze) {
    return now < snooze.until && (snooze.rule.empty() || snooze.rule == rule) &&
           (snooze.camera.empty() || snooze.camera == camera);
  });
}

}  // namespace pawsight::gateway
