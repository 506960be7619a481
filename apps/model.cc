// apps/model.cc: `pawsight model`: what a model directory holds, and whether it computes what the reference does.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>

#include "apps/commands.h"
#include "apps/model_calibrate.h"
#include "apps/model_score.h"
#include "apps/open_model.h"
#include "base/files.h"
#include "base/json.h"
#include "engine/calibration.h"
#include "engine/expected_tensors.h"
#include "frames/resize.h"
#include "targets/cpu/cpu_target.h"
#include "targets/golden_check.h"

namespace pawsight {
namespace {

using targets::StageDifference;

struct CheckCommand {
  ModelOptions model;
  std::string golden;
  std::string weights;
  bool json = false;
};

/// The stages before the model: the stored images resized and normalised. Exact, and 1e-6 as the reference itself.
Status CheckPreparation(const engine::TensorMap& goldens, const engine::PreprocessConfig& preprocess,
                        std::vector<StageDifference>* out) {
  std::vector<float> pixels;
  for (int i = 0;; ++i) {
    const auto stored = goldens.find("in.image" + std::to_string(i) + "_rgb_u8");
    if (stored == goldens.end()) break;
    const engine::TensorView& tensor = stored->second;
    const auto side = [&](size_t axis) { return tensor.shape[axis] >= 1 && tensor.shape[axis] <= 8192; };
    if (tensor.dtype != engine::DType::kU8 || tensor.shape.size() != 3 || !side(0) || !side(1) || tensor.shape[2] != 3) {
      return InvalidArgument("golden: " + stored->first + ": want U8 [H, W, 3], sides of 1..8192");
    }
    frames::Image image(static_cast<int>(tensor.shape[1]), static_cast<int>(tensor.shape[0]));
    image.rgb.assign(tensor.bytes.begin(), tensor.bytes.end());
    const frames::Image sized = frames::ResizeBicubic(image, preprocess.width, preprocess.height);
    const std::vector<int64_t> ours(sized.rgb.begin(), sized.rgb.end());
    PAWSIGHT_RETURN_IF_ERROR(targets::CompareIntegers(goldens, "pre.image" + std::to_string(i) + "_resized_u8", ours, out));
    const std::vector<float> own = ToPixels(preprocess, image);
    pixels.insert(pixels.end(), own.begin(), own.end());
  }
  if (pixels.empty() || !goldens.contains("pre.pixel_values")) return Ok();
  return targets::CompareFloats(goldens, "pre.pixel_values", pixels, 1e-6, out);
}

Result<std::vector<StageDifference>> CheckModel(const CheckCommand& command) {
  PAWSIGHT_ASSIGN_OR_RETURN(const targets::GoldenFile golden, targets::GoldenFile::Open(command.golden));
  PAWSIGHT_ASSIGN_OR_RETURN(const engine::PreprocessConfig preprocess, engine::PreprocessConfig::Open(command.model.model));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::unique_ptr<engine::Target> target,
                            targets::OpenCpuTarget(command.model.model, {.threads = command.model.threads,
                                                                         .weights = command.weights,
                                                                         .kernels = command.model.kernels}));
  std::vector<StageDifference> stages;
  PAWSIGHT_RETURN_IF_ERROR(CheckPreparation(golden.tensors, preprocess, &stages));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<StageDifference> model, targets::CheckGoldens(*target, golden.tensors));
  stages.insert(stages.end(), model.begin(), model.end());
  return stages;
}

Json ToJson(const StageDifference& stage) {
  Json line;
  line.Set("stage", stage.stage);
  line.Set("exact", stage.exact);
  line.Set("max_absolute", stage.max_absolute);
  line.Set("max_relative", stage.max_relative);
  line.Set("limit", stage.limit);
  line.Set("ok", stage.ok);
  return line;
}

