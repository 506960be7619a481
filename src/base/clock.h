// base/clock.h: where time comes from, so that a test runs a week of cameras in a second. Thread-safe.
#pragma once

#include <chrono>
#include <string>

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
};

/// The machine's clocks.
class SystemClock : public Clock {
 public:
  Time Now() const override;
  std::chrono::nanoseconds Monotonic() const override;
};

/// Stands still until told. Thread-compatible: one thread advances it.
class ManualClock : public Clock {
 public:
  explicit ManualClock(Time start = Time{}) : now_(start) {}
  Time Now() const override { return now_; }
  std::chrono::nanoseconds Monotonic() const override { return monotonic_; }
  void Advance(std::chrono::nanoseconds by) {
    now_ += by;
    monotonic_ += by;
  }

 private:
  Time now_;
  std::chrono::nanoseconds monotonic_{0};
};

/// RFC 3339 in UTC with milliseconds: "2026-01-31T08:15:30.250Z".
std::string FormatTime(Time time);

}  // namespace pawsight
