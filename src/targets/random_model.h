// targets/random_model.h: a checkpoint of random weights, so that speed can be measured where no trained model is: time
// depends on shapes, not on what the weights say. Its answers mean nothing. Thread-safe: a function without state.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace pawsight::targets {

/// config.json of BLIP base for question answering: 384 pixels, 577 tokens, 768 wide, 12 layers, 361 million weights.
inline constexpr std::string_view kBlipBaseConfig =
    R"({"architectures":["BlipForQuestionAnswering"],"model_type":"blip",
"text_config":{"num_attention_heads":12},"vision_config":{}})";

/// Told what part is written, 0..1; false stops.
using WriteProgress = std::function<bool(double part)>;

/// Makes `dir` a model directory with this config.json, a safetensors file of bfloat16 noise for its architecture
/// (questions, BlipForConditionalGeneration's captions, BlipForImageTextRetrieval's matching), deviation about 0.03 as
/// trained layers have, and a vocabulary with the words of a few questions, the same on every machine. Written beside
/// `dir` and renamed, so it is whole or not there;
/// one with the same config.json is kept as it is, another is replaced. What is cut short by a signal stays beside it.
/// Errors: those of BlipConfig::Parse. kUnavailable, with the system's reason (no space, no permission). kCancelled,
/// progress said stop. Cost: 2 bytes a weight, 0.7 GB for BLIP base.
Status WriteRandomModel(const std::string& dir, std::string_view config_json, const WriteProgress& progress = {});

}  // namespace pawsight::targets
