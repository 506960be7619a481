#include "apps/model_evaluate.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>
#include <utility>

#include "apps/commands.h"
#include "apps/progress_line.h"
#include "apps/score_tables.h"
#include "base/clock.h"
#include "base/files.h"
#include "evaluate/page.h"
#include "evaluate/tally.h"

namespace pawsight {
namespace {

constexpr int kThumbnailSide = 112;

/// Everything that was asked and what came of it.
struct Evaluation {
  std::string model;
  bool calibrated = false;
  std::optional<engine::UnsureBand> unsure;
  std::vector<evaluate::Observed> sets;
  std::vector<evaluate::Tally> tallies;
  std::optional<evaluate::Observed> unknown;
  std::optional<evaluate::UnknownTally> unknown_tally;
};

std::string NameOf(const ModelOptions& model) {
  const std::string dir = !model.artifacts.empty() ? model.artifacts : model.model;
  if (dir.empty()) return "pawsight-mini, " + model.precision;
  std::filesystem::path path = std::filesystem::absolute(dir).lexically_normal();
  if (path.filename().empty()) path = path.parent_path();
  return path.filename().string() + (model.artifacts.empty() ? ", " + model.precision : "");
}

bool IsCalibrated(const engine::Calibration& calibration) {
  return calibration.temperature != 1.0 || !calibration.families.empty();
}

Result<Evaluation> Evaluate(const ModelOptions& model, const EvaluateOptions& options) {
  PAWSIGHT_ASSIGN_OR_RETURN(const auto sets, OpenSets(options.sets, options.drawing));
  std::vector<std::string> questions;
  if (!options.unknown.empty()) {
    PAWSIGHT_ASSIGN_OR_RETURN(questions, evaluate::ReadQuestionLines(options.unknown));
  }
  PAWSIGHT_ASSIGN_OR_RETURN(const engine::Vqa vqa, OpenModel(model));
  Evaluation evaluation{
      .model = NameOf(model), .calibrated = IsCalibrated(vqa.calibration()), .unsure = vqa.calibration().unsure};
  const int side = options.report.empty() ? 0 : kThumbnailSide;
  std::vector<const evaluate::QuestionSet*> pictures;
  for (const auto& set : sets) {
    PAWSIGHT_ASSIGN_OR_RETURN(evaluate::Observed observed, ObserveSet(vqa, *set, side));
    evaluation.tallies.push_back(evaluate::MakeTally(observed));
    evaluation.sets.push_back(std::move(observed));
    pictures.push_back(set.get());
  }
  if (questions.empty()) return evaluation;
  // Drawn rooms are asked only when there are no photographs.
  if (pictures.size() > 1 && options.sets.drawn > 0) pictures.erase(pictures.begin());
  const auto unknown = evaluate::UnknownSet(pictures, questions, {.pictures = options.unknown_pictures});
  PAWSIGHT_ASSIGN_OR_RETURN(evaluation.unknown, ObserveSet(vqa, *unknown, side));
  evaluation.unknown_tally = evaluate::MakeUnknownTally(*evaluation.unknown, evaluation.unsure);
  return evaluation;
}

Status WritePage(const Evaluation& evaluation, const std::string& path) {
  const std::string page = evaluate::MakePage({.model = evaluation.model,
                                               .when = FormatTime(SystemClock().Now()),
                                               .calibrated = evaluation.calibrated,
                                               .unsure = evaluation.unsure,
                                               .sets = &evaluation.sets,
                                               .tallies = &evaluation.tallies,
                                               .unknown = evaluation.unknown ? &*evaluation.unknown : nullptr,
                                               .unknown_tally = evaluation.unknown_tally});
  return WriteFileAtomically(path, page);
}

}  // namespace

void AddSetOptions(CLI::App& command, SetOptions* sets) {
  command.add_option("--drawn", sets->drawn, "scenes of a set of drawn rooms")->check(CLI::Range(1, 1000000));
  command.add_option("--pack", sets->pack, "a training pack's directory: its held-out val.jsonl and val.bin");
}

Result<std::vector<std::unique_ptr<evaluate::QuestionSet>>> OpenSets(const SetOptions& sets,
                                                                     evaluate::DrawnOptions drawing) {
  std::vector<std::unique_ptr<evaluate::QuestionSet>> opened;
  drawing.scenes = sets.drawn;
  if (sets.drawn > 0) opened.push_back(evaluate::DrawnSet(drawing));
  if (!sets.pack.empty()) {
    PAWSIGHT_ASSIGN_OR_RETURN(auto pack, evaluate::OpenPackSet(sets.pack));
    opened.push_back(std::move(pack));
  }
  if (!sets.photos.empty()) {
    PAWSIGHT_ASSIGN_OR_RETURN(auto photos, evaluate::OpenPhotoSet(sets.photos));
    opened.push_back(std::move(photos));
  }
  return opened;
}

Result<evaluate::Observed> ObserveSet(const engine::Vqa& vqa, const evaluate::QuestionSet& set, int thumbnail_side) {
  ProgressLine progress;
  const std::string what(set.name());
  const evaluate::ObserveOptions options{
      .prepare = [&](const frames::Image& image) { return ToPixels(vqa.preprocess(), image); },
      .progress = [&](int done, int of) { progress.Show(what, done, of); },
      .thumbnail_side = thumbnail_side};
  Result<evaluate::Observed> observed = evaluate::Observe(vqa, set, options);
  progress.Clear();
  return observed;
}

int RunEvaluation(const ModelOptions& model, const EvaluateOptions& options) {
  if (!options.unknown.empty() && options.sets.drawn == 0 && options.sets.pack.empty() && options.sets.photos.empty()) {
    return ReportError(InvalidArgument("--unknown: wants --pack, --photos or --drawn, whose pictures are asked about"));
  }
  const Result<Evaluation> evaluation = Evaluate(model, options);
  if (!evaluation.ok()) return ReportEnvironmentError(evaluation.status());
  int asked = 0, right = 0;
  for (size_t i = 0; i < evaluation->sets.size(); ++i) {
    PrintTally(evaluation->sets[i], evaluation->tallies[i], options.json);
    asked += evaluation->tallies[i].all.asked;
    right += evaluation->tallies[i].all.right;
  }
  if (evaluation->unknown_tally) PrintUnknownTally(*evaluation->unknown_tally, options.json);
  if (!options.report.empty()) {
    const Status written = WritePage(*evaluation, options.report);
    if (!written.ok()) return ReportEnvironmentError(written);
    std::fprintf(stderr, "pawsight: report written to %s\n", options.report.c_str());
  }
  const double percent = asked == 0 ? 0.0 : 100.0 * right / asked;
  return percent >= options.at_least ? kExitOk : kExitFailed;
}

}  // namespace pawsight
