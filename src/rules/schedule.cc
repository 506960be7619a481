#include "rules/schedule.h"

#include <algorithm>
#include <cstdio>

namespace pawsight::rules {
namespace {

using std::chrono::minutes;

constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr minutes kDay{24 * 60};
constexpr minutes kWeek{7 * 24 * 60};

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

Status ParseDays(const Json& json, Window& window) {
  if (json.Find("days") == nullptr) return Ok();
  const Status wanted =
      InvalidArgument("days: want one or more of \"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"");
  PAWSIGHT_ASSIGN_OR_RETURN(const Json::Array* const days, json.GetArray("days"));
  if (days->empty() || days->size() > kDays.size()) return wanted;
  window.days.fill(false);
  for (const Json& day : *days) {
    const auto at = day.is_string() ? std::find(kDays.begin(), kDays.end(), day.as_string()) : kDays.end();
    if (at == kDays.end()) return wanted;
    window.days[static_cast<size_t>(at - kDays.begin())] = true;
  }
  return Ok();
}

std::string Format(minutes time) {
  char text[16];
  std::snprintf(text, sizeof text, "%02d:%02d", static_cast<int>(time.count() / 60),
                static_cast<int>(time.count() % 60));
  return text;
}

Status CheckFields(const Json& json, std::initializer_list<std::string_view> known) {
  if (!json.is_object()) return InvalidArgument("want an object");
  for (const auto& [key, value] : json.as_object()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    std::string names;
    for (const std::string_view name : known) names += (names.empty() ? "" : ", ") + std::string(name);
    return InvalidArgument(JsonQuote(key.substr(0, 64)) + ": no such field; there are " + names);
  }
  return Ok();
}

Result<Window> ParseWindow(const Json& json) {
  Window window;
  PAWSIGHT_RETURN_IF_ERROR(ParseDays(json, window));
  PAWSIGHT_ASSIGN_OR_RETURN(window.from, ParseTimeOfDay(json, "from", window.from, kDay - minutes(1)));
  PAWSIGHT_ASSIGN_OR_RETURN(window.to, ParseTimeOfDay(json, "to", window.to, kDay));
  if (window.from == window.to) return InvalidArgument("to: the same as from; leave both out for all day");
  return window;
}

Result<std::vector<Window>> ParseWindows(const Json& json) {
  PAWSIGHT_RETURN_IF_ERROR(CheckFields(json, {"windows", "zone"}));
  PAWSIGHT_ASSIGN_OR_RETURN(const Json::Array* const list, json.GetArray("windows"));
  if (list->empty() || list->size() > kMaxWindows) {
    return InvalidArgument("windows: want 1 to " + std::to_string(kMaxWindows));
  }
  std::vector<Window> windows;
  for (const Json& one : *list) {
    const std::string place = "windows[" + std::to_string(windows.size()) + "]";
    PAWSIGHT_RETURN_IF_ERROR(Annotate(CheckFields(one, {"days", "from", "to"}), place));
    Result<Window> window = ParseWindow(one);
    if (!window.ok()) return Annotate(window.status(), place);
    windows.push_back(*window);
  }
  return windows;
}

Json WindowToJson(const Window& window) {
  Json::Array days;
  for (size_t i = 0; i < kDays.size(); ++i) {
    if (window.days[i]) days.emplace_back(kDays[i]);
  }
  return Json(Json::Object{{"days", std::move(days)}, {"from", Format(window.from)}, {"to", Format(window.to)}});
}

bool IsInside(const Window& window, const WallClock& clock) {
  const auto day = static_cast<size_t>(clock.weekday);
  const bool passes_midnight = window.to <= window.from;
  if (!passes_midnight) {
    return window.days[day] && clock.time_of_day >= window.from && clock.time_of_day < window.to;
  }
  if (clock.time_of_day >= window.from) return window.days[day];
  return clock.time_of_day < window.to && window.days[(day + 6) % 7];
}

}  // namespace

Result<Schedule> ParseSchedule(const Json& json) {
  if (!json.is_object()) return InvalidArgument("want an object");
  Schedule schedule;
  if (json.Find("windows") != nullptr) {
    PAWSIGHT_ASSIGN_OR_RETURN(schedule.windows, ParseWindows(json));
  } else {
    PAWSIGHT_RETURN_IF_ERROR(CheckFields(json, {"windows", "days", "from", "to", "zone"}));
    PAWSIGHT_ASSIGN_OR_RETURN(const Window window, ParseWindow(json));
    schedule.windows.push_back(window);
  }
  if (json.Find("zone") != nullptr) {
    PAWSIGHT_ASSIGN_OR_RETURN(schedule.zone, json.GetString("zone"));
    if (!IsZoneName(schedule.zone)) {
      return InvalidArgument("zone: want a time zone's name such as \"Europe/Berlin\" or \"UTC\"", "zone_unknown");
    }
  }
  return schedule;
}

Json ScheduleToJson(const Schedule& schedule) {
  Json json(Json::Object{});
  if (schedule.windows.size() == 1) {
    json = WindowToJson(schedule.windows.front());
  } else {
    Json::Array windows;
    for (const Window& window : schedule.windows) windows.push_back(WindowToJson(window));
    json.Set("windows", std::move(windows));
  }
  json.Set("zone", schedule.zone);
  return json;
}

bool IsInside(const Schedule& schedule, const WallClock& clock) {
  return std::any_of(schedule.windows.begin(), schedule.windows.end(),
                     [&](const Window& window) { return IsInside(window, clock); });
}

minutes LengthOf(const Window& window) {
  return window.to > window.from ? window.to - window.from : window.to + kDay - window.from;
}

bool Overlap(const Window& a, const Window& b) {
  for (size_t of_a = 0; of_a < kDays.size(); ++of_a) {
    for (size_t of_b = 0; of_b < kDays.size(); ++of_b) {
      if (!a.days[of_a] || !b.days[of_b]) continue;
      const minutes begin_a = kDay * static_cast<int>(of_a) + a.from, begin_b = kDay * static_cast<int>(of_b) + b.from;
      const minutes after = (begin_b - begin_a + kWeek) % kWeek;  // b opens so long after a did
      if (after < LengthOf(a) || kWeek - after < LengthOf(b)) return true;
    }
  }
  return false;
}

}  // namespace pawsight::rules
