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

constexpr std::array<std::string_view, 9> kFields = {"id",    "question", "expect",     "threshold", "unsure_band",
                                                     "for_s", "clear_s",  "cooldown_s", "severity"};

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
  for (const Severity severity : {Severity::kInfo, Severity::kWarning, Severity::kCritical}) {
    if (text == SeverityName(severity)) return severity;
  }
  return InvalidArgument("severity: want \"info\", \"warning\" or \"critical\"");
}

Status CheckFields(const Json& json) {
  if (!json.is_object()) return InvalidArgument("want an object");
  for (const auto& [key, value] : json.as_object()) {
    if (std::find(kFields.begin(), kFields.end(), key) == kFields.end()) {
      return InvalidArgument(JsonQuote(key.substr(0, 64)) +
                             ": no such field; there are id, question, expect, threshold, "
                             "unsure_band, for_s, clear_s, cooldown_s, severity");
    }
  }
  return Ok();
}

}  // namespace

std::string_view SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kCritical:
      return "critical";
  }
  CHECK(false);
}

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

Result<Rule> ParseRule(const Json& json) {
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
  return Rule{std::move(id), std::move(question), expected, threshold, band, hold, clear, cooldown, severity};
}

Json RuleToJson(const Rule& rule) {
  const auto seconds = [](milliseconds ms) { return static_cast<double>(ms.count()) / 1000; };
  return Json(Json::Object{{"id", rule.id},
                           {"question", rule.question.text()},
                           {"expect", rule.expected ? "yes" : "no"},
                           {"threshold", rule.threshold.value()},
                           {"unsure_band", rule.unsure_band},
                           {"for_s", seconds(rule.hold)},
                           {"clear_s", seconds(rule.clear)},
                           {"cooldown_s", seconds(rule.cooldown)},
                           {"severity", SeverityName(rule.severity)}});
}

Result<std::vector<Rule>> ParseRules(const Json& json) {
  if (!json.is_array()) return InvalidArgument("rules: want an array");
  if (json.as_array().size() > kMaxRules) return InvalidArgument("rules: more than 64");
  std::vector<Rule> parsed;
  std::set<std::string> ids;
  for (const Json& one : json.as_array()) {
    const std::string place = "rules[" + std::to_string(parsed.size()) + "]";
    Result<Rule> rule = ParseRule(one);
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
