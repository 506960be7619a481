// targets/cpu/match_heads.h: BLIP's image-text retrieval heads on encoded states. Thread-safe: weights are read-only.
// Source: Li et al. 2022, section 3.2 (ITC and ITM). Checked against the goldens.
#pragma once

#include "base/status.h"
#include "engine/target.h"
#include "engine/weights.h"

namespace pawsight::targets {

class MatchHeads {
 public:
  /// Reads `itm_head`, `vision_proj`, `text_proj`.
  static Result<MatchHeads> Load(const engine::BlipConfig& config, const engine::Weights& weights,
                                 const kernels::Kernels& kernels);

  /// Of one pair: the first row [D] of the image's embeddings, of the text looking at the image, of the text alone.
  engine::Match Score(const engine::Compute& compute, const float* image, const float* looking, const float* blind) const;

 private:
  engine::Linear itm_;
  engine::Linear vision_;
  engine::Linear text_;
};

}  // namespace pawsight::targets
