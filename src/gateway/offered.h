// gateway/offered.h: counts what is offered to a backend, answered or not, and passes it on. What was shed before it
// came here counts the path (FramePath::ShedPerSecond). Thread-safe.
#pragma once

#include <functional>
#include <utility>

#include "base/clock.h"
#include "base/mutex.h"
#include "gateway/backend.h"
#include "gateway/recent_rate.h"

namespace pawsight::gateway {

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
