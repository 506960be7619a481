#include "gateway/report.h"

namespace pawsight::gateway {
namespace {

double Milliseconds(std::chrono::nanoseconds time) { return static_cast<double>(time.count() / 1000) / 1000; }

}  // namespace

Json FrameToJson(const std::string& camera, const std::vector<rules::Rule>& rules, const FrameReport& report) {
  Json::Array outcomes;
  for (size_t i = 0; i < report.outcomes.size(); ++i) {
    const RuleOutcome& outcome = report.outcomes[i];
    outcomes.push_back(Json::Object{{"rule", rules[i].id},
                                    {"p_yes", outcome.p_yes ? Json(*outcome.p_yes) : Json()},
                                    {"verdict", outcome.verdict ? Json(rules::VerdictName(*outcome.verdict)) : Json()},
                                    {"reason", rules::ReasonName(outcome.reason)},
                                    {"phase", rules::AlertPhaseName(outcome.phase)}});
  }
  Json json(Json::Object{{"type", "frame"},
                         {"camera", camera},
                         {"time", FormatTime(report.frame->time)},
                         {"frame", report.frame->number},
                         {"asked", report.asked},
                         {"look_ms", Milliseconds(report.look)},
                         {"ask_ms", Milliseconds(report.ask)},
                         {"rules", std::move(outcomes)}});
  if (!report.trouble.ok()) json.Set("trouble", report.trouble.ToString());
  return json;
}

Json AlertToJson(const AlertChange& change) {
  Json json(Json::Object{{"type", change.event.type},
                         {"id", change.event.id},
                         {"sequence", change.event.sequence},
                         {"time", FormatTime(change.event.time)},
                         {"camera", change.event.camera},
                         {"rule", change.event.rule}});
  for (const auto& [key, value] : change.event.detail.as_object()) json.Set(key, value);
  json.Set("recorded", change.recorded.ok());
  return json;
}

}  // namespace pawsight::gateway
