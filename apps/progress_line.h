// apps/progress_line.h: how far a long run is, on standard error: one line that changes on a terminal, else a line
// every half minute. Used by one thread.
#pragma once

#include <chrono>
#include <string>

namespace pawsight {

class ProgressLine {
 public:
  ProgressLine();
  void Show(const std::string& what, int done, int of);
  /// Takes the line away.
  void Clear();

 private:
  const bool terminal_;
  std::chrono::steady_clock::time_point last_;
  bool shown_ = false;
};

}  // namespace pawsight
