#include "engine/image_encoder.h"

#include <cstring>
#include <string>

#include "engine/self_attention.h"

namespace pawsight::engine {

ImageEncoder ImageEncoder::Load(LayerSource& source, const VisionConfig& config) {
  ImageEncoder encoder;
  encoder.config_ = config;
  const int d = config.hidden_size;
  encoder.num_tokens_ = config.num_tokens();
  const std::string root = "vision_model.";
  encoder.patch_embedding_ =
      source.Dense(root + "embeddings.patch_embedding", 3 * config.patch_size * config.patch_size, d);
  encoder.class_token_ = source.Vector(root + "embeddings.class_embedding", d);
  encoder.positions_ = source.Vector(root + "embeddings.position_embedding", encoder.num_tokens_ * d);
  for (int i = 0; i < config.num_layers; ++i) {
    const std::string at = root + "encoder.layers." + std::to_string(i) + ".";
    Layer layer;
    layer.norm1 = source.Norm(at + "layer_norm1", d, config.eps);
    layer.qkv = source.Dense(at + "self_attn.qkv", d, 3 * d);
    layer.projection = source.Dense(at + "self_attn.projection", d, d);
    layer.norm2 = source.Norm(at + "layer_norm2", d, config.eps);
    layer.fc1 = source.Dense(at + "mlp.fc1", d, config.intermediate_size);
    layer.fc2 = source.Dense(at + "mlp.fc2", config.intermediate_size, d);
    encoder.layers_.push_back(layer);
  }
  encoder.post_norm_ = source.Norm(root + "post_layernorm", d, config.eps);
  return encoder;
}

size_t ImageEncoder::pixels_size() const {
  return 3 * static_cast<size_t>(config_.image_size) * static_cast<size_t>(config_.image_size);
}

void ImageEncoder::Embed(const Compute& compute, const float* pixels, int num_frames, float* x) const {
  const Arena::Scope scope(compute.arena);
  const int patch = config_.patch_size;
  const auto size = static_cast<size_t>(config_.image_size);
  const int side = config_.image_size / patch;
  const int d = config_.hidden_size;
  const int num_patches = side * side;
  const size_t patch_values = 3 * static_cast<size_t>(patch) * static_cast<size_t>(patch);
  float* patches = compute.arena.Take(static_cast<size_t>(num_patches) * patch_values);
  for (int frame = 0; frame < num_frames; ++frame) {
    const float* image = pixels + static_cast<size_t>(frame) * pixels_size();
    ForRowBlocks(compute, num_patches, [&](int first, int last) {
      float* to = patches + static_cast<size_t>(first) * patch_values;
      for (int p = first; p < last; ++p) {  // the convolution's order: channel, row, column
        const float* corner =
            image + static_cast<size_t>(p / side * patch) * size + static_cast<size_t>(p % side * patch);
        for (size_t channel = 0; channel < 3; ++channel) {
          for (size_t row = 0; row < static_cast<size_t>(patch); ++row, to += patch) {
            std::memcpy(to, corner + (channel * size + row) * size, static_cast<size_t>(patch) * sizeof(float));
          }
        }
      }
    });
    float* tokens = x + static_cast<size_t>(frame) * static_cast<size_t>(num_tokens_) * static_cast<size_t>(d);
    for (size_t i = 0; i < static_cast<size_t>(d); ++i) tokens[i] = class_token_[i] + positions_[i];
    patch_embedding_.Apply(compute, patch_embedding_.Prepare(compute, patches, num_patches), tokens + d,
                           kernels::Tail::kNone, positions_.data() + d);
  }
}

void ImageEncoder::Encode(const Compute& compute, const float* pixels, int num_frames, float* embeds,
                          const Trace& trace) const {
  const Arena::Scope scope(compute.arena);
  const int d = config_.hidden_size;
  const int rows = num_frames * num_tokens_;
  const bool narrow = layers_.front().qkv.is_narrow();
  float* x = compute.arena.Take(static_cast<size_t>(rows) * static_cast<size_t>(d));
  const std::span<SelfAttentionRows> frames =
      compute.arena.TakeSpan<SelfAttentionRows>(static_cast<size_t>(num_frames));
  for (int i = 0; i < num_frames; ++i) frames[static_cast<size_t>(i)] = {i * num_tokens_, num_tokens_, num_tokens_};
  Embed(compute, pixels, num_frames, x);
  if (trace) trace("vision.hidden.0", x, rows, d);
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Arena::Scope layer_scope(compute.arena);
    const Layer& layer = layers_[i];
    const Hidden context = TakeHidden(compute.arena, narrow, rows, d);
    {
      const Arena::Scope attention_scope(compute.arena);
      const Hidden qkv = TakeHidden(compute.arena, narrow, rows, 3 * d);
      layer.qkv.Apply(compute, layer.norm1.ApplyFor(compute, layer.qkv, x, rows), qkv);
      SelfAttend(compute, frames, config_.num_heads, d, qkv, context);
    }
    layer.projection.Apply(compute, layer.projection.Prepare(compute, context, rows), x, kernels::Tail::kNone, x);
    const Hidden wide = TakeHidden(compute.arena, narrow, rows, config_.intermediate_size);
    layer.fc1.Apply(compute, layer.norm2.ApplyFor(compute, layer.fc1, x, rows), wide, kernels::Tail::kGelu);
    layer.fc2.Apply(compute, layer.fc2.Prepare(compute, wide, rows), x, kernels::Tail::kNone, x);
    if (trace) trace("vision.hidden." + std::to_string(i + 1), x, rows, d);
  }
  post_norm_.Apply(compute, x, rows, embeds);
  if (trace) trace("vision.image_embeds", embeds, rows, d);
}

}  // namespace pawsight::engine
