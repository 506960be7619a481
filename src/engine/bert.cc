#include "engine/bert.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"

namespace pawsight::engine {
namespace {

/// Rows of a context's states that one member multiplies at once: their product stays in the second-level cache.
constexpr int kContextRows = 1024;

/// The contexts from `begin` on that are taken together: as many as have kContextRows rows, at least one.
size_t EndOfBlock(std::span<const ContextRows> contexts, size_t begin) {
  size_t end = begin;
  int rows = 0;
  while (end < contexts.size() && (end == begin || rows + contexts[end].count <= kContextRows))
    rows += contexts[end++].count;
  return end;
}

}  // namespace

BertEmbeddings BertEmbeddings::Load(LayerSource& source, const std::string& prefix, const TextConfig& config) {
  BertEmbeddings embeddings;
  embeddings.words_ = source.Rows(prefix + "word_embeddings.weight", config.vocab_size, config.hidden_size);
  embeddings.positions_ = source.Rows(prefix + "position_embeddings.weight", config.max_positions, config.hidden_size);
  embeddings.norm_ = source.Norm(prefix + "LayerNorm", config.hidden_size, config.eps);
  return embeddings;
}

void BertEmbeddings::Embed(const Compute& compute, std::span<const int> ids, std::span<const int> positions,
                           float* x) const {
  const auto width = static_cast<size_t>(words_.width);
  for (size_t row = 0; row < ids.size(); ++row) {
    std::fill_n(x + row * width, width, 0.0F);
    words_.AddRow(ids[row], x + row * width);
    positions_.AddRow(positions[row], x + row * width);
  }
  norm_.Apply(compute, x, static_cast<int>(ids.size()), x);
}

BertLayers BertLayers::Load(LayerSource& source, const std::string& prefix, const TextConfig& config,
                            int context_width) {
  BertLayers layers;
  layers.config_ = config;
  const int d = config.hidden_size;
  std::vector<std::string> cross_names;
  for (int i = 0; i < config.num_layers; ++i) {
    const std::string at = prefix + std::to_string(i) + ".";
    const std::string self = at + "attention.self.";
    const std::string cross = at + "crossattention.self.";
    cross_names.push_back(cross + "key");
    cross_names.push_back(cross + "value");
    Layer layer;
    layer.qkv = source.Fused(self + "query+key+value", {self + "query", self + "key", self + "value"}, d, d);
    layer.self_out = source.Dense(at + "attention.output.dense", d, d);
    layer.self_norm = source.Norm(at + "attention.output.LayerNorm", d, config.eps);
    layer.cross_query = source.Dense(cross + "query", d, d);
    layer.cross_out = source.Dense(at + "crossattention.output.dense", d, d);
    layer.cross_norm = source.Norm(at + "crossattention.output.LayerNorm", d, config.eps);
    layer.intermediate = source.Dense(at + "intermediate.dense", d, config.intermediate_size);
    layer.output = source.Dense(at + "output.dense", config.intermediate_size, d);
    layer.norm = source.Norm(at + "output.LayerNorm", d, config.eps);
    layers.layers_.push_back(layer);
  }
  layers.cross_key_value_ = source.Fused(prefix + "*.crossattention.self.key+value", cross_names, context_width, d);
  return layers;
}

void BertLayers::FillHeads(const Compute& compute, const Operand& states, std::span<const ContextRows> contexts,
                           int first_head, int num_heads, const Hidden& memory) const {
  const int head_dim = config_.head_dim();
  const int heads = config_.num_heads;
  const int first_row = contexts.front().first;
  Operand rows = states.From(first_row);
  rows.rows = contexts.back().first + contexts.back().count - first_row;
  cross_key_value_.ApplyColumns(compute.kernels, rows, first_head * head_dim, num_heads * head_dim, memory);
  for (int h = first_head; h < first_head + num_heads; ++h) {
    const int layer = h / (2 * heads);
    for (const ContextRows& context : contexts) {
      const Hidden own = memory.From(context.first - first_row, (h - first_head) * head_dim);
      const HeadBlock block = context.out->Block(layer, h % heads);
      if (h / heads % 2 == 0) {
        block.FillKeys(compute.kernels, own);
      } else {
        block.FillValues(compute.kernels, own);
      }
    }
  }
}

void BertLayers::FillContexts(const Compute& compute, const float* states, int rows,
                              std::span<const ContextRows> contexts) const {
  const Arena::Scope scope(compute.arena);
  const int head_dim = config_.head_dim();
  const int all_heads = num_layers() * 2 * config_.num_heads;
  // So many heads begin and end where panels do.
  const int heads_together = std::min(all_heads, std::lcm(head_dim, kernels::kPanel) / head_dim);
  const int items = (all_heads + heads_together - 1) / heads_together;
  const Operand operand = cross_key_value_.Prepare(compute, states, rows);
  int most_rows = 0;
  for (size_t begin = 0; begin < contexts.size(); begin = EndOfBlock(contexts, begin)) {
    const ContextRows& last = contexts[EndOfBlock(contexts, begin) - 1];
    most_rows = std::max(most_rows, last.first + last.count - contexts[begin].first);
  }
  const int members = compute.team.size();
  const Hidden memory = TakeHidden(compute.arena, is_narrow(), members * most_rows, heads_together * head_dim);
  for (size_t begin = 0; begin < contexts.size(); begin = EndOfBlock(contexts, begin)) {
    const auto block = contexts.subspan(begin, EndOfBlock(contexts, begin) - begin);
    compute.team.ForEach(items, [&](int item, int member) {
      const int first = item * heads_together;
      FillHeads(compute, operand, block, first, std::min(heads_together, all_heads - first),
                memory.From(member * most_rows, 0));
    });
  }
}

void BertLayers::CrossAttend(const Compute& compute, std::span<const SequenceRows> sequences, int layer,
                             const Hidden& q, const Hidden& context) const {
  const Arena::Scope scope(compute.arena);
  const int heads = config_.num_heads;
  const int head_dim = config_.head_dim();
  int most_keys = 1;
  for (const SequenceRows& s : sequences) most_keys = std::max(most_keys, s.context_keys);
  const size_t scratch_size = AttendScratchSize(is_narrow(), most_keys);
  float* scratch = compute.arena.Take(static_cast<size_t>(compute.team.size()) * scratch_size);
  compute.team.ForEach(heads, [&](int head, int member) {
    // Sequences that follow each other and look at the same context are taken together: its keys come from memory once.
    for (size_t i = 0, next = 0; i < sequences.size(); i = next) {
      const SequenceRows& s = sequences[i];
      int rows = 0;
      while (next < sequences.size() && sequences[next].context == s.context &&
             sequences[next].context_keys == s.context_keys && sequences[next].first == s.first + rows) {
        rows += sequences[next++].count;
      }
      s.context->Block(layer, head)
          .Attend(compute.kernels, q.From(s.first, head * head_dim), rows, s.context_keys,
                  context.From(s.first, head * head_dim), scratch + static_cast<size_t>(member) * scratch_size);
    }
  });
}

void BertLayers::Forward(const Compute& compute, std::span<const SequenceRows> sequences, int rows, float* x,
                         SelfAttention self_attention, const Trace& trace, const std::string& trace_name) const {
  const int d = config_.hidden_size;
  const auto rows_d = static_cast<size_t>(rows) * static_cast<size_t>(d);
  const bool cross = !sequences.empty() && sequences.front().context != nullptr;
  for (int i = 0; i < num_layers(); ++i) {
    const Arena::Scope scope(compute.arena);
    const Layer& layer = layers_[static_cast<size_t>(i)];
    const Hidden context = TakeHidden(compute.arena, is_narrow(), rows, d);
    float* sum = compute.arena.Take(rows_d);
    const Hidden qkv = TakeHidden(compute.arena, is_narrow(), rows, 3 * d);
    layer.qkv.Apply(compute, layer.qkv.Prepare(compute, x, rows), qkv);
    self_attention(i, qkv, context);
    layer.self_out.Apply(compute, layer.self_out.Prepare(compute, context, rows), sum, kernels::Tail::kNone, x);
    layer.self_norm.Apply(compute, sum, rows, x);
    if (cross) {
      layer.cross_query.Apply(compute, layer.cross_query.Prepare(compute, x, rows), qkv);
      CrossAttend(compute, sequences, i, qkv, context);
      layer.cross_out.Apply(compute, layer.cross_out.Prepare(compute, context, rows), sum, kernels::Tail::kNone, x);
      layer.cross_norm.Apply(compute, sum, rows, x);
    }
    const Hidden wide = TakeHidden(compute.arena, is_narrow(), rows, config_.intermediate_size);
    layer.intermediate.Apply(compute, layer.intermediate.Prepare(compute, x, rows), wide, kernels::Tail::kGelu);
    layer.output.Apply(compute, layer.output.Prepare(compute, wide, rows), sum, kernels::Tail::kNone, x);
    layer.norm.Apply(compute, sum, rows, x);
    if (trace) trace(trace_name + ".hidden." + std::to_string(i + 1), x, rows, d);
  }
}

}  // namespace pawsight::engine
