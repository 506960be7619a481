// apps/compile_progress.h: one line on a terminal that tells how far a compile is. Writes to standard error, and only
// when that is a terminal. Used by one thread.
#pragma once

#include "targets/cpu/compile.h"

namespace pawsight {

class CompileProgressLine {
 public:
  CompileProgressLine();
  /// What CompileForCpu is given; lives no longer than this.
  targets::CompileProgress callback();
  /// Takes the line away.
  void Clear();

 private:
  const bool terminal_;
  int last_percent_ = -1;
  bool shown_ = false;
};

}  // namespace pawsight
