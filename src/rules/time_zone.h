// rules/time_zone.h: what a clock on a wall shows, for schedules: offsets from UTC read from the system's zoneinfo
// files (TZif, RFC 8536; g++ 12's library has no time-zone database and localtime_r knows one zone a process). Not
// here: local time to UTC, names of zones, leap seconds (a "right/" file is refused).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"

namespace pawsight::rules {

/// Largest zoneinfo file and most of its changes that are read; the largest real file has 3.5 kB and 250 changes.
inline constexpr size_t kMaxZoneBytes = 64U << 10U;
inline constexpr uint32_t kMaxZoneChanges = 2000;

/// The weekday, 0 = Monday, and the time of day that a wall clock shows.
struct WallClock {
  int weekday = 0;
  std::chrono::seconds time_of_day{0};  // 0 to 86399
};

/// When a year's summer time begins or ends, as POSIX's TZ says it.
struct YearlyChange {
  enum class Kind { kJulian, kDayOfYear, kMonthWeekDay } kind = Kind::kMonthWeekDay;
  int day = 0;  // kJulian: 1..365, 29 February never counted; kDayOfYear: 0..365; else the weekday, 0 = Sunday
  int month = 0;
  int week = 0;                   // 1..5; 5 is the last
  std::chrono::seconds at{7200};  // after midnight by the clock before the change; -167 h to 167 h
};

/// What holds after the last change of the file: one offset for ever, or two that alternate every year.
struct ForeverRule {
  std::chrono::seconds standard{0};
  std::optional<std::chrono::seconds> summer;
  YearlyChange summer_begins;
  YearlyChange summer_ends;
};

/// A value; immutable, so thread-safe.
class TimeZone {
 public:
  static TimeZone Utc() { return TimeZone(); }
  /// Versions 1 to 4. Errors: kDataLoss, not TZif, cut short, larger than the limits, offsets beyond a day, times that
  /// do not rise, leap seconds.
  static Result<TimeZone> Parse(std::span<const uint8_t> bytes);

  /// To be added to UTC. Cost: a binary search.
  std::chrono::seconds OffsetAt(Time time) const;
  WallClock WallClockAt(Time time) const;

 private:
  struct Change {
    int64_t at = 0;  // Unix seconds
    std::chrono::seconds offset{0};
  };
  static Result<TimeZone> ParseBlock(std::span<const uint8_t> bytes, size_t time_bytes, size_t* end);

  std::chrono::seconds first_{0};  // before the first change
  std::vector<Change> changes_;
  std::optional<ForeverRule> forever_;  // after the last change; none: the last offset stays
};

/// POSIX's TZ text as a zoneinfo file ends with it: "CET-1CEST,M3.5.0,M10.5.0/3", "<+0330>-3:30", "UTC0".
/// Errors: kDataLoss, another text.
Result<ForeverRule> ParseForeverRule(std::string_view text);
std::chrono::seconds ForeverOffset(const ForeverRule& rule, int64_t unix_seconds);

/// Zones by name, each file read once. Thread-safe; files are read outside the lock.
class Zones {
 public:
  /// `directory` holds the files ("/usr/share/zoneinfo", Debian's tzdata).
  explicit Zones(std::string directory = "/usr/share/zoneinfo") : directory_(std::move(directory)) {}

  /// "UTC" needs no file. Errors: kInvalidArgument `zone_unknown`: a name that is none, or no such file. kDataLoss, the
  /// file is damaged. kResourceExhausted, more than kMaxZones names.
  Result<std::shared_ptr<const TimeZone>> Find(std::string_view name) EXCLUDES(mu_);

  static constexpr size_t kMaxZones = 1000;  // there are about 600

 private:
  const std::string directory_;
  Mutex mu_;
  std::map<std::string, std::shared_ptr<const TimeZone>, std::less<>> zones_ GUARDED_BY(mu_);
};

/// Letters, digits and "+-_" in parts joined by "/", at most 64 bytes: nothing that leaves the directory.
bool IsZoneName(std::string_view name);

}  // namespace pawsight::rules
