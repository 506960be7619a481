#include "apps/progress_line.h"

#include <unistd.h>

#include <cstdio>

namespace pawsight {
namespace {

constexpr std::chrono::milliseconds kOnTerminal{100};
constexpr std::chrono::seconds kInLog{30};

}  // namespace

ProgressLine::ProgressLine() : terminal_(::isatty(STDERR_FILENO) == 1), last_(std::chrono::steady_clock::now()) {}

void ProgressLine::Show(const std::string& what, int done, int of) {
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < (terminal_ ? std::chrono::nanoseconds(kOnTerminal) : std::chrono::nanoseconds(kInLog))) return;
  last_ = now;
  shown_ = terminal_;
  std::fprintf(stderr, terminal_ ? "\r\033[K%s: %d of %d" : "pawsight: %s: %d of %d\n", what.c_str(), done, of);
  std::fflush(stderr);
}

void ProgressLine::Clear() {
  if (shown_) std::fprintf(stderr, "\r\033[K");
  shown_ = false;
}

}  // namespace pawsight
