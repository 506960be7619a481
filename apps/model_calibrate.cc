#include "apps/model_calibrate.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "apps/commands.h"
#include "apps/model_evaluate.h"
#include "base/files.h"
#include "base/json.h"
#include "evaluate/families.h"
#include "evaluate/fit.h"

namespace pawsight {
namespace {

constexpr const char* kFooter = R"(Examples:
  pawsight model calibrate --model DIR --pack PACK --drawn 500       # writes DIR/calibration.json
  pawsight model calibrate --model DIR --pack PACK --out trial.json
The yes/no questions of all sets are asked without calibration. Each set has the same weight, whatever its size. A
temperature is fitted on all questions; a family has its own when it has at least 200 questions and each half of the
pictures is predicted better with it fitted on the other half. The unsure band is the narrowest around 0.5, in steps of
0.01 and at most 0.25..0.75, outside which 95 % of the answers are right. "on halves" is the expected calibration error of
each half under temperatures fitted on the other: what to expect of new questions of this kind.)";

struct CalibrateCommand {
  ModelOptions model;
  SetOptions sets;
  evaluate::DrawnOptions drawing{.seed = 727272};  // neither training's nor what `score` asks unless told
  std::string out;
  bool json = false;
};

struct Points {
  std::vector<evaluate::FitPoint> points;
  std::string fitted_on;
};

/// The yes/no questions of a set, with a weight of `share` together.
void AddPoints(const evaluate::Observed& observed, double share, Points* points) {
  const auto yes_no = std::ranges::count_if(observed.observations, &evaluate::Observation::yes_no);
  if (yes_no == 0) return;
  for (const evaluate::Observation& one : observed.observations) {
    if (!one.yes_no) continue;
    points->points.push_back({.margin = one.margin,
                              .yes = one.truth == "yes",
                              .weight = share / static_cast<double>(yes_no),
                              .family = evaluate::FamilyOf(one.question),
                              .fold = one.picture % 2});
  }
  char text[96];
  std::snprintf(text, sizeof(text), "%s%s: %zu pictures, %td yes/no questions, weight %.2f",
                points->fitted_on.empty() ? "" : "; ", observed.set.c_str(), observed.pictures.size(), yes_no, share);
  points->fitted_on += text;
}

Result<Points> Collect(const CalibrateCommand& command) {
  PAWSIGHT_ASSIGN_OR_RETURN(const auto sets, OpenSets(command.sets, command.drawing));
  ModelOptions uncalibrated = command.model;
  uncalibrated.calibrate = false;
  PAWSIGHT_ASSIGN_OR_RETURN(const engine::Vqa vqa, OpenModel(uncalibrated));
  Points points;
  for (const auto& set : sets) {
    PAWSIGHT_ASSIGN_OR_RETURN(const evaluate::Observed observed, ObserveSet(vqa, *set, 0));
    AddPoints(observed, 1.0 / static_cast<double>(sets.size()), &points);
  }
  if (points.points.empty()) return FailedPrecondition("the sets have no yes/no question");
  return points;
}

Json ToJson(const evaluate::Fit& fit, const std::string& fitted_on, const std::string& out) {
  Json families{Json::Array{}};
  for (const evaluate::FamilyFit& one : fit.families) {
    families.Append(Json(Json::Object{{"family", one.family},
                                      {"questions", one.questions},
                                      {"temperature", one.temperature},
                                      {"own", one.own},
                                      {"held_out_nll_general", one.nll_general},
                                      {"held_out_nll_own", one.nll_own}}));
  }
  return Json(Json::Object{{"out", out},
                           {"fitted_on", fitted_on},
                           {"questions", fit.questions},
                           {"temperature", fit.temperature},
                           {"families", std::move(families)},
                           {"unsure", Json::Array{fit.unsure.low, fit.unsure.high}},
                           {"share_outside", fit.share_outside},
                           {"right_outside", fit.right_outside},
                           {"nll_before", fit.nll_before},
                           {"nll_after", fit.nll_after},
                           {"ece_before", fit.ece_before},
                           {"ece_after", fit.ece_after},
                           {"ece_on_halves", fit.ece_two_fold}});
}

void Print(const evaluate::Fit& fit, const std::string& fitted_on, const std::string& out) {
  std::printf("fitted on %s\n\n%-18s %9s %12s %6s %26s\n", fitted_on.c_str(), "family", "questions", "temperature",
              "own", "held-out NLL, general, own");
  for (const evaluate::FamilyFit& one : fit.families) {
    std::printf("%-18s %9d %12.3f %6s %17.4f %8.4f\n", one.family.c_str(), one.questions, one.temperature,
                one.own ? "yes" : "", one.nll_general, one.nll_own);
  }
  std::printf("%-18s %9d %12.3f\n\n", "all", fit.questions, fit.temperature);
  std::printf("expected calibration error: before %.4f, after %.4f, on halves %.4f; NLL before %.4f, after %.4f\n",
              fit.ece_before, fit.ece_after, fit.ece_two_fold, fit.nll_before, fit.nll_after);
  std::printf("unsure between %.2f and %.2f: %.1f %% of the answers are outside, %.1f %% of those right%s\n",
              fit.unsure.low, fit.unsure.high, 100 * fit.share_outside, 100 * fit.right_outside,
              fit.right_outside < 0.95 ? " (95 % not reached: the band is at its widest)" : "");
  std::printf("written to %s\n", out.c_str());
}

int Calibrate(CalibrateCommand command) {
  if (command.sets.drawn == 0 && command.sets.pack.empty()) {
    return ReportError(InvalidArgument("wants --pack, --drawn or both: held-out questions to fit on"));
  }
  if (command.out.empty()) {
    std::string dir = command.model.artifacts.empty() ? command.model.model : command.model.artifacts;
    if (dir.empty())
      return ReportError(InvalidArgument("--model: wants the directory that calibration.json is written to, or --out"));
    command.out = dir + "/calibration.json";
  }
  const Result<Points> points = Collect(command);
  if (!points.ok()) return ReportEnvironmentError(points.status());
  const evaluate::Fit fit = evaluate::FitCalibration(points->points);
  const std::string text = ToJson(evaluate::ToCalibration(fit, points->fitted_on)).Dump() + "\n";
  const Status written = WriteFileAtomically(command.out, text);
  if (!written.ok()) return ReportEnvironmentError(written);
  if (command.json) {
    std::printf("%s\n", ToJson(fit, points->fitted_on, command.out).Dump().c_str());
  } else {
    Print(fit, points->fitted_on, command.out);
  }
  return kExitOk;
}

}  // namespace

void AddModelCalibrate(CLI::App& model, int* exit_code) {
  auto command = std::make_shared<CalibrateCommand>();
  CLI::App& calibrate = *model.add_subcommand("calibrate", "fit how sure a model may say it is, into calibration.json");
  calibrate.footer(kFooter);
  AddModelOptions(calibrate, &command->model);
  AddSetOptions(calibrate, &command->sets);
  calibrate.add_option("--seed", command->drawing.seed, "which drawn scenes; training uses 1")->capture_default_str();
  calibrate.add_option("--out", command->out, "the file to write [calibration.json in the model's directory]");
  calibrate.add_flag("--json", command->json, "one JSON object");
  calibrate.callback([command, exit_code] { *exit_code = Calibrate(*command); });
}

}  // namespace pawsight
