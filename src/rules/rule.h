// rules/rule.h: what the user wrote: a question and when its answer is an alert. Read here from JSON, checked once,
// then trusted. Not here: judging an answer (rules/verdict.h), time (rules/alert.h). Values; thread-compatible.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/severity.h"
#include "base/status.h"
#include "rules/camera_selector.h"
#include "rules/question.h"
#include "rules/schedule.h"

namespace pawsight::rules {

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

/// "n of m frames": of the last `of` asked frames that were true or false, `needed` were true. needed 0: not used.
struct FrameCount {
  int needed = 0;  // 1 to `of`
  int of = 0;      // 1 to 32
  friend bool operator==(const FrameCount&, const FrameCount&) = default;
};

inline constexpr std::chrono::milliseconds kUsualUpdate{300000};

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
  FrameCount frames;                          // instead of `hold`: how many frames must be true
  std::optional<Question> guard;              // answered "no" (p_yes below 0.5), the rule's question counts as not true
  std::optional<Schedule> schedule;           // asked only then; none: always
  std::chrono::milliseconds sample_every{0};  // asked at most once in so long on one camera; 0: every frame; to 1 day
  /// While its alert fires, those who want to hear it are told so often that it still does; 10 s to 1 day; 0: never.
  std::chrono::milliseconds update_every = kUsualUpdate;
  CameraSelector cameras;
  std::vector<std::string> receivers;  // ids that are told of its alerts, at most kMaxReceivers; none: all the owner's
  bool enabled = true;                 // false: not asked, no alert
};

inline constexpr size_t kMaxReceivers = 32;

/// {"question": "Is the dog on the couch?"} and, each optional: "id" (default: made from the question), "expect" "yes"
/// or "no", "threshold" (0.7), "unsure_band" (0.1), "for_s" (0) or "for_frames" 3 with "of_frames" 5 (default: as many
/// as for_frames), "clear_s" (5), "cooldown_s" (60), "severity" ("warning"), "guard" "Is there a dog?", "schedule"
/// (ParseSchedule), "sample_every_s" (0), "update_s" (300; 0 or 10 and more), "cameras" (ParseCameraSelector),
/// "receivers" ["rcv_a"], "enabled" (true). `zones`, where given, must know the schedule's zone. Errors:
/// kInvalidArgument, the field and what was wanted; an unknown field is an error.
Result<Rule> ParseRule(const Json& json, Zones* zones = nullptr);
/// What ParseRule reads; optional fields that say nothing are left out.
Json RuleToJson(const Rule& rule);

/// Two rules of one meaning ask the same thing and want the same answer: question, expect and guard. What is timed or
/// measured may differ. The same number on every machine; it is stored beside an alert's state (rules/alert_codec.h).
uint64_t Meaning(const Rule& rule);

/// An array of at most kMaxRules rules with different ids.
/// Errors: kInvalidArgument as ParseRule's, with the place ("rules[2].threshold: ...").
inline constexpr size_t kMaxRules = 64;
Result<std::vector<Rule>> ParseRules(const Json& json, Zones* zones = nullptr);

/// "is-the-dog-on-the-couch" for "Is the dog on the couch?".
std::string RuleIdFor(const Question& question);

}  // namespace pawsight::rules
