// gateway/api/schema_testing.h: holds JSON to the schemas of docs/openapi.yaml: the part of JSON Schema that it uses.
// For tests only; thread-compatible.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"

namespace pawsight::gateway::testing {

/// What "#/components/schemas/X" stands for; null when there is nothing.
inline const Json* Resolve(const Json& document, std::string_view ref) {
  const Json* found = ref.starts_with("#/") ? &document : nullptr;
  for (size_t at = 2; found != nullptr && at <= ref.size();) {
    const size_t end = std::min(ref.find('/', at), ref.size());
    found = found->Find(ref.substr(at, end - at));
    at = end + 1;
  }
  return found;
}

/// The thing itself, or what its $ref stands for.
inline const Json& Follow(const Json& document, const Json& thing) {
  const Json* ref = thing.Find("$ref");
  if (ref == nullptr) return thing;
  const Json* found = Resolve(document, ref->as_string());
  CHECK(found != nullptr);
  return *found;
}

inline bool IsOfType(const Json& value, std::string_view type) {
  if (type == "null") return value.is_null();
  if (type == "boolean") return value.is_bool();
  if (type == "integer") return value.is_integer();
  if (type == "number") return value.is_number();
  if (type == "string") return value.is_string();
  if (type == "array") return value.is_array();
  return type == "object" && value.is_object();
}

std::string Fault(const Json& document, const Json& schema, const Json& value, const std::string& where);

inline std::string ObjectFault(const Json& document, const Json& schema, const Json& value, const std::string& where) {
  if (const Json* required = schema.Find("required"); required != nullptr) {
    for (const Json& key : required->as_array()) {
      if (value.Find(key.as_string()) == nullptr) return where + ": lacks " + key.as_string();
    }
  }
  const Json* properties = schema.Find("properties");
  const Json* additional = schema.Find("additionalProperties");
  for (const auto& [key, member] : value.as_object()) {
    const Json* property = properties == nullptr ? nullptr : properties->Find(key);
    const std::string place = where + "." + key;
    if (property == nullptr && additional != nullptr && additional->is_bool() && !additional->as_bool()) {
      return place + ": is not in the schema";
    }
    if (property == nullptr && additional != nullptr && additional->is_object()) property = additional;
    if (property == nullptr) continue;
    if (std::string fault = Fault(document, *property, member, place); !fault.empty()) return fault;
  }
  return {};
}

/// "" when the value is as the schema says, else where and why not.
inline std::string Fault(const Json& document, const Json& given, const Json& value, const std::string& where) {
  const Json& schema = Follow(document, given);
  if (const Json* type = schema.Find("type"); type != nullptr) {
    bool fits = type->is_string() && IsOfType(value, type->as_string());
    if (type->is_array()) {
      for (const Json& one : type->as_array()) fits = fits || IsOfType(value, one.as_string());
    }
    if (!fits) return where + ": is " + value.Dump().substr(0, 60) + ", want " + type->Dump();
  }
  if (const Json* choices = schema.Find("enum"); choices != nullptr) {
    bool found = false;
    for (const Json& choice : choices->as_array()) found = found || choice.Dump() == value.Dump();
    if (!found) return where + ": is " + value.Dump() + ", want one of " + choices->Dump();
  }
  if (const Json* any = schema.Find("anyOf"); any != nullptr) {
    bool fits = false;
    for (const Json& one : any->as_array()) fits = fits || Fault(document, one, value, where).empty();
    if (!fits) return where + ": is " + value.Dump().substr(0, 60) + ", want any of " + any->Dump();
  }
  if (value.is_string() && schema.Find("format") != nullptr && !ParseTime(value.as_string()).ok()) {
    return where + ": is no time";
  }
  if (const Json* low = schema.Find("minimum");
      low != nullptr && value.is_number() && value.as_number() < low->as_number()) {
    return where + ": below " + low->Dump();
  }
  if (const Json* high = schema.Find("maximum");
      high != nullptr && value.is_number() && value.as_number() > high->as_number()) {
    return where + ": above " + high->Dump();
  }
  if (const Json* items = schema.Find("items"); items != nullptr && value.is_array()) {
    for (size_t i = 0; i < value.as_array().size(); ++i) {
      const std::string place = where + "[" + std::to_string(i) + "]";
      if (std::string fault = Fault(document, *items, value.as_array()[i], place); !fault.empty()) return fault;
    }
  }
  return value.is_object() ? ObjectFault(document, schema, value, where) : std::string();
}

}  // namespace pawsight::gateway::testing
