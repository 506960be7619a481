// engine/artifact.h: one compiled component: a file of packed weights, mapped and used where it lies. The bytes are
// described in docs/formats/artifact.md. Not here: making one (compile/artifact_writer.h), what the layers mean
// (ImageEncoder::Load and its like). Thread-safe after Open.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "base/status.h"
#include "engine/config.h"
#include "engine/expected_tensors.h"
#include "engine/layer_source.h"
#include "engine/mapped_read.h"
#include "engine/precision.h"

namespace pawsight::engine {

inline constexpr uint32_t kArtifactVersion = 1;

/// What a component's artifact says of itself.
struct ArtifactInfo {
  Component component = Component::kImageEncoder;
  Precision precision = Precision::kFp32;  // what was asked for; single layers may be finer
  std::vector<Head> heads;                 // of the checkpoint
  std::string config;                      // the checkpoint's config.json, whole
  std::string source;                      // hash of the checkpoint that it was packed from
  std::string compiler;                    // "pawsight 0.1.0"
};

class Artifact {
 public:
  /// Maps the file and checks the header; the weights' pages are read when first touched. The mapping is private to the
  /// file that was there: replacing it by a rename changes nothing here.
  /// Errors: kNotFound. kResourceExhausted, kMaxWatchedMappings are open. kDataLoss, not an artifact, cut short, or its
  /// header is damaged (artifact_damaged). kFailedPrecondition, of another version (artifact_version); the message has
  /// the command that makes a new one.
  static Result<Artifact> Open(const std::string& path);

  const ArtifactInfo& info() const { return info_; }
  const BlipConfig& config() const { return config_; }
  size_t bytes() const { return file_.bytes().size(); }
  /// Bytes of weights by precision, for people.
  const std::map<std::string, uint64_t, std::less<>>& bytes_by_precision() const { return bytes_by_precision_; }

  /// Reads everything and compares with the checksum. Errors: kDataLoss (artifact_damaged).
  Status Verify() const;

  /// Whether the file is what was opened: nobody has cut it short or written into it. What was computed before this
  /// says so is right; of a file that was cut short, what is missing reads as zeros meanwhile, and the process lives.
  /// Errors: kUnavailable (artifact_changed), for good. Cost: one system call.
  Status CheckUnchanged() const;

  /// The layers by name, views into the mapping: what comes of it lives no longer than this object.
  std::unique_ptr<LayerSource> Layers() const;

 private:
  struct Entry {
    PackedWeights weights;          // a product's
    Table rows;                     // a table's
    std::span<const float> values;  // a vector's
  };
  class Source;

  Artifact(MappedFile file, MappingWatch watch) : file_(std::move(file)), watch_(std::move(watch)) {}
  Status ReadHeader(const std::string& path);
  Status ReadEntry(const Json& json);

  MappedFile file_;
  MappingWatch watch_;             // goes first
  std::span<const uint8_t> data_;  // of the file
  ArtifactInfo info_;
  BlipConfig config_;
  std::map<std::string, Entry, std::less<>> entries_;
  std::map<std::string, uint64_t, std::less<>> bytes_by_precision_;
};

/// 32 hexadecimal digits of XXH3 (128 bits) over the bytes. Not a defence against forgery.
std::string Checksum(std::span<const uint8_t> bytes);
/// The same of a file, read from start to end. Errors: kNotFound, kUnavailable.
Result<std::string> ChecksumFile(const std::string& path);

}  // namespace pawsight::engine
