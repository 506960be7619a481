// rules/schedule.h: when a rule is asked at all: windows of days of the week and times of day, by the clock on the wall
// of one time zone. Pure; values, thread-compatible.
//
// A rule is asked inside any of its windows; those that overlap are as one. A window that passes midnight ("22:00" to
// "06:00") belongs to the day it begins on. When clocks are set back, the hour that comes twice is inside or outside
// both times; when they are set forward, what lies in the hour that is left out does not come that day.
#pragma once

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "rules/time_zone.h"

namespace pawsight::rules {

struct Window {
  std::array<bool, 7> days = {true, true, true, true, true, true, true};  // Monday first
  std::chrono::minutes from{0};                                           // 0 to 1439 after midnight
  std::chrono::minutes to{24 * 60};  // the first minute outside, 0 to 1440; `to` <= `from` passes midnight

  friend bool operator==(const Window&, const Window&) = default;
};

inline constexpr size_t kMaxWindows = 16;

struct Schedule {
  std::vector<Window> windows;  // 1 to kMaxWindows
  std::string zone = "UTC";     // IsZoneName

  friend bool operator==(const Schedule&, const Schedule&) = default;
};

/// {"windows": [{"days": ["mon", "sat"], "from": "22:00", "to": "06:30"}, ...], "zone": "Europe/Berlin"}, each of a
/// window's optional: every day, all day; the zone too: UTC. One window may stand without "windows":
/// {"days": [...], "from": "22:00", "to": "06:30", "zone": "Europe/Berlin"}.
/// Errors: kInvalidArgument, the field and what was wanted. Whether there is such a zone, Zones knows.
Result<Schedule> ParseSchedule(const Json& json);
/// What ParseSchedule reads; one window stands without "windows".
Json ScheduleToJson(const Schedule& schedule);

bool IsInside(const Schedule& schedule, const WallClock& clock);

/// How long a window is open each time it opens.
std::chrono::minutes LengthOf(const Window& window);
/// Some minute of the week is in both.
bool Overlap(const Window& a, const Window& b);

}  // namespace pawsight::rules
