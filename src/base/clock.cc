#include "base/clock.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace pawsight {

Time SystemClock::Now() const {
  return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

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
    // Known before the time is read: an Advance either is seen here or sees this waiter, and then needs `mu` to wake
    // it.
    MutexLock lock(mu_);
    if (monotonic_ >= until) return;
    waiters_.push_back({&mu, &cv});
  }
  cv.Wait(mu);
  MutexLock lock(mu_);
  waiters_.erase(
      std::find_if(waiters_.begin(), waiters_.end(), [&](const Waiter& w) { return w.mu == &mu && w.cv == &cv; }));
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

namespace {

/// Reads exactly `count` digits from the front of *text.
bool TakeDigits(std::string_view* text, size_t count, int* value) {
  if (text->size() < count) return false;
  *value = 0;
  for (const char c : text->substr(0, count)) {
    if (c < '0' || c > '9') return false;
    *value = *value * 10 + (c - '0');
  }
  text->remove_prefix(count);
  return true;
}

bool TakeChar(std::string_view* text, char wanted) {
  if (text->empty() || text->front() != wanted) return false;
  text->remove_prefix(1);
  return true;
}

/// ".250" -> 250,000,000; no fraction is 0.
bool TakeFraction(std::string_view* text, int* nanoseconds) {
  *nanoseconds = 0;
  if (!TakeChar(text, '.')) return true;
  int digits = 0;
  for (; !text->empty() && text->front() >= '0' && text->front() <= '9'; ++digits, text->remove_prefix(1)) {
    if (digits < 9) *nanoseconds = *nanoseconds * 10 + (text->front() - '0');
  }
  for (int place = digits; place < 9; ++place) *nanoseconds *= 10;
  return digits >= 1 && digits <= 9;
}

/// "Z", "+01:00", "-00:30", and nothing after it.
bool TakeOffset(std::string_view* text, int* minutes) {
  *minutes = 0;
  if (TakeChar(text, 'Z')) return text->empty();
  const bool east = TakeChar(text, '+');
  if (!east && !TakeChar(text, '-')) return false;
  int hour = 0, minute = 0;
  if (!TakeDigits(text, 2, &hour) || !TakeChar(text, ':') || !TakeDigits(text, 2, &minute) || !text->empty()) {
    return false;
  }
  *minutes = (east ? 1 : -1) * (hour * 60 + minute);
  return hour < 24 && minute < 60;
}

}  // namespace

Result<Time> ParseTime(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, nanoseconds = 0, offset = 0;
  const bool read = TakeDigits(&text, 4, &year) && TakeChar(&text, '-') && TakeDigits(&text, 2, &month) &&
                    TakeChar(&text, '-') && TakeDigits(&text, 2, &day) && TakeChar(&text, 'T') &&
                    TakeDigits(&text, 2, &hour) && TakeChar(&text, ':') && TakeDigits(&text, 2, &minute) &&
                    TakeChar(&text, ':') && TakeDigits(&text, 2, &second) && TakeFraction(&text, &nanoseconds) &&
                    TakeOffset(&text, &offset);
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!read || !date.ok() || year < 1970 || year > 2261 || hour > 23 || minute > 59 || second > 60) {
    return InvalidArgument("want a time as 2026-01-31T08:15:30Z");
  }
  return Time(std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(hour) +
              std::chrono::minutes(minute - offset) + std::chrono::seconds(second) +
              std::chrono::nanoseconds(nanoseconds));
}

}  // namespace pawsight
