// gateway/offered.h: counts what is offered to a backend, answered or not, and passes it on. Thread-safe.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>

#include "base/clock.h"
#include "base/mutex.h"
#include "gateway/backend.h"

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

class OfferedMeter : public AsyncBackend {
 public:
  /// Both must outlive it.
  OfferedMeter(AsyncBackend& backend, const Clock& clock) : backend_(backend), clock_(clock) {}

  void Ask(Inquiry inquiry, std::function<void(Result<Reply>)> done) override {
    {
      MutexLock lock(mu_);
      rate_.Add(clock_.Monotonic());
    }
    backend_.Ask(std::move(inquiry), std::move(done));
  }
  double PerSecond() const EXCLUDES(mu_) {
    MutexLock lock(mu_);
    return rate_.PerSecond(clock_.Monotonic());
  }

 private:
  AsyncBackend& backend_;
  const Clock& clock_;
  mutable Mutex mu_;
  RecentRate rate_ GUARDED_BY(mu_);
};

}  // namespace pawsight::gateway
