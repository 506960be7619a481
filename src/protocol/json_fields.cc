#include "protocol/json_fields.h"

#include <charconv>

#include "protocol/binary_tensors.h"
#include "protocol/json_data.h"

namespace pawsight::protocol {
namespace {

Result<std::vector<int64_t>> ParseShape(const Json& tensor, const InferLimits& limits) {
  PAWSIGHT_ASSIGN_OR_RETURN(const Json::Array* dims, tensor.GetArray("shape"));
  if (dims->size() > limits.max_dims) {
    return InvalidArgument(
        "shape: " + std::to_string(dims->size()) + " dimensions, want at most " + std::to_string(limits.max_dims),
        "shape_invalid");
  }
  std::vector<int64_t> shape;
  for (const Json& dim : *dims) {
    if (!dim.is_integer()) return InvalidArgument("shape: want integers", "shape_invalid");
    shape.push_back(dim.as_integer());
  }
  return shape;
}

void AppendParameter(const Parameter& value, std::string* out) {
  if (const bool* flag = std::get_if<bool>(&value)) {
    *out += *flag ? "true" : "false";
  } else if (const int64_t* integer = std::get_if<int64_t>(&value)) {
    *out += std::to_string(*integer);
  } else if (const double* number = std::get_if<double>(&value)) {
    *out += Json(*number).Dump();
  } else {
    *out += JsonQuote(std::get<std::string>(value));
  }
}

}  // namespace

Result<Json> ParseJson(std::string_view text, const InferLimits& limits) {
  const JsonLimits json_limits{limits.max_json_bytes, limits.max_json_depth, false, limits.max_json_values};
  Result<Json> parsed = Json::Parse(text, json_limits);
  if (!parsed.ok()) return InvalidArgument(parsed.status().message(), "json_invalid");  // too large, too: final
  return parsed;
}

const Json* FindOptional(const Json& object, std::string_view key) {
  const Json* found = object.Find(key);
  return found == nullptr || found->is_null() ? nullptr : found;
}

Result<Parameters> ParseParameters(const Json& owner, const InferLimits& limits) {
  Parameters parameters;
  const Json* found = FindOptional(owner, "parameters");
  if (found == nullptr) return parameters;
  if (!found->is_object()) return InvalidArgument("parameters: want an object", "field_invalid");
  if (found->as_object().size() > limits.max_parameters) {
    return InvalidArgument("parameters: want at most " + std::to_string(limits.max_parameters), "too_many_parameters");
  }
  for (const auto& [key, value] : found->as_object()) {
    PAWSIGHT_RETURN_IF_ERROR(CheckName("parameters", key, limits));
    if (value.is_null()) continue;
    if (value.is_bool()) {
      parameters.emplace_back(key, value.as_bool());
    } else if (value.is_integer()) {
      parameters.emplace_back(key, value.as_integer());
    } else if (value.is_number()) {
      parameters.emplace_back(key, value.as_number());
    } else if (value.is_string() && value.as_string().size() <= limits.max_name_bytes) {
      parameters.emplace_back(key, value.as_string());
    } else {
      return InvalidArgument("parameters." + key + ": want true, false, a number or a string of at most " +
                                 std::to_string(limits.max_name_bytes) + " bytes",
                             "field_invalid");
    }
  }
  return parameters;
}

Result<size_t> ParseHeaderLength(std::string_view text, size_t num_bytes) {
  size_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || length > num_bytes) {
    return InvalidArgument(
        "Inference-Header-Content-Length: want a number, at most the body's " + std::to_string(num_bytes) + " bytes",
        "header_length_invalid");
  }
  return length;
}

Status RefuseUnsupported(const Parameters& parameters) {
  for (const auto& [name, value] : parameters) {
    if (name == "classification" || name.starts_with("shared_memory_")) {
      return InvalidArgument("parameters." + name + ": this server has no such extension", "extension_unknown");
    }
  }
  return Ok();
}

Status ReadTensor(const Json& json, const InferLimits& limits, std::string_view* binary, InputTensor* tensor,
                  std::vector<std::shared_ptr<const void>>* owners) {
  PAWSIGHT_ASSIGN_OR_RETURN(tensor->name, json.GetString("name"));
  PAWSIGHT_RETURN_IF_ERROR(CheckName("name", tensor->name, limits));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string datatype, json.GetString("datatype"));
  PAWSIGHT_ASSIGN_OR_RETURN(tensor->datatype, ParseDatatype(datatype));
  PAWSIGHT_ASSIGN_OR_RETURN(tensor->shape, ParseShape(json, limits));
  PAWSIGHT_ASSIGN_OR_RETURN(tensor->parameters, ParseParameters(json, limits));
  PAWSIGHT_RETURN_IF_ERROR(RefuseUnsupported(tensor->parameters));
  const Json* data = FindOptional(json, "data");
  const Parameter* binary_size = FindParameter(tensor->parameters, "binary_data_size");
  if ((data == nullptr) == (binary_size == nullptr)) {
    return InvalidArgument("want either data or parameters.binary_data_size", "data_invalid");
  }
  if (data != nullptr) return SetJsonContents(*data, limits, tensor, owners);
  const int64_t* size = std::get_if<int64_t>(binary_size);
  if (size == nullptr || *size < 0) {
    return InvalidArgument("parameters.binary_data_size: want an integer, 0 or more", "field_invalid");
  }
  const auto num_bytes = static_cast<uint64_t>(*size);
  if (num_bytes > binary->size()) {
    return InvalidArgument("parameters.binary_data_size: " + std::to_string(num_bytes) + ", but only " +
                               std::to_string(binary->size()) + " bytes are left behind the JSON",
                           "bytes_truncated");
  }
  PAWSIGHT_RETURN_IF_ERROR(SetRawContents(binary->substr(0, num_bytes), limits, tensor));
  binary->remove_prefix(num_bytes);
  return Ok();
}

void AppendTensorHead(std::string_view name, Datatype datatype, std::span<const int64_t> shape, std::string* out) {
  *out += "{\"name\":" + JsonQuote(name) + ",\"datatype\":\"";
  *out += DatatypeName(datatype);
  *out += "\",\"shape\":[";
  for (size_t i = 0; i < shape.size(); ++i) *out += (i > 0 ? "," : "") + std::to_string(shape[i]);
  *out += ']';
}

void AppendParameters(const Parameters& parameters, std::optional<size_t> binary_size, std::string* out) {
  if (parameters.empty() && !binary_size) return;
  *out += ",\"parameters\":{";
  std::string_view separator;
  for (const auto& [name, value] : parameters) {
    *out += separator;
    *out += JsonQuote(name);
    *out += ':';
    AppendParameter(value, out);
    separator = ",";
  }
  if (binary_size) {
    *out += separator;
    *out += "\"binary_data_size\":" + std::to_string(*binary_size);
  }
  *out += '}';
}

}  // namespace pawsight::protocol
