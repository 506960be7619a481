#include "tools/gate_score.h"

#include <algorithm>
#include <cmath>

#include "base/files.h"

namespace pawsight::tools {
namespace {

constexpr size_t kMaxBytes = 16U << 20U;

Json TallyToJson(const GateTally& tally) {
  return Json::Object{{"kind", tally.kind},
                      {"frames", tally.frames},
                      {"asked", tally.asked},
                      {"share_asked", tally.share_asked()},
                      {"moving", tally.moving},
                      {"alerts", tally.alerts},
                      {"found", tally.found},
                      {"recall", tally.recall()},
                      {"extra", tally.extra},
                      {"delay_median_s", DelayQuantile(tally.delay_s, 0.5)},
                      {"delay_p95_s", DelayQuantile(tally.delay_s, 0.95)},
                      {"delay_max_s", DelayQuantile(tally.delay_s, 1)}};
}

Json TalliesToJson(const std::vector<GateTally>& tallies) {
  Json::Array array;
  for (const GateTally& tally : tallies) array.push_back(TallyToJson(tally));
  return array;
}

/// Adds one tally's frames and asked frames. Errors: kInvalidArgument.
Status AddCounts(const Json& json, const std::string& where, int64_t* frames, int64_t* asked) {
  const Result<int64_t> offered = json.GetInteger("frames", 1, int64_t{1} << 50);
  if (!offered.ok()) return Annotate(offered.status(), where);
  const Result<int64_t> let_through = json.GetInteger("asked", 0, *offered);
  if (!let_through.ok()) return Annotate(let_through.status(), where);
  *frames += *offered;
  *asked += *let_through;
  return Ok();
}

}  // namespace

Matching MatchAlerts(const std::vector<AlertSpan>& reference, const std::vector<AlertSpan>& gated, double slack_s) {
  Matching matching;
  std::vector<bool> used(gated.size(), false);
  for (const AlertSpan& wanted : reference) {
    MatchedAlert alert{wanted, std::nullopt};
    for (size_t i = 0; i < gated.size(); ++i) {
      const AlertSpan& found = gated[i];
      if (used[i] || found.rule != wanted.rule || found.fired_s < wanted.fired_s - slack_s) continue;
      if (wanted.resolved_s && found.fired_s >= *wanted.resolved_s) continue;
      used[i] = true;
      alert.delay_s = std::max(0.0, found.fired_s - wanted.fired_s);
      break;
    }
    matching.alerts.push_back(std::move(alert));
  }
  for (size_t i = 0; i < gated.size(); ++i) {
    if (!used[i]) matching.extra.push_back(gated[i]);
  }
  return matching;
}

void GateTally::Add(const GateTally& other) {
  frames += other.frames;
  asked += other.asked;
  moving += other.moving;
  alerts += other.alerts;
  found += other.found;
  extra += other.extra;
  const size_t room = kMaxDelays - std::min(kMaxDelays, delay_s.size());
  const size_t taken = std::min(room, other.delay_s.size());
  delay_s.insert(delay_s.end(), other.delay_s.begin(), other.delay_s.begin() + static_cast<std::ptrdiff_t>(taken));
}

double DelayQuantile(std::vector<double> delays, double part) {
  if (delays.empty()) return 0;
  std::sort(delays.begin(), delays.end());
  const double at = part * static_cast<double>(delays.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, delays.size() - 1);
  return delays[below] + (at - static_cast<double>(below)) * (delays[above] - delays[below]);
}

bool Reached(const GateGoal& goal, const GateTally& tally) {
  return tally.share_asked() <= goal.share_asked && tally.recall() >= goal.recall &&
         DelayQuantile(tally.delay_s, 0.5) < goal.median_delay_s;
}

Json GateScoreToJson(const GateScore& score) {
  return Json::Object{{"format", "pawsight-gate"},
                      {"format_version", 1},
                      {"version", score.version},
                      {"truth", score.truth},
                      {"fps", score.fps},
                      {"refresh_s", score.refresh_s},
                      {"days", score.days.frames == 0 ? Json() : TallyToJson(score.days)},
                      {"kinds", TalliesToJson(score.kinds)},
                      {"clips", TalliesToJson(score.clips)}};
}

Result<double> AskedShareFromJson(const Json& json) {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string format, json.GetString("format"));
  if (format != "pawsight-gate") return InvalidArgument("format: want pawsight-gate");
  PAWSIGHT_RETURN_IF_ERROR(json.GetInteger("format_version", 1, 1).status());
  int64_t frames = 0;
  int64_t asked = 0;
  if (const Json* days = json.Find("days"); days != nullptr && !days->is_null()) {
    PAWSIGHT_RETURN_IF_ERROR(AddCounts(*days, "days", &frames, &asked));
  } else {
    PAWSIGHT_ASSIGN_OR_RETURN(const Json::Array* clips, json.GetArray("clips"));
    for (size_t i = 0; i < clips->size(); ++i) {
      PAWSIGHT_RETURN_IF_ERROR(AddCounts((*clips)[i], "clips[" + std::to_string(i) + "]", &frames, &asked));
    }
  }
  if (frames == 0) return InvalidArgument("days: null, and no clips: nothing was measured");
  return static_cast<double>(asked) / static_cast<double>(frames);
}

Result<double> ReadAskedShare(const std::string& path) {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kMaxBytes));
  const Result<Json> json = Json::Parse(text);
  if (!json.ok()) return Annotate(json.status(), path);
  Result<double> share = AskedShareFromJson(*json);
  if (!share.ok()) return Annotate(share.status(), path);
  return share;
}

}  // namespace pawsight::tools
