// engine/expected_tensors.h: which tensors a BLIP checkpoint must have, from its config, and the check that it has
// them. Names and shapes are those of the hub's checkpoints. Thread-safe: functions without state.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/config.h"
#include "engine/weights.h"

namespace pawsight::engine {

/// What a checkpoint can be asked.
enum class Head {
  kVqa,      // vision_model, text_encoder, text_decoder: a question in, an answer out
  kCaption,  // vision_model, text_decoder: a caption out
  kItm,      // vision_model, text_encoder, itm_head, vision_proj, text_proj: does this text match
};
inline constexpr int kNumHeads = 3;
std::string_view HeadName(Head head);

struct ExpectedTensor {
  std::string name;
  std::vector<int64_t> shape;
  bool optional = false;  // tied (text_decoder.cls.predictions.decoder.*) or a buffer that is not read (position_ids)
};

/// All tensors of one head; the vision model first.
/// `text_decoder.cls.predictions.decoder.weight` [vocab, hidden] when absent is the decoder's word embeddings, and
/// `...decoder.bias` [vocab] when absent is `text_decoder.cls.predictions.bias`.
std::vector<ExpectedTensor> ExpectedTensors(const BlipConfig& config, Head head);

/// The heads whose parts are there, judged by the first names alone; empty when it is no BLIP checkpoint.
std::vector<Head> DetectHeads(const Weights& weights);

/// Checks the weights against everything that their heads want.
/// Errors: kInvalidArgument, reason weights_mismatch: one message with all missing, unexpected and mis-shaped tensors
/// (at most 20 named, with the counts); a head's config that cannot work (a VQA decoder reads question states, so the
/// text and vision widths must be equal); no head at all. A floating tensor of an integer type: dtype_unsupported.
Result<std::vector<Head>> CheckWeights(const Weights& weights, const BlipConfig& config);

/// The same against a list. Errors: kInvalidArgument, weights_mismatch.
Status CheckTensors(const Weights& weights, std::span<const ExpectedTensor> expected);

}  // namespace pawsight::engine
