#include "engine/text_encoder.h"

#include "base/check.h"
#include "engine/self_attention.h"

namespace pawsight::engine {

TextEncoder TextEncoder::Load(LayerSource& source, const TextConfig& config, int image_width) {
  TextEncoder encoder;
  encoder.config_ = config;
  encoder.embeddings_ = BertEmbeddings::Load(source, "text_encoder.embeddings.", config);
  encoder.layers_ = BertLayers::Load(source, "text_encoder.encoder.layer.", config, image_width);
  return encoder;
}

void TextEncoder::Encode(const Compute& compute, std::span<const TokenRow> questions,
                         std::span<const KeyValues* const> images, float* states, const Trace& trace) const {
  CHECK(images.empty() || images.size() == questions.size());
  const Arena::Scope scope(compute.arena);
  size_t tokens = 0;
  for (const TokenRow& question : questions) tokens += question.ids.size();
  const auto sequences = compute.arena.TakeSpan<SequenceRows>(questions.size());
  const auto selves = compute.arena.TakeSpan<SelfAttentionRows>(questions.size());
  const auto ids = compute.arena.TakeSpan<int>(tokens);
  const auto positions = compute.arena.TakeSpan<int>(tokens);
  int rows = 0;
  for (size_t i = 0; i < questions.size(); ++i) {
    const TokenRow& question = questions[i];
    CHECK(question.valid >= 1 && static_cast<size_t>(question.valid) <= question.ids.size());
    sequences[i] = {.first = rows, .count = static_cast<int>(question.ids.size())};
    if (!images.empty()) {
      sequences[i].context = images[i];
      sequences[i].context_keys = images[i]->capacity();
    }
    selves[i] = {rows, sequences[i].count, question.valid};
    for (int position = 0; position < sequences[i].count; ++position, ++rows) {
      ids[static_cast<size_t>(rows)] = question.ids[static_cast<size_t>(position)];
      positions[static_cast<size_t>(rows)] = position;
    }
  }
  embeddings_.Embed(compute, ids, positions, states);
  if (trace) trace("text.hidden.0", states, rows, width());
  const auto self_attention = [&](int, const Hidden& qkv, const Hidden& context) {
    SelfAttend(compute, selves, config_.num_heads, width(), qkv, context);
  };
  layers_.Forward(compute, sequences, rows, states, self_attention, trace, "text");
  if (trace) trace("text.question_states", states, rows, width());
}

}  // namespace pawsight::engine
