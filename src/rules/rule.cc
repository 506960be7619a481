#include "rules/rule.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <utility>

namespace pawsight::rules {
namespace {

using std::chrono::milliseconds;

constexpr size_t kMaxIdBytes = 64;
constexpr milliseconds kMaxHold{24LL * 3600 * 1000};
constexpr milliseconds kMaxCooldown{7LL * 24 * 3600 * 1000};

constexpr milliseconds kLeastUpdate{10000};
constexpr int kMaxFrames = 32;

constexpr std::array<std::string_view, 18> kFields = {
    "id",         "question",  "expect",         "threshold",  "unsure_band", "for_s",
    "for_frames", "of_frames", "clear_s",        "cooldown_s", "severity",    "guard",
    "schedule",   "cameras",   "sample_every_s", "receivers",  "enabled",     "update_s"};

bool IsIdByte(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; }

Result<std::string> ParseId(const Json& json, const Question& question) {
  if (json.Find("id") == nullptr) return RuleIdFor(question);
  PAWSIGHT_ASSIGN_OR_RETURN(std::string id, json.GetString("id"));
  if (id.empty() || id.size() > kMaxIdBytes || !std::all_of(id.begin(), id.end(), IsIdByte)) {
    return InvalidArgument("id: want 1 to 64 of a-z, 0-9, - and _");
  }
  return id;
}

/// `id` with the first of -2, -3... that nobody has, within kMaxIdBytes.
std::string FreeId(const std::string& id, const std::set<std::string>& taken) {
  for (int number = 2;; ++number) {
    const std::string suffix = "-" + std::to_string(number);
    std::string candidate = id.substr(0, kMaxIdBytes - suffix.size()) + suffix;
    if (!taken.contains(candidate)) return candidate;
  }
}

Result<double> NumberOr(const Json& json, std::string_view key, double otherwise) {
  if (json.Find(key) == nullptr) return otherwise;
  return json.GetNumber(key);
}

Result<milliseconds> SecondsOr(const Json& json, std::string_view key, milliseconds otherwise, milliseconds most) {
  if (json.Find(key) == nullptr) return otherwise;
  PAWSIGHT_ASSIGN_OR_RETURN(const double seconds, json.GetNumber(key));
  const double limit = static_cast<double>(most.count()) / 1000;
  if (!(seconds >= 0 && seconds <= limit)) {
    return InvalidArgument(std::string(key) + ": want seconds, 0 to " + std::to_string(most.count() / 1000));
  }
  return milliseconds(std::llround(seconds * 1000));
}

Result<milliseconds> ParseUpdateEvery(const Json& json, milliseconds otherwise) {
  PAWSIGHT_ASSIGN_OR_RETURN(const milliseconds every, SecondsOr(json, "update_s", otherwise, kMaxHold));
  if (every.count() != 0 && every < kLeastUpdate) return InvalidArgument("update_s: want 0, or 10 seconds and more");
  return every;
}

Result<bool> ParseExpected(const Json& json) {
  if (json.Find("expect") == nullptr) return true;
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string text, json.GetString("expect"));
  if (text == "yes") return true;
  if (text == "no") return false;
  return InvalidArgument("expect: want \"yes\" or \"no\"");
}

Result<Severity> ParseSeverity(const Json& json) {
  if (json.Find("severity") == nullptr) return Severity::kWarning;
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string text, json.GetString("severity"));
  if (const std::optional<Severity> severity = SeverityOf(text)) return *severity;
  return InvalidArgument("severity: want \"info\", \"warning\" or \"critical\"");
}

Result<FrameCount> ParseFrames(const Json& json) {
  FrameCount frames;
  if (json.Find("for_frames") == nullptr) {
    if (json.Find("of_frames") != nullptr) return InvalidArgument("of_frames: only with for_frames");
    return frames;
  }
  if (json.Find("for_s") != nullptr) return InvalidArgument("for_frames: only without for_s");
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t needed, json.GetInteger("for_frames", 1, kMaxFrames));
  frames.needed = static_cast<int>(needed);
  frames.of = frames.needed;
  if (json.Find("of_frames") == nullptr) return frames;
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t of, json.GetInteger("of_frames", needed, kMaxFrames));
  frames.of = static_cast<int>(of);
  return frames;
}

