#include "rules/schedule.h"

#include <algorithm>
#include <cstdio>

namespace pawsight::rules {
namespace {

using std::chrono::minutes;

constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr minutes kDay{24 * 60};

/// "06:30"; "24:00" only where `last` is the day's end.
Result<minutes> ParseTimeOfDay(const Json& json, std::string_view key, minutes otherwise, minutes last) {
  if (json.Find(key) == nullptr) return otherwise;
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string text, json.GetString(key));
  const auto digit = [&](size_t i) { return text[i] >= '0' && text[i] <= '9' ? text[i] - '0' : -1; };
  const bool shaped = text.size() == 5 && text[2] == ':' && digit(0) >= 0 && digit(1) >= 0 && digit(3) >= 0 &&
                      digit(4) >= 0 && digit(3) < 6;
  const minutes time(shaped ? (digit(0) * 10 + digit(1)) * 60 + digit(3) * 10 + digit(4) : -1);
  if (!shaped || time > last) {
    return InvalidArgument(std::string(key) + ": want a time of day such as \"06:30\", at most " +
                           (last == kDay ? "\"24:00\"" : "\"23:59\""));
  }
  return time;
}

Status ParseDays(const Json& json, Schedule& schedule) {
  if (json.Find("days") == nullptr) return Ok();
  const Status wanted =
      InvalidArgument("days: want one or more of \"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"");
  PAWSIGHT_ASSIGN_OR_RETURN(const Json::Array* const days, json.GetArray("days"));
  if (days->empty() || days->size() > kDays.size()) return wanted;
  schedule.days.fill(false);
  for (const Json& day : *days) {
    const auto at = day.is_string() ? std::find(kDays.begin(), kDays.end(), day.as_string()) : kDays.end();
    if (at == kDays.end()) return wanted;
    schedule.days[static_cast<size_t>(at - kDays.begin())] = true;
  }
  return Ok();
}

std::string Format(minutes time) {
  char text[16];
  std::snprintf(text, sizeof text, "%02d:%02d", static_cast<int>(time.count() / 60),
                static_cast<int>(time.count() % 60));
  return text;
}

}  // namespace

Result<Schedule> ParseSchedule(const Json& json) {
  if (!json.is_object()) return InvalidArgument("want an object");
  for (const auto& [key, value] : json.as_object()) {
    if (key != "days" && key != "from" && key != "to" && key != "zone") {
      return InvalidArgument(JsonQuote(key.substr(0, 64)) + ": no such field; there are days, from, to, zone");
    }
  }
  Schedule schedule;
  PAWSIGHT_RETURN_IF_ERROR(ParseDays(json, schedule));
  PAWSIGHT_ASSIGN_OR_RETURN(schedule.from, ParseTimeOfDay(json, "from", schedule.from, kDay - minutes(1)));
  PAWSIGHT_ASSIGN_OR_RETURN(schedule.to, ParseTimeOfDay(json, "to", schedule.to, kDay));
  if (schedule.from == schedule.to) return InvalidArgument("to: the same as from; leave both out for all day");
  if (json.Find("zone") != nullptr) {
    PAWSIGHT_ASSIGN_OR_RETURN(schedule.zone, json.GetString("zone"));
    if (!IsZoneName(schedule.zone)) {
      return InvalidArgument("zone: want a time zone's name such as \"Europe/Berlin\" or \"UTC\"", "zone_unknown");
    }
  }
  return schedule;
}

Json ScheduleToJson(const Schedule& schedule) {
  Json::Array days;
  for (size_t i = 0; i < kDays.size(); ++i) {
    if (schedule.days[i]) days.emplace_back(kDays[i]);
  }
  return Json(Json::Object{{"days", std::move(days)},
                           {"from", Format(schedule.from)},
                           {"to", Format(schedule.to)},
                           {"zone", schedule.zone}});
}

bool IsInside(const Schedule& schedule, const WallClock& clock) {
  const auto day = static_cast<size_t>(clock.weekday);
  const bool passes_midnight = schedule.to <= schedule.from;
  if (!passes_midnight) {
    return schedule.days[day] && clock.time_of_day >= schedule.from && clock.time_of_day < schedule.to;
  }
  if (clock.time_of_day >= schedule.from) return schedule.days[day];
  return clock.time_of_day < schedule.to && schedule.days[(day + 6) % 7];
}

}  // namespace pawsight::rules
