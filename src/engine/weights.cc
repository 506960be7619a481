#include "engine/weights.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/json.h"
#include "base/log.h"
#include "engine/checkpoint.h"
#include "engine/safetensors.h"

namespace pawsight::engine {
namespace {

constexpr std::string_view kSafetensors = "model.safetensors";
constexpr std::string_view kIndex = "model.safetensors.index.json";
constexpr std::string_view kPyTorch = "pytorch_model.bin";
constexpr size_t kMaxIndexBytes = 4U << 20U;
constexpr size_t kMaxShards = 256;

/// Weights of other programs that may lie where ours are missing.
constexpr std::string_view kForeign[] = {
    "tf_model.h5", "flax_model.msgpack", "model.onnx", "model.ckpt", "pytorch_model.bin.index.json",
    "model.pth",   "saved_model.pb",     "model.gguf"};

std::string Join(const std::string& folder, std::string_view name) { return folder + "/" + std::string(name); }

Status NoWeights(const std::string& model_dir) {
  if (!IsDirectory(model_dir)) return NotFound(model_dir + ": no such directory");
  std::string message = model_dir + ": no model.safetensors, model.safetensors.index.json or pytorch_model.bin";
  for (const std::string_view name : kForeign) {
    if (!FileExists(Join(model_dir, name))) continue;
    return NotFound(message + "; its " + std::string(name) + " is not read here, get the model's safetensors file");
  }
  return NotFound(message);
}

Status InvalidIndex(const std::string& message) { return InvalidArgument(message, "index_invalid"); }

/// A shard lies beside its index: a plain name that ends in .safetensors, nothing that leads elsewhere.
bool IsShardName(std::string_view name) {
  return name.size() <= 255 && name.ends_with(".safetensors") && name[0] != '.' &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string_view::npos;
}

/// Tensor name to shard name.
Result<std::map<std::string, std::string, std::less<>>> ParseIndex(std::string_view text) {
  const Result<Json> json = Json::Parse(text, {.max_bytes = kMaxIndexBytes, .max_depth = 8});
  if (!json.ok()) return InvalidIndex(json.status().message());
  const Result<const Json::Object*> members = json->GetObject("weight_map");
  if (!members.ok()) return InvalidIndex(members.status().message());
  if ((*members)->empty() || (*members)->size() > kMaxTensors) {
    return InvalidIndex("weight_map: " + std::to_string((*members)->size()) + " tensors, want 1.." +
                        std::to_string(kMaxTensors));
  }
  std::map<std::string, std::string, std::less<>> shard_of;
  for (const auto& [name, shard] : **members) {
    if (!shard.is_string() || !IsShardName(shard.as_string())) {
      return InvalidIndex("weight_map." + JsonQuote(name.substr(0, 80)) +
                          ": want the plain name of a .safetensors file beside the index");
    }
    shard_of.emplace(name, shard.as_string());
  }
  return shard_of;
}

bool AllZero(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return value == 0.0F; });
}

}  // namespace

Result<Weights> Weights::Open(const std::string& model_dir) {
  // What is there but cannot be read (a directory, a FIFO) is an error, not a reason to take the next.
  const auto is_there = [](const Result<Weights>& weights) {
    return weights.ok() || weights.status().code() != StatusCode::kNotFound;
  };
  if (Result<Weights> weights = OpenFile(Join(model_dir, kSafetensors)); is_there(weights)) return weights;
  const std::string index = Join(model_dir, kIndex);
  const Result<std::string> text = ReadTextFile(index, kMaxIndexBytes);
  if (text.ok()) return OpenIndex(model_dir, index, *text);
  if (text.status().code() != StatusCode::kNotFound) return text.status();
  if (Result<Weights> weights = OpenFile(Join(model_dir, kPyTorch)); is_there(weights)) return weights;
  return NoWeights(model_dir);
}

