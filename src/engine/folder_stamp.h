// engine/folder_stamp.h: tells whether a model directory was replaced while it was being loaded, so that a config of
// the old model never meets weights of the new one. Take a stamp, load everything, check. Values; thread-compatible.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/status.h"

namespace pawsight::engine {

class FolderStamp {
 public:
  /// Notes which files lie in `folder` (links followed, subfolders left out), which file on disk each is, its size and
  /// time of change. Errors: kNotFound, no such directory. kResourceExhausted, more than 10000 entries.
  static Result<FolderStamp> Take(const std::string& folder);

  /// Errors: kAborted, reason model_changed, when anything differs by now; the message names a file. Load again.
  Status CheckUnchanged() const;

  /// A short text that differs when anything differs: names a cache's entry.
  std::string Fingerprint() const;

 private:
  struct File {
    uint64_t device = 0;
    uint64_t inode = 0;
    int64_t bytes = 0;
    int64_t changed_ns = 0;
    friend bool operator==(const File&, const File&) = default;
  };

  std::string folder_;
  std::map<std::string, File> files_;
};

}  // namespace pawsight::engine
