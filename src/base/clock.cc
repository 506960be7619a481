#include "base/clock.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace pawsight {

Time SystemClock::Now() const { return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now()); }

std::chrono::nanoseconds SystemClock::Monotonic() const {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch());
}

void SystemClock::WaitUntil(Mutex& mu, CondVar& cv, std::chrono::nanoseconds until) const {
  if (until == kForever) return cv.Wait(mu);
  const std::chrono::nanoseconds left = until - Monotonic();
  if (left.count() <= 0) return;
  (void)cv.WaitFor(mu, std::min<std::chrono::nanoseconds>(left, std::chrono::hours(1)));  // the caller's loop knows
}

Time ManualClock::Now() const {
  MutexLock lock(mu_);
  return now_;
}

std::chrono::nanoseconds ManualClock::Monotonic() const {
  MutexLock lock(mu_);
  return monotonic_;
}

void ManualClock::WaitUntil(Mutex& mu, CondVar& cv, std::chrono::nanoseconds until) const {
  {
    // Known before the time is read: an Advance either is seen here or sees this waiter, and then needs `mu` to wake it.
    MutexLock lock(mu_);
    if (monotonic_ >= until) return;
    waiters_.push_back({&mu, &cv});
  }
  cv.Wait(mu);
  MutexLock lock(mu_);
  waiters_.erase(std::find_if(waiters_.begin(), waiters_.end(), [&](const Waiter& w) { return w.mu == &mu && w.cv == &cv; }));
}

void ManualClock::Advance(std::chrono::nanoseconds by) {
  std::vector<Waiter> waiters;
  {
    MutexLock lock(mu_);
    now_ += by;
    monotonic_ += by;
    waiters = waiters_;
  }
  for (const Waiter& waiter : waiters) {
    MutexLock lock(*waiter.mu);
    waiter.cv->NotifyAll();
  }
}

std::string FormatTime(Time time) {
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(ms);
  const std::time_t t = seconds.count();
  std::tm utc{};
  gmtime_r(&t, &utc);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900, utc.tm_mon + 1,
                utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, static_cast<int>((ms - seconds).count()));
  return text;
}

}  // namespace pawsight
