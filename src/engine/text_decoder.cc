#include "engine/text_decoder.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace pawsight::engine {

Result<TextDecoder> TextDecoder::Load(const TextConfig& config, int context_width, const Weights& weights,
                                      const kernels::Kernels& kernels) {
  TensorLoader loader(weights, kernels);
  TextDecoder decoder;
  const int d = config.hidden_size;
  const int v = config.vocab_size;
  decoder.config_ = config;
  decoder.embeddings_ = BertEmbeddings::Load(loader, "text_decoder.bert.embeddings.", config);
  decoder.layers_ = BertLayers::Load(loader, "text_decoder.bert.encoder.layer.", config, context_width);
  const std::string head = "text_decoder.cls.predictions.";
  decoder.transform_ = loader.Dense(head + "transform.dense", d, d);
  decoder.transform_norm_ = loader.Norm(head + "transform.LayerNorm", d, config.eps);
  decoder.bias_ = loader.Vector(head + (loader.Has(head + "decoder.bias") ? "decoder.bias" : "bias"), v);
  if (loader.Has(head + "decoder.weight")) {
    decoder.untied_ = loader.Vector(head + "decoder.weight", v * d);
    if (std::ranges::equal(decoder.untied_, decoder.embeddings_.words())) decoder.untied_ = {};
  }
  PAWSIGHT_RETURN_IF_ERROR(loader.status());
  const std::span<const float> weight = decoder.untied_.empty() ? decoder.embeddings_.words() : decoder.untied_;
  decoder.head_ = Linear(kernels, weight, decoder.bias_, d, v);
  return decoder;
}

KeyValues TextDecoder::ContextKeyValues(const Compute& compute, const float* states, int rows) const {
  return layers_.CrossKeyValues(compute, states, rows);
}

DecoderRow TextDecoder::Begin(const KeyValues& context, int context_keys, int capacity) const {
  CHECK(context_keys >= 1 && context_keys <= context.capacity());
  CHECK(capacity >= 1 && capacity <= config_.max_positions);
  return {KeyValues(layers_.num_layers(), config_.num_heads, config_.head_dim(), capacity), 0, &context, context_keys};
}

void TextDecoder::Step(const Compute& compute, std::span<DecoderRow* const> rows, std::span<const int> tokens,
                       std::span<const int> wanted, float* logits) const {
  CHECK(rows.size() == tokens.size());
  const Arena::Scope scope(compute.arena);
  const int count = static_cast<int>(rows.size());
  float* x = compute.arena.Take(rows.size() * static_cast<size_t>(width()));
  std::vector<SequenceRows> sequences;
  std::vector<int> positions;
  for (const DecoderRow* row : rows) {
    CHECK(row->length < row->cache.capacity());
    sequences.push_back({static_cast<int>(sequences.size()), 1, row->context, row->context_keys});
    positions.push_back(row->length);
  }
  embeddings_.Embed(compute, tokens, positions, x);
  const auto self_attention = [&](int layer, const float* qkv, float* context) {
    SelfAttend(compute, rows, layer, qkv, context);
  };
  layers_.Forward(compute, sequences, count, x, self_attention, {}, "answer");
  for (DecoderRow* row : rows) ++row->length;
  Logits(compute, x, count, wanted, logits);
}

void TextDecoder::SelfAttend(const Compute& compute, std::span<DecoderRow* const> rows, int layer, const float* qkv,
                             float* context) const {
  const Arena::Scope scope(compute.arena);
  const int d = config_.hidden_size;
  const int heads = config_.num_heads;
  const int head_dim = config_.head_dim();
  int longest = 1;
  for (const DecoderRow* row : rows) longest = std::max(longest, row->length + 1);
  const size_t scratch_size = kernels::AttendScratch(longest);
  float* scratch = compute.arena.Take(static_cast<size_t>(compute.team.size()) * scratch_size);
  compute.team.ForEach(static_cast<int>(rows.size()) * heads, [&](int item, int member) {
    const auto row = static_cast<size_t>(item / heads);
    const int head = item % heads;
    KeyValues& cache = rows[row]->cache;
    const float* q = qkv + row * 3 * static_cast<size_t>(d) + head * head_dim;
    cache.Append(layer, head, rows[row]->length, q + d, q + 2 * d);
    compute.kernels.attend({.q = q, .ldq = 3 * d, .keys = cache.keys(layer, head), .values = cache.values(layer, head),
                            .value_panel_stride = cache.value_panel_stride(),
                            .out = context + row * static_cast<size_t>(d) + static_cast<size_t>(head * head_dim), .ldo = d,
                            .rows = 1, .head_dim = head_dim, .num_keys = rows[row]->length + 1,
                            .scale = 1.0F / std::sqrt(static_cast<float>(head_dim)),
                            .scratch = scratch + static_cast<size_t>(member) * scratch_size});
  });
}

void TextDecoder::Logits(const Compute& compute, const float* hidden, int rows, std::span<const int> wanted,
                         float* logits) const {
  const Arena::Scope scope(compute.arena);
  const auto d = static_cast<size_t>(width());
  float* x = compute.arena.Take(static_cast<size_t>(rows) * d);
  transform_.Apply(compute, hidden, rows, x, kernels::Tail::kGelu);
  transform_norm_.Apply(compute, x, rows, x);
  if (wanted.empty()) {
    head_.Apply(compute, x, rows, logits);
    return;
  }
  const std::span<const float> weight = untied_.empty() ? embeddings_.words() : untied_;
  const int n = static_cast<int>(wanted.size());
  float* some = compute.arena.Take(wanted.size() * d);
  float* some_bias = compute.arena.Take(wanted.size());
  float* packed = compute.arena.Take(kernels::PackedSize(width(), n));
  for (size_t i = 0; i < wanted.size(); ++i) {
    const auto id = static_cast<size_t>(wanted[i]);
    CHECK(id < bias_.size());
    std::copy_n(weight.begin() + static_cast<std::ptrdiff_t>(id * d), d, some + i * d);
    some_bias[i] = bias_[id];
  }
  compute.kernels.pack_transposed(some, width(), n, width(), packed);
  compute.kernels.gemm({.a = x, .lda = width(), .b = packed, .panel_stride = d * kernels::kPanel, .bias = some_bias,
                        .c = logits, .ldc = n, .rows = rows, .k = width(), .n = n});
}

}  // namespace pawsight::engine
