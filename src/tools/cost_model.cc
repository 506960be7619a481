#include "tools/cost_model.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/files.h"
#include "base/options.h"

namespace pawsight::tools {
namespace {

constexpr size_t kMaxBytes = 1U << 20U;
constexpr size_t kMaxPasses = 64;
constexpr double kSecondsADay = 86'400;
constexpr double kSecondsAnHour = 3600;
constexpr double kMillion = 1e6;

/// Above `low`, or from it on when `closed`, to `high`.
Status CheckRange(const char* name, double value, double low, bool closed, double high) {
  if ((value > low || (closed && value == low)) && value <= high) return Ok();
  return InvalidArgument(std::string(name) + ": want a number " + (closed ? "from " : "above ") + PrintOption(low) +
                         " to " + PrintOption(high));
}

Status Check(const CostInput& input) {
  PAWSIGHT_RETURN_IF_ERROR(CheckRange("price_per_hour", input.price_per_hour, 0, false, 1e6));
  PAWSIGHT_RETURN_IF_ERROR(CheckRange("frames_per_s", input.frames_per_s, 0, false, 1e9));
  PAWSIGHT_RETURN_IF_ERROR(CheckRange("questions_measured", input.questions_measured, 1, true, 64));
  PAWSIGHT_RETURN_IF_ERROR(CheckRange("questions", input.questions, 1, true, 64));
  PAWSIGHT_RETURN_IF_ERROR(CheckRange("answered_share", input.answered_share, 0, false, 1));
  PAWSIGHT_RETURN_IF_ERROR(CheckRange("asked_share", input.asked_share, 0, true, 1));
  PAWSIGHT_RETURN_IF_ERROR(CheckRange("frames_per_camera_day", input.frames_per_camera_day, 0, false, 1e8));
  PAWSIGHT_RETURN_IF_ERROR(CheckRange("cameras", input.cameras, 1, true, 1e9));
  return CheckRange("peak", input.peak, 1, true, 24);
}

int64_t Instances(double frames_per_s, double of_one) {
  return std::max<int64_t>(1, static_cast<int64_t>(std::ceil(frames_per_s / of_one - 1e-9)));
}

/// 0 when there was no such pass.
double OurPass(const Baseline& baseline, int questions) {
  const auto pass =
      std::ranges::find_if(baseline.ours, [&](const Baseline::Pass& p) { return p.questions == questions; });
  return pass == baseline.ours.end() ? 0 : pass->frames_per_s;
}

Result<double> Rate(const Json& json, const std::string& key) {
  PAWSIGHT_ASSIGN_OR_RETURN(const double rate, json.GetNumber(key));
  PAWSIGHT_RETURN_IF_ERROR(CheckRange(key.c_str(), rate, 0, false, 1e9));
  return rate;
}

}  // namespace

Result<CostFigures> ComputeCost(const CostInput& input) {
  PAWSIGHT_RETURN_IF_ERROR(Check(input));
  CostFigures figures;
  figures.scaled = input.questions != input.questions_measured;
  figures.frames_per_s =
      input.frames_per_s * (kImageInQuestions + input.questions_measured) / (kImageInQuestions + input.questions);
  figures.per_million_asked = kMillion * input.price_per_hour / kSecondsAnHour / figures.frames_per_s;
  figures.per_million_offered = figures.per_million_asked * input.asked_share;
  figures.per_million_answered = figures.per_million_asked / input.answered_share;
  figures.per_million_answers = figures.per_million_answered / input.questions;
  figures.per_camera_month = figures.per_million_offered * input.frames_per_camera_day * kDaysAMonth / kMillion;
  figures.fleet_per_s = input.cameras * input.frames_per_camera_day / kSecondsADay * input.asked_share;
  figures.instances_mean = Instances(figures.fleet_per_s, figures.frames_per_s);
  figures.instances_peak = Instances(figures.fleet_per_s * input.peak, figures.frames_per_s);
  figures.per_camera_month_peak =
      static_cast<double>(figures.instances_peak) * input.price_per_hour * 24 * kDaysAMonth / input.cameras;
  return figures;
}

Result<Saving> ComputeSaving(const CostInput& input, const Baseline& baseline) {
  PAWSIGHT_RETURN_IF_ERROR(Check(input));
  if (input.asked_share <= 0) return InvalidArgument("asked_share: 0: nothing is asked, there is nothing to compare");
  const double one = OurPass(baseline, 1);
  const double all = OurPass(baseline, input.questions);
  if (one <= 0 || all <= 0) {
    std::string there;
    for (const Baseline::Pass& pass : baseline.ours) {
      there += (there.empty() ? "" : ", ") + std::to_string(pass.questions);
    }
    return InvalidArgument("baseline: ours was measured with " + (there.empty() ? "no" : there) +
                           " questions, want 1 and " + std::to_string(input.questions));
  }
  Saving saving;
  saving.engine = one / baseline.calls_per_s;
  if (baseline.same) {
    saving.same_precision = baseline.same->frames_per_s / baseline.calls_per_s;
    saving.precision = one / baseline.same->frames_per_s;
  }
  saving.sharing = input.questions * all / one;
  saving.gating = 1 / input.asked_share;
  saving.whole = saving.engine * saving.sharing * saving.gating;
  CostInput theirs = input;
  PAWSIGHT_ASSIGN_OR_RETURN(const CostFigures ours, ComputeCost(input));
  theirs.frames_per_s = ours.frames_per_s / (saving.engine * saving.sharing);
  theirs.questions_measured = theirs.questions;
  theirs.asked_share = 1;
  PAWSIGHT_ASSIGN_OR_RETURN(saving.baseline, ComputeCost(theirs));
  return saving;
}

Result<Baseline> BaselineFromJson(const Json& json) {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string format, json.GetString("format"));
  if (format != "pawsight-baseline") return InvalidArgument("format: want pawsight-baseline");
  PAWSIGHT_RETURN_IF_ERROR(json.GetInteger("format_version", 1, 1).status());
  Baseline baseline;
  PAWSIGHT_ASSIGN_OR_RETURN(baseline.what, json.GetString("what"));
  if (json.Find("model") != nullptr) {
    PAWSIGHT_ASSIGN_OR_RETURN(baseline.model, json.GetString("model"));
  }
  PAWSIGHT_ASSIGN_OR_RETURN(baseline.machine, json.GetString("machine"));
  PAWSIGHT_ASSIGN_OR_RETURN(baseline.made_at, json.GetString("made_at"));
  PAWSIGHT_ASSIGN_OR_RETURN(baseline.calls_per_s, Rate(json, "calls_per_s"));
  PAWSIGHT_ASSIGN_OR_RETURN(const Json::Array* ours, json.GetArray("ours"));
  if (ours->size() > kMaxPasses) return InvalidArgument("ours: more than " + std::to_string(kMaxPasses));
  for (size_t i = 0; i < ours->size(); ++i) {
    const std::string where = "ours[" + std::to_string(i) + "]";
    const Result<int64_t> questions = (*ours)[i].GetInteger("questions", 1, 64);
    if (!questions.ok()) return Annotate(questions.status(), where);
    const Result<double> rate = Rate((*ours)[i], "frames_per_s");
    if (!rate.ok()) return Annotate(rate.status(), where);
    baseline.ours.push_back({static_cast<int>(*questions), *rate});
  }
  if (json.Find("ours_precision") != nullptr) {
    PAWSIGHT_ASSIGN_OR_RETURN(baseline.ours_precision, json.GetString("ours_precision"));
  }
  if (const Json* same = json.Find("ours_same_precision"); same != nullptr) {
    const Result<std::string> precision = same->GetString("precision");
    if (!precision.ok()) return Annotate(precision.status(), "ours_same_precision");
    const Result<double> rate = Rate(*same, "frames_per_s");
    if (!rate.ok()) return Annotate(rate.status(), "ours_same_precision");
    baseline.same = {*precision, *rate};
  }
  return baseline;
}

