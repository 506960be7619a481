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

/// What malloc has given out in this process; 0 where another allocator stands in its place, as under the sanitizers.
/// Cost: a walk over what is free, under each arena's lock; a millisecond for tens of thousands of pieces.
size_t AllocatedBytes();

struct HeldMemory {
  size_t resident = 0;
  size_t allocated = 0;
};

/// What is in RAM and nobody has asked for: what was freed and kept, and what is no allocation, such as code.
constexpr size_t Unused(const HeldMemory& held) {
  return held.resident > held.allocated ? held.resident - held.allocated : 0;
}

/// The allocator keeps what was freed, scattered over its arenas, so a server's memory grows with its worst moment and
/// stays there. This gives it back once the moment is over, also when it was looked at in the midst of it. Used by one
/// thread.
class MemoryTrim {
 public:
  /// Between looks.
  static constexpr std::chrono::seconds kInterval{5};
  /// By what part of what is resident more may be unused than after the last time without being given back.
  static constexpr double kSlack = 0.01;

  /// Whether there is something to give back; `unused` is what there was least since the last time, which found it all.
  static constexpr bool Wanted(const HeldMemory& now, size_t unused) {
    return static_cast<double>(Unused(now)) > static_cast<double>(unused) + static_cast<double>(now.resident) * kSlack;
  }

  explicit MemoryTrim(const Clock& clock) : clock_(clock), next_(clock.Monotonic() + kInterval) {}

  /// To be called often; does something once an interval. Cost: a read of /proc and AllocatedBytes(); when more is
  /// unused than after the last time, also a millisecond for each megabyte that is given back, during which other
  /// threads may wait to allocate.
  void Look();

 private:
  const Clock& clock_;
  std::chrono::nanoseconds next_;
  size_t unused_ = 0;  // the least since the last trim
};

}  // namespace pawsight