int Check(const CheckCommand& command) {
  const auto stages = CheckModel(command);
  if (!stages.ok()) return ReportEnvironmentError(stages.status());
  if (!command.json) std::printf("%-38s %12s %12s  limit\n", "stage", "absolute", "relative");
  int failed = 0;
  for (const StageDifference& stage : *stages) {
    failed += stage.ok ? 0 : 1;
    if (command.json) {
      std::printf("%s\n", ToJson(stage).Dump().c_str());
    } else if (stage.exact) {
      std::printf("%-38s %12.0f %12s  exact  %s\n", stage.stage.c_str(), stage.max_absolute, "", stage.ok ? "ok" : "DIFFERS");
    } else {
      std::printf("%-38s %12.3e %12.3e  %g  %s\n", stage.stage.c_str(), stage.max_absolute, stage.max_relative, stage.limit,
                  stage.ok ? "ok" : "DIFFERS");
    }
  }
  if (!command.json) std::printf("%zu stages, %d differ\n", stages->size(), failed);
  return failed == 0 && !stages->empty() ? kExitOk : kExitFailed;
}

std::string Describe(const engine::Calibration& calibration) {
  char text[128];
  std::snprintf(text, sizeof(text), "temperature %.3g, %zu families", calibration.temperature, calibration.families.size());
  const std::string temperatures(text);
  if (!calibration.unsure) return temperatures;
  std::snprintf(text, sizeof(text), ", unsure %.2f..%.2f", calibration.unsure->low, calibration.unsure->high);
  return temperatures + text;
}

Result<Json> InspectModel(const std::string& dir) {
  PAWSIGHT_ASSIGN_OR_RETURN(const engine::BlipConfig config, engine::BlipConfig::Open(dir));
  PAWSIGHT_ASSIGN_OR_RETURN(const engine::Weights weights, engine::Weights::Open(dir));
  PAWSIGHT_ASSIGN_OR_RETURN(const engine::PreprocessConfig preprocess, engine::PreprocessConfig::Open(dir));
  const auto tokenizer = engine::Tokenizer::Open(dir, config.text);
  Json out;
  out.Set("model", dir);
  out.Set("format", weights.format());
  std::map<std::string, int64_t> types;
  int64_t parameters = 0;
  for (const auto& [name, tensor] : weights.tensors()) {
    types[std::string(engine::DTypeName(tensor.dtype))] += 1;
    parameters += tensor.num_elements();
  }
  out.Set("tensors", static_cast<int64_t>(weights.tensors().size()));
  out.Set("parameters", parameters);
  out.Set("fp32_mb", static_cast<int64_t>(weights.float_bytes() >> 20U));
  for (const auto& [type, count] : types) out.Set("tensors_" + type, count);
  const auto heads = engine::CheckWeights(weights, config);
  Json names{Json::Array{}};
  if (heads.ok()) {
    for (const engine::Head head : *heads) names.Append(engine::HeadName(head));
  }
  out.Set("heads", std::move(names));
  const auto calibration = engine::Calibration::Open(dir);
  const Status& problem = !heads.ok() ? heads.status() : !tokenizer.ok() ? tokenizer.status() : calibration.status();
  out.Set("problem", problem.ok() ? Json() : Json(problem.message()));
  out.Set("image", std::to_string(config.vision.image_size) + " px, patch " + std::to_string(config.vision.patch_size) + ", " +
                       std::to_string(config.vision.num_tokens()) + " tokens");
  out.Set("vision", std::to_string(config.vision.num_layers) + " layers, " + std::to_string(config.vision.hidden_size) +
                        " wide, " + std::to_string(config.vision.num_heads) + " heads");
  out.Set("text", std::to_string(config.text.num_layers) + " layers, " + std::to_string(config.text.hidden_size) + " wide, " +
                      std::to_string(config.text.num_heads) + " heads");
  out.Set("vocabulary", tokenizer.ok() ? Json(static_cast<int64_t>(tokenizer->num_tokens())) : Json());
  out.Set("calibration", calibration.ok() ? Describe(*calibration) : "");
  out.Set("resize", std::to_string(preprocess.width) + "x" + std::to_string(preprocess.height) + " bicubic");
  return out;
}