Status ParseGuard(const Json& json, Rule& rule) {
  if (json.Find("guard") == nullptr) return Ok();
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string text, json.GetString("guard"));
  Result<Question> guard = Question::Parse(text);
  if (!guard.ok()) return Annotate(guard.status(), "guard");
  if (*guard == rule.question) return InvalidArgument("guard: the same as the question");
  rule.guard = std::move(*guard);
  return Ok();
}

Status ParseScheduleOf(const Json& json, Zones* zones, Rule& rule) {
  const Json* const text = json.Find("schedule");
  if (text == nullptr || text->is_null()) return Ok();
  Result<Schedule> schedule = ParseSchedule(*text);
  if (!schedule.ok()) return Annotate(schedule.status(), "schedule");
  if (zones != nullptr) {
    const Result<std::shared_ptr<const TimeZone>> zone = zones->Find(schedule->zone);
    if (!zone.ok()) return Annotate(zone.status(), "schedule.zone");
  }
  rule.schedule = std::move(*schedule);
  return Ok();
}

Status ParseWhereAndWhom(const Json& json, Rule& rule) {
  if (const Json* const cameras = json.Find("cameras"); cameras != nullptr) {
    Result<CameraSelector> selector = ParseCameraSelector(*cameras);
    if (!selector.ok()) return Annotate(selector.status(), "cameras");
    rule.cameras = std::move(*selector);
  }
  if (const Json* const receivers = json.Find("receivers"); receivers != nullptr) {
    Result<std::vector<std::string>> ids = ParseIds(*receivers, kMaxReceivers);
    if (!ids.ok()) return Annotate(ids.status(), "receivers");
    rule.receivers = std::move(*ids);
  }
  if (json.Find("enabled") != nullptr) {
    PAWSIGHT_ASSIGN_OR_RETURN(rule.enabled, json.GetBool("enabled"));
  }
  return Ok();
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo): the same everywhere, and nobody gains by a collision with himself.
uint64_t Mix(uint64_t hash, std::string_view text) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return (hash ^ 0xff) * 0x100000001B3ULL;  // no text has this byte: where one ends, and whether it is there
}

Status CheckFields(const Json& json) {
  if (!json.is_object()) return InvalidArgument("want an object");
  for (const auto& [key, value] : json.as_object()) {
    if (std::find(kFields.begin(), kFields.end(), key) == kFields.end()) {
      std::string known;
      for (const std::string_view field : kFields) known += (known.empty() ? "" : ", ") + std::string(field);
      return InvalidArgument(JsonQuote(key.substr(0, 64)) + ": no such field; there are " + known);
    }
  }
  return Ok();
}

}  // namespace

Result<Threshold> Threshold::Parse(double value) {
  if (!(value >= 0.01 && value <= 0.99)) return InvalidArgument("threshold: want 0.01 to 0.99");
  return Threshold(value);
}

std::string RuleIdFor(const Question& question) {
  std::string id;
  for (const char c : question.key()) {
    if (IsIdByte(c)) {
      id += c;
    } else if (!id.empty() && id.back() != '-') {
      id += '-';
    }
  }
  if (id.size() > kMaxIdBytes) id.resize(kMaxIdBytes);
  while (!id.empty() && id.back() == '-') id.pop_back();
  return id.empty() ? "rule" : id;
}

uint64_t Meaning(const Rule& rule) {
  uint64_t hash = Mix(0xCBF29CE484222325ULL, rule.question.key());
  hash = Mix(hash, rule.expected ? "yes" : "no");
  return rule.guard ? Mix(hash, rule.guard->key()) : hash;
}

