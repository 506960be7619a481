// Any bytes as a zoneinfo file; what is taken must give an offset of less than 27 hours at any time.
#include <cstddef>
#include <cstdint>
#include <span>

#include "rules/time_zone.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using pawsight::rules::TimeZone;
  const pawsight::Result<TimeZone> zone = TimeZone::Parse(std::span(data, size));
  if (!zone.ok()) return 0;
  for (int64_t at = -9'000'000'000; at < 9'000'000'000; at += 180'000'001) {
    const pawsight::Time time{std::chrono::seconds(at)};
    CHECK(std::chrono::abs(zone->OffsetAt(time)) <= std::chrono::hours(27));
    const pawsight::rules::WallClock wall = zone->WallClockAt(time);
    CHECK(wall.weekday >= 0 && wall.weekday < 7);
    CHECK(wall.time_of_day >= std::chrono::seconds(0) && wall.time_of_day < std::chrono::hours(24));
  }
  return 0;
}
