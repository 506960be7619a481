// engine/config.h: sizes and constants of a BLIP model and of its image preparation, read from the hub's JSON files and
// never assumed. The hub stores only what differs from the library's class defaults, so those are the defaults here.
// Values; thread-compatible.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/status.h"

namespace pawsight::engine {

/// `vision_config`. Errors name the field: "vision_config.patch_size: ...".
struct VisionConfig {
  int hidden_size = 768;         // 1..8192, a multiple of num_heads
  int intermediate_size = 3072;  // 1..32768
  int num_layers = 12;           // num_hidden_layers, 1..128
  int num_heads = 12;            // num_attention_heads, 1..128
  int image_size = 384;          // pixels a side, 1..4096, a multiple of patch_size, at most 65536 patches
  int patch_size = 16;           // 1..256
  float eps = 1e-5F;             // layer_norm_eps

  int head_dim() const { return hidden_size / num_heads; }
  int num_patches() const { return (image_size / patch_size) * (image_size / patch_size); }
  /// The patches and the class token.
  int num_tokens() const { return num_patches() + 1; }
};

/// `text_config`: the text encoder and the text decoder are built alike.
struct TextConfig {
  int vocab_size = 30524;  // 1..250000
  int hidden_size = 768;   // as above
  int intermediate_size = 3072;
  int num_layers = 12;
  int num_heads = 8;        // the class default; the hub's models say 12
  int max_positions = 512;  // max_position_embeddings, 2..8192: [CLS] and [SEP] at least
  float eps = 1e-12F;
  int bos_id = 30522;  // bos_token_id: [DEC], a decoder's first token
  int eos_id = 2;      // eos_token_id: read, but generation stops at sep_id
  int pad_id = 0;
  int sep_id = 102;  // what ends a question and an answer

  int head_dim() const { return hidden_size / num_heads; }
};

struct BlipConfig {
  VisionConfig vision;
  TextConfig text;
  int image_text_hidden_size = 256;  // width of the contrastive projections; only retrieval models have them
  std::string architecture;          // architectures[0], "" when not stated

  /// Parses `config.json`. encoder_hidden_size is the vision width whatever the file says, as in the library.
  /// Errors: kInvalidArgument, not JSON, a field of the wrong type or out of range, sizes that do not fit together
  /// (reason config_invalid). kUnimplemented, another model_type, hidden_act or position_embedding_type, named.
  static Result<BlipConfig> Parse(std::string_view json);
  /// `model_dir`/config.json, at most 1 MB. Errors: also kNotFound.
  static Result<BlipConfig> Open(const std::string& model_dir);
};

/// How an image becomes pixels [3, height, width]: resize (bicubic, aspect not kept), times rescale_factor, minus mean,
/// over std, each channel.
struct PreprocessConfig {
  int width = 384;
  int height = 384;
  bool do_resize = true;
  bool do_rescale = true;
  bool do_normalize = true;
  double rescale_factor = 1.0 / 255.0;
  std::array<float, 3> mean = {0.48145466F, 0.4578275F, 0.40821073F};
  std::array<float, 3> std = {0.26862954F, 0.26130258F, 0.27577711F};

  /// Parses `preprocessor_config.json`; `size` may be a number or {"height", "width"}; do_pad and size_divisor have no
  /// effect in the library and none here. Errors: kInvalidArgument (config_invalid). kUnimplemented, a resample other
  /// than 3 (bicubic), or do_center_crop.
  static Result<PreprocessConfig> Parse(std::string_view json);
  /// `model_dir`/preprocessor_config.json. Errors: also kNotFound.
  static Result<PreprocessConfig> Open(const std::string& model_dir);
};

/// The prepared image must be what the vision model takes. Errors: kInvalidArgument (config_invalid).
Status CheckFit(const PreprocessConfig& preprocess, const VisionConfig& vision);

}  // namespace pawsight::engine
