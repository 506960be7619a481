// engine/match_heads.h: BLIP's image-text retrieval heads on encoded states. Thread-safe: weights are read-only.
// Source: Li et al. 2022, section 3.2 (ITC and ITM). Checked against the goldens.
#pragma once

#include "engine/layer_source.h"
#include "engine/target.h"

namespace pawsight::engine {

class MatchHeads {
 public:
  /// Finds `itm_head`, `vision_proj`, `text_proj`. Errors: in source.status().
  static MatchHeads Load(LayerSource& source, const BlipConfig& config);

  /// Of one pair: the first row [D] of the image's embeddings, of the text looking at the image, of the text alone.
  Match Score(const Compute& compute, const float* image, const float* looking, const float* blind) const;

 private:
  Linear itm_;
  Linear vision_;
  Linear text_;
};

}  // namespace pawsight::engine
