// engine/pass_work.h: how much a forward pass computes and reads, from the model's sizes: what measured times are held
// against. Not here: how long it takes (the machine's matter). Pure functions.
#pragma once

#include <cstdint>

#include "engine/config.h"

namespace pawsight::engine {

/// One pass: frames looked at in one batch, the questions of all of them read and answered in one batch.
struct PassShape {
  int frames = 1;
  int questions = 1;             // of each frame
  int tokens = 8;                // of each question
  int steps = 1;                 // of the decoder, for each question
  bool whole_vocabulary = true;  // what may follow is scored for every word; else for two, yes and no
};

/// Floating-point operations, a multiply-add counted as two, of the products and attentions; layer norms, softmax and
/// gelu, below one in a hundred, are left out. With P tokens a frame, R = frames * questions * tokens rows of text,
/// widths D and inner widths I of vision and text, multiply-adds are:
///   image encoder  frames * (patches * 3 * patch^2 * D + layers * (P * (4 D^2 + 2 D I) + 2 P^2 D))
///   image keys and values  frames * layers * P * D_vision * 2 D
///   text encoder   layers * (R * (6 D^2 + 2 D I) + R * 2 D * (tokens + P))
///   text decoder   layers * R * 2 D^2, and each step s = 1, 2... of each question
///                  layers * (6 D^2 + 2 D I + 2 D * (s + tokens)) + D^2 + D * words
struct PassWork {
  double image_encoder = 0;
  double image_kv = 0;
  double text_encoder = 0;
  double decoder = 0;

  double total() const { return image_encoder + image_kv + text_encoder + decoder; }
};
PassWork WorkOfPass(const BlipConfig& config, const PassShape& pass);

/// Weights that the products of a pass read from memory, by component: each layer once, however many rows share it, and
/// the decoder's again in each step.
struct PassWeights {
  int64_t image_encoder = 0;
  int64_t text_encoder = 0;  // with the image's keys and values
  int64_t text_decoder = 0;
};
PassWeights WeightsOfPass(const BlipConfig& config, const PassShape& pass);

}  // namespace pawsight::engine
