#include "gateway/terminal.h"

#include <algorithm>

namespace pawsight::gateway {
namespace {

/// "08:15:30" of an RFC 3339 time.
std::string TimeOfDay(Time time) { return FormatTime(time).substr(11, 8); }

std::string Fixed2(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

/// Text from outside: control characters could move a terminal's cursor, or worse.
std::string Printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return text;
}

std::string AnswerText(const rules::Rule& rule, const Outcome& outcome) {
  const bool moving = outcome.phase != rules::AlertPhase::kInactive;
  return rule.question.text() + " " + (*outcome.p_yes >= 0.5 ? "yes " : "no ") + Fixed2(*outcome.p_yes) +
         (moving ? " [" + std::string(rules::ReasonName(outcome.reason)) + "]" : "");
}

/// Of the rules that were asked, in their order.
std::string AnswersText(const std::vector<rules::Rule>& rules, const FrameResult& result) {
  std::string text;
  for (const Outcome& outcome : result.outcomes) {
    const auto rule =
        std::find_if(rules.begin(), rules.end(), [&](const rules::Rule& one) { return one.id == outcome.rule; });
    if (rule == rules.end() || !outcome.p_yes) continue;
    text += (text.empty() ? "" : " | ") + AnswerText(*rule, outcome);
  }
  return text;
}

std::string_view WordOf(AlertChange change) {
  switch (change) {
    case AlertChange::kFired:
      return "  ALERT     ";
    case AlertChange::kUpdated:
      return "  still on  ";
    case AlertChange::kResolved:
      return "  resolved  ";
  }
  CHECK(false);
}

std::string AlertLine(const AlertNotice& notice) {
  std::string line = TimeOfDay(notice.time) + std::string(WordOf(notice.change)) + notice.question;
  if (notice.p_yes) line += notice.expected ? "  yes " + Fixed2(*notice.p_yes) : "  no " + Fixed2(1 - *notice.p_yes);
  line += notice.recorded.ok() ? "" : "  (not recorded: " + Printable(notice.recorded.message()) + ")";
  return line + "\n";
}

}  // namespace

std::string Terminal::Lines(const std::vector<rules::Rule>& rules, const FrameReport& report, bool answers) {
  const FrameResult& result = *report.result;
  std::string lines;
  const std::string start = TimeOfDay(result.time) + "  frame " + std::to_string(report.number) + "  ";
  if (!result.trouble.ok()) {
    lines += start + Printable(result.trouble.ToString()) + "\n";
  } else if (result.asked && answers) {
    lines += start + AnswersText(rules, result) + "\n";
  }
  for (const AlertNotice& notice : result.changes) lines += AlertLine(notice);
  return lines;
}

void Terminal::OnFrame(const std::vector<rules::Rule>& rules, const FrameReport& report) {
  std::string lines;
  if (!options_.json) {
    lines = Lines(rules, report, options_.answers);
  } else {
    if (options_.answers || !report.result->trouble.ok()) lines += FrameToJson(report).Dump() + "\n";
    for (size_t i = 0; i < report.result->changes.size(); ++i) lines += AlertToJson(report, i).Dump() + "\n";
  }
  if (lines.empty()) return;
  std::fwrite(lines.data(), 1, lines.size(), out_);  // when the reader has gone the next write ends us (SIGPIPE)
  std::fflush(out_);
}

}  // namespace pawsight::gateway
