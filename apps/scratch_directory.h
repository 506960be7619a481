// apps/scratch_directory.h: a directory in the system's temporary one that goes away with it, for a gateway that lasts
// as long as the program. What a program that was killed left is removed by the next one. Thread-compatible.
#pragma once

#include <string>

namespace pawsight {

class ScratchDirectory {
 public:
  /// Makes it, readable by this user only, and first removes up to 64 of this user's whose programs are gone.
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
  int alive_ = -1;  // a file in it that is locked as long as the program lives
};

}  // namespace pawsight
