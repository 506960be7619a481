// base/memory.h: how much of this machine's memory a process holds, and giving back what a burst has left. Linux,
// glibc.
#pragma once

#include <chrono>
#include <cstddef>

#include "base/clock.h"

namespace pawsight {

/// Of the process, itself when 0: what of its memory is in RAM, files that it has mapped included. 0 when the system
/// does not tell.
size_t ResidentBytes(int pid = 0);

/// The allocator keeps what was freed, scattered over its arenas, so a server's memory grows with its worst moment and
/// stays there. This gives it back once the moment is over. Used by one thread.
class MemoryTrim {
 public:
  /// Between looks.
  static constexpr std::chrono::seconds kInterval{5};
  /// What may be held beyond the last time without being looked for.
  static constexpr double kSlack = 0.01;

  explicit MemoryTrim(const Clock& clock) : clock_(clock), next_(clock.Monotonic() + kInterval) {}

  /// To be called often; does something once an interval. Cost: a read of /proc; when more is held than after the last
  /// time, also a walk over what is free, some milliseconds a gigabyte, during which other threads may wait to
  /// allocate.
  void Look();

 private:
  const Clock& clock_;
  std::chrono::nanoseconds next_;
  size_t held_ = 0;  // after the last trim
};

}  // namespace pawsight
