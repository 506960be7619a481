// engine/compile/pack.h: packs one component of a checkpoint into an artifact: weights laid out for the kernels, in the
// precision asked for. Thread-safe: functions without state.
#pragma once

#include <functional>
#include <string>

#include "base/status.h"
#include "engine/artifact.h"
#include "engine/compile/artifact_writer.h"
#include "engine/weights.h"

namespace pawsight::engine {

/// Told after each entry how many bytes of the checkpoint's floats have been packed.
using PackProgress = std::function<void(uint64_t float_bytes)>;

/// The precision in which a layer of a component is kept: the component's, but for those that measurement showed to be
/// sensitive (docs/performance.md).
Precision LayerPrecision(Precision component, std::string_view entry);

/// A checkpoint whose tensors have been checked against its config.
struct Checkpoint {
  std::string config_text;  // config.json, whole
  BlipConfig config;
  Weights weights;
  std::vector<Head> heads;

  /// weights_path: a weights file to read instead of the directory's own; "" is the directory's.
  /// Errors: those of BlipConfig::Open, Weights::Open and CheckWeights.
  static Result<Checkpoint> Open(const std::string& model_dir, const std::string& weights_path = "");

  /// Of everything that an artifact is made from. Cost: reads all weights once.
  /// Errors: those of ChecksumFile.
  Result<std::string> Hash() const;
};

/// Packs a component and finishes `writer`, unpublished. Cost: one pass over the component's weights; memory of its
/// largest layer, twice. Errors: those of Weights::ReadFloats and of the writer.
Result<Artifact> PackComponent(const Checkpoint& checkpoint, Component component, Precision precision,
                               const std::string& source_hash, ArtifactWriter& writer,
                               const PackProgress& progress = {});

}  // namespace pawsight::engine
