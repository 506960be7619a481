// gateway/path/frame_time.h: when a frame was taken, by a clock that may be wrong: devices wake in 1970, live in the
// wrong zone, or send what they kept while the network was away. Our own time rules: a frame's time is when it was
// received less how late it is. Pure; values; the times are the caller's.
//
// How late it is: with `sent` (the device's time when it sent the frame), sent - captured, whatever that clock shows.
// Without it, the age received - captured less the clock's error, which is the least age seen of late (as NTP's minimum
// filter does), drifting up to 1 ms a second. When all we know of a clock is an age above kLateAfter, it may be a
// backlog or a wrong clock: frames count as late, and cannot alert, until the age has stood still for kSteady; then it
// is the clock. A time that no clock in service shows (before 2020, after 2100) is no time.
#pragma once

#include <chrono>
#include <optional>

#include "base/clock.h"

namespace pawsight::gateway {

/// A frame that is later than this never alerts.
inline constexpr std::chrono::seconds kLateAfter{60};
/// A frame that is later than this is refused: nobody waits for its answer.
inline constexpr std::chrono::hours kStaleAfter{48};
/// An age that stays within kSteadyWithin for so long is the clock's error.
inline constexpr std::chrono::seconds kSteady{60};
inline constexpr std::chrono::seconds kSteadyWithin{5};

/// What is known of a camera's clock.
struct ClockView {
  std::optional<std::chrono::nanoseconds>
      skew;     // received - captured of a frame that is not late; positive: it is behind
  Time seen{};  // when a frame was last received
  std::optional<std::chrono::nanoseconds> candidate;  // an age above what is believed
  Time candidate_since{};
};

enum class Timeliness { kFresh, kLate, kStale };

struct FrameTime {
  Time time{};
  Timeliness timeliness = Timeliness::kFresh;
  std::chrono::nanoseconds lateness{0};
};

FrameTime JudgeTime(ClockView& view, Time received, std::optional<Time> captured, std::optional<Time> sent);

}  // namespace pawsight::gateway
