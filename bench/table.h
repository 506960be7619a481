// bench/table.h: the lines of the tables that `./run bench worker` and `./run bench gateway` print: what, how much is
// wanted, what was measured here.
#pragma once

#include <cmath>
#include <cstdio>
#include <string>

namespace pawsight::bench {

enum class Want { kAtLeast, kAtMost, kNothing };

inline void Row(const std::string& what, Want want, double wanted, double measured, const char* unit) {
  char target[32] = "";
  if (want != Want::kNothing) {
    std::snprintf(target, sizeof target, "%s %g", want == Want::kAtLeast ? ">=" : "<=", wanted);
  }
  const bool reached = want == Want::kNothing || (want == Want::kAtLeast ? measured >= wanted : measured <= wanted);
  const bool counted = measured == std::floor(measured);  // whole, so that 19,700 is no 1.97e+04
  std::printf(counted ? "%-64s %10s %12.0f %-4s%s\n" : "%-64s %10s %12.4g %-4s%s\n", what.c_str(), target, measured,
              unit, reached ? "" : "  NOT REACHED");
  std::fflush(stdout);
}

}  // namespace pawsight::bench
