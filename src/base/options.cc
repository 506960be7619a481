#include "base/options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "base/files.h"
#include "base/yaml.h"

namespace pawsight {
namespace {

constexpr size_t kMaxFileBytes = 1U << 20U;

struct Unit {
  std::string_view name;
  double scale;
};
constexpr std::array<Unit, 7> kTimes{
    {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}, {"d", 86400e9}}};
constexpr std::array<Unit, 8> kSizes{{{"", 1},
                                      {"B", 1},
                                      {"kB", 1e3},
                                      {"MB", 1e6},
                                      {"GB", 1e9},
                                      {"KiB", 1024.0},
                                      {"MiB", 1024.0 * 1024},
                                      {"GiB", 1024.0 * 1024 * 1024}}};

/// A number at the start of `text`, which is cut to what follows it.
bool TakeNumber(std::string_view* text, double* number) {
  const auto [end, error] =
      std::from_chars(text->data(), text->data() + text->size(), *number, std::chars_format::fixed);
  if (error != std::errc() || !std::isfinite(*number)) return false;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  while (text->starts_with(' ')) text->remove_prefix(1);
  return true;
}

bool Scaled(std::string_view text, std::span<const Unit> units, double* value) {
  double number = 0;
  if (!TakeNumber(&text, &number)) return false;
  const auto unit = std::ranges::find(units, text, &Unit::name);
  if (unit == units.end()) return false;
  *value = number * unit->scale;
  return std::abs(*value) < 9e18;
}

std::string PlainNumber(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

/// A value of a file as the text that a flag would have.
Result<std::string> AsText(const Json& value) {
  if (value.is_string()) return value.as_string();
  if (value.is_bool() || value.is_number()) return value.Dump();
  if (!value.is_array()) return InvalidArgument("want a word, a number or a list of words");
  std::string list;
  for (const Json& item : value.as_array()) {
    if (!item.is_string()) return InvalidArgument("want a list of words");
    if (item.as_string().find(',') != std::string::npos) return InvalidArgument("an item of a list has a comma");
    list += (list.empty() ? "" : ",") + item.as_string();
  }
  return list;
}

}  // namespace

Status ReadOption(std::string_view text, bool* value) {
  if (text == "true" || text == "false") {
    *value = text == "true";
    return Ok();
  }
  return InvalidArgument("want true or false");
}

Status ReadOption(std::string_view text, int* value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  if (error == std::errc() && end == text.data() + text.size()) return Ok();
  return InvalidArgument("want a whole number");
}

Status ReadOption(std::string_view text, double* value) {
  if (TakeNumber(&text, value) && text.empty()) return Ok();
  return InvalidArgument("want a number");
}

Status ReadOption(std::string_view text, Bytes* value) {
  double bytes = 0;
  if (!Scaled(text, kSizes, &bytes) || bytes < 0) return InvalidArgument("want a size, as 4096, 64kB or 16MiB");
  value->value = static_cast<uint64_t>(bytes);
  return Ok();
}

Status ReadOption(std::string_view text, std::string* value) {
  *value = text;
  return Ok();
}

Status ReadOption(std::string_view text, std::vector<std::string>* value) {
  value->clear();
  while (!text.empty()) {
    const size_t end = std::min(text.find(','), text.size());
    std::string_view item = text.substr(0, end);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (item.empty()) return InvalidArgument("want words separated by commas");
    value->emplace_back(item);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return Ok();
}

Status ReadOption(std::string_view text, std::chrono::nanoseconds* value) {
  double nanoseconds = 0;
  if (text != "0" && !Scaled(text, kTimes, &nanoseconds))
    return InvalidArgument("want a time with its unit, as 20ms, 1.5s or 2m");
  *value = std::chrono::nanoseconds(std::llround(nanoseconds));
  return Ok();
}

std::string PrintOption(bool value) { return value ? "true" : "false"; }
std::string PrintOption(int value) { return std::to_string(value); }
std::string PrintOption(double value) { return PlainNumber(value); }
std::string PrintOption(const std::string& value) { return value; }

std::string PrintOption(Bytes value) {
  for (auto unit = kSizes.rbegin(); unit->name != "B"; ++unit) {
    const auto scale = static_cast<uint64_t>(unit->scale);
    if (scale > 1 && value.value >= scale && value.value % scale == 0) {
      return std::to_string(value.value / scale) + std::string(unit->name);
    }
  }
  return std::to_string(value.value);
}

std::string PrintOption(const std::vector<std::string>& value) {
  std::string list;
  for (const std::string& item : value) list += (list.empty() ? "" : ",") + item;
  return list;
}

std::string PrintOption(std::chrono::nanoseconds value) {
  if (value.count() == 0) return "0";
  for (auto unit = kTimes.rbegin(); unit != kTimes.rend(); ++unit) {
    const auto scale = static_cast<int64_t>(unit->scale);
    if (value.count() % scale == 0) return std::to_string(value.count() / scale) + std::string(unit->name);
  }
  return {};
}

void OptionTable::AddEntry(std::string name, std::string help, bool is_bool,
                           std::function<Status(std::string_view)> set, std::function<std::string()> print) {
  CHECK(Find(name) == nullptr);
  Entry entry{.name = std::move(name),
              .help = std::move(help),
              .is_bool = is_bool,
              .set = std::move(set),
              .print = std::move(print)};
  entry.default_value = entry.print();
  entry.secret = entry.name.ends_with("token") || entry.name.ends_with("password");
  entries_.push_back(std::move(entry));
}

OptionTable::Entry* OptionTable::Find(std::string_view name) {
  const auto entry = std::ranges::find(entries_, name, &Entry::name);
  return entry == entries_.end() ? nullptr : &*entry;
}

bool OptionTable::IsGiven(std::string_view name) const {
  const auto entry = std::ranges::find(entries_, name, &Entry::name);
  CHECK(entry != entries_.end());
  return entry->origin != Entry{}.origin;
}

Status OptionTable::Set(std::string_view name, std::string_view text, std::string_view origin) {
  Entry* entry = Find(name);
  if (entry == nullptr) {
    std::vector<std::string> names;
    for (const Entry& known : entries_) names.push_back(known.name);
    const std::string nearest = Nearest(name, names);
    return InvalidArgument(std::string(origin) + ": unknown setting " + JsonQuote(name) +
                               (nearest.empty() ? std::string() : "; did you mean " + nearest + "?"),
                           "unknown_setting");
  }
  const Status set = entry->set(text);
  if (!set.ok()) {
    return Annotate(
        set, std::string(origin) + ": " + entry->name + (entry->secret ? std::string() : " is " + JsonQuote(text)));
  }
  entry->origin = origin;
  return Ok();
}

Status OptionTable::SetAll(std::string_view yaml, std::string_view origin) {
  const Result<Json> parsed = ParseYaml(yaml);
  if (!parsed.ok()) return Annotate(parsed.status(), origin);
  if (!parsed->is_object()) return InvalidArgument(std::string(origin) + ": want a map of settings, as max-batch: 8");
  for (const auto& [name, value] : parsed->as_object()) {
    const Result<std::string> text = AsText(value);
    if (!text.ok()) return Annotate(text.status(), std::string(origin) + ": " + name);
    PAWSIGHT_RETURN_IF_ERROR(Set(name, *text, origin));
  }
  return Ok();
}

Status OptionTable::ReadFile(const std::string& path) {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kMaxFileBytes));
  return SetAll(text, path);
}

