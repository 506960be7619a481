#include "rules/time_zone.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "base/files.h"
#include "base/rng.h"
#include "rules/schedule.h"

namespace pawsight::rules {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

/// Unix seconds of a UTC date and time.
Time Utc(int year, int month, int day, int hour = 0, int minute = 0, int second = 0) {
  const std::chrono::sys_days date(std::chrono::year(year) / month / day);
  return Time(date.time_since_epoch()) + hours(hour) + minutes(minute) + seconds(second);
}

/// Big-endian bytes of a TZif file made by hand.
class TzifBytes {
 public:
  TzifBytes& Text(std::string_view text) {
    bytes_.insert(bytes_.end(), text.begin(), text.end());
    return *this;
  }
  TzifBytes& Number(int64_t value, int num_bytes) {
    for (int i = num_bytes - 1; i >= 0; --i)
      bytes_.push_back(static_cast<uint8_t>(static_cast<uint64_t>(value) >> (8 * i)));
    return *this;
  }
  TzifBytes& Header(char version, uint32_t changes, uint32_t types, uint32_t letters) {
    Text("TZif").Number(version == '1' ? 0 : version, 1).Number(0, 8).Number(0, 7);
    for (const uint32_t count : {0U, 0U, 0U, changes, types, letters}) Number(count, 4);
    return *this;
  }
  const std::vector<uint8_t>& bytes() const { return bytes_; }

