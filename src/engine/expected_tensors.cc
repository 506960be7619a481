#include "engine/expected_tensors.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace pawsight::engine {
namespace {

constexpr size_t kMaxNamed = 20;

/// Collects names and shapes under a common prefix.
class List {
 public:
  void Add(std::string name, std::vector<int64_t> shape, bool optional = false) {
    tensors_.push_back({std::move(name), std::move(shape), optional});
  }
  /// A linear layer.
  void Dense(const std::string& name, int64_t in, int64_t out) {
    Add(name + ".weight", {out, in});
    Add(name + ".bias", {out});
  }
  void Norm(const std::string& name, int64_t size) {
    Add(name + ".weight", {size});
    Add(name + ".bias", {size});
  }
  std::vector<ExpectedTensor> Take() { return std::move(tensors_); }

 private:
  std::vector<ExpectedTensor> tensors_;
};

void AddVision(const VisionConfig& v, List& list) {
  const int64_t d = v.hidden_size;
  list.Add("vision_model.embeddings.class_embedding", {1, 1, d});
  list.Add("vision_model.embeddings.position_embedding", {1, v.num_tokens(), d});
  list.Add("vision_model.embeddings.patch_embedding.weight", {d, 3, v.patch_size, v.patch_size});
  list.Add("vision_model.embeddings.patch_embedding.bias", {d});
  for (int i = 0; i < v.num_layers; ++i) {
    const std::string layer = "vision_model.encoder.layers." + std::to_string(i) + ".";
    list.Dense(layer + "self_attn.qkv", d, 3 * d);
    list.Dense(layer + "self_attn.projection", d, d);
    list.Norm(layer + "layer_norm1", d);
    list.Norm(layer + "layer_norm2", d);
    list.Dense(layer + "mlp.fc1", d, v.intermediate_size);
    list.Dense(layer + "mlp.fc2", v.intermediate_size, d);
  }
  list.Norm("vision_model.post_layernorm", d);
}

/// `memory` is the width of what the cross-attention reads.
void AddAttention(const std::string& name, int64_t d, int64_t memory, List& list) {
  list.Dense(name + ".self.query", d, d);
  list.Dense(name + ".self.key", memory, d);
  list.Dense(name + ".self.value", memory, d);
  list.Dense(name + ".output.dense", d, d);
  list.Norm(name + ".output.LayerNorm", d);
}

/// The library sets the width of the cross-attention's memory to the image's everywhere, also in the answer decoder,
/// which reads question states.
void AddBert(const std::string& prefix, const BlipConfig& config, List& list) {
  const TextConfig& t = config.text;
  const int64_t d = t.hidden_size;
  list.Add(prefix + "embeddings.word_embeddings.weight", {t.vocab_size, d});
  list.Add(prefix + "embeddings.position_embeddings.weight", {t.max_positions, d});
  list.Norm(prefix + "embeddings.LayerNorm", d);
  list.Add(prefix + "embeddings.position_ids", {1, t.max_positions}, true);
  for (int i = 0; i < t.num_layers; ++i) {
    const std::string layer = prefix + "encoder.layer." + std::to_string(i) + ".";
    AddAttention(layer + "attention", d, d, list);
    AddAttention(layer + "crossattention", d, config.vision.hidden_size, list);
    list.Dense(layer + "intermediate.dense", d, t.intermediate_size);
    list.Dense(layer + "output.dense", t.intermediate_size, d);
    list.Norm(layer + "output.LayerNorm", d);
  }
}

void AddDecoder(const BlipConfig& config, List& list) {
  const int64_t d = config.text.hidden_size;
  const std::string head = "text_decoder.cls.predictions.";
  AddBert("text_decoder.bert.", config, list);
  list.Add(head + "bias", {config.text.vocab_size});
  list.Dense(head + "transform.dense", d, d);
  list.Norm(head + "transform.LayerNorm", d);
  list.Add(head + "decoder.weight", {config.text.vocab_size, d}, true);
  list.Add(head + "decoder.bias", {config.text.vocab_size}, true);
}

bool HasPrefix(const Weights& weights, std::string_view prefix) {
  const auto found = weights.tensors().lower_bound(prefix);
  return found != weights.tensors().end() && found->first.starts_with(prefix);
}

/// Names of one kind of fault, the first kMaxNamed of all kinds spelled out.
struct Fault {
  const char* kind;
  std::vector<std::string> names;
};

std::string Describe(const std::vector<Fault>& faults) {
  std::string text;
  size_t named = 0;
  for (const Fault& fault : faults) {
    if (fault.names.empty()) continue;
    if (!text.empty()) text += "; ";
    text += std::to_string(fault.names.size()) + " " + fault.kind;
    const char* separator = ": ";
    for (const std::string& name : fault.names) {
      if (named == kMaxNamed) {
        text += std::string(separator) + "...";
        break;
      }
      text += separator + name;
      separator = ", ";
      ++named;
    }
  }
  return text;
}

}  // namespace

