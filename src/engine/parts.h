// engine/parts.h: the parts of a BLIP model that are compiled on their own, by component; which are there depends on
// the checkpoint's heads. Values over weights that somebody else owns.
#pragma once

#include <optional>
#include <vector>

#include "engine/expected_tensors.h"
#include "engine/image_encoder.h"
#include "engine/match_heads.h"
#include "engine/precision.h"
#include "engine/text_decoder.h"
#include "engine/text_encoder.h"

namespace pawsight::engine {

struct Parts {
  std::optional<ImageEncoder> image_encoder;
  std::optional<TextEncoder> text_encoder;
  std::optional<MatchHeads> match_heads;  // compiled with the text encoder
  std::optional<TextDecoder> text_decoder;

  /// Whether a checkpoint with these heads has the component.
  static bool Wants(const std::vector<Head>& heads, Component component);
  /// Finds one component's layers. Errors: in source.status().
  void Load(LayerSource& source, const BlipConfig& config, const std::vector<Head>& heads, Component component);
};

}  // namespace pawsight::engine
