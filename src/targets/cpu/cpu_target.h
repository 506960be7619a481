// targets/cpu/cpu_target.h: engine::Target on this machine's processor, with our own kernels. fp32.
// Thread-safe: forward passes run one after another on one team of threads.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "engine/target.h"
#include "kernels/kernels.h"

namespace pawsight::targets {

struct CpuOptions {
  int threads = 0;      // members of the team, 1..256; 0 is one a core
  std::string weights;  // a weights file to read instead of the directory's own; "" is the directory's
  std::string kernels;  // "scalar", "avx2", "avx512"; "" is $PAWSIGHT_CPU, or else the fastest that runs here
};

/// Reads a model directory in the hub's layout, checks every tensor, converts and packs the weights once. The mappings are
/// given back afterwards. Cost: one pass over the weights; memory about 4 bytes a weight.
/// Errors: those of BlipConfig::Open, Weights::Open and CheckWeights; kInvalidArgument, threads out of range or no such
/// kernels; kFailedPrecondition, this CPU lacks them; those of engine::CheckMemory.
Result<std::unique_ptr<engine::Target>> OpenCpuTarget(const std::string& model_dir, const CpuOptions& options = {});

}  // namespace pawsight::targets
