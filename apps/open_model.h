// apps/open_model.h: from a model directory to a model that answers, and from a photo to what it takes; what every
// command that asks needs first. Used by one thread at start; what it opens is thread-safe.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "engine/counted_target.h"
#include "engine/precision.h"
#include "engine/vqa.h"
#include "frames/image.h"

namespace CLI {
class App;
}

namespace pawsight {

/// What is said about the model on the command line.
struct ModelOptions {
  std::string model;               // a directory in the hub's layout; "" is DefaultModelDir()
  std::string artifacts;           // a directory that `pawsight compile` made, instead of a model; "" is none
  std::string precision = "bf16";  // in which a model is compiled
  std::string kernels;             // --cpu: a table of kernels; "" is the fastest that runs here
  int threads = 0;                 // of one team; 0 is one a core
  int teams = 1;                   // forward passes at once
  bool calibrate = true;           // false: p_yes as if there were no calibration.json
  engine::OperationCount* operations = nullptr;  // told of what is computed; outlives the model
  bool verify = false;  // compare artifacts with their checksums: reads all once, 0.1 to 0.3 s for BLIP base in int8
};

/// Adds --model, --artifacts, --precision, --cpu and --threads to a command.
void AddModelOptions(CLI::App& command, ModelOptions* options);

/// $PAWSIGHT_MODEL, or models/pawsight-mini beside the program as built or installed.
/// Errors: kNotFound, with the places that were looked at.
Result<std::string> DefaultModelDir();

/// From artifacts, or from a model directory by way of the cache (artifact_cache.h); where no cache can be written,
/// packed in memory. Errors: those of DefaultModelDir, CachedArtifacts, targets::OpenCpuArtifacts, engine::Vqa::Open.
Result<engine::Vqa> OpenModel(const ModelOptions& options);

/// In which precision OpenModel's image encoder computes. Errors: kInvalidArgument, no such precision; those of
/// Artifact::Open.
Result<engine::Precision> PrecisionOf(const ModelOptions& options);

/// An image as the model takes it: resized without keeping the aspect, normalised, [3, S, S].
std::vector<float> ToPixels(const engine::PreprocessConfig& preprocess, const frames::Image& image);

/// The same of a JPEG or PNG file of up to 64 MB and 100 megapixels, decoded straight to the size wanted.
/// Errors: those of ReadFile and frames::DecodeResized.
Result<std::vector<float>> ReadPixels(const engine::PreprocessConfig& preprocess, const std::string& path);

}  // namespace pawsight
