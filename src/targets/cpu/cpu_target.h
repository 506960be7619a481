// targets/cpu/cpu_target.h: engine::Target on this machine's processor, with our own kernels, over compiled components.
// Thread-safe: each forward pass has one team of threads to itself, others wait for a free one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "engine/artifact.h"
#include "engine/compile/pack.h"
#include "engine/target.h"
#include "kernels/kernels.h"

namespace pawsight::targets {

struct CpuOptions {
  int threads = 0;      // members of a team, 1..256; 0 is one a core, shared out among the teams
  int teams = 1;        // independent teams, 1..256: that many forward passes run at once
  bool pin = false;     // each member stays on a core of its own
  bool verify = false;  // compare artifacts with their checksums before they are used: reads all of them once
  std::string weights;  // a weights file to read instead of the directory's own; "" is the directory's
  std::string kernels;  // "scalar", "avx2", "avx512", "amx"; "" is $PAWSIGHT_CPU, or else the fastest that runs here
  engine::Precision precision = engine::Precision::kFp32;  // to pack a checkpoint in; artifacts have their own
};

/// A checkpoint's compiled components, shared by the targets that run them.
using Artifacts = std::vector<std::shared_ptr<const engine::Artifact>>;

/// The file of a component in a directory of artifacts.
std::string ArtifactPath(const std::string& dir, engine::Component component);

/// A target over compiled components, all of one checkpoint: every one that its heads want, once each.
/// Errors: kFailedPrecondition, a component is missing or of another checkpoint (artifact_mismatch), this CPU lacks the
/// kernels asked for; kDataLoss, an artifact lacks a layer; kInvalidArgument, options out of range.
Result<std::unique_ptr<engine::Target>> MakeCpuTarget(Artifacts artifacts, const CpuOptions& options = {});

/// All components of a directory of artifacts. Errors: kNotFound, no such directory; those of engine::Artifact::Open.
Result<Artifacts> OpenArtifacts(const std::string& artifact_dir);

/// Packs all components of a checkpoint in memory: 4, 2 or 1 bytes a weight.
/// Errors: kResourceExhausted, they cannot fit (engine::CheckMemory); those of PackComponent.
Result<Artifacts> PackInMemory(const engine::Checkpoint& checkpoint, engine::Precision precision,
                               const std::string& source_hash = "memory");

/// The same from a directory that `pawsight compile` made. Maps files, reads headers, packs nothing.
/// Errors: also those of engine::Artifact::Open, and with options.verify of Verify.
Result<std::unique_ptr<engine::Target>> OpenCpuArtifacts(const std::string& artifact_dir,
                                                         const CpuOptions& options = {});

/// Reads a model directory in the hub's layout, checks every tensor and packs all components in memory, in
/// options.precision: for checks and comparisons, and for what is not worth keeping. The checkpoint's mappings are
/// given back afterwards. Cost: one pass over the weights; memory about 4, 2 or 1 bytes a weight. Errors: those of
/// BlipConfig::Open, Weights::Open, CheckWeights, engine::CheckMemory and MakeCpuTarget.
Result<std::unique_ptr<engine::Target>> OpenCpuTarget(const std::string& model_dir, const CpuOptions& options = {});

}  // namespace pawsight::targets
