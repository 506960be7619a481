// targets/golden_check.h: runs every stage of a target against a file of the reference implementation's numbers, so that a
// difference names its stage. The file's layout is tests/golden/README.md's; parts that the model has no head for are left out.
// Not here: the resize and normalise stages, which are frames' (the command adds them). Used by one thread.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "base/status.h"
#include "engine/target.h"
#include "engine/weights.h"

namespace pawsight::targets {

/// How far one stage is from the reference.
struct StageDifference {
  std::string stage;
  bool exact = false;         // tokens and choices: must be equal
  double max_absolute = 0.0;  // largest |ours - reference|; for exact stages the number of differing values
  double max_relative = 0.0;  // the same over the reference's largest magnitude
  double limit = 0.0;         // on max_relative; 0 for exact stages
  bool ok = false;
};

/// The reference's numbers, memory-mapped.
struct GoldenFile {
  MappedFile mapping;
  engine::TensorMap tensors;

  /// A safetensors file whose tensors may lie unaligned. Errors: those of MappedFile::Open and ReadSafetensors.
  static Result<GoldenFile> Open(const std::string& path);
};

struct GoldenTolerance {
  double relative = 1e-4;
};

/// Compares `ours` with the golden tensor `name` (float) and appends the result. Errors: kNotFound, no such tensor;
/// kInvalidArgument, another number of values.
Status CompareFloats(const engine::TensorMap& goldens, const std::string& name, std::span<const float> ours,
                     double relative_limit, std::vector<StageDifference>* out);
/// The same for integers, which must be equal.
Status CompareIntegers(const engine::TensorMap& goldens, const std::string& name, std::span<const int64_t> ours,
                       std::vector<StageDifference>* out);

/// All stages that the target's heads and the file have in common.
/// Errors: kInvalidArgument, the file lacks a tensor or its shapes do not fit the model; those of the target.
Result<std::vector<StageDifference>> CheckGoldens(engine::Target& target, const engine::TensorMap& goldens,
                                                  const GoldenTolerance& tolerance = {});

}  // namespace pawsight::targets
