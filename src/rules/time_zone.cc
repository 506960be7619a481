#include "rules/time_zone.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/files.h"

namespace pawsight::rules {
namespace {

using std::chrono::seconds;

constexpr int64_t kDay = 86400;
constexpr size_t kHeaderBytes = 44;
constexpr size_t kMaxZoneName = 64;

int64_t BigEndian(std::span<const uint8_t> bytes) {
  uint64_t value = (bytes[0] & 0x80) != 0 ? ~uint64_t{0} : 0;
  for (const uint8_t byte : bytes) value = value << 8U | byte;
  return static_cast<int64_t>(value);
}

Status Damaged(std::string_view what) { return DataLoss("time zone: " + std::string(what)); }

/// The six counts of a TZif block.
struct Counts {
  uint32_t utc = 0, standard = 0, leap = 0, changes = 0, types = 0, letters = 0;

  size_t BlockBytes(size_t time_bytes) const {
    return size_t{changes} * (time_bytes + 1) + size_t{types} * 6 + letters + size_t{leap} * (time_bytes + 4) +
           standard + utc;
  }
};

Result<Counts> ReadCounts(std::span<const uint8_t> bytes) {
  if (bytes.size() < kHeaderBytes || std::memcmp(bytes.data(), "TZif", 4) != 0) return Damaged("not a TZif file");
  const auto count = [&](size_t i) { return static_cast<uint32_t>(BigEndian(bytes.subspan(20 + 4 * i, 4))); };
  const Counts counts{count(0), count(1), count(2), count(3), count(4), count(5)};
  if (counts.leap != 0) return Damaged("leap seconds are not read");
  if (counts.changes > kMaxZoneChanges || counts.types < 1 || counts.types > 256 || counts.letters > 2048 ||
      counts.standard > 256 || counts.utc > 256) {
    return Damaged("counts outside the limits");
  }
  return counts;
}

/// Reads POSIX's TZ text from the left.
class TzText {
 public:
  explicit TzText(std::string_view text) : text_(text) {}

