#include "apps/model_score.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>

#include "apps/commands.h"
#include "apps/model_evaluate.h"
#include "apps/open_model.h"
#include "base/json.h"
#include "scenes/draw.h"
#include "scenes/questions.h"

namespace pawsight {
namespace {

struct ScoreCommand {
  ModelOptions model;
  uint64_t seed = 424243;   // training uses 1, its own held-out set 999983
  int count = 1000;         // scenes
  int questions = 12;       // a scene, each of another family
  int width = 320;          // pixels of the camera
  double at_least = 0;      // percent right, else exit 1
  std::string against;      // a precision to compare with, question by question; "" is none
  double most_flips = 100;  // percent of yes/no answers that may differ from `against`, else exit 1
  bool json = false;
  EvaluateOptions evaluate;  // once a set is named
};

struct Tally {
  int asked = 0, right = 0;
  int yes = 0, no = 0;              // true answers
  int yes_right = 0, no_right = 0;  // of those

  double Percent() const { return asked == 0 ? 0 : 100.0 * right / asked; }
  void Add(const Tally& other) {
    asked += other.asked;
    right += other.right;
    yes += other.yes;
    no += other.no;
    yes_right += other.yes_right;
    no_right += other.no_right;
  }
};

using Score = std::map<std::string, Tally, std::less<>>;

/// How far two precisions of one model are apart on the same yes/no questions.
struct Fidelity {
  // Answers this near to a coin's toss are no answers to compare.
  static constexpr double kUnsureLow = 0.45;
  static constexpr double kUnsureHigh = 0.55;

  std::vector<double> differences;  // |p - p of the other|
  int compared = 0;                 // the other was sure
  int flips = 0;                    // of those

  void Add(double p, double other) {
    differences.push_back(std::abs(p - other));
    if (other > kUnsureLow && other < kUnsureHigh) return;
    ++compared;
    flips += (p >= 0.5) != (other >= 0.5);
  }
  double FlipPercent() const { return compared == 0 ? 0.0 : 100.0 * flips / compared; }
  /// The value that `share` of the differences do not exceed; sorted before.
  double Quantile(double share) const {
    if (differences.empty()) return 0.0;
    return differences[std::min(differences.size() - 1,
                                static_cast<size_t>(share * static_cast<double>(differences.size())))];
  }
};

bool IsYesNo(const scenes::Asked& asked) { return asked.answer == "yes" || asked.answer == "no"; }

/// Yes/no questions as rules ask them, by p_yes; the rest in words.
Status AskScene(const engine::Vqa& vqa, const engine::ImageHandle& image, const std::vector<scenes::Asked>& asked,
                bool yes_no, Score& score) {
  std::vector<std::string> texts;
  std::vector<const scenes::Asked*> chosen;
  for (const scenes::Asked& one : asked) {
    if (IsYesNo(one) != yes_no) continue;
    texts.push_back(one.text);
    chosen.push_back(&one);
  }
  if (texts.empty()) return Ok();
  engine::AskOptions options;
  options.mode = yes_no ? engine::Mode::kYesNo : engine::Mode::kGenerate;
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<engine::Answer> answers, vqa.Ask(image, texts, options));
  for (size_t i = 0; i < answers.size(); ++i) {
    const std::string& truth = chosen[i]->answer;
    Tally& tally = score[std::string(chosen[i]->family)];
    ++tally.asked;
    const bool right = answers[i].text == truth;
    tally.right += right;
    tally.yes_right += right && truth == "yes";
    tally.no_right += right && truth == "no";
    tally.yes += truth == "yes";
    tally.no += truth == "no";
  }
  return Ok();
}

/// The same yes/no questions of the same frame, to both models.
Status CompareScene(const engine::Vqa& vqa, const engine::Vqa& other, const std::vector<float>& pixels,
                    const std::vector<scenes::Asked>& asked, Fidelity* fidelity) {
  std::vector<std::string> texts;
  for (const scenes::Asked& one : asked) {
    if (IsYesNo(one)) texts.push_back(one.text);
  }
  if (texts.empty()) return Ok();
  std::vector<std::vector<engine::Answer>> answers;
  for (const engine::Vqa* model : {&vqa, &other}) {
    PAWSIGHT_ASSIGN_OR_RETURN(const engine::ImageHandle image, model->Look(pixels));
    PAWSIGHT_ASSIGN_OR_RETURN(std::vector<engine::Answer> own, model->Ask(image, texts));
    answers.push_back(std::move(own));
  }
  for (size_t i = 0; i < texts.size(); ++i) {
    fidelity->Add(static_cast<double>(answers[0][i].p_yes.value_or(0.5F)),
                  static_cast<double>(answers[1][i].p_yes.value_or(0.5F)));
  }
  return Ok();
}

Result<std::optional<engine::Vqa>> OpenOther(const ScoreCommand& command) {
  if (command.against.empty()) return std::optional<engine::Vqa>();
  ModelOptions options = command.model;
  options.precision = command.against;
  PAWSIGHT_ASSIGN_OR_RETURN(engine::Vqa other, OpenModel(options));
  return std::optional<engine::Vqa>(std::move(other));
}

Result<Score> ScoreModel(const ScoreCommand& command, Fidelity* fidelity) {
  PAWSIGHT_ASSIGN_OR_RETURN(const engine::Vqa vqa, OpenModel(command.model));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::optional<engine::Vqa> other, OpenOther(command));
  const scenes::Questioner questioner;
  Score score;
  for (int i = 0; i < command.count; ++i) {
    Rng rng = Rng(command.seed).Fork(static_cast<uint64_t>(i));
    const scenes::Frame frame = scenes::Draw(rng.Next(), command.width, command.width * 3 / 4);
    const std::vector<scenes::Asked> asked = questioner.Ask(frame.truth, rng, command.questions);
    const std::vector<float> pixels = ToPixels(vqa.preprocess(), frame.image);
    if (other) PAWSIGHT_RETURN_IF_ERROR(CompareScene(vqa, *other, pixels, asked, fidelity));
    PAWSIGHT_ASSIGN_OR_RETURN(const engine::ImageHandle image, vqa.Look(pixels));
    PAWSIGHT_RETURN_IF_ERROR(AskScene(vqa, image, asked, true, score));
    PAWSIGHT_RETURN_IF_ERROR(AskScene(vqa, image, asked, false, score));
  }
  std::ranges::sort(fidelity->differences);
  return score;
}