Result<Weights> Weights::OpenFile(const std::string& path) {
  Weights weights;
  weights.format_ = path.ends_with(".safetensors") ? "safetensors" : "pytorch";
  PAWSIGHT_ASSIGN_OR_RETURN(File file, ReadTensors(path));
  PAWSIGHT_RETURN_IF_ERROR(weights.Add(std::move(file)));
  return weights;
}

Result<Weights> Weights::OpenIndex(const std::string& model_dir, const std::string& index, std::string_view text) {
  const auto shard_of = ParseIndex(text);
  if (!shard_of.ok()) return Annotate(shard_of.status(), index);
  std::map<std::string, size_t> shards;  // and how many tensors each must hold
  for (const auto& [name, shard] : *shard_of) ++shards[shard];
  if (shards.size() > kMaxShards) {
    return InvalidIndex(index + ": " + std::to_string(shards.size()) + " files, more than the limit of " +
                        std::to_string(kMaxShards));
  }
  Weights weights;
  weights.format_ = "sharded safetensors";
  for (const auto& [shard, num_tensors] : shards) {
    PAWSIGHT_ASSIGN_OR_RETURN(File file, ReadTensors(Join(model_dir, shard)));
    for (const auto& [name, tensor] : file.tensors) {
      const auto listed = shard_of->find(name);
      if (listed != shard_of->end() && listed->second == shard) continue;
      return InvalidIndex(index + ": " + shard + " holds " + JsonQuote(name.substr(0, 80)) +
                          ", which the index does not place there");
    }
    // All it holds are listed, so fewer means that some listed ones are missing.
    if (file.tensors.size() != num_tensors) {
      return InvalidIndex(index + ": " + shard + " holds " + std::to_string(file.tensors.size()) + " of its " +
                          std::to_string(num_tensors) + " tensors");
    }
    PAWSIGHT_RETURN_IF_ERROR(weights.Add(std::move(file)));
  }
  return weights;
}

Result<Weights::File> Weights::ReadTensors(const std::string& path) {
  PAWSIGHT_ASSIGN_OR_RETURN(MappedFile mapping, MappedFile::Open(path));
  Result<TensorMap> tensors =
      path.ends_with(".safetensors") ? ReadSafetensors(mapping.bytes()) : ReadCheckpoint(mapping.bytes());
  if (!tensors.ok()) return Annotate(tensors.status(), path);
  return File{path, std::move(mapping), std::move(tensors).value()};
}

Status Weights::Add(File file) {
  if (tensors_.size() + file.tensors.size() > kMaxTensors) {
    return InvalidArgument(file.path + ": more than " + std::to_string(kMaxTensors) + " tensors in all",
                           "header_invalid");
  }
  tensors_.merge(file.tensors);
  CHECK(file.tensors.empty());  // the index places each name once
  mappings_.push_back(std::move(file.mapping));
  files_.push_back(std::move(file.path));
  return Ok();
}

const TensorView* Weights::Find(std::string_view name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

Status Weights::ReadFloats(std::string_view name, std::span<float> out) const {
  const TensorView* tensor = Find(name);
  if (tensor == nullptr) return NotFound(std::string(name) + ": no such tensor");
  PAWSIGHT_RETURN_IF_ERROR(Annotate(ToFloat(*tensor, out), name));
  if (tensor->shape.size() == 2 && !out.empty() && AllZero(out)) {
    LogWarning("weights.all_zero", {{"tensor", std::string(name)}});
  }
  return Ok();
}

Result<std::vector<float>> Weights::ReadFloats(std::string_view name) const {
  const TensorView* tensor = Find(name);
  if (tensor == nullptr) return NotFound(std::string(name) + ": no such tensor");
  std::vector<float> out(static_cast<size_t>(tensor->num_elements()));
  PAWSIGHT_RETURN_IF_ERROR(ReadFloats(name, out));
  return out;
}

uint64_t Weights::float_bytes() const {
  uint64_t bytes = 0;
  for (const auto& [name, tensor] : tensors_) {
    if (IsFloating(tensor.dtype)) bytes += static_cast<uint64_t>(tensor.num_elements()) * sizeof(float);
  }
  return bytes;
}

}  // namespace pawsight::engine
