// engine/compile/artifact_writer.h: writes one artifact, piece by piece, so that packing needs no more memory than one
// layer. The file gets its name when it is whole, on disk and published; until then nothing has that name, and nothing
// is left of one that is given up. Used by one thread.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/json.h"
#include "base/status.h"
#include "engine/artifact.h"

namespace pawsight::engine {

class ArtifactWriter {
 public:
  /// `path`'s directory exists. Errors: kUnavailable, with the system's reason.
  static Result<ArtifactWriter> Create(const std::string& path);
  /// In memory, for what is used at once and not kept. Errors: kUnavailable.
  static Result<ArtifactWriter> InMemory();
  ArtifactWriter(ArtifactWriter&&) noexcept;
  ArtifactWriter& operator=(ArtifactWriter&&) noexcept;
  ~ArtifactWriter();

  /// Appends bytes at the next multiple of 64 and gives their offset in the data. Errors: kUnavailable, the disk is
  /// full.
  Result<uint64_t> Append(const void* data, size_t bytes);
  /// Remembers an entry for the header; names differ.
  void AddEntry(Json entry);

  /// Writes header and preamble, and opens what was made under no name. Errors: kUnavailable.
  Result<Artifact> Finish(const ArtifactInfo& info);
  /// After Finish, not in memory: puts it on disk under its name. Errors: kUnavailable.
  Status Publish();

 private:
  struct State;
  explicit ArtifactWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace pawsight::engine
