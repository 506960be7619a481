#include "engine/bert.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace pawsight::engine {

BertEmbeddings BertEmbeddings::Load(TensorLoader& loader, const std::string& prefix, const TextConfig& config) {
  BertEmbeddings embeddings;
  embeddings.width_ = config.hidden_size;
  embeddings.words_ = loader.Vector(prefix + "word_embeddings.weight", config.vocab_size * config.hidden_size);
  embeddings.positions_ = loader.Vector(prefix + "position_embeddings.weight", config.max_positions * config.hidden_size);
  embeddings.norm_ = loader.Norm(prefix + "LayerNorm", config.hidden_size, config.eps);
  return embeddings;
}

void BertEmbeddings::Embed(const Compute& compute, std::span<const int> ids, std::span<const int> positions,
                           float* x) const {
  const auto width = static_cast<size_t>(width_);
  for (size_t row = 0; row < ids.size(); ++row) {
    const size_t word = static_cast<size_t>(ids[row]) * width;
    const size_t position = static_cast<size_t>(positions[row]) * width;
    CHECK(word < words_.size() && position < positions_.size());
    for (size_t i = 0; i < width; ++i) x[row * width + i] = words_[word + i] + positions_[position + i];
  }
  norm_.Apply(compute, x, static_cast<int>(ids.size()), x);
}

BertLayers BertLayers::Load(TensorLoader& loader, const std::string& prefix, const TextConfig& config, int context_width) {
  BertLayers layers;
  layers.config_ = config;
  const int d = config.hidden_size;
  for (int i = 0; i < config.num_layers; ++i) {
    const std::string at = prefix + std::to_string(i) + ".";
    const std::string self = at + "attention.self.";
    const std::string cross = at + "crossattention.self.";
    Layer layer;
    layer.qkv = loader.Fused({self + "query", self + "key", self + "value"}, d, d);
    layer.self_out = loader.Dense(at + "attention.output.dense", d, d);
    layer.self_norm = loader.Norm(at + "attention.output.LayerNorm", d, config.eps);
    layer.cross_query = loader.Dense(cross + "query", d, d);
    layer.cross_key_value = loader.Fused({cross + "key", cross + "value"}, context_width, d);
    layer.cross_out = loader.Dense(at + "crossattention.output.dense", d, d);
    layer.cross_norm = loader.Norm(at + "crossattention.output.LayerNorm", d, config.eps);
    layer.intermediate = loader.Dense(at + "intermediate.dense", d, config.intermediate_size);
    layer.output = loader.Dense(at + "output.dense", config.intermediate_size, d);
    layer.norm = loader.Norm(at + "output.LayerNorm", d, config.eps);
    layers.layers_.push_back(std::move(layer));
  }
  return layers;
}

KeyValues BertLayers::CrossKeyValues(const Compute& compute, const float* states, int rows) const {
  const Arena::Scope scope(compute.arena);
  const int d = config_.hidden_size;
  const int head_dim = config_.head_dim();
  KeyValues packed(num_layers(), config_.num_heads, head_dim, rows);
  float* kv = compute.arena.Take(static_cast<size_t>(rows) * 2 * static_cast<size_t>(d));
  for (int layer = 0; layer < num_layers(); ++layer) {
    layers_[static_cast<size_t>(layer)].cross_key_value.Apply(compute, states, rows, kv);
    const auto fill = [&](int head, int) {
      const float* k = kv + head * head_dim;
      packed.Fill(compute.kernels, layer, head, k, k + d, 2 * d, rows);
    };
    compute.team.ForEach(config_.num_heads, fill);
  }
  return packed;
}

void BertLayers::CrossAttend(const Compute& compute, std::span<const SequenceRows> sequences, int layer, const float* q,
                             float* context) const {
  const Arena::Scope scope(compute.arena);
  const int d = config_.hidden_size;
  const int heads = config_.num_heads;
  const int head_dim = config_.head_dim();
  int most_keys = 1;
  for (const SequenceRows& s : sequences) most_keys = std::max(most_keys, s.context_keys);
  const size_t scratch_size = kernels::AttendScratch(most_keys);
  float* scratch = compute.arena.Take(static_cast<size_t>(compute.team.size()) * scratch_size);
  compute.team.ForEach(static_cast<int>(sequences.size()) * heads, [&](int item, int member) {
    const SequenceRows& s = sequences[static_cast<size_t>(item / heads)];
    const int head = item % heads;
    const size_t at = static_cast<size_t>(s.first) * static_cast<size_t>(d) + static_cast<size_t>(head * head_dim);
    compute.kernels.attend({.q = q + at, .ldq = d, .keys = s.context->keys(layer, head),
                            .values = s.context->values(layer, head),
                            .value_panel_stride = s.context->value_panel_stride(), .out = context + at, .ldo = d,
                            .rows = s.count, .head_dim = head_dim, .num_keys = s.context_keys,
                            .scale = 1.0F / std::sqrt(static_cast<float>(head_dim)),
                            .scratch = scratch + static_cast<size_t>(member) * scratch_size});
  });
}

void BertLayers::Forward(const Compute& compute, std::span<const SequenceRows> sequences, int rows, float* x,
                         const SelfAttention& self_attention, const Trace& trace, const std::string& trace_name) const {
  const Arena::Scope scope(compute.arena);
  const int d = config_.hidden_size;
  const auto rows_d = static_cast<size_t>(rows) * static_cast<size_t>(d);
  float* context = compute.arena.Take(rows_d);
  float* sum = compute.arena.Take(rows_d);
  float* wide = compute.arena.Take(static_cast<size_t>(rows) * static_cast<size_t>(std::max(3 * d, config_.intermediate_size)));
  const bool cross = !sequences.empty() && sequences.front().context != nullptr;
  for (int i = 0; i < num_layers(); ++i) {
    const Layer& layer = layers_[static_cast<size_t>(i)];
    layer.qkv.Apply(compute, x, rows, wide);
    self_attention(i, wide, context);
    layer.self_out.Apply(compute, context, rows, sum, kernels::Tail::kNone, x);
    layer.self_norm.Apply(compute, sum, rows, x);
    if (cross) {
      layer.cross_query.Apply(compute, x, rows, wide);
      CrossAttend(compute, sequences, i, wide, context);
      layer.cross_out.Apply(compute, context, rows, sum, kernels::Tail::kNone, x);
      layer.cross_norm.Apply(compute, sum, rows, x);
    }
    layer.intermediate.Apply(compute, x, rows, wide, kernels::Tail::kGelu);
    layer.output.Apply(compute, wide, rows, sum, kernels::Tail::kNone, x);
    layer.norm.Apply(compute, sum, rows, x);
    if (trace) trace(trace_name + ".hidden." + std::to_string(i + 1), x, rows, d);
  }
}

}  // namespace pawsight::engine
