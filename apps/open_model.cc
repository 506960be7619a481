#include "apps/open_model.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>

#include "apps/artifact_cache.h"
#include "base/files.h"
#include "base/log.h"
#include "engine/artifact.h"
#include "engine/folder_stamp.h"
#include "frames/decode.h"
#include "frames/normalize.h"
#include "frames/resize.h"
#include "kernels/kernels.h"
#include "server/vqa_engine.h"
#include "targets/cpu/cpu_target.h"

namespace pawsight {
namespace {

// A person's own photo: any phone's, also progressive.
constexpr frames::DecodeLimits kPhotoLimits{
    .max_bytes = 64U << 20U, .max_pixels = 100'000'000, .max_scratch = 1U << 30U};

/// `sized` has the model's size already.
std::vector<float> Normalized(const engine::PreprocessConfig& preprocess, const frames::Image& sized) {
  std::vector<float> pixels(sized.rgb.size());
  frames::Normalize(sized, server::NormalizationOf(preprocess), pixels);
  return pixels;
}

std::unique_ptr<engine::Target> Counted(std::unique_ptr<engine::Target> target, const ModelOptions& options) {
  if (options.operations == nullptr) return target;
  return engine::CountOperations(std::move(target), *options.operations);
}

}  // namespace

void AddModelOptions(CLI::App& command, ModelOptions* options) {
  command.add_option("--model", options->model, "model directory in the hub's layout [pawsight-mini]");
  command.add_option("--artifacts", options->artifacts, "directory made by `pawsight compile`, instead of a model")
      ->excludes("--model");
  command.add_option("--precision", options->precision, "in which a model is compiled into the cache")
      ->check(CLI::IsMember({"fp32", "bf16", "int8"}))
      ->capture_default_str();
  command.add_option("--cpu", options->kernels, "kernels: scalar, avx2, avx512, amx [$PAWSIGHT_CPU, or the fastest]")
      ->check([](const std::string& name) {
        const auto chosen = kernels::Choose(name);
        return chosen.ok() ? std::string() : chosen.status().message();
      });
  command.add_option("--threads", options->threads, "threads of a forward pass, 1..256 [one a core]")
      ->check(CLI::Range(1, 256));
}

Result<std::string> DefaultModelDir() {
  if (const char* given = std::getenv("PAWSIGHT_MODEL"); given != nullptr && *given != '\0') return std::string(given);
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  std::string looked;
  // Beside the program as installed, as built (build/release), and where it was built.
  for (const std::filesystem::path& place :
       {program / "../share/pawsight/models/pawsight-mini", program / "../../models/pawsight-mini",
        std::filesystem::path(PAWSIGHT_SOURCE_DIR "/models/pawsight-mini")}) {
    const std::string dir = place.lexically_normal().string();
    if (IsDirectory(dir)) return dir;
    looked += looked.empty() ? dir : ", " + dir;
  }
  return NotFound("model: pawsight-mini is not at " + looked + "; name a directory with --model or $PAWSIGHT_MODEL");
}

Result<engine::Vqa> OpenModel(const ModelOptions& options) {
  const auto precision = engine::ParsePrecision(options.precision);
  if (!precision) return InvalidArgument("precision: \"" + options.precision + "\", want fp32, bf16 or int8");
  const targets::CpuOptions cpu{.threads = options.threads,
                                .teams = options.teams,
                                .verify = options.verify,
                                .kernels = options.kernels,
                                .precision = *precision};
  const engine::VqaOptions asking{.calibrate = options.calibrate};
  std::string dir = options.artifacts;
  if (dir.empty()) {
    std::string model = options.model;
    if (model.empty()) {
      PAWSIGHT_ASSIGN_OR_RETURN(model, DefaultModelDir());
    }
    const Result<std::string> cached = CachedArtifacts(model, *precision, cpu);
    if (!cached.ok() && cached.status().code() != StatusCode::kUnavailable) return cached.status();
    if (!cached.ok()) {
      LogWarning("cache_unusable",
                 {{"reason", cached.status().message()}, {"so", "the model is packed in memory, at every start"}});
      PAWSIGHT_ASSIGN_OR_RETURN(const engine::FolderStamp stamp, engine::FolderStamp::Take(model));
      PAWSIGHT_ASSIGN_OR_RETURN(std::unique_ptr<engine::Target> packed, targets::OpenCpuTarget(model, cpu));
      PAWSIGHT_ASSIGN_OR_RETURN(engine::Vqa vqa, engine::Vqa::Open(model, Counted(std::move(packed), options), asking));
      PAWSIGHT_RETURN_IF_ERROR(stamp.CheckUnchanged());  // all of the old model or all of the new one
      return vqa;
    }
    dir = *cached;
  }
  PAWSIGHT_ASSIGN_OR_RETURN(std::unique_ptr<engine::Target> target, targets::OpenCpuArtifacts(dir, cpu));
  return engine::Vqa::Open(dir, Counted(std::move(target), options), asking);
}

Result<engine::Precision> PrecisionOf(const ModelOptions& options) {
  if (!options.artifacts.empty()) {
    PAWSIGHT_ASSIGN_OR_RETURN(
        const engine::Artifact artifact,
        engine::Artifact::Open(targets::ArtifactPath(options.artifacts, engine::Component::kImageEncoder)));
    return artifact.info().precision;
  }
  const auto precision = engine::ParsePrecision(options.precision);
  if (!precision) return InvalidArgument("precision: \"" + options.precision + "\", want fp32, bf16 or int8");
  return *precision;
}

std::vector<float> ToPixels(const engine::PreprocessConfig& preprocess, const frames::Image& image) {
  return Normalized(preprocess, frames::ResizeBicubic(image, preprocess.width, preprocess.height));
}

Result<std::vector<float>> ReadPixels(const engine::PreprocessConfig& preprocess, const std::string& path) {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, ReadFile(path, kPhotoLimits.max_bytes));
  const auto decoded = frames::DecodeResized(bytes, kPhotoLimits, preprocess.width, preprocess.height);
  if (!decoded.ok()) return Annotate(decoded.status(), path);
  return Normalized(preprocess, decoded->image);
}

}  // namespace pawsight
