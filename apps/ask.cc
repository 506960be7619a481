// apps/ask.cc: `pawsight ask`: questions about photos; each photo is looked at once, all its questions share that.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <map>

#include "apps/commands.h"
#include "apps/open_model.h"
#include "base/files.h"
#include "base/json.h"

namespace pawsight {
namespace {

const std::map<std::string, engine::Mode> kModes = {
    {"yesno", engine::Mode::kYesNo}, {"generate", engine::Mode::kGenerate}, {"rank", engine::Mode::kRank}};

constexpr const char* kFooter = R"(Examples:
  pawsight ask cat.jpg -q "Is there a cat?" -q "Is the cat sleeping?"
  pawsight ask *.jpg -q "Is there a dog?" --json
  pawsight ask room.png -q "Where is the cat?" --mode rank --choices couch,bed,floor,table

JSON fields: image, question, mode, answer, p_yes ("yes" against "no"; null if the vocabulary lacks them), score
(yesno, generate: probability of the answer; rank: the published log-likelihood), unsure (yesno: p_yes lies in the band
in which the model's calibration.json says no answer counts; false without one), ms (reading to answer, the photo's
questions together). A photo that cannot be read gives {"image","error"} and exit code 1; the others are answered.)";

struct AskCommand {
  ModelOptions model;
  std::vector<std::string> images;
  std::vector<std::string> questions;
  std::string mode = "yesno";
  std::vector<std::string> choices;
  std::string first_token = "cls";
  std::string padding = "mask";
  int beams = 1;
  int max_length = 20;
  bool json = false;
};

void PrintFailure(const AskCommand& command, const std::string& image, const Status& status) {
  if (!command.json) {
    std::fprintf(stderr, "pawsight: %s\n", status.message().c_str());
    return;
  }
  Json error;
  error.Set("code", StatusCodeName(status.code()));
  error.Set("reason", status.reason());
  error.Set("message", status.message());
  Json line;
  line.Set("image", image);
  line.Set("error", std::move(error));
  std::printf("%s\n", line.Dump().c_str());
}

void PrintAnswers(const AskCommand& command, const std::string& image, std::span<const engine::Answer> answers, double ms) {
  if (!command.json) std::printf("%s  (%.0f ms)\n", image.c_str(), ms);
  for (size_t i = 0; i < answers.size(); ++i) {
    const engine::Answer& answer = answers[i];
    if (!command.json) {
      const std::string p = answer.p_yes ? std::to_string(*answer.p_yes).substr(0, 5) : "    -";
      std::printf("  %-12s p_yes %s  %s%s%s\n", answer.text.c_str(), p.c_str(), command.questions[i].c_str(),
                  answer.unsure ? "  (unsure)" : "", answer.truncated ? "  (the question was cut: too long)" : "");
      continue;
    }
    Json line;
    line.Set("image", image);
    line.Set("question", command.questions[i]);
    line.Set("mode", command.mode);
    line.Set("answer", answer.text);
    line.Set("p_yes", answer.p_yes ? Json(static_cast<double>(*answer.p_yes)) : Json());
    line.Set("score", static_cast<double>(answer.score));
    line.Set("unsure", answer.unsure);
    line.Set("ms", ms);
    if (answer.truncated) line.Set("truncated", true);
    std::printf("%s\n", line.Dump().c_str());
  }
  std::fflush(stdout);
}

Result<std::vector<engine::Answer>> AskPhoto(const engine::Vqa& vqa, const std::string& path,
                                             std::span<const std::string> questions, const engine::AskOptions& options) {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<float> pixels, ReadPixels(vqa.preprocess(), path));
  PAWSIGHT_ASSIGN_OR_RETURN(const engine::ImageHandle look, vqa.Look(pixels));
  return vqa.Ask(look, questions, options);
}

int Ask(const AskCommand& command) {
  if (command.questions.size() > engine::kMaxQuestions) {
    return ReportError(InvalidArgument("--question: " + std::to_string(command.questions.size()) + " of them, want at most " +
                                       std::to_string(engine::kMaxQuestions)));
  }
  for (const std::string& question : command.questions) {
    const Status checked = engine::CheckQuestion(question);
    if (!checked.ok()) return ReportError(Annotate(checked, "--question"));
  }
  for (const std::string& path : command.images) {  // -q "One?" "Two?": the second is taken for a photo
    if (path.ends_with('?') && !FileExists(path)) {
      return ReportError(InvalidArgument(path + ": no such file; if it is a question, it wants a -q of its own"));
    }
  }
  const engine::AskOptions options{
      .mode = kModes.at(command.mode),
      .choices = command.choices,
      .max_length = command.max_length,
      .num_beams = command.beams,
      .first_token = command.first_token == "enc" ? engine::FirstToken::kEnc : engine::FirstToken::kCls,
      .padding = command.padding == "attend" ? engine::Padding::kAttend : engine::Padding::kMask};
  if (options.mode == engine::Mode::kRank && options.choices.empty()) {
    return ReportError(InvalidArgument("--mode rank: wants --choices a,b,..."));
  }
  const auto vqa = OpenModel(command.model);
  if (!vqa.ok()) return ReportEnvironmentError(vqa.status());
  int exit_code = kExitOk;
  for (const std::string& path : command.images) {
    const auto start = std::chrono::steady_clock::now();
    const auto answers = AskPhoto(*vqa, path, command.questions, options);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    if (answers.ok()) {
      PrintAnswers(command, path, *answers, took.count());
    } else {
      PrintFailure(command, path, answers.status());
      exit_code = kExitFailed;
    }
  }
  return exit_code;
}

}  // namespace

void AddAskCommand(CLI::App& program, int* exit_code) {
  auto command = std::make_shared<AskCommand>();
  CLI::App& ask = *program.add_subcommand("ask", "ask questions of photos");
  ask.footer(kFooter);
  ask.add_option("image", command->images, "JPEG or PNG files")->required();
  ask.add_option("-q,--question", command->questions, "a question; several share the look, each with its own -q")
      ->default_val(std::vector<std::string>{"Is there a dog?", "Is there a cat?", "Is there a person?"})
      ->take_all()
      ->allow_extra_args(false);
  ask.add_option("--mode", command->mode, "yesno, generate or rank [yesno]")->check(CLI::IsMember(kModes));
  ask.add_option("--choices", command->choices, "rank mode: answers to choose from, a,b,c")->delimiter(',')->allow_extra_args(false);
  ask.add_option("--beams", command->beams, "generate mode: 1 is greedy [1]")->check(CLI::Range(1, 16));
  ask.add_option("--max-length", command->max_length, "generate mode: tokens with the start [20]")->check(CLI::Range(2, 512));
  ask.add_option("--first-token", command->first_token, "cls, as the library, or enc, as the original [cls]")
      ->check(CLI::IsMember({"cls", "enc"}));
  ask.add_option("--padding", command->padding, "mask, or attend to reproduce the library's padded batches [mask]")
      ->check(CLI::IsMember({"mask", "attend"}));
  ask.add_flag("--json", command->json, "one JSON object a line");
  AddModelOptions(ask, &command->model);
  ask.callback([command, exit_code] { *exit_code = Ask(*command); });
}

}  // namespace pawsight
