// engine/image_encoder.h: BLIP's vision transformer, pixels in, one vector a patch out.
// Not here: decoding and resizing (frames). Thread-safe: weights are read-only, callers bring a Compute.
// Source: Dosovitskiy et al. 2020, section 3.1, in BLIP's pre-norm form (Li et al. 2022): one fused query/key/value
// product a layer, LayerNorm before attention and MLP and after the last layer. Checked against the goldens, layer by
// layer.
#pragma once

#include <span>
#include <vector>

#include "engine/compute.h"
#include "engine/config.h"
#include "engine/layer_source.h"

namespace pawsight::engine {

/// B frames; S pixels a side; P tokens a frame, the class token and one a patch (577 for 384 pixels at patch 16); D the
/// hidden width (768).
class ImageEncoder {
 public:
  /// Finds the layers of `vision_model.*`. Errors: in source.status().
  static ImageEncoder Load(LayerSource& source, const VisionConfig& config);

  int num_tokens() const { return num_tokens_; }
  int width() const { return config_.hidden_size; }
  /// Floats of one frame's pixels: 3 * S * S.
  size_t pixels_size() const;

  /// pixels [B,3,S,S], RGB, normalised, row-major -> embeds [B*P,D], after the last LayerNorm.
  /// Trace: "vision.hidden.k" [B*P,D] after the embeddings (k = 0) and each layer, "vision.image_embeds".
  /// Cost: 55 billion multiply-adds a frame at full size; linear in B.
  void Encode(const Compute& compute, const float* pixels, int num_frames, float* embeds,
              const Trace& trace = {}) const;

 private:
  struct Layer {
    LayerNorm norm1;
    Linear qkv;
    Linear projection;
    LayerNorm norm2;
    Linear fc1;
    Linear fc2;
  };

  void Embed(const Compute& compute, const float* pixels, int num_frames, float* x) const;

  VisionConfig config_;
  int num_tokens_ = 0;
  Linear patch_embedding_;              // 3*16*16 -> D
  std::span<const float> class_token_;  // [D]
  std::span<const float> positions_;    // [P, D], the class token's first
  std::vector<Layer> layers_;
  LayerNorm post_norm_;
};

}  // namespace pawsight::engine
