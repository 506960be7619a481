// rules/schedule.h: when a rule is asked at all: days of the week and a time of day, by the clock on the wall of a time
// zone. Pure; values, thread-compatible.
//
// A window that passes midnight ("22:00" to "06:00") belongs to the day it begins on. When clocks are set back, the
// hour that comes twice is inside or outside both times; when they are set forward, what lies in the hour that is left
// out does not come that day.
#pragma once

#include <array>
#include <chrono>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/status.h"
#include "rules/time_zone.h"

namespace pawsight::rules {

struct Schedule {
  std::array<bool, 7> days = {true, true, true, true, true, true, true};  // Monday first
  std::chrono::minutes from{0};                                           // 0 to 1439 after midnight
  std::chrono::minutes to{24 * 60};  // the first minute outside, 0 to 1440; `to` <= `from` passes midnight
  std::string zone = "UTC";          // IsZoneName

  friend bool operator==(const Schedule&, const Schedule&) = default;
};

/// {"days": ["mon", "sat"], "from": "22:00", "to": "06:30", "zone": "Europe/Berlin"}, each optional: every day, all
/// day, UTC. Errors: kInvalidArgument, the field and what was wanted. Whether there is such a zone, Zones knows.
Result<Schedule> ParseSchedule(const Json& json);
Json ScheduleToJson(const Schedule& schedule);

bool IsInside(const Schedule& schedule, const WallClock& clock);

}  // namespace pawsight::rules
