// gateway/path/plan.h: station 3: which rules have their turn with a frame, and what is asked of it. Pure.
//
// A guard is asked together with its rule's question, in one inquiry. Asking it first and the question only after a
// "yes" would cost less only where the text side costs something: a frame's image encoder costs as much as 58 questions
// (55.5 + 8.2 billion multiply-adds against 1.1), so a second question adds 2 % and a second round trip as much again
// as the first, and doubles the latency. One wording is asked once, however many rules and guards use it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "rules/alert.h"
#include "rules/alert_update.h"
#include "rules/rule.h"
#include "rules/time_zone.h"

namespace pawsight::gateway {

/// Most questions of one inquiry (gateway/backend.h).
inline constexpr size_t kMaxInquiryQuestions = 64;
/// What an image costs, in questions.
inline constexpr int64_t kImageCost = 58;

/// What is remembered of one rule on one camera.
struct RuleState {
  std::string rule;
  uint64_t meaning = 0;  // rules::Meaning of the rule that `alert` is of
  rules::AlertState alert;
  std::string alert_id;          // of the alert that fires, else of the last
  rules::Told told;              // of the alert that fires
  std::optional<Time> asked_at;  // by the frame's time
  /// Its next turn is asked whatever the gate says: it was never asked, or got no answer, or missed a frame that
  /// changed.
  bool must_ask = true;
  std::optional<Time> stored_at;  // when the state was last given to the record, by the frame's time
  int num_close = 0;  // answers on end, the newest last, that were close to the threshold and soon after one another
};

/// Whether a rule should be asked again though nothing has changed, because its newest answer was close: the first
/// frame of a change is often its worst (blurred, badly exposed, half compressed), and the model's answers to one
/// picture waver. Every rules::kDoubtPace, until an answer is clear or kMaxClose in a row were close. Pure.
bool WantsAgain(const RuleState& state, Time now);
inline constexpr int kMaxClose = 4;
/// An answer is close when its probability is within this of the middle of the unsure band.
inline constexpr double kCloseBand = 0.3;

enum class Turn { kDue, kNotDue, kSnoozed };

/// Whether the rule has its turn with a frame taken at `now`. A firing alert is followed to its end, also outside the
/// schedule and while snoozed: whoever was told of it is told that it is over. `zone` is the schedule's; null without
/// one.
Turn TurnOf(const rules::Rule& rule, const rules::TimeZone* zone, const RuleState& state, bool snoozed, Time now);

/// Where the answers of one rule are in the inquiry; -1: not asked.
struct Place {
  int question = -1;
  int guard = -1;
};

struct InquiryPlan {
  std::vector<std::string> questions;  // distinct, at most kMaxInquiryQuestions
  std::vector<Place> places;           // one a rule, in their order
  std::vector<int> own;                // of the submission's questions, in their order; never -1
};

/// `own` (at most 16) comes first, then the rules that must be asked, then the others. A rule whose question or guard
/// no longer fits is left for the next frame, whole.
InquiryPlan PlanInquiry(std::span<const rules::Question> own, std::span<const rules::Rule* const> rules,
                        const std::vector<bool>& must_ask);

/// Until a snooze of this rule on this camera ends; nullopt when there is none at `now`. The names in a snooze may be
/// empty: any.
struct SnoozeView {
  std::string_view rule, camera;
  Time until{};
};
bool IsSnoozed(std::span<const SnoozeView> snoozes, std::string_view rule, std::string_view camera, Time now);

}  // namespace pawsight::gateway
