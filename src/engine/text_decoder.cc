#include "engine/text_decoder.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace pawsight::engine {

TextDecoder TextDecoder::Load(LayerSource& source, const TextConfig& config, int context_width) {
  TextDecoder decoder;
  const int d = config.hidden_size;
  decoder.config_ = config;
  decoder.embeddings_ = BertEmbeddings::Load(source, "text_decoder.bert.embeddings.", config);
  decoder.layers_ = BertLayers::Load(source, "text_decoder.bert.encoder.layer.", config, context_width);
  const std::string head = "text_decoder.cls.predictions.";
  decoder.transform_ = source.Dense(head + "transform.dense", d, d);
  decoder.transform_norm_ = source.Norm(head + "transform.LayerNorm", d, config.eps);
  const std::string own = head + "decoder.weight";  // absent when it is the word embeddings
  decoder.head_ =
      source.Parts(head + "decoder", source.Has(own) ? own : "text_decoder.bert.embeddings.word_embeddings.weight",
                   head + (source.Has(head + "decoder.bias") ? "decoder.bias" : "bias"), d, config.vocab_size);
  return decoder;
}

DecoderRow TextDecoder::Begin(const KeyValues& context, int context_keys, int capacity, Floats memory) const {
  CHECK(context_keys >= 1 && context_keys <= context.capacity());
  CHECK(capacity >= 1 && capacity <= config_.max_positions);
  return {layers_.MakeContext(capacity, std::move(memory)), 0, &context, context_keys};
}

void TextDecoder::Step(const Compute& compute, std::span<DecoderRow* const> rows, std::span<const int> tokens,
                       std::span<const int> wanted, float* logits) const {
  CHECK(rows.size() == tokens.size());
  const Arena::Scope scope(compute.arena);
  const int count = static_cast<int>(rows.size());
  float* x = compute.arena.Take(rows.size() * static_cast<size_t>(width()));
  const auto sequences = compute.arena.TakeSpan<SequenceRows>(rows.size());
  const auto positions = compute.arena.TakeSpan<int>(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    CHECK(rows[i]->length < rows[i]->cache.capacity());
    sequences[i] = {static_cast<int>(i), 1, rows[i]->context, rows[i]->context_keys};
    positions[i] = rows[i]->length;
  }
  embeddings_.Embed(compute, tokens, positions, x);
  const auto self_attention = [&](int layer, const Hidden& qkv, const Hidden& context) {
    SelfAttend(compute, rows, layer, qkv, context);
  };
  layers_.Forward(compute, sequences, count, x, self_attention, {}, "answer");
  for (DecoderRow* row : rows) ++row->length;
  Logits(compute, x, count, wanted, logits);
}

void TextDecoder::SelfAttend(const Compute& compute, std::span<DecoderRow* const> rows, int layer, const Hidden& qkv,
                             const Hidden& context) const {
  const Arena::Scope scope(compute.arena);
  const int d = config_.hidden_size;
  const int heads = config_.num_heads;
  const int head_dim = config_.head_dim();
  int longest = 1;
  for (const DecoderRow* row : rows) longest = std::max(longest, row->length + 1);
  const size_t scratch_size = AttendScratchSize(layers_.is_narrow(), longest);
  float* scratch = compute.arena.Take(static_cast<size_t>(compute.team.size()) * scratch_size);
  compute.team.ForEach(static_cast<int>(rows.size()) * heads, [&](int item, int member) {
    const int row = item / heads;
    const int column = item % heads * head_dim;
    const DecoderRow& own = *rows[static_cast<size_t>(row)];
    const HeadBlock block = own.cache.Block(layer, item % heads);
    const Hidden q = qkv.From(row, column);
    block.Append(own.length, q.From(0, d), q.From(0, 2 * d));
    block.Attend(compute.kernels, q, 1, own.length + 1, context.From(row, column),
                 scratch + static_cast<size_t>(member) * scratch_size);
  });
}

void TextDecoder::Logits(const Compute& compute, const float* hidden, int rows, std::span<const int> wanted,
                         float* logits) const {
  const Arena::Scope scope(compute.arena);
  float* x = compute.arena.Take(static_cast<size_t>(rows) * static_cast<size_t>(width()));
  transform_.Apply(compute, transform_.Prepare(compute, hidden, rows), x, kernels::Tail::kGelu);
  transform_norm_.Apply(compute, x, rows, x);
  const Operand operand = head_.Prepare(compute, x, rows);
  if (wanted.empty()) {
    head_.Apply(compute, operand, logits);
    return;
  }
  // A wanted row of the vocabulary costs its panel; its bits are those of the whole product.
  float* panel = compute.arena.Take(static_cast<size_t>(rows) * kernels::kPanel);
  for (size_t i = 0; i < wanted.size(); ++i) {
    const int first = wanted[i] / kernels::kPanel * kernels::kPanel;
    CHECK(wanted[i] >= 0 && wanted[i] < vocab_size());
    head_.ApplyColumns(compute.kernels, operand, first, std::min(kernels::kPanel, vocab_size() - first),
                       {.floats = panel, .stride = kernels::kPanel});
    for (int row = 0; row < rows; ++row) {
      logits[static_cast<size_t>(row) * wanted.size() + i] = panel[row * kernels::kPanel + wanted[i] - first];
    }
  }
}

}  // namespace pawsight::engine