void PrintFidelity(const ScoreCommand& command, const Fidelity& fidelity) {
  const std::string of = command.model.precision + " against " + command.against;
  if (command.json) {
    const Json line(Json::Object{{"fidelity", of},
                                 {"questions", static_cast<int64_t>(fidelity.differences.size())},
                                 {"compared", fidelity.compared},
                                 {"flips", fidelity.flips},
                                 {"flip_percent", fidelity.FlipPercent()},
                                 {"delta_p_median", fidelity.Quantile(0.5)},
                                 {"delta_p_p90", fidelity.Quantile(0.9)},
                                 {"delta_p_p99", fidelity.Quantile(0.99)},
                                 {"delta_p_max", fidelity.Quantile(1.0)}});
    std::printf("%s\n", line.Dump().c_str());
    return;
  }
  std::printf(
      "%s: %d of %d sure answers differ (%.3f %%); |delta p| median %.5f, p90 %.5f, p99 %.4f, max %.4f over %zu "
      "questions\n",
      of.c_str(), fidelity.flips, fidelity.compared, fidelity.FlipPercent(), fidelity.Quantile(0.5),
      fidelity.Quantile(0.9), fidelity.Quantile(0.99), fidelity.Quantile(1.0), fidelity.differences.size());
}

void Print(const std::string& name, const Tally& tally, bool json) {
  if (json) {
    const Json line(Json::Object{{"family", name},
                                 {"asked", tally.asked},
                                 {"right", tally.right},
                                 {"yes", tally.yes},
                                 {"no", tally.no},
                                 {"yes_right", tally.yes_right},
                                 {"no_right", tally.no_right}});
    std::printf("%s\n", line.Dump().c_str());
    return;
  }
  std::printf("%-22s %6d %8.1f %%", name.c_str(), tally.asked, tally.Percent());
  if (tally.yes > 0 && tally.no > 0) {
    std::printf(" %8.1f %% of %5d %8.1f %% of %5d", 100.0 * tally.yes_right / tally.yes, tally.yes,
                100.0 * tally.no_right / tally.no, tally.no);
  }
  std::printf("\n");
}

