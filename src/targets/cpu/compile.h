// targets/cpu/compile.h: `pawsight compile` for the CPU: a checkpoint becomes a directory of artifacts, one a
// component, each made, checked and replaced on its own; beside them what else the model needs (config, preprocessor,
// vocabulary), a manifest and a log. One compile at a time works on a directory; another waits. Used by one thread.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "targets/cpu/cpu_target.h"
#include "targets/cpu/self_check.h"

namespace pawsight::targets {

struct CompileOptions {
  engine::Precision precision = engine::Precision::kFp32;
  std::map<engine::Component, engine::Precision> component_precision;  // where it differs
  std::vector<engine::Component> components;                           // empty: all that the checkpoint has
  /// Tokens of the questions that the check asks, one each; empty: 8, 16 and 35, those that the model has positions for. On
  /// the CPU any length runs without padding; the buckets are what other targets, whose shapes are fixed, are compiled for.
  std::vector<int> question_lengths;
  bool force = false;   // also what is up to date
  bool check = true;    // compare with the fp32 path; costs that path once
  std::string weights;  // a weights file instead of the directory's own
  CpuOptions cpu;       // threads and kernels of the check

  engine::Precision PrecisionOf(engine::Component component) const;
};

/// What became of one component.
struct Compiled {
  engine::Component component = engine::Component::kImageEncoder;
  engine::Precision precision = engine::Precision::kFp32;
  std::string path;
  uint64_t bytes = 0;
  bool up_to_date = false;  // was there already; nothing was written
  SelfCheck check;          // stage "" when none was made
  std::chrono::milliseconds took{0};
};

/// Told what is happening, for a person: the component, what ("packing", "checking", "up to date", "done") and how much
/// of the packing is done, 0..1.
using CompileProgress = std::function<void(engine::Component component, std::string_view what, double share)>;

/// Makes out_dir and its parents when missing. A component whose artifact was made of the same weights in the same precision
/// and is undamaged is left alone.
/// Errors: kInvalidArgument, out_dir is a file (not_a_directory), a component that the checkpoint lacks or a length outside
/// 1..max_positions (option_invalid);
/// kFailedPrecondition, a component differs too much from fp32 (self_check_failed): its artifact is not kept;
/// those of Checkpoint::Open and of writing files. What was finished before an error stays.
Result<std::vector<Compiled>> CompileForCpu(const std::string& model_dir, const std::string& out_dir,
                                            const CompileOptions& options, const CompileProgress& progress = {});

}  // namespace pawsight::targets
