// engine/text_encoder.h: BLIP's image-grounded text encoder: questions in, one state a token out, each question looking
// at an image through cross-attention. Not here: words to ids (tokenizer.h). Thread-safe: weights are read-only.
// Source: Li et al. 2022, section 3.1. Checked against the goldens, layer by layer.
#pragma once

#include <span>
#include <vector>

#include "base/status.h"
#include "engine/bert.h"

namespace pawsight::engine {

/// One question's ids; positions from `valid` on are padding: computed when given, never attended to as keys. Leave
/// padding out (valid == ids.size()) unless a comparison with a padded reference wants it.
struct TokenRow {
  std::vector<int> ids;  // 1..max_positions, each within the vocabulary
  int valid = 0;         // 1..ids.size()
};

class TextEncoder {
 public:
  /// Finds the layers of `text_encoder.*`. image_width is D of the image embeddings. Errors: in source.status().
  static TextEncoder Load(LayerSource& source, const TextConfig& config, int image_width);

  int width() const { return config_.hidden_size; }

  /// What questions need of images: the layers' cross-attention keys and values of embeds [P, image_width].
  const BertLayers& layers() const { return layers_; }

  /// states [sum of ids.size(), D], questions one after another. images[i] is what question i looks at; an empty span
  /// skips cross-attention (text alone, for retrieval). Trace: "text.hidden.k", "text.question_states".
  void Encode(const Compute& compute, std::span<const TokenRow> questions, std::span<const KeyValues* const> images,
              float* states, const Trace& trace = {}) const;

 private:
  TextConfig config_;
  BertEmbeddings embeddings_;
  BertLayers layers_;
};

}  // namespace pawsight::engine
