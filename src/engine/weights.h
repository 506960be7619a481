// engine/weights.h: the tensors of a model directory by name, whatever format they lie in, memory-mapped.
// Not here: which tensors BLIP wants (expected_tensors.h), conversion (ToFloat in tensor_view.h).
// Thread-compatible; const access is thread-safe. The bytes, page by page: docs/formats/weights.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/status.h"
#include "engine/tensor_view.h"

namespace pawsight::engine {

class Weights {
 public:
  /// Opens the first of `model.safetensors`, `model.safetensors.index.json` with its shards, `pytorch_model.bin` that
  /// `model_dir` has. Reads headers only; tensor pages are read when first touched.
  /// Errors: kNotFound, no such directory, or none of the three (the message says what is there instead).
  /// kInvalidArgument, a malformed file (reason header_invalid, index_invalid, checkpoint_invalid), a pickle with
  /// anything but tensors (checkpoint_unsafe), no regular file (not_a_file). kUnimplemented, a part of a format not
  /// read here, named.
  static Result<Weights> Open(const std::string& model_dir);

  /// One file: safetensors when its name ends so, else a PyTorch checkpoint. Errors as above.
  static Result<Weights> OpenFile(const std::string& path);

  /// Nullptr when there is none. Valid while this object lives; moving it keeps it valid.
  const TensorView* Find(std::string_view name) const;
  const TensorMap& tensors() const { return tensors_; }

  /// One tensor as floats; out.size() must be its number of elements (CHECK). A matrix of nothing but zeros is logged
  /// as a warning. Errors: kNotFound, no such tensor. Otherwise as ToFloat's, with the tensor's name before.
  Status ReadFloats(std::string_view name, std::span<float> out) const;
  Result<std::vector<float>> ReadFloats(std::string_view name) const;

  /// Paths opened, for people and for hashing.
  const std::vector<std::string>& files() const { return files_; }
  /// "safetensors", "sharded safetensors" or "pytorch".
  std::string_view format() const { return format_; }
  /// Bytes of all floating-point tensors once converted to float.
  uint64_t float_bytes() const;

 private:
  Weights() = default;
  struct File {
    std::string path;
    MappedFile mapping;
    TensorMap tensors;
  };
  static Result<Weights> OpenIndex(const std::string& model_dir, const std::string& index, std::string_view text);
  static Result<File> ReadTensors(const std::string& path);
  Status Add(File file);

  std::vector<MappedFile> mappings_;
  std::vector<std::string> files_;
  std::string_view format_;
  TensorMap tensors_;
};

}  // namespace pawsight::engine
