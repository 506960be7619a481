// gateway/recent_rate.h: how often something happened in the last minute. Pure but for its memory; the time is the
// caller's, monotonic. Thread-compatible.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>

namespace pawsight::gateway {

/// Counts a second at a time, over the last minute.
class RecentRate {
 public:
  void Add(std::chrono::nanoseconds now) {
    const int64_t second = std::chrono::floor<std::chrono::seconds>(now).count();
    Slot& slot = slots_[static_cast<size_t>(second) % slots_.size()];
    if (slot.second != second) slot = {second, 0};
    ++slot.count;
    if (first_ < 0) first_ = second;
  }
  /// A second, over the whole seconds of the last minute; over fewer at the start.
  double PerSecond(std::chrono::nanoseconds now) const {
    const int64_t second = std::chrono::floor<std::chrono::seconds>(now).count();
    if (first_ < 0 || second <= first_) return 0;
    const int64_t span = std::min<int64_t>(kSeconds, second - first_);
    uint64_t sum = 0;
    for (const Slot& slot : slots_) {
      if (slot.second < second && slot.second >= second - span) sum += slot.count;
    }
    return static_cast<double>(sum) / static_cast<double>(span);
  }

 private:
  static constexpr int64_t kSeconds = 60;
  struct Slot {
    int64_t second = -1;
    uint64_t count = 0;
  };
  std::array<Slot, kSeconds + 1> slots_{};
  int64_t first_ = -1;
};

}  // namespace pawsight::gateway
