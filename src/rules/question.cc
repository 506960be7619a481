#include "rules/question.h"

#include <algorithm>
#include <array>
#include <unordered_map>

namespace pawsight::rules {
namespace {

constexpr size_t kLongQuestionWords = 14;

bool IsSpace(unsigned char c) { return c <= 0x20 || c == 0x7f; }  // control characters separate words too

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Length of the UTF-8 sequence at `at`, 0 when it is none (truncated, overlong, a surrogate, above U+10FFFF).
size_t Utf8Length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || at + length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;
  if (lead == 0xED && byte(1) > 0x9F) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

bool IsUtf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t length = Utf8Length(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

}  // namespace

Result<Question> Question::Parse(std::string_view text) {
  if (text.size() > kMaxQuestionBytes) {
    return InvalidArgument("question: more than 512 bytes; ask something shorter", "question_too_long");
  }
  if (!IsUtf8(text)) return InvalidArgument("question: not UTF-8", "question_not_utf8");
  std::string clean;
  for (const char c : text) {
    if (!IsSpace(static_cast<unsigned char>(c))) {
      clean += c;
    } else if (!clean.empty() && clean.back() != ' ') {
      clean += ' ';
    }
  }
  while (!clean.empty() && (clean.back() == ' ' || clean.back() == '?')) clean.pop_back();
  if (clean.empty())
    return InvalidArgument("question: empty, want words such as \"Is the dog on the couch?\"", "question_empty");
  clean += '?';
  std::string key = clean;
  std::transform(key.begin(), key.end(), key.begin(), Lower);
  return Question(std::move(clean), std::move(key));
}

std::string_view QuestionFaultName(QuestionFault fault) {
  switch (fault) {
    case QuestionFault::kTwoQuestions:
      return "two_questions";
    case QuestionFault::kNotYesNo:
      return "not_yes_no";
    case QuestionFault::kChoice:
      return "choice";
    case QuestionFault::kLong:
      return "long_question";
  }
  CHECK(false);
}

std::string_view QuestionFaultAdvice(QuestionFault fault) {
  switch (fault) {
    case QuestionFault::kTwoQuestions:
      return "two questions in one: ask them apart, each gets its own answer";
    case QuestionFault::kNotYesNo:
      return "not a yes/no question: begin with \"Is\", \"Are\" or \"Does\"";
    case QuestionFault::kChoice:
      return "\"or\" offers a choice that yes or no cannot answer: ask one thing";
    case QuestionFault::kLong:
      return "long: short questions with everyday words are answered best";
  }
  CHECK(false);
}

std::vector<QuestionFault> QuestionFaults(const Question& question) {
  std::vector<QuestionFault> faults;
  const std::string& key = question.key();
  if (std::count(key.begin(), key.end(), '?') > 1) faults.push_back(QuestionFault::kTwoQuestions);
  static constexpr std::array<std::string_view, 10> kOpenWords = {"what",  "where", "who", "whose",  "when",
                                                                  "which", "why",   "how", "what's", "where's"};
  const std::string_view first(key.data(), std::min(key.find_first_of(" ?"), key.size()));
  if (std::find(kOpenWords.begin(), kOpenWords.end(), first) != kOpenWords.end()) {
    faults.push_back(QuestionFault::kNotYesNo);
  }
  if (key.find(" or ") != std::string::npos) faults.push_back(QuestionFault::kChoice);
  if (static_cast<size_t>(std::count(key.begin(), key.end(), ' ')) + 1 > kLongQuestionWords) {
    faults.push_back(QuestionFault::kLong);
  }
  return faults;
}

std::vector<std::string> QuestionAdvice(const Question& question) {
  std::vector<std::string> advice;
  for (const QuestionFault fault : QuestionFaults(question)) advice.emplace_back(QuestionFaultAdvice(fault));
  return advice;
}

QuestionPlan PlanQuestions(std::span<const Question> wanted) {
  QuestionPlan plan;
  std::unordered_map<std::string_view, size_t> places;
  for (const Question& question : wanted) {
    const auto [place, fresh] = places.emplace(question.key(), plan.questions.size());
    if (fresh) plan.questions.push_back(question.text());
    plan.question_idx.push_back(place->second);
  }
  return plan;
}

}  // namespace pawsight::rules
