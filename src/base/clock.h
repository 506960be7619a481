// base/clock.h: where time comes from, so that a test runs a week of cameras in a second. Thread-safe.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"

namespace pawsight {

/// Wall time, UTC.
using Time = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall time: for people and records. May jump.
  virtual Time Now() const = 0;
  /// Never goes back: for durations and deadlines.
  virtual std::chrono::nanoseconds Monotonic() const = 0;
  /// Waits on `cv` until it is notified or Monotonic() reaches `until` (kForever: until notified); may wake for
  /// nothing, so call in a loop that tests the condition.
  virtual void WaitUntil(Mutex& mu, CondVar& cv, std::chrono::nanoseconds until) const REQUIRES(mu) = 0;

  static constexpr std::chrono::nanoseconds kForever = std::chrono::nanoseconds::max();
};

/// The machine's clocks.
class SystemClock : public Clock {
 public:
  Time Now() const override;
  std::chrono::nanoseconds Monotonic() const override;
  void WaitUntil(Mutex& mu, CondVar& cv, std::chrono::nanoseconds until) const override REQUIRES(mu);
};

/// Stands still until told. Whoever waits until a time is woken when Advance reaches it.
class ManualClock : public Clock {
 public:
  explicit ManualClock(Time start = Time{}) : now_(start) {}
  Time Now() const override EXCLUDES(mu_);
  std::chrono::nanoseconds Monotonic() const override EXCLUDES(mu_);
  void WaitUntil(Mutex& mu, CondVar& cv, std::chrono::nanoseconds until) const override REQUIRES(mu) EXCLUDES(mu_);
  /// Not to be called under a mutex that somebody waits with; what is waited with outlives the call.
  void Advance(std::chrono::nanoseconds by) EXCLUDES(mu_);

 private:
  struct Waiter {
    Mutex* mu;
    CondVar* cv;
  };
  mutable Mutex mu_;
  Time now_ GUARDED_BY(mu_);
  std::chrono::nanoseconds monotonic_ GUARDED_BY(mu_){0};
  mutable std::vector<Waiter> waiters_ GUARDED_BY(mu_);
};

/// RFC 3339 in UTC with milliseconds: "2026-01-31T08:15:30.250Z".
std::string FormatTime(Time time);

/// RFC 3339, strictly: "2026-01-31T08:15:30Z", "2026-01-31T09:15:30.250+01:00"; capital T and Z, at most nine digits of
/// a second, years 1970 to 2261. A leap second is the second after it. Errors: kInvalidArgument, anything else.
Result<Time> ParseTime(std::string_view text);

}  // namespace pawsight
