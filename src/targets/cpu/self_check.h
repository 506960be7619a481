// targets/cpu/self_check.h: how far a compiled component is from the fp32 path: the same fixed frame and questions
// through a target that has this component compiled and the others in fp32. Used by one thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "targets/cpu/cpu_target.h"

namespace pawsight::targets {

struct SelfCheck {
  std::string stage;          // what was compared: "image_embeds", "question_states", "matches", "first_logits"
  double cosine = 0;          // least of the rows
  double relative_error = 0;  // root of the sum of squared differences over that of the reference's squares
  double limit = 0;           // least cosine accepted
  bool ok() const { return cosine >= limit; }
};

/// Least cosine that a component of this precision may have.
double LeastCosine(engine::Precision precision);

class SelfChecker {
 public:
  /// fp32: every component of the checkpoint in fp32. Runs the reference once.
  /// Errors: those of MakeCpuTarget.
  static Result<SelfChecker> Make(Artifacts fp32, std::vector<int> question_lengths, const CpuOptions& options);

  /// Errors: those of MakeCpuTarget; never that it differs too much, that is the caller's to judge.
  Result<SelfCheck> Check(const std::shared_ptr<const engine::Artifact>& artifact) const;

 private:
  /// What the three components give: rows of values.
  struct Stages {
    std::vector<float> embeds;
    std::vector<float> states;
    std::vector<float> logits;
    std::vector<float> matches;  // logits and text feature of each text, of retrieval heads
  };
  Result<Stages> Run(Artifacts artifacts) const;

  Artifacts fp32_;
  std::vector<int> question_lengths_;
  CpuOptions options_;
  Stages reference_;
};

}  // namespace pawsight::targets
