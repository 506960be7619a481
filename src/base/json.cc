#include "base/json.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <cmath>
#include <cstdio>
#include <set>

namespace pawsight {
namespace {

/// Builds a Json from Boost.JSON's parse events; the events arrive in text order, so a stack of open containers is all
/// it needs.
class Builder {
 public:
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);
  using error_code = boost::system::error_code;
  using string_view = boost::json::string_view;

  Json root;
  bool allow_duplicate_keys = false;
  size_t values_left = size_t(-1);
  bool too_many = false;
  std::string duplicate;

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_array_begin(error_code& ec) { return Count(ec) && Open(Json(Json::Array{})); }
  bool on_array_end(std::size_t, error_code&) { return Close(); }
  bool on_object_begin(error_code& ec) { return Count(ec) && Open(Json(Json::Object{})); }
  bool on_object_end(std::size_t, error_code& ec) {
    if (!allow_duplicate_keys && HasDuplicate(open_.back().value.as_object())) {
      ec = boost::json::make_error_code(boost::json::error::syntax);
      return false;
    }
    return Close();
  }
  bool on_string_part(string_view s, std::size_t, error_code&) { return Text(s); }
  bool on_string(string_view s, std::size_t, error_code& ec) {
    Text(s);
    return Count(ec) && Put(Json(std::exchange(text_, {})));
  }
  bool on_key_part(string_view s, std::size_t, error_code&) { return Text(s); }
  bool on_key(string_view s, std::size_t, error_code&) {
    Text(s);
    open_.back().key = std::exchange(text_, {});
    return true;
  }
  bool on_number_part(string_view, error_code&) { return true; }
  bool on_int64(int64_t value, string_view, error_code& ec) { return Count(ec) && Put(Json(value)); }
  bool on_uint64(uint64_t value, string_view, error_code& ec) {
    return Count(ec) && Put(Json(static_cast<double>(value)));
  }
  bool on_double(double value, string_view, error_code& ec) {
    if (std::isfinite(value)) return Count(ec) && Put(Json(value));
    ec = boost::json::make_error_code(boost::json::error::exponent_overflow);
    return false;
  }
  bool on_bool(bool value, error_code& ec) { return Count(ec) && Put(Json(value)); }
  bool on_null(error_code& ec) { return Count(ec) && Put(Json()); }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

 private:
  struct Container {
    std::string key;  // of the member being read, when this is an object
    Json value;
  };

  bool HasDuplicate(const Json::Object& members) {
    std::set<std::string_view> seen;
    for (const auto& [key, unused] : members) {
      if (!seen.insert(key).second) {
        duplicate = key;
        return true;
      }
    }
    return false;
  }
  bool Count(error_code& ec) {
    if (values_left-- > 0) return true;
    too_many = true;
    ec = boost::json::make_error_code(boost::json::error::array_too_large);
    return false;
  }
  bool Text(string_view s) {
    text_.append(s.data(), s.size());
    return true;
  }
  bool Open(Json value) {
    open_.push_back({{}, std::move(value)});
    return true;
  }
  bool Close() {
    Json done = std::move(open_.back().value);
    open_.pop_back();
    return Put(std::move(done));
  }
  bool Put(Json value) {
    if (open_.empty()) {
      root = std::move(value);
    } else if (Container& parent = open_.back(); parent.value.is_object()) {
      const_cast<Json::Object&>(parent.value.as_object()).emplace_back(std::move(parent.key), std::move(value));
    } else {
      const_cast<Json::Array&>(parent.value.as_array()).push_back(std::move(value));
    }
    return true;
  }

