#include "engine/image_encoder.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "engine/self_attention.h"
#include "engine/tensor_loader.h"

namespace pawsight::engine {

Result<ImageEncoder> ImageEncoder::Load(const VisionConfig& config, const Weights& weights, const kernels::Kernels& kernels) {
  TensorLoader loader(weights, kernels);
  ImageEncoder encoder;
  encoder.config_ = config;
  const int d = config.hidden_size;
  encoder.num_tokens_ = config.num_tokens();
  const std::string root = "vision_model.";
  encoder.patch_embedding_ = loader.Dense(root + "embeddings.patch_embedding", 3 * config.patch_size * config.patch_size, d);
  encoder.class_token_ = loader.Vector(root + "embeddings.class_embedding", d);
  encoder.patch_positions_ = loader.Vector(root + "embeddings.position_embedding", encoder.num_tokens_ * d);
  for (int i = 0; i < d; ++i) encoder.class_token_[static_cast<size_t>(i)] += encoder.patch_positions_[static_cast<size_t>(i)];
  encoder.patch_positions_.erase(encoder.patch_positions_.begin(), encoder.patch_positions_.begin() + d);
  for (int i = 0; i < config.num_layers; ++i) {
    const std::string at = root + "encoder.layers." + std::to_string(i) + ".";
    Layer layer;
    layer.norm1 = loader.Norm(at + "layer_norm1", d, config.eps);
    layer.qkv = loader.Dense(at + "self_attn.qkv", d, 3 * d);
    layer.projection = loader.Dense(at + "self_attn.projection", d, d);
    layer.norm2 = loader.Norm(at + "layer_norm2", d, config.eps);
    layer.fc1 = loader.Dense(at + "mlp.fc1", d, config.intermediate_size);
    layer.fc2 = loader.Dense(at + "mlp.fc2", config.intermediate_size, d);
    encoder.layers_.push_back(std::move(layer));
  }
  encoder.post_norm_ = loader.Norm(root + "post_layernorm", d, config.eps);
  PAWSIGHT_RETURN_IF_ERROR(loader.status());
  return encoder;
}

size_t ImageEncoder::pixels_size() const {
  return 3 * static_cast<size_t>(config_.image_size) * static_cast<size_t>(config_.image_size);
}

void ImageEncoder::Embed(const Compute& compute, const float* pixels, int num_frames, float* x) const {
  const Arena::Scope scope(compute.arena);
  const int patch = config_.patch_size;
  const int size = config_.image_size;
  const int side = size / patch;
  const int d = config_.hidden_size;
  const int num_patches = side * side;
  const size_t patch_values = 3 * static_cast<size_t>(patch) * static_cast<size_t>(patch);
  float* patches = compute.arena.Take(static_cast<size_t>(num_patches) * patch_values);
  float* embedded = compute.arena.Take(static_cast<size_t>(num_patches) * static_cast<size_t>(d));
  for (int frame = 0; frame < num_frames; ++frame) {
    const float* image = pixels + static_cast<size_t>(frame) * pixels_size();
    float* to = patches;
    for (int p = 0; p < num_patches; ++p) {  // the convolution's order: channel, row, column
      for (int channel = 0; channel < 3; ++channel) {
        for (int row = 0; row < patch; ++row) {
          const float* from = image + (static_cast<size_t>(channel) * static_cast<size_t>(size) +
                                       static_cast<size_t>(p / side * patch + row)) * static_cast<size_t>(size) +
                              static_cast<size_t>(p % side * patch);
          std::memcpy(to, from, static_cast<size_t>(patch) * sizeof(float));
          to += patch;
        }
      }
    }
    patch_embedding_.Apply(compute, patches, num_patches, embedded);
    float* tokens = x + static_cast<size_t>(frame) * static_cast<size_t>(num_tokens_) * static_cast<size_t>(d);
    std::copy(class_token_.begin(), class_token_.end(), tokens);
    tokens += d;
    for (size_t i = 0; i < static_cast<size_t>(num_patches) * static_cast<size_t>(d); ++i) {
      tokens[i] = embedded[i] + patch_positions_[i];
    }
  }
}

void ImageEncoder::Encode(const Compute& compute, const float* pixels, int num_frames, float* embeds,
                          const Trace& trace) const {
  const Arena::Scope scope(compute.arena);
  const int d = config_.hidden_size;
  const int rows = num_frames * num_tokens_;
  const size_t size = static_cast<size_t>(rows) * static_cast<size_t>(d);
  float* x = compute.arena.Take(size);
  float* normed = compute.arena.Take(size);
  float* context = compute.arena.Take(size);
  float* wide = compute.arena.Take(static_cast<size_t>(rows) * static_cast<size_t>(std::max(3 * d, config_.intermediate_size)));
  std::vector<SelfAttentionRows> frames;
  for (int i = 0; i < num_frames; ++i) frames.push_back({i * num_tokens_, num_tokens_, num_tokens_});
  Embed(compute, pixels, num_frames, x);
  if (trace) trace("vision.hidden.0", x, rows, d);
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    layer.norm1.Apply(compute, x, rows, normed);
    layer.qkv.Apply(compute, normed, rows, wide);
    SelfAttend(compute, frames, config_.num_heads, d, wide, context);
    layer.projection.Apply(compute, context, rows, x, kernels::Tail::kNone, x);
    layer.norm2.Apply(compute, x, rows, normed);
    layer.fc1.Apply(compute, normed, rows, wide, kernels::Tail::kGelu);
    layer.fc2.Apply(compute, wide, rows, x, kernels::Tail::kNone, x);
    if (trace) trace("vision.hidden." + std::to_string(i + 1), x, rows, d);
  }
  post_norm_.Apply(compute, x, rows, embeds);
  if (trace) trace("vision.image_embeds", embeds, rows, d);
}

}  // namespace pawsight::engine
