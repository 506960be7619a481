#include "engine/config.h"

#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "base/files.h"
#include "base/json.h"

namespace pawsight::engine {
namespace {

constexpr size_t kMaxConfigBytes = 1U << 20U;
constexpr int kMaxPatches = 65536;

Status Invalid(const std::string& message) { return InvalidArgument(message, "config_invalid"); }

/// Reads the members of one JSON object into fields, keeping their defaults where a member is absent or null. The first
/// error sticks, with the object's path before the field's name.
class Fields {
 public:
  /// `json` may be nullptr: everything keeps its default.
  Fields(const Json* json, std::string path) : json_(json), path_(std::move(path)) {}

  const Status& status() const { return status_; }

  void Integer(std::string_view key, int64_t low, int64_t high, int* field) {
    const Json* value = Find(key);
    if (value == nullptr) return;
    const std::string range = std::to_string(low) + ".." + std::to_string(high);
    if (!value->is_integer()) return Fail(key, "want an integer of " + range);
    if (value->as_integer() < low || value->as_integer() > high) {
      return Fail(key, std::to_string(value->as_integer()) + " is outside " + range);
    }
    *field = static_cast<int>(value->as_integer());
  }

  void Number(std::string_view key, double low, double high, double* field) {
    const Json* value = Find(key);
    if (value == nullptr) return;
    if (!value->is_number()) return Fail(key, "want a number");
    if (!(value->as_number() >= low && value->as_number() <= high)) {
      return Fail(key, value->Dump() + " is outside " + Json(low).Dump() + ".." + Json(high).Dump());
    }
    *field = value->as_number();
  }

  void Eps(float* field) {
    double value = static_cast<double>(*field);
    Number("layer_norm_eps", 1e-30, 1.0, &value);
    *field = static_cast<float>(value);
  }

  void Bool(std::string_view key, bool* field) {
    const Json* value = Find(key);
    if (value == nullptr) return;
    if (!value->is_bool()) return Fail(key, "want true or false");
    *field = value->as_bool();
  }

  /// Three numbers, one a channel.
  void Channels(std::string_view key, double low, double high, std::array<float, 3>* field) {
    const Json* value = Find(key);
    if (value == nullptr) return;
    if (!value->is_array() || value->as_array().size() != 3) return Fail(key, "want three numbers, one a channel");
    for (size_t i = 0; i < 3; ++i) {
      const Json& item = value->as_array()[i];
      if (!item.is_number() || !(item.as_number() >= low && item.as_number() <= high)) {
        return Fail(key, "want numbers of " + Json(low).Dump() + ".." + Json(high).Dump());
      }
      (*field)[i] = static_cast<float>(item.as_number());
    }
  }

  /// Only `supported` is built; another value is named, so that nobody gets numbers of a graph that was not asked for.
  void OnlyText(std::string_view key, std::string_view supported) {
    const Json* value = Find(key);
    if (value == nullptr || !status_.ok()) return;
    if (!value->is_string()) return Fail(key, "want a string");
    if (value->as_string() != supported) {
      status_ = Unimplemented(path_ + std::string(key) + ": " + JsonQuote(value->as_string().substr(0, 80)) +
                              " is not supported, want " + JsonQuote(supported));
    }
  }

  void Fail(std::string_view key, const std::string& message) {
    if (status_.ok()) status_ = Invalid(path_ + std::string(key) + ": " + message);
  }
  void Refuse(Status status) {
    if (status_.ok()) status_ = std::move(status);
  }

  const Json* Find(std::string_view key) const {
    const Json* value = json_ == nullptr ? nullptr : json_->Find(key);
    return value == nullptr || value->is_null() ? nullptr : value;
  }

