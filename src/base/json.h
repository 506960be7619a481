// base/json.h: a JSON value, a strict bounded parser and a writer. Parsing is Boost.JSON's (RFC 8259); this class gives
// getters whose errors name the path of the field ("vision_config.hidden_size: missing, want an integer").
// Thread-compatible.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/status.h"

namespace pawsight {

struct JsonLimits {
  size_t max_bytes = 16U << 20U;
  int max_depth = 64;
  /// The hub's tokenizer_config.json has a key twice, so model files accept that (the last wins); requests do not.
  bool allow_duplicate_keys = false;
  size_t max_values = size_t(-1);  // a value costs 50 bytes of memory, and "0," only two of text
};

class Json {
 public:
  using Array = std::vector<Json>;
  /// In the order of the text.
  using Object = std::vector<std::pair<std::string, Json>>;

  Json() = default;  // null
  Json(bool value) : value_(value) {}                              // NOLINT: literals read well
  Json(int value) : value_(static_cast<int64_t>(value)) {}         // NOLINT
  Json(int64_t value) : value_(value) {}                           // NOLINT
  Json(uint64_t value) : value_(static_cast<int64_t>(value)) {}    // NOLINT: values above 2^63-1 are not used
  Json(double value) : value_(value) {}                            // NOLINT
  Json(std::string value) : value_(std::move(value)) {}            // NOLINT
  Json(std::string_view value) : value_(std::string(value)) {}     // NOLINT
  Json(const char* value) : value_(std::string(value)) {}          // NOLINT
  Json(Array value) : value_(std::move(value)) {}                  // NOLINT
  Json(Object value) : value_(std::move(value)) {}                 // NOLINT

  /// Errors: kInvalidArgument with line and column: not JSON, invalid UTF-8, NaN or a number out of range, too deep, a
  /// key twice, anything after the value. kResourceExhausted, more than max_bytes or max_values.
  static Result<Json> Parse(std::string_view text, const JsonLimits& limits = {});

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_integer() const { return std::holds_alternative<int64_t>(value_); }
  bool is_number() const { return is_integer() || std::holds_alternative<double>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }

  /// The value as that type; CHECK when it is another. Test first, or use the getters below.
  bool as_bool() const;
  int64_t as_integer() const;
  /// An integer counts as a number.
  double as_number() const;
  const std::string& as_string() const;
  const Array& as_array() const;
  const Object& as_object() const;

  /// The member, or nullptr when this is no object or has no such key. With a key twice, the last.
  const Json* Find(std::string_view key) const;

  /// Members by type. Errors: kInvalidArgument, "key: missing, want a string" or "key: want a string".
  Result<std::string> GetString(std::string_view key) const;
  Result<int64_t> GetInteger(std::string_view key) const;
  /// Also kInvalidArgument outside [low, high].
  Result<int64_t> GetInteger(std::string_view key, int64_t low, int64_t high) const;
  Result<double> GetNumber(std::string_view key) const;
  Result<bool> GetBool(std::string_view key) const;
  /// The pointer lives as long as this value.
  Result<const Array*> GetArray(std::string_view key) const;
  Result<const Object*> GetObject(std::string_view key) const;

  /// Sets a member of an object (a null becomes one); an equal key is replaced.
  void Set(std::string_view key, Json value);
  /// Adds to an array (a null becomes one).
  void Append(Json value);

  /// One line, keys in their order. Doubles keep their value; NaN and infinities, which JSON lacks, become null.
  std::string Dump() const;

 private:
  std::variant<std::monostate, bool, int64_t, double, std::string, Array, Object> value_;
};

/// `text` in quotes with JSON's escapes; bytes that are no UTF-8 become U+FFFD, so the result always is.
std::string JsonQuote(std::string_view text);

}  // namespace pawsight
