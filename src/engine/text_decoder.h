// engine/text_decoder.h: BLIP's text decoder: causal, one token after another with cached keys and values, each
// sequence looking at its context (encoded question states, or the image itself for captions) through cross-attention.
// Not here: which token comes next (generate.h). Thread-safe: weights are read-only; a DecoderRow is its caller's.
// Source: Li et al. 2022, section 3.1. Checked against the goldens' teacher-forced logits.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "engine/bert.h"

namespace pawsight::engine {

/// One sequence being written.
struct DecoderRow {
  KeyValues cache;                     // self-attention, capacity positions
  int length = 0;                      // positions already in the cache
  const KeyValues* context = nullptr;  // outlives the row
  int context_keys = 0;                // 1..context->capacity(): positions of the context that may be seen
};

class TextDecoder {
 public:
  /// Finds the layers of `text_decoder.*`. context_width is D of the context's states. Errors: in source.status().
  static TextDecoder Load(LayerSource& source, const TextConfig& config, int context_width);

  int vocab_size() const { return config_.vocab_size; }
  int width() const { return config_.hidden_size; }

  /// What sequences need of their contexts: the layers' cross-attention keys and values of states [rows,
  /// context_width].
  const BertLayers& layers() const { return layers_; }

  /// A row that can grow to `capacity` positions, 1..max_positions, in memory of layers().ContextSize(capacity) floats.
  DecoderRow Begin(const KeyValues& context, int context_keys, int capacity, Floats memory) const;

  /// Appends tokens[i] (one id a row, within the vocabulary) to rows[i] and gives what follows: logits [rows, wanted]
  /// of the ids in `wanted`, or [rows, vocab_size] of all when `wanted` is empty. A logit's bits depend on its row
  /// alone. Cost: bound by reading the layers' weights (99 M at full size), once for all rows; the whole vocabulary
  /// adds 24 M.
  void Step(const Compute& compute, std::span<DecoderRow* const> rows, std::span<const int> tokens,
            std::span<const int> wanted, float* logits) const;

 private:
  void SelfAttend(const Compute& compute, std::span<DecoderRow* const> rows, int layer, const Hidden& qkv,
                  const Hidden& context) const;
  void Logits(const Compute& compute, const float* hidden, int rows, std::span<const int> wanted, float* logits) const;

  TextConfig config_;
  BertEmbeddings embeddings_;
  BertLayers layers_;
  Linear transform_;
  LayerNorm transform_norm_;
  Linear head_;  // D -> V
};

}  // namespace pawsight::engine
