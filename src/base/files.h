// base/files.h: reading and writing whole files, and mapping them. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace pawsight {

/// The bytes of a regular file.
/// Errors: kNotFound. kInvalidArgument, not a regular file (a directory, FIFO or device). kResourceExhausted, more than
/// `max_bytes`. kUnavailable, the read failed.
Result<std::vector<uint8_t>> ReadFile(const std::string& path, size_t max_bytes);
Result<std::string> ReadTextFile(const std::string& path, size_t max_bytes);

/// Writes beside `path`, fsyncs, renames: a reader sees the old file or the new one, never a half.
/// Errors: kInvalidArgument, something else than a regular file is there. kUnavailable, with the system's reason (no space,
/// no permission).
Status WriteFileAtomically(const std::string& path, std::string_view bytes);

/// Puts a rename in the directory of `path` on disk; where that cannot be done, the rename stands all the same.
void SyncDirectoryOf(const std::string& path);

/// A read-only mapping of a whole regular file. The file must not shrink while mapped (engine/mapped_read.h has what
/// helps when it does): writers here replace files by rename, and a mapping keeps the old one. Holds one descriptor.
/// Move-only.
class MappedFile {
 public:
  /// Errors as ReadFile's; an empty file maps to an empty span.
  static Result<MappedFile> Open(const std::string& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const uint8_t> bytes() const { return {data_, size_}; }
  /// Whether nobody has written to the file or cut it since: its size and time of change are what they were. That it
  /// has another name by now, or none, changes nothing. Thread-safe. Cost: one system call.
  bool Unchanged() const;

 private:
  MappedFile() = default;
  int fd_ = -1;
  int64_t changed_ns_ = 0;
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

bool FileExists(const std::string& path);
bool IsDirectory(const std::string& path);

}  // namespace pawsight
