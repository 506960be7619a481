// engine/bert.h: the BERT layer (post-norm) that BLIP's text encoder and text decoder share: self-attention,
// cross-attention to keys and values computed beforehand, MLP. Source: Devlin et al. 2018; cross-attention as in Li et
// al. 2022, section 3.1. Rows of several sequences stand one after another without padding: no row is computed that
// nobody asked for, and no answer can depend on another sequence. Thread-safe: weights are read-only.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/compute.h"
#include "engine/config.h"
#include "engine/key_values.h"
#include "engine/layer_source.h"
#include "engine/linear.h"

namespace pawsight::engine {

/// Word and position embeddings, added and normed.
class BertEmbeddings {
 public:
  static BertEmbeddings Load(LayerSource& source, const std::string& prefix, const TextConfig& config);

  /// x [ids.size(), D]; ids within the vocabulary, positions within its table (CHECKed: the door has refused others).
  void Embed(const Compute& compute, std::span<const int> ids, std::span<const int> positions, float* x) const;

 private:
  Table words_;
  Table positions_;
  LayerNorm norm_;
};

/// Rows [first, first + count) of x belong to one sequence; they attend to the first `context_keys` positions of
/// `context` in cross-attention; a null context skips cross-attention (all sequences or none).
struct SequenceRows {
  int first = 0;
  int count = 0;
  const KeyValues* context = nullptr;
  int context_keys = 0;
};

/// Rows [first, first + count) of the states become the keys and values `out`, of that capacity.
struct ContextRows {
  int first = 0;
  int count = 0;
  KeyValues* out = nullptr;
};

/// Fills context [rows, D] from qkv [rows, 3 D] for layer `layer`: how self-attention differs between encoder and
/// decoder.
using SelfAttention = kernels::Work<void(int layer, const Hidden& qkv, const Hidden& context)>;

class BertLayers {
 public:
  /// `prefix` as "text_encoder.encoder.layer."; context_width is D of what cross-attention looks at.
  static BertLayers Load(LayerSource& source, const std::string& prefix, const TextConfig& config, int context_width);

  int num_layers() const { return static_cast<int>(layers_.size()); }
  bool is_narrow() const { return cross_key_value_.is_narrow(); }

  /// The shape of a head of CrossKeyValues for so many states, and the floats of memory for all heads of all layers.
  HeadShape ContextShape(int capacity) const { return {is_narrow(), config_.head_dim(), capacity}; }
  size_t ContextSize(int capacity) const {
    return KeyValues::Size(ContextShape(capacity), num_layers(), config_.num_heads);
  }
  /// For states of `capacity` rows, in memory of ContextSize floats.
  KeyValues MakeContext(int capacity, Floats memory) const {
    return {ContextShape(capacity), config_.num_heads, std::move(memory)};
  }

  /// The cross-attention keys and values of several contexts, all layers in one product: states [rows, context_width].
  /// Cost: 2 * rows * context_width * 2 D * layers FLOP, 16 GFLOP for an image at full size: done once a frame.
  void FillContexts(const Compute& compute, const float* states, int rows, std::span<const ContextRows> contexts) const;

  /// x [rows, D] is read and overwritten. Trace: "<trace_name>.hidden.k" after layer k = 1...
  void Forward(const Compute& compute, std::span<const SequenceRows> sequences, int rows, float* x,
               SelfAttention self_attention, const Trace& trace, const std::string& trace_name) const;

 private:
  struct Layer {
    Linear qkv;
    Linear self_out;
    LayerNorm self_norm;
    Linear cross_query;
    Linear cross_out;
    LayerNorm cross_norm;
    Linear intermediate;
    Linear output;
    LayerNorm norm;
  };

  void FillHeads(const Compute& compute, const Operand& states, std::span<const ContextRows> contexts, int first_head,
                 int num_heads, const Hidden& memory) const;
  void CrossAttend(const Compute& compute, std::span<const SequenceRows> sequences, int layer, const Hidden& q,
                   const Hidden& context) const;

  TextConfig config_;
  Linear cross_key_value_;  // every layer's keys, then its values, layer by layer
  std::vector<Layer> layers_;
};

}  // namespace pawsight::engine
