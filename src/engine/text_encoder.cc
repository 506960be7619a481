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
  std::vector<SequenceRows> sequences;
  std::vector<SelfAttentionRows> selves;
  std::vector<int> ids;
  std::vector<int> positions;
  for (size_t i = 0; i < questions.size(); ++i) {
    const TokenRow& question = questions[i];
    CHECK(question.valid >= 1 && static_cast<size_t>(question.valid) <= question.ids.size());
    SequenceRows sequence{static_cast<int>(ids.size()), static_cast<int>(question.ids.size())};
    if (!images.empty()) {
      sequence.context = images[i];
      sequence.context_keys = images[i]->capacity();
    }
    sequences.push_back(sequence);
    selves.push_back({sequence.first, sequence.count, question.valid});
    ids.insert(ids.end(), question.ids.begin(), question.ids.end());
    for (int position = 0; position < sequence.count; ++position) positions.push_back(position);
  }
  const int rows = static_cast<int>(ids.size());
  embeddings_.Embed(compute, ids, positions, states);
  if (trace) trace("text.hidden.0", states, rows, width());
  const auto self_attention = [&](int, const Hidden& qkv, const Hidden& context) {
    SelfAttend(compute, selves, config_.num_heads, width(), qkv, context);
  };
  layers_.Forward(compute, sequences, rows, states, self_attention, trace, "text");
  if (trace) trace("text.question_states", states, rows, width());
}

}  // namespace pawsight::engine
