#include "engine/pass_work.h"

namespace pawsight::engine {
namespace {

/// Weights of one layer's products without the keys and values of what cross-attention looks at.
int64_t VisionLayer(const VisionConfig& vision) {
  const int64_t d = vision.hidden_size;
  return 4 * d * d + 2 * d * vision.intermediate_size;
}

int64_t TextLayer(const TextConfig& text) {
  const int64_t d = text.hidden_size;
  return 6 * d * d + 2 * d * text.intermediate_size;
}

int64_t PatchEmbedding(const VisionConfig& vision) {
  return int64_t{3} * vision.patch_size * vision.patch_size * vision.hidden_size;
}

/// Keys and values of every layer, of states `width` wide.
int64_t ContextWeights(const TextConfig& text, int width) {
  return int64_t{2} * text.num_layers * width * text.hidden_size;
}

/// What turns the decoder's state into words' scores.
int64_t WordWeights(const TextConfig& text, const PassShape& pass) {
  const int64_t d = text.hidden_size;
  return d * d + d * (pass.whole_vocabulary ? text.vocab_size : 2);
}

}  // namespace

PassWork WorkOfPass(const BlipConfig& config, const PassShape& pass) {
  const VisionConfig& vision = config.vision;
  const TextConfig& text = config.text;
  const double frames = pass.frames;
  const double tokens = vision.num_tokens();
  const double questions = frames * pass.questions;
  const double rows = questions * pass.tokens;
  const double width = text.hidden_size;
  const double vision_attention = 2.0 * tokens * tokens * vision.hidden_size;
  const double text_attention = 2.0 * width * (pass.tokens + tokens);
  // The sum over steps s of what each looks at: s tokens of its own and the question's.
  const double steps = pass.steps;
  const double step_attention = 2.0 * width * (steps * (steps + 1) / 2 + steps * pass.tokens);
  PassWork work;
  work.image_encoder = 2.0 * frames *
                       (vision.num_patches() * static_cast<double>(PatchEmbedding(vision)) +
                        vision.num_layers * (tokens * static_cast<double>(VisionLayer(vision)) + vision_attention));
  work.image_kv = 2.0 * frames * tokens * static_cast<double>(ContextWeights(text, vision.hidden_size));
  work.text_encoder = 2.0 * rows * text.num_layers * (static_cast<double>(TextLayer(text)) + text_attention);
  work.decoder = 2.0 * rows * static_cast<double>(ContextWeights(text, text.hidden_size)) +
                 2.0 * questions *
                     (text.num_layers * (steps * static_cast<double>(TextLayer(text)) + step_attention) +
                      steps * static_cast<double>(WordWeights(text, pass)));
  return work;
}

PassWeights WeightsOfPass(const BlipConfig& config, const PassShape& pass) {
  const TextConfig& text = config.text;
  const int64_t layers = text.num_layers * TextLayer(text);
  return {.image_encoder = PatchEmbedding(config.vision) + config.vision.num_layers * VisionLayer(config.vision),
          .text_encoder = ContextWeights(text, config.vision.hidden_size) + layers,
          .text_decoder = ContextWeights(text, text.hidden_size) + pass.steps * (layers + WordWeights(text, pass))};
}

}  // namespace pawsight::engine