Status OptionTable::ReadEnvironment(std::string_view prefix, std::span<const std::string> environment) {
  for (const std::string& variable : environment) {
    const size_t equals = variable.find('=');
    if (!variable.starts_with(prefix) || equals == std::string::npos) continue;
    std::string name = variable.substr(prefix.size(), equals - prefix.size());
    for (char& c : name) c = c == '_' ? '-' : static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    PAWSIGHT_RETURN_IF_ERROR(
        Set(name, std::string_view(variable).substr(equals + 1), "$" + variable.substr(0, equals)));
  }
  return Ok();
}

std::string OptionTable::Effective() const {
  std::string out;
  for (const Entry& entry : entries_) {
    const std::string value = entry.secret && !entry.print().empty() ? "***" : entry.print();
    const bool plain = !value.empty() &&
                       value.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-") ==
                           std::string::npos &&
                       value != "-" && value.front() != '-';
    out += entry.name + ": " + (plain ? value : JsonQuote(value)) + "  # " + entry.origin + "\n";
  }
  return out;
}

std::string Nearest(std::string_view wanted, std::span<const std::string> names) {
  if (wanted.size() > 64) return {};
  std::string nearest;
  size_t least = 1 + std::max<size_t>(1, wanted.size() / 3);  // so many edits are no longer a slip
  for (const std::string& name : names) {
    std::vector<size_t> row(name.size() + 1), before,
        older;  // edits from a prefix of `wanted` to each prefix of `name`
    for (size_t j = 0; j <= name.size(); ++j) row[j] = j;
    for (size_t i = 1; i <= wanted.size(); ++i) {
      older = std::move(before);
      before = row;
      row[0] = i;
      for (size_t j = 1; j <= name.size(); ++j) {
        const bool same = wanted[i - 1] == name[j - 1];
        row[j] = std::min({before[j] + 1, row[j - 1] + 1, before[j - 1] + (same ? 0U : 1U)});
        if (i > 1 && j > 1 && wanted[i - 1] == name[j - 2] && wanted[i - 2] == name[j - 1])
          row[j] = std::min(row[j], older[j - 2] + 1);
      }
    }
    if (row.back() < least) {
      least = row.back();
      nearest = name;
    }
  }
  return nearest;
}

}  // namespace pawsight
