// apps/compile.cc: `pawsight compile`: a model directory becomes a directory of artifacts for one target.
#include "targets/cpu/compile.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "apps/commands.h"
#include "apps/compile_progress.h"
#include "base/json.h"
#include "kernels/kernels.h"

namespace pawsight {
namespace {

constexpr const char* kFooter = R"(Examples:
  pawsight compile blip-vqa-base --out blip-int8 --precision int8
  pawsight compile blip-vqa-base --out blip --precision image_encoder=int8,text_encoder=bf16,text_decoder=int8
  pawsight compile blip-vqa-base --out blip --component text_decoder --precision bf16 --force
  pawsight ask photo.jpg -q "Is there a cat?" --artifacts blip-int8

One artifact a component, with manifest.json, compile.log and the model's small files beside. What is up to date is skipped.
Every artifact is compared with the fp32 path on a fixed frame and fixed questions, and refused when it differs too much.
JSON fields, a line a component: component, precision, path, bytes, up_to_date, seconds, self_check {stage, least_cosine,
relative_error, limit}.
Exit codes: 0 all there, 1 an artifact differs too much from fp32, 2 usage, 3 the model or the disk.)";

struct CompileCommand {
  std::string model;
  std::string out;
  std::string target = "cpu";
  std::vector<std::string> precisions = {"bf16"};
  std::vector<int> question_lengths;
  std::vector<std::string> components;
  bool force = false;
  bool no_check = false;
  std::string kernels;
  int threads = 0;
  bool json = false;
};

/// "int8" for all, "text_encoder=bf16" for one.
Status ReadPrecisions(const std::vector<std::string>& texts, targets::CompileOptions* options) {
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    const auto precision = engine::ParsePrecision(equals == std::string::npos ? text : text.substr(equals + 1));
    if (!precision)
      return InvalidArgument("--precision: \"" + text + "\", want fp32, bf16 or int8, or COMPONENT=one of them");
    if (equals == std::string::npos) {
      options->precision = *precision;
      continue;
    }
    const auto component = engine::ParseComponent(text.substr(0, equals));
    if (!component) {
      return InvalidArgument("--precision: no component \"" + text.substr(0, equals) +
                             "\"; one of image_encoder, text_encoder, text_decoder");
    }
    options->component_precision[*component] = *precision;
  }
  return Ok();
}

Result<targets::CompileOptions> OptionsOf(const CompileCommand& command) {
  if (command.target != "cpu") {
    return Unimplemented("--target " + command.target + ": this build has no plug-in for it; cpu is built in");
  }
  targets::CompileOptions options;
  options.question_lengths = command.question_lengths;
  options.force = command.force;
  options.check = !command.no_check;
  options.cpu.threads = command.threads;
  options.cpu.kernels = command.kernels;
  PAWSIGHT_RETURN_IF_ERROR(ReadPrecisions(command.precisions, &options));
  const Result<const kernels::Kernels*> chosen = kernels::Choose(command.kernels);
  if (!chosen.ok()) return Annotate(chosen.status(), "--cpu");
  for (const std::string& name : command.components) {
    const auto component = engine::ParseComponent(name);
    if (!component) {
      return InvalidArgument("--component: no \"" + name + "\"; one of image_encoder, text_encoder, text_decoder");
    }
    options.components.push_back(*component);
  }
  return options;
}

void Print(const targets::Compiled& one, bool json) {
  const targets::SelfCheck& check = one.check;
  if (json) {
    Json line(Json::Object{{"component", engine::ComponentName(one.component)},
                           {"precision", engine::PrecisionName(one.precision)},
                           {"path", one.path},
                           {"bytes", one.bytes},
                           {"up_to_date", one.up_to_date},
                           {"seconds", static_cast<double>(one.took.count()) / 1000.0}});
    if (!check.stage.empty()) {
      line.Set("self_check", Json(Json::Object{{"stage", check.stage},
                                               {"least_cosine", check.cosine},
                                               {"relative_error", check.relative_error},
                                               {"limit", check.limit}}));
    }
    std::printf("%s\n", line.Dump().c_str());
    return;
  }
  std::printf("%-14s %-5s %8.1f MB  %-11s", std::string(engine::ComponentName(one.component)).c_str(),
              std::string(engine::PrecisionName(one.precision)).c_str(), static_cast<double>(one.bytes) / 1e6,
              one.up_to_date ? "up to date" : (std::to_string(one.took.count()) + " ms").c_str());
  if (!check.stage.empty()) {
    std::printf("  %s against fp32: least cosine %.6f (limit %g), relative error %.2e", check.stage.c_str(),
                check.cosine, check.limit, check.relative_error);
  }
  std::printf("\n");
}

/// A model that is wrong and a disk that cannot be written are no flag's fault, whatever code their status has.
int ReportFailure(const Status& status) {
  if (status.reason() == "option_invalid" || status.reason() == "not_a_directory") return ReportError(status);
  const int code = ReportEnvironmentError(status);
  return status.reason() == "self_check_failed" ? kExitFailed : code;
}

int Compile(const CompileCommand& command) {
  const Result<targets::CompileOptions> options = OptionsOf(command);
  if (!options.ok()) return ReportError(options.status());
  CompileProgressLine progress;
  const auto compiled = targets::CompileForCpu(command.model, command.out, *options, progress.callback());
  progress.Clear();
  if (!compiled.ok()) return ReportFailure(compiled.status());
  for (const targets::Compiled& one : *compiled) Print(one, command.json);
  return kExitOk;
}

}  // namespace

void AddCompileCommand(CLI::App& program, int* exit_code) {
  auto command = std::make_shared<CompileCommand>();
  CLI::App& app = *program.add_subcommand("compile", "pack a model's components for a target");
  app.footer(kFooter);
  app.add_option("model", command->model, "model directory in the hub's layout")->required();
  app.add_option("--out", command->out, "directory of the artifacts; made when missing")->required();
  app.add_option("--target", command->target, "what will execute it")
      ->check(CLI::IsMember({"cpu", "torchscript", "neuron", "cuda"}))
      ->capture_default_str();
  app.add_option("--precision", command->precisions, "fp32, bf16 or int8, for all or COMPONENT=one of them [bf16]")
      ->delimiter(',');
  app.add_option("--question-length", command->question_lengths,
                 "buckets, in tokens; the CPU runs any length unpadded [8,16,35]")
      ->delimiter(',')
      ->check(CLI::Range(1, 8192));
  app.add_option("--component", command->components, "only image_encoder, text_encoder or text_decoder")
      ->delimiter(',');
  app.add_flag("--force", command->force, "also what is up to date");
  app.add_flag("--no-check", command->no_check, "skip the comparison with fp32");
  app.add_option("--cpu", command->kernels, "kernels of the comparison: scalar, avx2, avx512, amx [the fastest]");
  app.add_option("--threads", command->threads, "threads of the comparison [one a core]")->check(CLI::Range(1, 256));
  app.add_flag("--json", command->json, "one JSON object a component and line");
  app.callback([command, exit_code] { *exit_code = Compile(*command); });
}

}  // namespace pawsight
