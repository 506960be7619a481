#include "gateway/report.h"

namespace pawsight::gateway {
namespace {

double Milliseconds(std::chrono::nanoseconds time) { return static_cast<double>(time.count() / 1000) / 1000; }

}  // namespace

Json FrameToJson(const FrameReport& report) {
  const FrameResult& result = *report.result;
  Json json(Json::Object{{"type", "frame"},
                         {"camera", result.camera},
                         {"time", FormatTime(result.time)},
                         {"frame", report.number},
                         {"asked", result.asked},
                         {"look_ms", Milliseconds(result.looked)},
                         {"ask_ms", Milliseconds(result.answering)},
                         {"rules", OutcomesToJson(result)}});
  if (!result.trouble.ok()) json.Set("trouble", result.trouble.ToString());
  return json;
}

Json AlertToJson(const FrameReport& report, size_t change_idx) {
  const AlertNotice& notice = report.result->changes[change_idx];
  return Json(Json::Object{{"type", AlertChangeName(notice.change)},
                           {"id", notice.event},
                           {"sequence", report.sequences[change_idx]},
                           {"time", FormatTime(notice.time)},
                           {"camera", notice.camera},
                           {"rule", notice.rule},
                           {"question", notice.question},
                           {"expect", notice.expected ? "yes" : "no"},
                           {"severity", SeverityName(notice.severity)},
                           {"alert", notice.number},
                           {"frame", report.number},
                           {"p_yes", notice.p_yes ? Json(*notice.p_yes) : Json()},
                           {"threshold", notice.threshold},
                           {notice.change == AlertChange::kFired ? "since" : "fired_at", FormatTime(notice.since)},
                           {"recorded", notice.recorded.ok()}});
}

}  // namespace pawsight::gateway
