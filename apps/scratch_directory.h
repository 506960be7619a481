// apps/scratch_directory.h: a directory in the system's temporary one that goes away with it, for a gateway that lasts
// as long as the program. (One that is killed leaves it.) Thread-compatible.
#pragma once

#include <string>

namespace pawsight {

class ScratchDirectory {
 public:
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  /// "" when none can be made.
  const std::string& path() const { return path_; }
  /// Before its time, when the process ends without destructors.
  void Remove();

 private:
  std::string path_;
};

}  // namespace pawsight
