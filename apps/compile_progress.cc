#include "apps/compile_progress.h"

#include <unistd.h>

#include <cstdio>
#include <string>

namespace pawsight {

CompileProgressLine::CompileProgressLine() : terminal_(::isatty(STDERR_FILENO) == 1) {}

targets::CompileProgress CompileProgressLine::callback() {
  return [this](engine::Component component, std::string_view what, double share) {
    const int percent = static_cast<int>(share * 100);
    const bool packing = what == "packing";
    if (!terminal_ || (packing && percent == last_percent_)) return;
    last_percent_ = percent;
    shown_ = true;
    std::fprintf(stderr, "\r\033[K%s: %s %s", std::string(engine::ComponentName(component)).c_str(),
                 std::string(what).c_str(), packing ? (std::to_string(percent) + " %").c_str() : "");
    std::fflush(stderr);
  };
}

void CompileProgressLine::Clear() {
  if (shown_) std::fprintf(stderr, "\r\033[K");
  shown_ = false;
}

}  // namespace pawsight