 private:
  const Json* json_;
  std::string path_;
  Status status_;
};

Result<Json> ParseObject(std::string_view text) {
  const JsonLimits limits{.max_bytes = kMaxConfigBytes, .max_depth = 32, .allow_duplicate_keys = true};
  Result<Json> json = Json::Parse(text, limits);
  if (!json.ok()) return Invalid(json.status().message());
  if (!json->is_object()) return Invalid("want a JSON object");
  return json;
}

template <typename Config>
Result<Config> OpenConfig(const std::string& path) {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kMaxConfigBytes));
  Result<Config> config = Config::Parse(text);
  if (!config.ok()) return Annotate(config.status(), path);
  return config;
}

/// What both halves have. They are built only with the exact (erf) gelu.
template <typename Half>
void ReadShared(Fields& fields, Half* half) {
  fields.Integer("hidden_size", 1, 8192, &half->hidden_size);
  fields.Integer("intermediate_size", 1, 32768, &half->intermediate_size);
  fields.Integer("num_hidden_layers", 1, 128, &half->num_layers);
  fields.Integer("num_attention_heads", 1, 128, &half->num_heads);
  fields.Eps(&half->eps);
  fields.OnlyText("hidden_act", "gelu");
  if (fields.status().ok() && half->hidden_size % half->num_heads != 0) {
    fields.Fail("num_attention_heads",
                std::to_string(half->num_heads) + " does not divide hidden_size " + std::to_string(half->hidden_size));
  }
  if (fields.status().ok() && half->head_dim() > 256) {
    fields.Fail("num_attention_heads", "heads of " + std::to_string(half->head_dim()) + " values, more than 256");
  }
}

Result<VisionConfig> ParseVision(const Json* json) {
  VisionConfig vision;
  Fields fields(json, "vision_config.");
  ReadShared(fields, &vision);
  fields.Integer("image_size", 1, 4096, &vision.image_size);
  fields.Integer("patch_size", 1, 256, &vision.patch_size);
  int channels = 3;
  fields.Integer("num_channels", 3, 3, &channels);
  if (fields.status().ok() && vision.image_size % vision.patch_size != 0) {
    fields.Fail("image_size", std::to_string(vision.image_size) + " is no multiple of patch_size " +
                                  std::to_string(vision.patch_size));
  }
  if (fields.status().ok() && vision.num_patches() > kMaxPatches) {
    fields.Fail("patch_size",
                std::to_string(vision.num_patches()) + " patches, more than " + std::to_string(kMaxPatches));
  }
  if (!fields.status().ok()) return fields.status();
  return vision;
}

Result<TextConfig> ParseText(const Json* json) {
  TextConfig text;
  Fields fields(json, "text_config.");
  ReadShared(fields, &text);
  fields.Integer("vocab_size", 1, 250000, &text.vocab_size);
  fields.Integer("max_position_embeddings", 2, 8192, &text.max_positions);
  fields.OnlyText("position_embedding_type", "absolute");
  const int last_id = text.vocab_size - 1;
  // Generation never uses eos_token_id, and a small vocabulary may leave the default beyond it.
  fields.Integer("eos_token_id", 0, std::numeric_limits<int>::max(), &text.eos_id);
  for (const auto& [key, field] : {std::pair<std::string_view, int*>{"bos_token_id", &text.bos_id},
                                   {"pad_token_id", &text.pad_id},
                                   {"sep_token_id", &text.sep_id}}) {
    fields.Integer(key, 0, last_id, field);
    if (fields.status().ok() && *field > last_id) {
      fields.Fail(key, "not given, and its default " + std::to_string(*field) + " is beyond vocab_size " +
                           std::to_string(text.vocab_size));
    }
  }
  if (!fields.status().ok()) return fields.status();
  return text;
}

Status CheckObject(const Json& json, std::string_view key) {
  const Json* found = json.Find(key);
  if (found == nullptr || found->is_null() || found->is_object()) return Ok();
  return Invalid(std::string(key) + ": want an object");
}

