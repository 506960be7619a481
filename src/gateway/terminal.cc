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

std::string AnswerLine(const rules::Rule& rule, const RuleOutcome& outcome) {
  const bool moving = outcome.phase != rules::AlertPhase::kInactive;
  return rule.question.text() + " " + (*outcome.p_yes >= 0.5 ? "yes " : "no ") + Fixed2(*outcome.p_yes) +
         (moving ? " [" + std::string(rules::ReasonName(outcome.reason)) + "]" : "");
}

std::string AlertLine(const rules::Rule& rule, const AlertChange& change) {
  std::string line =
      TimeOfDay(change.event.time) + (change.fired ? "  ALERT     " : "  resolved  ") + rule.question.text();
  const Json* p_yes = change.event.detail.Find("p_yes");
  if (p_yes != nullptr && p_yes->is_number()) {
    line += (rule.expected ? "  yes " + Fixed2(p_yes->as_number()) : "  no " + Fixed2(1 - p_yes->as_number()));
  }
  line += change.recorded.ok() ? "" : "  (not recorded: " + Printable(change.recorded.message()) + ")";
  return line + "\n";
}

}  // namespace

std::string Terminal::Lines(const std::vector<rules::Rule>& rules, const FrameReport& report, bool answers) {
  std::string lines;
  const std::string start = TimeOfDay(report.frame->time) + "  frame " + std::to_string(report.frame->number) + "  ";
  if (!report.trouble.ok()) {
    lines += start + Printable(report.trouble.ToString()) + "\n";
  } else if (report.asked && answers) {
    lines += start;
    for (size_t i = 0; i < rules.size(); ++i) lines += (i > 0 ? " | " : "") + AnswerLine(rules[i], report.outcomes[i]);
    lines += "\n";
  }
  for (const AlertChange& change : report.changes) lines += AlertLine(rules[change.rule_idx], change);
  return lines;
}

void Terminal::OnFrame(const std::vector<rules::Rule>& rules, const FrameReport& report) {
  std::string lines;
  if (!options_.json) {
    lines = Lines(rules, report, options_.answers);
  } else {
    if (options_.answers || !report.trouble.ok()) lines += FrameToJson(camera_, rules, report).Dump() + "\n";
    for (const AlertChange& change : report.changes) lines += AlertToJson(change).Dump() + "\n";
  }
  if (lines.empty()) return;
  std::fwrite(lines.data(), 1, lines.size(), out_);  // when the reader has gone the next write ends us (SIGPIPE)
  std::fflush(out_);
}

}  // namespace pawsight::gateway