Result<Rule> ParseRule(const Json& json, Zones* zones) {
  PAWSIGHT_RETURN_IF_ERROR(CheckFields(json));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string text, json.GetString("question"));
  PAWSIGHT_ASSIGN_OR_RETURN(Question question, Question::Parse(text));
  PAWSIGHT_ASSIGN_OR_RETURN(std::string id, ParseId(json, question));
  PAWSIGHT_ASSIGN_OR_RETURN(const bool expected, ParseExpected(json));
  PAWSIGHT_ASSIGN_OR_RETURN(const double threshold_value, NumberOr(json, "threshold", 0.7));
  PAWSIGHT_ASSIGN_OR_RETURN(const Threshold threshold, Threshold::Parse(threshold_value));
  PAWSIGHT_ASSIGN_OR_RETURN(const double band, NumberOr(json, "unsure_band", std::min(0.1, threshold.value())));
  if (!(band >= 0 && band <= threshold.value())) return InvalidArgument("unsure_band: want 0 up to the threshold");
  PAWSIGHT_ASSIGN_OR_RETURN(const milliseconds hold, SecondsOr(json, "for_s", milliseconds(0), kMaxHold));
  PAWSIGHT_ASSIGN_OR_RETURN(const milliseconds clear, SecondsOr(json, "clear_s", milliseconds(5000), kMaxHold));
  PAWSIGHT_ASSIGN_OR_RETURN(const milliseconds cooldown,
                            SecondsOr(json, "cooldown_s", milliseconds(60000), kMaxCooldown));
  PAWSIGHT_ASSIGN_OR_RETURN(const Severity severity, ParseSeverity(json));
  Rule rule{std::move(id), std::move(question), expected, threshold, band, hold, clear, cooldown, severity};
  PAWSIGHT_ASSIGN_OR_RETURN(rule.frames, ParseFrames(json));
  PAWSIGHT_RETURN_IF_ERROR(ParseGuard(json, rule));
  PAWSIGHT_RETURN_IF_ERROR(ParseScheduleOf(json, zones, rule));
  PAWSIGHT_ASSIGN_OR_RETURN(rule.sample_every, SecondsOr(json, "sample_every_s", milliseconds(0), kMaxHold));
  PAWSIGHT_ASSIGN_OR_RETURN(rule.update_every, ParseUpdateEvery(json, rule.update_every));
  PAWSIGHT_RETURN_IF_ERROR(ParseWhereAndWhom(json, rule));
  return rule;
}

Json RuleToJson(const Rule& rule) {
  const auto seconds = [](milliseconds ms) { return static_cast<double>(ms.count()) / 1000; };
  Json json(Json::Object{{"id", rule.id},
                         {"question", rule.question.text()},
                         {"expect", rule.expected ? "yes" : "no"},
                         {"threshold", rule.threshold.value()},
                         {"unsure_band", rule.unsure_band}});
  if (rule.frames.needed == 0) {
    json.Set("for_s", seconds(rule.hold));
  } else {
    json.Set("for_frames", rule.frames.needed);
    json.Set("of_frames", rule.frames.of);
  }
  json.Set("clear_s", seconds(rule.clear));
  json.Set("cooldown_s", seconds(rule.cooldown));
  json.Set("severity", SeverityName(rule.severity));
  if (rule.guard) json.Set("guard", rule.guard->text());
  if (rule.schedule) json.Set("schedule", ScheduleToJson(*rule.schedule));
  if (rule.sample_every.count() > 0) json.Set("sample_every_s", seconds(rule.sample_every));
  if (rule.update_every != kUsualUpdate) json.Set("update_s", seconds(rule.update_every));
  if (!(rule.cameras == CameraSelector{})) json.Set("cameras", CameraSelectorToJson(rule.cameras));
  if (!rule.receivers.empty()) json.Set("receivers", Json::Array(rule.receivers.begin(), rule.receivers.end()));
  if (!rule.enabled) json.Set("enabled", false);
  return json;
}

Result<std::vector<Rule>> ParseRules(const Json& json, Zones* zones) {
  if (!json.is_array()) return InvalidArgument("rules: want an array");
  if (json.as_array().size() > kMaxRules) return InvalidArgument("rules: more than 64");
  std::vector<Rule> parsed;
  std::set<std::string> ids;
  for (const Json& one : json.as_array()) {
    const std::string place = "rules[" + std::to_string(parsed.size()) + "]";
    Result<Rule> rule = ParseRule(one, zones);
    if (!rule.ok()) {
      const std::string& message = rule.status().message();
      const bool names_field = one.is_object();
      return Status(rule.status().code(), place + (names_field ? "." : ": ") + message, rule.status().reason());
    }
    const bool derived = one.Find("id") == nullptr;  // from the question; two may come out alike
    if (derived && ids.contains(rule->id)) rule->id = FreeId(rule->id, ids);
    if (!ids.insert(rule->id).second) return InvalidArgument(place + ".id: \"" + rule->id + "\" is used twice");
    parsed.push_back(std::move(*rule));
  }
  return parsed;
}

}  // namespace pawsight::rules
