// rules/question.h: what a person typed, checked and made one spelling, and the plan of what to ask of a frame: every
// wording once, however many rules use it. Not here: tokenizing, which belongs to whoever answers.
// Values and pure functions; thread-compatible.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace pawsight::rules {

/// Longest question taken, in bytes of UTF-8.
inline constexpr size_t kMaxQuestionBytes = 512;

/// A question fit to be asked: UTF-8, one line, single spaces, nothing at the ends, a question mark last.
class Question {
 public:
  /// Errors, all kInvalidArgument: `question_empty`, nothing but spaces; `question_too_long`, more than
  /// kMaxQuestionBytes; `question_not_utf8`.
  static Result<Question> Parse(std::string_view text);

  const std::string& text() const { return text_; }
  /// The text with ASCII letters in lower case: two questions with one key are one question to the model, which reads
  /// no case. Other scripts keep their case; at worst such a question is asked twice.
  const std::string& key() const { return key_; }

  friend bool operator==(const Question& a, const Question& b) { return a.key_ == b.key_; }

 private:
  Question(std::string text, std::string key) : text_(std::move(text)), key_(std::move(key)) {}
  std::string text_;
  std::string key_;
};

/// What a yes/no model answers badly. English only.
enum class QuestionFault { kTwoQuestions, kNotYesNo, kChoice, kLong };
/// "two_questions", "not_yes_no", "choice", "long_question".
std::string_view QuestionFaultName(QuestionFault fault);
/// One sentence for a person.
std::string_view QuestionFaultAdvice(QuestionFault fault);
std::vector<QuestionFault> QuestionFaults(const Question& question);
/// The sentences of its faults, empty when there is nothing to say; never an error.
std::vector<std::string> QuestionAdvice(const Question& question);

/// What to ask of one frame. `questions` has no two equal keys; `question_idx[i]` is where the i-th input went.
struct QuestionPlan {
  std::vector<std::string> questions;
  std::vector<size_t> question_idx;
};
QuestionPlan PlanQuestions(std::span<const Question> wanted);

}  // namespace pawsight::rules