 private:
  std::vector<uint8_t> bytes_;
};

/// What "slim" files look like: no changes, everything in the last line.
std::vector<uint8_t> Slim(std::string_view footer) {
  TzifBytes file;
  file.Header('2', 0, 1, 4).Number(0, 6).Text("UTC").Number(0, 1);
  file.Header('2', 0, 1, 4).Number(3600, 4).Number(0, 2).Text("CET").Number(0, 1);
  file.Text("\n").Text(footer).Text("\n");
  return file.bytes();
}

int64_t Offset(const TimeZone& zone, Time time) { return zone.OffsetAt(time).count(); }

TEST(TimeZoneTest, TheLastLineRulesWhereThereAreNoChanges) {
  const TimeZone berlin = TimeZone::Parse(Slim("CET-1CEST,M3.5.0,M10.5.0/3")).value();
  EXPECT_EQ(Offset(berlin, Utc(2026, 3, 29, 0, 59, 59)), 3600);
  EXPECT_EQ(Offset(berlin, Utc(2026, 3, 29, 1)), 7200);
  EXPECT_EQ(Offset(berlin, Utc(2026, 10, 25, 0, 59, 59)), 7200);
  EXPECT_EQ(Offset(berlin, Utc(2026, 10, 25, 1)), 3600);
  EXPECT_EQ(Offset(berlin, Utc(2100, 7, 1)), 7200);
  const TimeZone sydney = TimeZone::Parse(Slim("AEST-10AEDT,M10.1.0,M4.1.0/3")).value();
  EXPECT_EQ(Offset(sydney, Utc(2026, 1, 1)), 39600) << "summer passes the new year in the south";
  EXPECT_EQ(Offset(sydney, Utc(2026, 7, 1)), 36000);
  const TimeZone india = TimeZone::Parse(Slim("<+0530>-5:30")).value();
  EXPECT_EQ(Offset(india, Utc(2026, 7, 1)), 19800);
  const TimeZone nuuk = TimeZone::Parse(Slim("<-02>2<-01>,M3.5.0/-1,M10.5.0/0")).value();
  EXPECT_EQ(Offset(nuuk, Utc(2026, 3, 29, 0, 59, 59)), -7200);
  EXPECT_EQ(Offset(nuuk, Utc(2026, 3, 29, 1)), -3600) << "an hour before midnight, by negative hours";
  const TimeZone always = TimeZone::Parse(Slim("XXX3EDT4,0/0,J365/23")).value();
  for (int month = 1; month <= 12; ++month) EXPECT_EQ(Offset(always, Utc(2026, month, 1)), -14400) << "summer all year";
}

TEST(TimeZoneTest, WhatIsNoZoneIsRefused) {
  EXPECT_FALSE(TimeZone::Parse({}).ok());
  const std::vector<uint8_t> good = Slim("CET-1CEST,M3.5.0,M10.5.0/3");
  for (size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(TimeZone::Parse(std::span(good).first(length)).ok()) << length;
  }
  for (const char* footer : {"", "CET-1CEST,M3.5.0,M10.5.0/3"}) EXPECT_TRUE(TimeZone::Parse(Slim(footer)).ok());
  for (const char* footer :
       {"C-1", "CET", "CET-25", "CET-1CEST", "CET-1CEST,M13.1.0,M1.1.0", "CET-1CEST,M3.5.0", "<CET-1",
        "CET-1CEST,M3.5.0,M10.5.0/3x", "CET-1CEST,M3.5.0/168,M10.5.0", "CET-1CEST,J0,J365"}) {
    EXPECT_FALSE(TimeZone::Parse(Slim(footer)).ok()) << footer;
  }
  EXPECT_FALSE(TimeZone::Parse(std::vector<uint8_t>(kMaxZoneBytes + 1)).ok());
}

TEST(TimeZoneTest, ANameCannotLeaveTheDirectory) {
  for (const char* name :
       {"", "/etc/passwd", "../x", "Europe/../../x", "a//b", "Europe/", "a b", ".", "Europe/Berlin\n"}) {
    EXPECT_FALSE(IsZoneName(name)) << name;
  }
  for (const char* name : {"UTC", "Etc/GMT+3", "America/Argentina/Ushuaia"}) EXPECT_TRUE(IsZoneName(name)) << name;
  Zones zones;
  EXPECT_EQ(zones.Find("../../../etc/passwd").status().reason(), "zone_unknown");
  EXPECT_EQ(zones.Find("Europe").status().reason(), "zone_unknown") << "a directory";
  EXPECT_EQ(zones.Find("Mars/Olympus").status().reason(), "zone_unknown");
  EXPECT_EQ(zones.Find("UTC").value()->OffsetAt(Utc(2026, 7, 1)).count(), 0);
}

TEST(TimeZoneTest, TheSystemsZonesAgreeWithTheCLibrary) {
  if (!FileExists("/usr/share/zoneinfo/Europe/Berlin"))
    GTEST_SKIP() << "LOUD: tzdata is missing, real zones are not tested";
  Zones zones;
  Rng rng(5);
  for (const char* name :
       {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kolkata", "America/Nuuk",
        "Pacific/Apia", "Antarctica/Troll", "Europe/Dublin", "America/Sao_Paulo"}) {
    const std::shared_ptr<const TimeZone> zone = zones.Find(name).value();
    EXPECT_EQ(zones.Find(name).value(), zone) << "read once";
    setenv("TZ", name, 1);
    tzset();
    for (int i = 0; i < 3000; ++i) {
      const auto at = static_cast<time_t>(rng.Uniform(0, 4.1e9));  // 1970 to 2099
      tm local{};
      localtime_r(&at, &local);
      const WallClock wall = zone->WallClockAt(Time(seconds(at)));
      EXPECT_EQ(zone->OffsetAt(Time(seconds(at))).count(), local.tm_gmtoff) << name << " " << at;
      EXPECT_EQ(wall.weekday, (local.tm_wday + 6) % 7);
      EXPECT_EQ(wall.time_of_day, hours(local.tm_hour) + minutes(local.tm_min) + seconds(local.tm_sec));
      if (HasFailure()) break;
    }
  }
  unsetenv("TZ");
  tzset();
}

bool Inside(const Schedule& schedule, const TimeZone& zone, Time time) {
  return IsInside(schedule, zone.WallClockAt(time));
}

Schedule MakeSchedule(const char* text) { return ParseSchedule(Json::Parse(text).value()).value(); }

TEST(ScheduleTest, AWindowThatPassesMidnightBelongsToTheDayItBeginsOn) {
  const Schedule night = MakeSchedule(R"({"days":["fri"],"from":"22:00","to":"06:00"})");
  const TimeZone utc = TimeZone::Utc();
  EXPECT_TRUE(Inside(night, utc, Utc(2026, 11, 27, 22)));  // a Friday
  EXPECT_TRUE(Inside(night, utc, Utc(2026, 11, 28, 5, 59, 59)));
  EXPECT_FALSE(Inside(night, utc, Utc(2026, 11, 28, 6)));
  EXPECT_FALSE(Inside(night, utc, Utc(2026, 11, 27, 5)));
  EXPECT_FALSE(Inside(night, utc, Utc(2026, 11, 28, 22)));
  const Schedule sunday = MakeSchedule(R"({"days":["sun"],"from":"23:00","to":"01:00"})");
  EXPECT_TRUE(Inside(sunday, utc, Utc(2026, 11, 30, 0, 30))) << "Monday, begun on Sunday";
}

TEST(ScheduleTest, AllDayIsAllDay) {
  const Schedule all = MakeSchedule("{}");
  const TimeZone utc = TimeZone::Utc();
  for (int hour = 0; hour < 24 * 7; ++hour) EXPECT_TRUE(Inside(all, utc, Utc(2026, 11, 25) + hours(hour)));
}

/// "mon 07:30" of the week of Monday, the 15th of January 2024, UTC.
Time Weekly(int day, int hour, int minute = 0) { return Utc(2024, 1, 15 + day, hour, minute); }

TEST(ScheduleTest, ARuleIsAskedInAnyOfItsWindows) {
  const Schedule schedule =
      MakeSchedule(R"({"windows":[{"days":["mon","tue"],"from":"06:00","to":"08:00"},{"from":"18:00","to":"20:00"},)"
                   R"({"days":["sun"],"from":"23:00","to":"01:00"}]})");
  const TimeZone utc = TimeZone::Utc();
  EXPECT_TRUE(Inside(schedule, utc, Weekly(0, 7)));
  EXPECT_FALSE(Inside(schedule, utc, Weekly(0, 8)));
  EXPECT_FALSE(Inside(schedule, utc, Weekly(2, 7)));
  EXPECT_TRUE(Inside(schedule, utc, Weekly(2, 19)));
  EXPECT_TRUE(Inside(schedule, utc, Weekly(6, 23, 30)));
  EXPECT_TRUE(Inside(schedule, utc, Weekly(0, 0, 59))) << "Sunday's window, over midnight and the week's end";
  EXPECT_FALSE(Inside(schedule, utc, Weekly(0, 1)));
  EXPECT_FALSE(Inside(schedule, utc, Weekly(1, 0, 30)));
}

TEST(ScheduleTest, SeveralWindowsAreInsideExactlyWhereOneOfThemIs) {
  const char* texts[] = {R"({"days":["fri"],"from":"22:00","to":"06:00"})", R"({"from":"02:15","to":"02:45"})",
                         R"({"days":["sat","sun"],"from":"02:30","to":"12:00"})"};
  const Schedule all = MakeSchedule(
      (std::string(R"({"windows":[)") + texts[0] + "," + texts[1] + "," + texts[2] + R"(],"zone":"Europe/Berlin"})")
          .c_str());
  const TimeZone berlin = TimeZone::Parse(Slim("CET-1CEST,M3.5.0,M10.5.0/3")).value();
  for (const int64_t start : {1711756800, 1729900800}) {  // the Saturdays before clocks go forward and back in 2024
    for (int minute = 0; minute < 3 * 24 * 60; ++minute) {
      const Time time(std::chrono::seconds(start + 60 * minute));
      bool any = false;
      for (const char* text : texts) any = any || Inside(MakeSchedule(text), berlin, time);
      ASSERT_EQ(Inside(all, berlin, time), any) << FormatTime(time);
    }
  }
}

TEST(ScheduleTest, WindowsOverlapWhenAMinuteOfTheWeekIsInBoth) {
  const auto overlap = [](const char* a, const char* b) {
    const Window first = MakeSchedule(a).windows[0], second = MakeSchedule(b).windows[0];
    bool any = false;  // by looking at each minute
    for (int minute = 0; minute < 7 * 24 * 60; ++minute) {
      const WallClock clock = TimeZone::Utc().WallClockAt(Weekly(0, 0, minute));
      any = any || (IsInside(Schedule{{first}, "UTC"}, clock) && IsInside(Schedule{{second}, "UTC"}, clock));
    }
    EXPECT_EQ(Overlap(first, second), any) << a << " " << b;
    EXPECT_EQ(Overlap(second, first), any) << a << " " << b;
    return any;
  };
  EXPECT_FALSE(overlap(R"({"from":"06:00","to":"08:00"})", R"({"from":"08:00","to":"09:00"})"));
  EXPECT_TRUE(overlap(R"({"from":"06:00","to":"08:01"})", R"({"from":"08:00","to":"09:00"})"));
  EXPECT_TRUE(overlap("{}", R"({"days":["wed"],"from":"08:00","to":"09:00"})"));
  EXPECT_TRUE(
      overlap(R"({"days":["sun"],"from":"22:00","to":"06:00"})", R"({"days":["mon"],"from":"05:00","to":"07:00"})"));
  EXPECT_FALSE(
      overlap(R"({"days":["sun"],"from":"22:00","to":"06:00"})", R"({"days":["sun"],"from":"05:00","to":"07:00"})"));
  EXPECT_FALSE(overlap(R"({"days":["mon"]})", R"({"days":["tue"]})"));
}

TEST(ScheduleTest, TheHourThatComesTwiceIsInsideTwiceAndTheOneLeftOutNever) {
  const TimeZone berlin = TimeZone::Parse(Slim("CET-1CEST,M3.5.0,M10.5.0/3")).value();
  const Schedule early = MakeSchedule(R"({"from":"02:15","to":"02:45"})");
  EXPECT_TRUE(Inside(early, berlin, Utc(2026, 10, 25, 0, 30))) << "summer time";
  EXPECT_TRUE(Inside(early, berlin, Utc(2026, 10, 25, 1, 30))) << "and once more";
  int inside = 0;
  for (int minute = 0; minute < 24 * 60; ++minute) {
    inside += Inside(early, berlin, Utc(2026, 3, 28, 23) + minutes(minute)) ? 1 : 0;
  }
  EXPECT_EQ(inside, 0) << "29 March has no 02:15";
  const Schedule from_gap = MakeSchedule(R"({"from":"02:15","to":"04:00"})");
  EXPECT_TRUE(Inside(from_gap, berlin, Utc(2026, 3, 29, 1))) << "03:00, the first minute that there is";
}

TEST(ScheduleTest, AnErrorNamesTheFieldAndWhatWasWanted) {
  const auto message = [](const char* text) { return ParseSchedule(Json::Parse(text).value()).status().message(); };
  using ::testing::StartsWith;
  EXPECT_THAT(message("[]"), StartsWith("want an object"));
  EXPECT_THAT(message(R"({"days":[]})"), StartsWith("days: want"));
  EXPECT_THAT(message(R"({"days":["Mon"]})"), StartsWith("days: want"));
  EXPECT_THAT(message(R"({"from":"24:00"})"), StartsWith("from: want"));
  EXPECT_THAT(message(R"({"to":"7:00"})"), StartsWith("to: want"));
  EXPECT_THAT(message(R"({"to":"12:60"})"), StartsWith("to: want"));
  EXPECT_THAT(message(R"({"from":"10:00","to":"10:00"})"), StartsWith("to: the same"));
  EXPECT_THAT(message(R"({"zone":"../x"})"), StartsWith("zone: want"));
  EXPECT_THAT(message(R"({"at":"10:00"})"), StartsWith("\"at\": no such field"));
  EXPECT_THAT(message(R"({"windows":[]})"), StartsWith("windows: want 1 to 16"));
  EXPECT_THAT(message(R"({"windows":[{},{"from":"x"}]})"), StartsWith("windows[1]: from: want"));
  EXPECT_THAT(message(R"({"windows":[{"zone":"UTC"}]})"), StartsWith("windows[0]: \"zone\": no such field"));
  EXPECT_THAT(message(R"({"windows":[{}],"from":"10:00"})"), StartsWith("\"from\": no such field"));
}

TEST(ScheduleTest, OneWindowAndSeveralAreWrittenAsTheyAreRead) {
  for (const char* text : {R"({"days":["mon","sun"],"from":"08:00","to":"24:00","zone":"Europe/Berlin"})",
                           R"({"windows":[{"days":["mon"],"from":"08:00","to":"12:00"},)"
                           R"({"days":["sat","sun"],"from":"22:00","to":"06:00"}],"zone":"UTC"})"}) {
    EXPECT_EQ(ScheduleToJson(MakeSchedule(text)).Dump(), text);
  }
  EXPECT_EQ(MakeSchedule(R"({"windows":[{"from":"22:00","to":"06:00"}]})"),
            MakeSchedule(R"({"from":"22:00","to":"06:00"})"));
}

}  // namespace
}  // namespace pawsight::rules