  std::vector<Container> open_;
  std::string text_;
};

std::string Place(std::string_view text, size_t at) {
  const std::string_view before = text.substr(0, at);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const size_t start = before.rfind('\n');
  const size_t column = start == std::string_view::npos ? at + 1 : at - start;
  return "line " + std::to_string(line) + " column " + std::to_string(column);
}

/// Bytes of the well-formed multi-byte sequence that `text` begins with, or 0: RFC 3629, section 4.
size_t Utf8Length(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto in = [](unsigned value, unsigned low, unsigned high) { return value >= low && value <= high; };
  const unsigned lead = byte(0);
  if (in(lead, 0xC2, 0xDF)) return in(byte(1), 0x80, 0xBF) ? 2 : 0;
  if (in(lead, 0xE0, 0xEF)) {
    const bool second = in(byte(1), lead == 0xE0 ? 0xA0 : 0x80, lead == 0xED ? 0x9F : 0xBF);
    return second && in(byte(2), 0x80, 0xBF) ? 3 : 0;
  }
  if (in(lead, 0xF0, 0xF4)) {
    const bool second = in(byte(1), lead == 0xF0 ? 0x90 : 0x80, lead == 0xF4 ? 0x8F : 0xBF);
    return second && in(byte(2), 0x80, 0xBF) && in(byte(3), 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

void DumpTo(const Json& json, std::string* out);

void DumpNumber(double value, std::string* out) {
  if (!std::isfinite(value)) {
    *out += "null";
    return;
  }
  char text[32];
  for (const int digits : {9, 12, 15, 17}) {
    std::snprintf(text, sizeof text, "%.*g", digits, value);
    if (std::strtod(text, nullptr) == value) break;
  }
  *out += text;
}

void DumpContainer(const Json& json, std::string* out) {
  const char* separator = "";
  if (json.is_array()) {
    *out += '[';
    for (const Json& item : json.as_array()) {
      *out += separator;
      DumpTo(item, out);
      separator = ",";
    }
    *out += ']';
    return;
  }
  *out += '{';
  for (const auto& [key, value] : json.as_object()) {
    *out += separator;
    *out += JsonQuote(key);
    *out += ':';
    DumpTo(value, out);
    separator = ",";
  }
  *out += '}';
}

void DumpTo(const Json& json, std::string* out) {
  if (json.is_null()) {
    *out += "null";
  } else if (json.is_bool()) {
    *out += json.as_bool() ? "true" : "false";
  } else if (json.is_integer()) {
    *out += std::to_string(json.as_integer());
  } else if (json.is_number()) {
    DumpNumber(json.as_number(), out);
  } else if (json.is_string()) {
    *out += JsonQuote(json.as_string());
  } else {
    DumpContainer(json, out);
  }
}

Status Wrong(std::string_view key, const Json* found, std::string_view wanted) {
  return InvalidArgument(std::string(key) + (found == nullptr ? ": missing, want " : ": want ") + std::string(wanted),
                         "field_invalid");
}

}  // namespace

Result<Json> Json::Parse(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return ResourceExhausted("JSON: " + std::to_string(text.size()) + " bytes, more than the limit of " +
                             std::to_string(limits.max_bytes));
  }
  boost::json::parse_options options;
  options.max_depth = static_cast<size_t>(limits.max_depth);
  boost::json::basic_parser<Builder> parser(options);
  parser.handler().allow_duplicate_keys = limits.allow_duplicate_keys;
  parser.handler().values_left = limits.max_values;
  boost::system::error_code error;
  const size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (parser.handler().too_many) {
    return ResourceExhausted("JSON: more than " + std::to_string(limits.max_values) + " values");
  }
  if (!parser.handler().duplicate.empty()) {
    return InvalidArgument("JSON: " + Place(text, used) + ": the key " + JsonQuote(parser.handler().duplicate) +
                           " stands twice", "json_duplicate_key");
  }
  if (error) return InvalidArgument("JSON: " + Place(text, used) + ": " + error.message(), "json_invalid");
  const size_t rest = text.find_first_not_of(" \t\r\n", used);
  if (rest != std::string_view::npos) {
    return InvalidArgument("JSON: " + Place(text, rest) + ": text after the value", "json_invalid");
  }
  return std::move(parser.handler().root);
}

bool Json::as_bool() const {
  CHECK(is_bool());
  return std::get<bool>(value_);
}
int64_t Json::as_integer() const {
  CHECK(is_integer());
  return std::get<int64_t>(value_);
}
double Json::as_number() const {
  CHECK(is_number());
  return is_integer() ? static_cast<double>(std::get<int64_t>(value_)) : std::get<double>(value_);
}
const std::string& Json::as_string() const {
  CHECK(is_string());
  return std::get<std::string>(value_);
}
const Json::Array& Json::as_array() const {
  CHECK(is_array());
  return std::get<Array>(value_);
}
const Json::Object& Json::as_object() const {
  CHECK(is_object());
  return std::get<Object>(value_);
}

const Json* Json::Find(std::string_view key) const {
  if (!is_object()) return nullptr;
  const Object& members = as_object();
  for (auto it = members.rbegin(); it != members.rend(); ++it) {
    if (it->first == key) return &it->second;
  }
  return nullptr;
}

Result<std::string> Json::GetString(std::string_view key) const {
  const Json* found = Find(key);
  if (found == nullptr || !found->is_string()) return Wrong(key, found, "a string");
  return found->as_string();
}

Result<int64_t> Json::GetInteger(std::string_view key) const {
  const Json* found = Find(key);
  if (found == nullptr || !found->is_integer()) return Wrong(key, found, "an integer");
  return found->as_integer();
}

Result<int64_t> Json::GetInteger(std::string_view key, int64_t low, int64_t high) const {
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t value, GetInteger(key));
  if (value >= low && value <= high) return value;
  return InvalidArgument(std::string(key) + ": " + std::to_string(value) + " is outside " + std::to_string(low) + ".." +
                         std::to_string(high), "field_invalid");
}

Result<double> Json::GetNumber(std::string_view key) const {
  const Json* found = Find(key);
  if (found == nullptr || !found->is_number()) return Wrong(key, found, "a number");
  return found->as_number();
}

Result<bool> Json::GetBool(std::string_view key) const {
  const Json* found = Find(key);
  if (found == nullptr || !found->is_bool()) return Wrong(key, found, "true or false");
  return found->as_bool();
}

Result<const Json::Array*> Json::GetArray(std::string_view key) const {
  const Json* found = Find(key);
  if (found == nullptr || !found->is_array()) return Wrong(key, found, "an array");
  return &found->as_array();
}

Result<const Json::Object*> Json::GetObject(std::string_view key) const {
  const Json* found = Find(key);
  if (found == nullptr || !found->is_object()) return Wrong(key, found, "an object");
  return &found->as_object();
}

void Json::Set(std::string_view key, Json value) {
  if (is_null()) value_ = Object{};
  CHECK(is_object());
  for (auto& [name, member] : std::get<Object>(value_)) {
    if (name == key) {
      member = std::move(value);
      return;
    }
  }
  std::get<Object>(value_).emplace_back(std::string(key), std::move(value));
}

void Json::Append(Json value) {
  if (is_null()) value_ = Array{};
  CHECK(is_array());
  std::get<Array>(value_).push_back(std::move(value));
}

std::string Json::Dump() const {
  std::string out;
  DumpTo(*this, &out);
  return out;
}

std::string JsonQuote(std::string_view text) {
  std::string out = "\"";
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (static_cast<unsigned char>(c) >= 0x80) {
      const size_t length = Utf8Length(text.substr(at));
      out += length == 0 ? "\xEF\xBF\xBD" : text.substr(at, length);  // U+FFFD for what is no UTF-8
      at += length == 0 ? 0 : length - 1;
      continue;
    }
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
          char escape[8];
          std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
          out += escape;
        } else {
          out += c;
        }
    }
  }
  return out + '"';
}

}  // namespace pawsight