/// What `pawsight compile` made, each file read whole and compared with its checksum.
Result<Json> InspectArtifacts(const std::string& dir, const targets::Artifacts& artifacts) {
  Json out;
  out.Set("artifacts", dir);
  Status problem = targets::MakeCpuTarget(artifacts).status();
  for (const auto& artifact : artifacts) {
    const engine::ArtifactInfo& info = artifact->info();
    Json weights;
    for (const auto& [precision, bytes] : artifact->bytes_by_precision()) weights.Set(precision, bytes);
    const Status whole = artifact->Verify();
    if (problem.ok()) problem = whole;
    out.Set(engine::ComponentName(info.component), Json(Json::Object{{"precision", engine::PrecisionName(info.precision)},
                                                                     {"bytes", static_cast<uint64_t>(artifact->bytes())},
                                                                     {"weight_bytes", std::move(weights)},
                                                                     {"source", info.source},
                                                                     {"compiler", info.compiler},
                                                                     {"whole", whole.ok()}}));
  }
  out.Set("problem", problem.ok() ? Json() : Json(problem.message()));
  return out;
}

Result<Json> InspectDirectory(const std::string& dir) {
  if (!FileExists(dir + "/manifest.json")) return InspectModel(dir);
  PAWSIGHT_ASSIGN_OR_RETURN(const targets::Artifacts artifacts, targets::OpenArtifacts(dir));
  return InspectArtifacts(dir, artifacts);
}

int Inspect(const std::string& dir, bool json) {
  const auto inspected = InspectDirectory(dir);
  if (!inspected.ok()) return ReportEnvironmentError(inspected.status());
  if (json) {
    std::printf("%s\n", inspected->Dump().c_str());
  } else {
    for (const auto& [key, value] : inspected->as_object()) {
      std::printf("%-14s %s\n", key.c_str(), value.is_string() ? value.as_string().c_str() : value.Dump().c_str());
    }
  }
  return inspected->Find("problem")->is_null() ? kExitOk : kExitFailed;
}

}  // namespace

void AddModelCommand(CLI::App& program, int* exit_code) {
  CLI::App& model = *program.add_subcommand("model", "check, inspect, score or calibrate a model directory");
  model.require_subcommand(1);
  auto command = std::make_shared<CheckCommand>();
  command->model.precision = "fp32";
  CLI::App& check = *model.add_subcommand("check", "run every stage against a file of the reference's numbers");
  check.footer("Example:\n  pawsight model check DIR --golden DIR/goldens.safetensors\nExit code 0 only when every stage is "
               "within its limit.");
  check.add_option("dir", command->model.model, "model directory")->required();
  check.add_option("--golden", command->golden, "the reference's tensors, safetensors")->required();
  check.add_option("--weights", command->weights, "a weights file instead of the directory's own");
  check.add_option("--precision", command->model.precision, "fp32 is the one there is")->check(CLI::IsMember({"fp32"}));
  check.add_option("--cpu", command->model.kernels, "kernels: scalar, avx2, avx512, amx");
  check.add_option("--threads", command->model.threads, "threads [one a core]")->check(CLI::Range(1, 256));
  check.add_flag("--json", command->json, "one JSON object a stage and line");
  check.callback([command, exit_code] { *exit_code = Check(*command); });

  CLI::App& inspect = *model.add_subcommand("inspect", "tell what a model directory, or a directory of artifacts, holds");
  inspect.footer("Examples:\n  pawsight model inspect models/pawsight-mini\n  pawsight model inspect DIR_OF_ARTIFACTS   # reads "
                 "everything, compares checksums\nExit code 1 when something is wrong with it.");
  auto dir = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  inspect.add_option("dir", *dir, "model directory")->required();
  inspect.add_flag("--json", *json, "one JSON object");
  inspect.callback([dir, json, exit_code] { *exit_code = Inspect(*dir, *json); });
  AddModelScore(model, exit_code);
  AddModelCalibrate(model, exit_code);
}

}  // namespace pawsight