  bool AtEnd() const { return text_.empty(); }
  bool Eat(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  /// "CET" or "<+03>".
  bool EatName() {
    size_t length = 0;
    if (Eat('<')) {
      length = text_.find('>');
      if (length == std::string_view::npos || length == 0) return false;
      text_.remove_prefix(length + 1);
      return true;
    }
    const auto is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
    while (length < text_.size() && is_letter(text_[length])) ++length;
    text_.remove_prefix(length);
    return length >= 3;
  }
  std::optional<int> Number(int low, int high) {
    int value = 0;
    size_t digits = 0;
    while (digits < text_.size() && digits < 4 && text_[digits] >= '0' && text_[digits] <= '9') {
      value = value * 10 + (text_[digits++] - '0');
    }
    text_.remove_prefix(digits);
    if (digits == 0 || value < low || value > high) return std::nullopt;
    return value;
  }
  /// "[+-]hh[:mm[:ss]]".
  std::optional<seconds> Clock(int max_hours) {
    const int sign = Eat('-') ? -1 : 1;
    if (sign == 1) (void)Eat('+');  // says nothing
    const std::optional<int> hours = Number(0, max_hours);
    if (!hours) return std::nullopt;
    int64_t total = int64_t{*hours} * 3600;
    for (const int64_t unit : {60, 1}) {
      if (!Eat(':')) break;
      const std::optional<int> part = Number(0, 59);
      if (!part) return std::nullopt;
      total += unit * *part;
    }
    return seconds(sign * total);
  }
  std::optional<YearlyChange> Yearly() {
    YearlyChange change;
    std::optional<int> day;
    if (Eat('M')) {
      const std::optional<int> month = Number(1, 12);
      const std::optional<int> week = Eat('.') ? Number(1, 5) : std::nullopt;
      day = Eat('.') ? Number(0, 6) : std::nullopt;
      if (!month || !week) return std::nullopt;
      change.month = *month;
      change.week = *week;
    } else if (Eat('J')) {
      change.kind = YearlyChange::Kind::kJulian;
      day = Number(1, 365);
    } else {
      change.kind = YearlyChange::Kind::kDayOfYear;
      day = Number(0, 365);
    }
    if (!day) return std::nullopt;
    change.day = *day;
    if (!Eat('/')) return change;
    const std::optional<seconds> at = Clock(167);
    if (!at) return std::nullopt;
    change.at = *at;
    return change;
  }

 private:
  std::string_view text_;
};

/// Days since 1970 of the change's date in `year`.
int64_t DayOf(const YearlyChange& change, std::chrono::year year) {
  using std::chrono::sys_days;
  const int64_t new_year = sys_days(year / 1 / 1).time_since_epoch().count();
  switch (change.kind) {
    case YearlyChange::Kind::kJulian:
      return new_year + change.day - 1 + (year.is_leap() && change.day >= 60 ? 1 : 0);
    case YearlyChange::Kind::kDayOfYear:
      return new_year + change.day;
    case YearlyChange::Kind::kMonthWeekDay: {
      const std::chrono::month month(static_cast<unsigned>(change.month));
      const std::chrono::weekday weekday(static_cast<unsigned>(change.day));
      const sys_days day = change.week == 5 ? sys_days(year / month / weekday[std::chrono::last])
                                            : sys_days(year / month / weekday[static_cast<unsigned>(change.week)]);
      return day.time_since_epoch().count();
    }
  }
  CHECK(false);
}

int64_t FloorDays(int64_t unix_seconds) {
  return unix_seconds >= 0 ? unix_seconds / kDay : -((kDay - 1 - unix_seconds) / kDay);
}

int64_t UnixSeconds(Time time) { return std::chrono::floor<seconds>(time.time_since_epoch()).count(); }

}  // namespace

Result<ForeverRule> ParseForeverRule(std::string_view text) {
  TzText in(text);
  ForeverRule rule;
  if (!in.EatName()) return Damaged("its last line has no name");
  const std::optional<seconds> standard = in.Clock(24);
  if (!standard) return Damaged("its last line has no offset");
  rule.standard = -*standard;  // POSIX counts westward
  if (in.AtEnd()) return rule;
  if (!in.EatName()) return Damaged("its last line has no summer name");
  rule.summer = rule.standard + seconds(3600);
  if (!in.Eat(',')) {
    const std::optional<seconds> summer = in.Clock(24);
    if (!summer || !in.Eat(',')) return Damaged("its last line says not when summer begins");
    rule.summer = -*summer;
  }
  const std::optional<YearlyChange> begins = in.Yearly();
  const std::optional<YearlyChange> ends = in.Eat(',') ? in.Yearly() : std::nullopt;
  if (!begins || !ends || !in.AtEnd()) return Damaged("its last line says not when summer begins and ends");
  rule.summer_begins = *begins;
  rule.summer_ends = *ends;
  return rule;
}

seconds ForeverOffset(const ForeverRule& rule, int64_t unix_seconds) {
  if (!rule.summer) return rule.standard;
  const std::chrono::sys_days day{std::chrono::days(FloorDays(unix_seconds + rule.standard.count()))};
  const std::chrono::year this_year = std::chrono::year_month_day(day).year();
  // The last change at or before the time decides. A change may fall days outside its year, so three years are looked
  // at.
  int64_t newest = INT64_MIN;
  seconds offset = rule.standard;
  for (int year = static_cast<int>(this_year) - 1; year <= static_cast<int>(this_year) + 1; ++year) {
    const std::chrono::year y(year);
    const int64_t begins = DayOf(rule.summer_begins, y) * kDay + (rule.summer_begins.at - rule.standard).count();
    const int64_t ends = DayOf(rule.summer_ends, y) * kDay + (rule.summer_ends.at - *rule.summer).count();
    if (begins <= unix_seconds && begins >= newest) {
      newest = begins;
      offset = *rule.summer;
    }
    // An end that falls on the next beginning is "summer all year" (as RFC 8536 writes it): the beginning wins.
    if (ends <= unix_seconds && ends > newest) {
      newest = ends;
      offset = rule.standard;
    }
  }
  return offset;
}

Result<TimeZone> TimeZone::ParseBlock(std::span<const uint8_t> bytes, size_t time_bytes, size_t* end) {
  PAWSIGHT_ASSIGN_OR_RETURN(const Counts counts, ReadCounts(bytes));
  if (bytes.size() - kHeaderBytes < counts.BlockBytes(time_bytes)) return Damaged("cut short");
  *end = kHeaderBytes + counts.BlockBytes(time_bytes);
  const std::span<const uint8_t> times = bytes.subspan(kHeaderBytes);
  const std::span<const uint8_t> kinds = times.subspan(counts.changes * time_bytes);
  const std::span<const uint8_t> types = kinds.subspan(counts.changes);
  std::vector<seconds> offsets;
  for (size_t i = 0; i < counts.types; ++i) {
    offsets.emplace_back(BigEndian(types.subspan(6 * i, 4)));
    if (std::abs(offsets.back().count()) > 26 * 3600) return Damaged("an offset of more than a day");
  }
  TimeZone zone;
  zone.first_ = offsets[0];
  for (size_t i = 0; i < counts.changes; ++i) {
    const int64_t at = BigEndian(times.subspan(i * time_bytes, time_bytes));
    if (kinds[i] >= counts.types) return Damaged("a change to a type that is not there");
    if (!zone.changes_.empty() && at <= zone.changes_.back().at) return Damaged("changes out of order");
    zone.changes_.push_back({at, offsets[kinds[i]]});
  }
  return zone;
}

Result<TimeZone> TimeZone::Parse(std::span<const uint8_t> bytes) {
  if (bytes.size() > kMaxZoneBytes) return Damaged("larger than 64 KiB");
  size_t end = 0;
  PAWSIGHT_ASSIGN_OR_RETURN(TimeZone zone, ParseBlock(bytes, 4, &end));
  const uint8_t version = bytes[4];
  if (version == 0) return zone;
  if (version < '2' || version > '4') return Damaged("a version that is not known");
  const std::span<const uint8_t> second = bytes.subspan(end);  // the same again with 64 bits a time
  PAWSIGHT_ASSIGN_OR_RETURN(zone, ParseBlock(second, 8, &end));
  const std::span<const uint8_t> rest = second.subspan(end);
  const std::string_view footer(reinterpret_cast<const char*>(rest.data()), rest.size());
  if (footer.size() < 2 || footer.front() != '\n' || footer.back() != '\n') return Damaged("no last line");
  const std::string_view text = footer.substr(1, footer.size() - 2);
  if (text.empty()) return zone;
  PAWSIGHT_ASSIGN_OR_RETURN(zone.forever_, ParseForeverRule(text));
  return zone;
}

seconds TimeZone::OffsetAt(Time time) const {
  const int64_t at = UnixSeconds(time);
  const auto after = std::upper_bound(changes_.begin(), changes_.end(), at,
                                      [](int64_t when, const Change& change) { return when < change.at; });
  if (after == changes_.end() && forever_) return ForeverOffset(*forever_, at);
  return after == changes_.begin() ? first_ : std::prev(after)->offset;
}

WallClock TimeZone::WallClockAt(Time time) const {
  const int64_t local = UnixSeconds(time) + OffsetAt(time).count();
  const int64_t day = FloorDays(local);
  const int64_t weekday = (day % 7 + 7 + 3) % 7;  // 1 January 1970 was a Thursday
  return {static_cast<int>(weekday), seconds(local - day * kDay)};
}

bool IsZoneName(std::string_view name) {
  if (name.empty() || name.size() > kMaxZoneName || name.front() == '/' || name.back() == '/') return false;
  if (name.find("//") != std::string_view::npos) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' ||
           c == '_' || c == '/';
  });
}

Result<std::shared_ptr<const TimeZone>> Zones::Find(std::string_view name) {
  const Status unknown =
      InvalidArgument("want a time zone's name such as \"Europe/Berlin\" or \"UTC\"", "zone_unknown");
  if (!IsZoneName(name)) return unknown;
  {
    MutexLock lock(mu_);
    const auto known = zones_.find(name);
    if (known != zones_.end()) return known->second;
    if (zones_.size() >= kMaxZones) return ResourceExhausted("time zones: more than a thousand names");
  }
  TimeZone zone = TimeZone::Utc();
  if (name != "UTC") {
    const Result<std::vector<uint8_t>> bytes = ReadFile(directory_ + "/" + std::string(name), kMaxZoneBytes);
    if (!bytes.ok()) return unknown;
    PAWSIGHT_ASSIGN_OR_RETURN(zone, TimeZone::Parse(*bytes));
  }
  auto made = std::make_shared<const TimeZone>(std::move(zone));
  MutexLock lock(mu_);
  return zones_.emplace(std::string(name), std::move(made)).first->second;
}

}  // namespace pawsight::rules