/// A set is named: everything beside its blind baselines.
int RunSets(const ScoreCommand& command) {
  if (!command.against.empty()) return ReportError(InvalidArgument("--against: compares drawn scenes by --count alone"));
  EvaluateOptions options = command.evaluate;
  options.drawing = {.seed = command.seed, .questions = command.questions, .width = command.width};
  options.at_least = command.at_least;
  options.json = command.json;
  return RunEvaluation(command.model, options);
}

int RunScore(const ScoreCommand& command) {
  if (command.evaluate.AnySet()) return RunSets(command);
  if (!command.evaluate.report.empty()) {
    return ReportError(InvalidArgument("--report: wants a set: --drawn, --pack or --photos"));
  }
  Fidelity fidelity;
  const auto score = ScoreModel(command, &fidelity);
  if (!score.ok()) return ReportEnvironmentError(score.status());
  Tally total, yes_no;
  if (!command.json)
    std::printf("%-22s %6s %10s %19s %19s\n", "question", "asked", "right", "right, true yes", "right, true no");
  for (const auto& [family, tally] : *score) {
    Print(family, tally, command.json);
    total.Add(tally);
    if (tally.yes + tally.no > 0) yes_no.Add(tally);
  }
  Print("all yes/no", yes_no, command.json);
  Print("all", total, command.json);
  if (!command.against.empty()) PrintFidelity(command, fidelity);
  return total.Percent() >= command.at_least && fidelity.FlipPercent() <= command.most_flips ? kExitOk : kExitFailed;
}

void AddSets(CLI::App& score, ScoreCommand* command) {
  EvaluateOptions* evaluate = &command->evaluate;
  AddSetOptions(score, &evaluate->sets);
  score.add_option("--photos", evaluate->sets.photos, "a labels file of photos: {\"photos\": {PATH: {\"qa\": {...}}}}");
  score.add_option("--unknown", evaluate->unknown, "a text file of questions that the model never learned, one a line");
  score.add_option("--unknown-pictures", evaluate->unknown_pictures, "pictures that each of them is asked about")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  score.add_option("--report", evaluate->report, "an HTML page to write, with pictures; of the named sets");
  score.add_flag("!--no-calibration", command->model.calibrate, "as if the model had no calibration.json");
}

}  // namespace

void AddModelScore(CLI::App& model, int* exit_code) {
  auto command = std::make_shared<ScoreCommand>();
  CLI::App& score = *model.add_subcommand("score", "ask a model what it has not seen and count what is right");
  score.footer(
      "Example:\n  pawsight model score --count 1000 --at-least 95\n"
      "  pawsight model score --count 1000 --precision int8 --against fp32 --most-flips 0.5\n"
      "  pawsight model score --pack PACK --photos labels.json --unknown questions.txt --report page.html\n"
      "Yes/no questions count by p_yes at 0.5, others by the words generated. Without --drawn, --pack or --photos: --count "
      "drawn\nscenes by question. With them: each set by family and kind of answer beside blind baselines (always no; the most\n"
      "frequent other answer to the same wording), what is taken for what, and whether it is as sure as it is right.\n"
      "--against asks the yes/no questions of "
      "the\n"
      "model in that precision too and tells how many answers differ where its p_yes is outside 0.45..0.55.");
  AddModelOptions(score, &command->model);
  score.add_option("--seed", command->seed, "which scenes; training uses 1")->capture_default_str();
  score.add_option("--count", command->count, "scenes")->check(CLI::Range(1, 1000000))->capture_default_str();
  score.add_option("--questions", command->questions, "questions a scene")
      ->check(CLI::Range(1, 32))
      ->capture_default_str();
  score.add_option("--width", command->width, "pixels of the camera")
      ->check(CLI::Range(64, 1920))
      ->capture_default_str();
  score.add_option("--at-least", command->at_least, "percent right, or exit with 1")->check(CLI::Range(0.0, 100.0));
  score.add_option("--against", command->against, "a precision to compare the yes/no answers with")
      ->check(CLI::IsMember({"fp32", "bf16", "int8"}));
  score.add_option("--most-flips", command->most_flips, "percent of sure answers that may differ, or exit with 1")
      ->check(CLI::Range(0.0, 100.0))
      ->needs("--against");
  score.add_flag("--json", command->json, "one JSON object a line");
  AddSets(score, command.get());
  score.callback([command, exit_code] { *exit_code = RunScore(*command); });
}

}  // namespace pawsight
