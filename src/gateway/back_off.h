// gateway/back_off.h: how long to wait before trying again what failed. Pure.
#pragma once

#include <algorithm>
#include <chrono>

namespace pawsight::gateway {

/// `first` after the first failure in a row (1), doubled with each further one, at most `longest`.
constexpr std::chrono::milliseconds PauseAfter(int failures_in_a_row, std::chrono::milliseconds first,
                                               std::chrono::milliseconds longest) {
  const int doublings = std::clamp(failures_in_a_row - 1, 0, 16);
  return std::min(longest, first * (1 << doublings));
}

}  // namespace pawsight::gateway