/// `size`: a number is a square.
void ReadSize(Fields& fields, PreprocessConfig* config) {
  const Json* size = fields.Find("size");
  if (size == nullptr) return;
  if (!size->is_object()) {
    fields.Integer("size", 1, 4096, &config->width);
    config->height = config->width;
    return;
  }
  if (size->Find("height") == nullptr || size->Find("width") == nullptr) {
    return fields.Fail("size", "want a number or {\"height\", \"width\"}");
  }
  Fields sides(size, "size.");
  sides.Integer("height", 1, 4096, &config->height);
  sides.Integer("width", 1, 4096, &config->width);
  fields.Refuse(sides.status());
}

}  // namespace

Result<BlipConfig> BlipConfig::Parse(std::string_view json) {
  PAWSIGHT_ASSIGN_OR_RETURN(const Json root, ParseObject(json));
  PAWSIGHT_RETURN_IF_ERROR(CheckObject(root, "vision_config"));
  PAWSIGHT_RETURN_IF_ERROR(CheckObject(root, "text_config"));
  // Sizes have defaults, being a BLIP has none: {} is no model.
  Fields fields(&root, "");
  if (fields.Find("model_type") == nullptr) fields.Fail("model_type", "missing, want \"blip\"");
  fields.OnlyText("model_type", "blip");
  BlipConfig config;
  fields.Integer("image_text_hidden_size", 1, 8192, &config.image_text_hidden_size);
  PAWSIGHT_RETURN_IF_ERROR(fields.status());
  PAWSIGHT_ASSIGN_OR_RETURN(config.vision, ParseVision(fields.Find("vision_config")));
  PAWSIGHT_ASSIGN_OR_RETURN(config.text, ParseText(fields.Find("text_config")));
  const Json* architectures = fields.Find("architectures");
  if (architectures == nullptr) return config;
  if (!architectures->is_array()) return Invalid("architectures: want an array of strings");
  if (architectures->as_array().empty()) return config;
  if (!architectures->as_array()[0].is_string()) return Invalid("architectures: want an array of strings");
  config.architecture = architectures->as_array()[0].as_string().substr(0, 80);
  return config;
}

Result<BlipConfig> BlipConfig::Open(const std::string& model_dir) {
  return OpenConfig<BlipConfig>(model_dir + "/config.json");
}

Result<PreprocessConfig> PreprocessConfig::Parse(std::string_view json) {
  PAWSIGHT_ASSIGN_OR_RETURN(const Json root, ParseObject(json));
  PreprocessConfig config;
  Fields fields(&root, "");
  ReadSize(fields, &config);
  fields.Bool("do_resize", &config.do_resize);
  fields.Bool("do_rescale", &config.do_rescale);
  fields.Bool("do_normalize", &config.do_normalize);
  fields.Number("rescale_factor", 1e-6, 1e6, &config.rescale_factor);
  fields.Channels("image_mean", -1e6, 1e6, &config.mean);
  fields.Channels("image_std", 1e-6, 1e6, &config.std);
  bool crop = false;
  fields.Bool("do_center_crop", &crop);
  if (crop) fields.Refuse(Unimplemented("do_center_crop: true is not supported; BLIP resizes the whole image"));
  int resample = 3;
  fields.Integer("resample", 0, 5, &resample);
  if (resample != 3) {
    fields.Refuse(Unimplemented("resample: " + std::to_string(resample) + " is not supported, want 3 (bicubic)"));
  }
  PAWSIGHT_RETURN_IF_ERROR(fields.status());
  return config;
}

Result<PreprocessConfig> PreprocessConfig::Open(const std::string& model_dir) {
  return OpenConfig<PreprocessConfig>(model_dir + "/preprocessor_config.json");
}

Status CheckFit(const PreprocessConfig& preprocess, const VisionConfig& vision) {
  if (preprocess.width == vision.image_size && preprocess.height == vision.image_size) return Ok();
  return Invalid("preprocessor_config.json makes images of " + std::to_string(preprocess.width) + "x" +
                 std::to_string(preprocess.height) + ", but config.json's vision_config.image_size is " +
                 std::to_string(vision.image_size));
}

}  // namespace pawsight::engine
