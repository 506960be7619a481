// engine/bert.h: the BERT layer (post-norm) that BLIP's text encoder and text decoder share: self-attention, cross-attention
// to keys and values computed beforehand, MLP. Source: Devlin et al. 2018; cross-attention as in Li et al. 2022, section 3.1.
// Rows of several sequences stand one after another without padding: no row is computed that nobody asked for, and no answer
// can depend on another sequence. Thread-safe: weights are read-only.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "engine/compute.h"
#include "engine/config.h"
#include "engine/key_values.h"
#include "engine/tensor_loader.h"

namespace pawsight::engine {

/// Word and position embeddings, added and normed.
class BertEmbeddings {
 public:
  static BertEmbeddings Load(TensorLoader& loader, const std::string& prefix, const TextConfig& config);

  /// x [ids.size(), D]; ids within the vocabulary, positions within its table (CHECKed: the door has refused others).
  void Embed(const Compute& compute, std::span<const int> ids, std::span<const int> positions, float* x) const;

  /// [V, D] dense.
  std::span<const float> words() const { return words_; }

 private:
  int width_ = 0;
  std::vector<float> words_;
  std::vector<float> positions_;
  LayerNorm norm_;
};

/// Rows [first, first + count) of x belong to one sequence; they attend to the first `context_keys` positions of `context`
/// in cross-attention; a null context skips cross-attention (all sequences or none).
struct SequenceRows {
  int first = 0;
  int count = 0;
  const KeyValues* context = nullptr;
  int context_keys = 0;
};

/// Fills context [rows, D] from qkv [rows, 3 D] for layer `layer`: how self-attention differs between encoder and decoder.
using SelfAttention = std::function<void(int layer, const float* qkv, float* context)>;

class BertLayers {
 public:
  /// `prefix` as "text_encoder.encoder.layer."; context_width is D of what cross-attention looks at.
  static BertLayers Load(TensorLoader& loader, const std::string& prefix, const TextConfig& config, int context_width);

  int num_layers() const { return static_cast<int>(layers_.size()); }

  /// The cross-attention keys and values of one context, all layers: states [rows, context_width].
  /// Cost: 2 * rows * context_width * 2 D * layers FLOP, 16 GFLOP for an image at full size: done once a frame.
  KeyValues CrossKeyValues(const Compute& compute, const float* states, int rows) const;

  /// x [rows, D] is read and overwritten. Trace: "<trace_name>.hidden.k" after layer k = 1...
  void Forward(const Compute& compute, std::span<const SequenceRows> sequences, int rows, float* x,
               const SelfAttention& self_attention, const Trace& trace, const std::string& trace_name) const;

 private:
  struct Layer {
    Linear qkv;
    Linear self_out;
    LayerNorm self_norm;
    Linear cross_query;
    Linear cross_key_value;
    Linear cross_out;
    LayerNorm cross_norm;
    Linear intermediate;
    Linear output;
    LayerNorm norm;
  };

  void CrossAttend(const Compute& compute, std::span<const SequenceRows> sequences, int layer, const float* q,
                   float* context) const;

  TextConfig config_;
  std::vector<Layer> layers_;
};

}  // namespace pawsight::engine