Result<Baseline> ReadBaseline(const std::string& path) {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kMaxBytes));
  const Result<Json> json = Json::Parse(text);
  if (!json.ok()) return Annotate(json.status(), path);
  Result<Baseline> baseline = BaselineFromJson(*json);
  if (!baseline.ok()) return Annotate(baseline.status(), path);
  return baseline;
}

Json FiguresToJson(const CostFigures& figures) {
  return Json::Object{{"frames_per_s", figures.frames_per_s},
                      {"scaled", figures.scaled},
                      {"per_million_offered", figures.per_million_offered},
                      {"per_million_asked", figures.per_million_asked},
                      {"per_million_answered", figures.per_million_answered},
                      {"per_million_answers", figures.per_million_answers},
                      {"per_camera_month", figures.per_camera_month},
                      {"per_camera_month_peak", figures.per_camera_month_peak},
                      {"fleet_per_s", figures.fleet_per_s},
                      {"instances_mean", figures.instances_mean},
                      {"instances_peak", figures.instances_peak}};
}

Json SavingToJson(const Saving& saving) {
  const auto or_null = [](const std::optional<double>& value) { return value ? Json(*value) : Json(); };
  return Json::Object{{"engine", saving.engine},
                      {"same_precision", or_null(saving.same_precision)},
                      {"precision", or_null(saving.precision)},
                      {"sharing", saving.sharing},
                      {"gating", saving.gating},
                      {"whole", saving.whole},
                      {"baseline", FiguresToJson(saving.baseline)}};
}

}  // namespace pawsight::tools
