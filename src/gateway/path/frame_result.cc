#include "gateway/path/frame_result.h"

#include <algorithm>

#include "rules/question.h"

namespace pawsight::gateway {
namespace {

double Milliseconds(std::chrono::nanoseconds time) { return static_cast<double>(time.count() / 1000) / 1000; }

Json MaybeNumber(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

}  // namespace

const Answer* AnswerTo(const FrameResult& result, const std::string& question) {
  const Result<rules::Question> wanted = rules::Question::Parse(question);
  if (!wanted.ok()) return nullptr;
  for (const Answer& answer : result.answers) {
    const Result<rules::Question> asked = rules::Question::Parse(answer.question);
    if (asked.ok() && *asked == *wanted) return &answer;
  }
  return nullptr;
}

Json OutcomesToJson(const FrameResult& result) {
  Json::Array outcomes;
  for (const Outcome& outcome : result.outcomes) {
    outcomes.push_back(Json::Object{{"rule", outcome.rule},
                                    {"p_yes", MaybeNumber(outcome.p_yes)},
                                    {"verdict", outcome.verdict ? Json(rules::VerdictName(*outcome.verdict)) : Json()},
                                    {"reason", rules::ReasonName(outcome.reason)},
                                    {"phase", rules::AlertPhaseName(outcome.phase)}});
  }
  return Json(std::move(outcomes));
}

Json ResultToJson(const FrameResult& result) {
  Json json(Json::Object{{"type", "frame"},
                         {"frame", result.frame},
                         {"camera", result.camera},
                         {"time", FormatTime(result.time)},
                         {"received", FormatTime(result.received)},
                         {"asked", result.asked}});
  if (result.sequence) json.Set("sequence", *result.sequence);
  if (result.late) json.Set("late", true);
  if (!result.trouble.ok()) {
    json.Set("trouble", Json::Object{{"code", StatusCodeName(result.trouble.code())},
                                     {"reason", result.trouble.reason()},
                                     {"message", result.trouble.message()}});
  }
  Json::Array answers;
  for (const Answer& answer : result.answers) {
    answers.push_back(Json::Object{{"question", answer.question}, {"answer", answer.text}, {"p_yes", answer.p_yes}});
  }
  json.Set("answers", std::move(answers));
  json.Set("rules", OutcomesToJson(result));
  Json::Array alerts;
  Json::Array unrecorded;
  for (const AlertNotice& notice : result.changes) (notice.recorded.ok() ? alerts : unrecorded).emplace_back(notice.id);
  json.Set("alerts", std::move(alerts));
  if (!unrecorded.empty()) json.Set("unrecorded", std::move(unrecorded));
  if (!result.pool.empty()) json.Set("pool", result.pool);
  if (!result.model_version.empty()) json.Set("model_version", result.model_version);
  json.Set("total_ms", Milliseconds(result.total));
  return json;
}

std::string_view AlertChangeName(AlertChange change) {
  switch (change) {
    case AlertChange::kFired:
      return "alert.fired";
    case AlertChange::kUpdated:
      return "alert.updated";
    case AlertChange::kResolved:
      return "alert.resolved";
  }
  CHECK(false);
}

Json NoticeToJson(const AlertNotice& notice) {
  Json json(Json::Object{{"type", AlertChangeName(notice.change)},
                         {"alert", notice.id},
                         {"event", notice.event},
                         {"time", FormatTime(notice.time)},
                         {"since", FormatTime(notice.since)},
                         {"camera", notice.camera},
                         {"rule", notice.rule},
                         {"severity", SeverityName(notice.severity)},
                         {"question", notice.question},
                         {"expect", notice.expected ? "yes" : "no"},
                         {"threshold", notice.threshold},
                         {"p_yes", MaybeNumber(notice.p_yes)},
                         {"number", notice.number}});
  if (!notice.frame.empty()) json.Set("frame", notice.frame);
  if (!notice.cause.empty()) json.Set("cause", notice.cause);
  json.Set("recorded", notice.recorded.ok());
  return json;
}

}  // namespace pawsight::gateway
