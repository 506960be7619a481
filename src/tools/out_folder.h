// tools/out_folder.h: the folder that a run writes its files to, and that no other run writes to meanwhile. Linux. Used
// by one thread; the folder is free again when this goes, also when the process is killed.
#pragma once

#include <string>
#include <utility>

#include "base/status.h"

namespace pawsight::tools {

class OutFolder {
 public:
  /// Makes it where it is not there. Errors: kInvalidArgument, a file is there. kFailedPrecondition, a run that has not
  /// ended writes there. kUnavailable, it cannot be made or opened. Where the file system knows no locks (some over a
  /// network), two runs are not told from one another.
  static Result<OutFolder> Open(const std::string& path);
  OutFolder(OutFolder&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OutFolder& operator=(OutFolder&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~OutFolder();

 private:
  explicit OutFolder(int fd) : fd_(fd) {}
  int fd_;  // of the folder, locked
};

}  // namespace pawsight::tools
