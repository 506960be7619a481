#include "gateway/lines.h"

#include <algorithm>

#include "base/check.h"

namespace pawsight::gateway {
namespace {

double Milliseconds(std::chrono::nanoseconds time) { return static_cast<double>(time.count() / 1000) / 1000; }

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

/// No frame of its own time, only room for a newer one.
bool WasDropped(const FrameResult& result) {
  return result.trouble.reason() == "replaced" || result.trouble.reason() == "draining";
}

/// "living room: " where there is more than one.
std::string CameraPrefix(const std::string& camera, const Names& names) {
  return names.num_cameras() > 1 ? Printable(names.CameraOf(camera)) + ": " : "";
}

std::string AnswerText(const std::string& question, const Outcome& outcome) {
  const bool moving = outcome.phase != rules::AlertPhase::kInactive;
  return question + " " + (*outcome.p_yes >= 0.5 ? "yes " : "no ") + Fixed2(*outcome.p_yes) +
         (moving ? " [" + std::string(rules::ReasonName(outcome.reason)) + "]" : "");
}

/// Of the rules that were asked, in their order.
std::string AnswersText(const FrameResult& result, const Names& names) {
  std::string text;
  for (const Outcome& outcome : result.outcomes) {
    if (!outcome.p_yes) continue;
    text += (text.empty() ? "" : " | ") + AnswerText(names.QuestionOf(outcome.rule), outcome);
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

std::string AlertText(const AlertNotice& notice, const Names& names) {
  std::string line = TimeOfDay(notice.time) + std::string(WordOf(notice.change)) + CameraPrefix(notice.camera, names) +
                     notice.question;
  if (notice.p_yes) line += notice.expected ? "  yes " + Fixed2(*notice.p_yes) : "  no " + Fixed2(1 - *notice.p_yes);
  if (!notice.cause.empty()) line += "  (" + notice.cause + ")";
  line += notice.recorded.ok() ? "" : "  (not recorded: " + Printable(notice.recorded.message()) + ")";
  return line + "\n";
}

}  // namespace

Json FrameToJson(const FrameResult& result, const Names& names) {
  Json::Array outcomes;
  for (const Outcome& outcome : result.outcomes) {
    outcomes.push_back(Json::Object{{"rule", names.WordOf(outcome.rule)},
                                    {"rule_id", outcome.rule},
                                    {"question", names.QuestionOf(outcome.rule)},
                                    {"p_yes", outcome.p_yes ? Json(*outcome.p_yes) : Json()},
                                    {"verdict", outcome.verdict ? Json(rules::VerdictName(*outcome.verdict)) : Json()},
                                    {"reason", rules::ReasonName(outcome.reason)},
                                    {"phase", rules::AlertPhaseName(outcome.phase)}});
  }
  Json json(Json::Object{{"type", "frame"},
                         {"camera", names.CameraOf(result.camera)},
                         {"camera_id", result.camera},
                         {"time", FormatTime(result.time)},
                         {"frame", result.sequence ? Json(*result.sequence) : Json()},
                         {"asked", result.asked},
                         {"look_ms", Milliseconds(result.looked)},
                         {"ask_ms", Milliseconds(result.answering)},
                         {"rules", std::move(outcomes)}});
  if (!result.pool.empty()) json.Set("pool", result.pool);
  if (!result.trouble.ok()) json.Set("trouble", result.trouble.ToString());
  return json;
}

Json AlertToJson(const AlertNotice& notice, std::optional<uint64_t> frame, const Names& names,
                 const EventRecord::Place& place) {
  Json json(Json::Object{{"type", AlertChangeName(notice.change)},
                         {"id", place.sequence > 0 ? place.id : notice.event},
                         {"sequence", place.sequence},
                         {"time", FormatTime(notice.time)},
                         {"camera", names.CameraOf(notice.camera)},
                         {"camera_id", notice.camera},
                         {"rule", names.WordOf(notice.rule)},
                         {"rule_id", notice.rule},
                         {"question", notice.question},
                         {"expect", notice.expected ? "yes" : "no"},
                         {"severity", SeverityName(notice.severity)},
                         {"alert", notice.number},
                         {"alert_id", notice.id},
                         {"frame", frame ? Json(*frame) : Json()},
                         {"p_yes", notice.p_yes ? Json(*notice.p_yes) : Json()},
                         {"threshold", notice.threshold},
                         {notice.change == AlertChange::kFired ? "since" : "fired_at", FormatTime(notice.since)}});
  if (!notice.cause.empty()) json.Set("cause", notice.cause);
  json.Set("recorded", notice.recorded.ok());
  return json;
}

std::string FrameText(const FrameResult& result, const Names& names, bool answers) {
  std::string lines;
  const std::string number = result.sequence ? std::to_string(*result.sequence) : "-";
  const std::string start = TimeOfDay(result.time) + "  frame " + number + "  " + CameraPrefix(result.camera, names);
  if (!result.trouble.ok()) {
    lines += start + Printable(result.trouble.ToString()) + "\n";
  } else if (result.asked && answers) {
    lines += start + AnswersText(result, names) + "\n";
  }
  for (const AlertNotice& notice : result.changes) lines += AlertText(notice, names);
  return lines;
}

std::string Lines::JsonOf(const AlertNotice& notice, std::optional<uint64_t> frame) const {
  const EventRecord::Place place = kept_ == nullptr ? EventRecord::Place() : kept_->PlaceOf(notice);
  return AlertToJson(notice, frame, names_, place).Dump() + "\n";
}

void Lines::Write(const std::string& lines) {
  if (lines.empty()) return;
  std::fwrite(lines.data(), 1, lines.size(), out_);  // when the reader has gone the next write ends us (SIGPIPE)
  std::fflush(out_);
}

void Lines::OnFrame(const std::shared_ptr<const FrameResult>& result) {
  std::string lines;
  if (!WasDropped(*result)) {
    if (!options_.json) {
      lines = FrameText(*result, names_, options_.answers);
    } else {
      if (options_.answers || !result->trouble.ok()) lines = FrameToJson(*result, names_).Dump() + "\n";
      for (const AlertNotice& notice : result->changes) lines += JsonOf(notice, result->sequence);
    }
  }
  MutexLock lock(mu_);
  if (WasDropped(*result)) {
    ++counts_.num_dropped;
    return;
  }
  ++counts_.num_frames;
  counts_.num_asked += result->asked ? 1 : 0;
  counts_.num_changes += result->changes.size();
  for (const AlertNotice& notice : result->changes) counts_.num_alerts += notice.change == AlertChange::kFired ? 1 : 0;
  Write(lines);
}

void Lines::OnAlert(const AlertNotice& notice) {
  if (!notice.frame.empty()) return;  // its frame told of it
  const std::string lines = options_.json ? JsonOf(notice, std::nullopt) : AlertText(notice, names_);
  MutexLock lock(mu_);
  ++counts_.num_changes;
  Write(lines);
}

LineCounts Lines::counts() const {
  MutexLock lock(mu_);
  return counts_;
}

}  // namespace pawsight::gateway
