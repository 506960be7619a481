#include "rules/lint.h"

#include <algorithm>
#include <array>
#include <span>

namespace pawsight::rules {
namespace {

constexpr double kLowThreshold = 0.55;

/// `key` is in lower case and ends in "?". True when one of `words` stands in it between what is no letter.
bool HasWord(std::string_view key, std::span<const std::string_view> words) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '\''; };
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    for (size_t at = key.find(word); at != std::string_view::npos; at = key.find(word, at + 1)) {
      const bool begins = at == 0 || !is_letter(key[at - 1]);
      const bool ends = at + word.size() == key.size() || !is_letter(key[at + word.size()]);
      if (begins && ends) return true;
    }
    return false;
  });
}

void LintQuestion(const Question& question, std::string_view field, std::vector<Finding>& found) {
  static constexpr std::array<std::string_view, 6> kNegations = {"not", "no", "isn't", "aren't", "without", "never"};
  static constexpr std::array<std::string_view, 7> kNumbers = {"more than", "less than", "at least", "exactly",
                                                               "how many",  "two",       "three"};
  static constexpr std::array<std::string_view, 6> kTimes = {"still", "already", "yet", "again", "since", "before"};
  for (const QuestionFault fault : QuestionFaults(question)) {
    found.push_back(
        {QuestionFaultName(fault), field, std::string(QuestionFaultAdvice(fault)), fault != QuestionFault::kLong});
  }
  const std::string& key = question.key();
  if (HasWord(key, kNegations)) {
    found.push_back({"negation", field, "a \"not\" confuses the model: ask it the other way round and expect \"no\""});
  }
  if (HasWord(key, kNumbers)) {
    found.push_back({"number", field, "the model counts badly: ask whether there is one at all"});
  }
  if (HasWord(key, kTimes)) {
    found.push_back(
        {"time_words", field,
         "a frame knows no before and after: ask what it shows now, and let for_s and cooldown_s keep time"});
  }
}

void LintTimes(const Rule& rule, std::vector<Finding>& found) {
  if (rule.hold.count() == 0 && rule.frames.needed <= 1) {
    found.push_back(
        {"no_hold", "for_s", "one wrong answer alerts: a second or two of for_s, or for_frames 2, stops most"});
  }
  if (rule.cooldown.count() == 0) {
    found.push_back({"no_cooldown", "cooldown_s", "an answer that comes and goes alerts each time: a minute is usual"});
  }
  if (rule.sample_every.count() > 0 && rule.hold.count() > 0 && rule.hold < rule.sample_every) {
    found.push_back({"sampled_past_hold", "sample_every_s",
                     "longer than for_s: the alert waits for the next sample, not for for_s"});
  }
  if (rule.sample_every * rule.frames.of > std::chrono::minutes(30)) {
    found.push_back(
        {"frames_past_sampling", "of_frames", "so many frames at sample_every_s take more than half an hour"});
  }
}

void LintSchedule(const Rule& rule, std::vector<Finding>& found) {
  if (!rule.schedule) return;
  const std::vector<Window>& windows = rule.schedule->windows;
  bool overlap = false, too_short = false;
  for (size_t i = 0; i < windows.size(); ++i) {
    too_short = too_short || LengthOf(windows[i]) <= rule.hold;
    for (size_t k = 0; k < i; ++k) overlap = overlap || Overlap(windows[k], windows[i]);
  }
  if (overlap) {
    found.push_back(
        {"windows_overlap", "schedule", "two windows share some time: they count as one, which may be meant"});
  }
  if (too_short) {
    found.push_back({"window_too_short", "schedule", "a window is not longer than for_s: in it nothing can alert"});
  }
}

}  // namespace

std::vector<Finding> LintRule(const Rule& rule) {
  std::vector<Finding> found;
  LintQuestion(rule.question, "question", found);
  if (rule.guard) LintQuestion(*rule.guard, "guard", found);
  LintTimes(rule, found);
  LintSchedule(rule, found);
  if (rule.threshold.value() < kLowThreshold) {
    found.push_back({"threshold_low", "threshold", "below 0.55 a coin's toss alerts: 0.7 is a good start"});
  }
  if (!rule.enabled) {
    found.push_back({"never_due", "enabled", "the rule is switched off: nothing is asked"});
  }
  return found;
}

}  // namespace pawsight::rules