std::string_view HeadName(Head head) {
  switch (head) {
    case Head::kVqa: return "vqa";
    case Head::kCaption: return "caption";
    case Head::kItm: return "itm";
  }
  return "?";
}

std::vector<ExpectedTensor> ExpectedTensors(const BlipConfig& config, Head head) {
  List list;
  AddVision(config.vision, list);
  if (head != Head::kCaption) AddBert("text_encoder.", config, list);
  if (head != Head::kItm) AddDecoder(config, list);
  if (head == Head::kItm) {
    list.Dense("itm_head", config.text.hidden_size, 2);
    list.Dense("vision_proj", config.vision.hidden_size, config.image_text_hidden_size);
    list.Dense("text_proj", config.text.hidden_size, config.image_text_hidden_size);
  }
  return list.Take();
}

std::vector<Head> DetectHeads(const Weights& weights) {
  std::vector<Head> heads;
  if (!HasPrefix(weights, "vision_model.")) return heads;
  const bool encoder = HasPrefix(weights, "text_encoder.");
  const bool decoder = HasPrefix(weights, "text_decoder.");
  if (encoder && decoder) heads.push_back(Head::kVqa);
  if (!encoder && decoder) heads.push_back(Head::kCaption);
  if (encoder && HasPrefix(weights, "itm_head.")) heads.push_back(Head::kItm);
  return heads;
}

Result<std::vector<Head>> CheckWeights(const Weights& weights, const BlipConfig& config) {
  std::vector<Head> heads = DetectHeads(weights);
  if (heads.empty()) {
    return InvalidArgument(
        "no BLIP checkpoint: want vision_model.* and text_encoder.* with text_decoder.* (questions), "
        "text_decoder.* (captions) or text_encoder.* with itm_head.* (matching)",
        "weights_mismatch");
  }
  std::vector<ExpectedTensor> expected;
  for (const Head head : heads) {
    if (head == Head::kVqa && config.text.hidden_size != config.vision.hidden_size) {
      return InvalidArgument("text_config.hidden_size: " + std::to_string(config.text.hidden_size) +
                                 ", want vision_config.hidden_size " + std::to_string(config.vision.hidden_size) +
                                 ", because the answer decoder reads question states where it was built for images",
                             "config_invalid");
    }
    std::vector<ExpectedTensor> more = ExpectedTensors(config, head);
    std::move(more.begin(), more.end(), std::back_inserter(expected));
  }
  PAWSIGHT_RETURN_IF_ERROR(CheckTensors(weights, expected));
  return heads;
}

Status CheckTensors(const Weights& weights, std::span<const ExpectedTensor> expected) {
  Fault missing{"missing", {}};
  Fault unexpected{"unexpected", {}};
  Fault misshaped{"of another shape", {}};
  std::map<std::string_view, const ExpectedTensor*> wanted;
  for (const ExpectedTensor& want : expected) {
    if (!wanted.emplace(want.name, &want).second) continue;  // two heads share parts
    const TensorView* found = weights.Find(want.name);
    if (found == nullptr) {
      if (!want.optional) missing.names.push_back(want.name);
    } else if (found->shape != want.shape) {
      misshaped.names.push_back(want.name + " " + ShapeText(found->shape) + ", want " + ShapeText(want.shape));
    } else if (!IsFloating(found->dtype) && !want.name.ends_with("position_ids")) {
      return InvalidArgument(
          want.name + ": its type is " + std::string(DTypeName(found->dtype)) + ", want F32, F16, BF16 or F64",
          "dtype_unsupported");
    }
  }
  for (const auto& [name, tensor] : weights.tensors()) {
    if (!wanted.contains(name)) unexpected.names.push_back(name.substr(0, 120));
  }
  const std::string faults = Describe({missing, unexpected, misshaped});
  if (faults.empty()) return Ok();
  return InvalidArgument("the weights are not those of the config: " + faults, "weights_mismatch");
}

}  // namespace pawsight::engine
