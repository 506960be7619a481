#include "gateway/api/fields.h"

#include <algorithm>

#include "base/options.h"

namespace pawsight::gateway {

Fields::Fields(const Json& json) : json_(json) {
  if (!json.is_object()) status_ = InvalidArgument("the body: want a JSON object", "body");
}

const Json* Fields::Take(std::string_view key) {
  known_.emplace_back(key);
  const Json* value = status_.ok() ? json_.Find(key) : nullptr;
  return value == nullptr || value->is_null() ? nullptr : value;
}

void Fields::Fail(std::string_view key, const std::string& wanted) {
  if (status_.ok()) status_ = InvalidArgument(std::string(key) + ": " + wanted, "field");
}

bool Fields::Has(std::string_view key) { return Take(key) != nullptr; }

std::string Fields::Text(std::string_view key, size_t max_bytes) {
  if (!Has(key)) {
    Fail(key, "missing, want a text");
    return {};
  }
  const std::string text = Text(key, "", max_bytes);
  if (text.empty()) Fail(key, "empty");
  return text;
}

std::string Fields::Text(std::string_view key, const std::string& otherwise, size_t max_bytes) {
  const Json* value = Take(key);
  if (value == nullptr) return otherwise;
  if (!value->is_string() || value->as_string().size() > max_bytes ||
      value->as_string().find('\0') != std::string::npos) {
    Fail(key, "want a text of at most " + std::to_string(max_bytes) + " bytes");
    return otherwise;
  }
  return value->as_string();
}

bool Fields::Flag(std::string_view key, bool otherwise) {
  const Json* value = Take(key);
  if (value == nullptr) return otherwise;
  if (value->is_bool()) return value->as_bool();
  Fail(key, "want true or false");
  return otherwise;
}

double Fields::Number(std::string_view key, double low, double high) {
  if (!Has(key)) Fail(key, "missing, want a number");
  return Number(key, low, low, high);
}

double Fields::Number(std::string_view key, double otherwise, double low, double high) {
  const Json* value = Take(key);
  if (value == nullptr) return otherwise;
  if (value->is_number() && value->as_number() >= low && value->as_number() <= high) return value->as_number();
  Fail(key, "want a number, " + PrintOption(low) + ".." + PrintOption(high));
  return otherwise;
}

int64_t Fields::Integer(std::string_view key, int64_t otherwise, int64_t low, int64_t high) {
  const Json* value = Take(key);
  if (value == nullptr) return otherwise;
  if (value->is_integer() && value->as_integer() >= low && value->as_integer() <= high) return value->as_integer();
  Fail(key, "want a whole number, " + std::to_string(low) + ".." + std::to_string(high));
  return otherwise;
}

std::vector<std::string> Fields::Texts(std::string_view key, size_t max_count, size_t max_bytes) {
  const Json* value = Take(key);
  if (value == nullptr) return {};
  std::vector<std::string> texts;
  const std::string wanted =
      "want at most " + std::to_string(max_count) + " different texts of 1.." + std::to_string(max_bytes) + " bytes";
  if (!value->is_array() || value->as_array().size() > max_count) {
    Fail(key, wanted);
    return {};
  }
  for (const Json& item : value->as_array()) {
    const bool fit = item.is_string() && !item.as_string().empty() && item.as_string().size() <= max_bytes &&
                     item.as_string().find('\0') == std::string::npos &&
                     std::find(texts.begin(), texts.end(), item.as_string()) == texts.end();
    if (!fit) {
      Fail(key, wanted);
      return {};
    }
    texts.push_back(item.as_string());
  }
  return texts;
}

std::optional<Time> Fields::When(std::string_view key) {
  const Json* value = Take(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) {
    const Result<Time> time = ParseTime(value->as_string());
    if (time.ok()) return *time;
  }
  Fail(key, "want a time as 2026-01-31T08:15:30Z");
  return std::nullopt;
}

std::string Fields::Choice(std::string_view key, const std::vector<std::string>& choices) {
  const Json* value = Take(key);
  if (value != nullptr && value->is_string() &&
      std::find(choices.begin(), choices.end(), value->as_string()) != choices.end()) {
    return value->as_string();
  }
  std::string wanted = "want one of";
  for (const std::string& choice : choices) wanted += " " + choice;
  Fail(key, wanted);
  return choices.front();
}

void Fields::Given(std::string_view key, bool sent_back, const std::string& shown) {
  const Json* value = Take(key);
  if (value == nullptr) return;
  if (!sent_back) Fail(key, "the gateway gives it; leave it out");
  if (!shown.empty() && !(value->is_string() && value->as_string() == shown)) Fail(key, "is not that of the path");
}

Json Fields::Any(std::string_view key) {
  const Json* value = Take(key);
  return value == nullptr ? Json() : *value;
}

Status Fields::Finish() {
  if (!status_.ok()) return status_;
  for (const auto& [key, value] : json_.as_object()) {
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    std::vector<std::string> names = known_;
    const std::string nearest = Nearest(key, names);
    return InvalidArgument(JsonQuote(key) + ": unknown" + (nearest.empty() ? "" : "; did you mean " + nearest + "?"),
                           "field_unknown");
  }
  return Ok();
}

}  // namespace pawsight::gateway
