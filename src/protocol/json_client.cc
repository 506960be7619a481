#include "protocol/json_client.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "protocol/binary_tensors.h"
#include "protocol/json_fields.h"

namespace pawsight::protocol {
namespace {

constexpr size_t kMaxErrorBytes = 256;
constexpr size_t kMaxErrorBody = 16U << 10U;

void CheckCount(const InputTensor& input) {
  size_t count = 1;
  for (const int64_t dim : input.shape) count *= static_cast<size_t>(dim);
  CHECK(input.datatype == Datatype::kBytes ? input.elements.size() == count
                                           : input.data.size() == count * DatatypeBytes(input.datatype));
}

Parameters WithSchedule(const InferRequest& request) {
  Parameters parameters = request.parameters;
  if (request.timeout && request.timeout->count() > 0) {
    parameters.emplace_back("timeout", static_cast<int64_t>(request.timeout->count()));
  }
  if (request.priority > 0) parameters.emplace_back("priority", static_cast<int64_t>(request.priority));
  if (request.binary_outputs) parameters.emplace_back("binary_data_output", true);
  return parameters;
}

/// A member that may be left out; at most max_name_bytes.
Result<std::string> OptionalString(const Json& json, std::string_view key, const InferLimits& limits) {
  const Json* found = FindOptional(json, key);
  if (found == nullptr) return std::string();
  if (!found->is_string() || found->as_string().size() > limits.max_name_bytes) {
    return InvalidArgument(
        std::string(key) + ": want a string of at most " + std::to_string(limits.max_name_bytes) + " bytes",
        "field_invalid");
  }
  return found->as_string();
}

Result<std::vector<OutputTensor>> ReadOutputs(const Json& json, std::string_view binary, const InferLimits& limits) {
  PAWSIGHT_ASSIGN_OR_RETURN(const Json::Array* outputs, json.GetArray("outputs"));
  if (outputs->size() > limits.max_outputs) {
    return InvalidArgument("outputs: want at most " + std::to_string(limits.max_outputs), "outputs_invalid");
  }
  std::vector<OutputTensor> read;
  for (size_t i = 0; i < outputs->size(); ++i) {
    InputTensor tensor;
    std::vector<std::shared_ptr<const void>> owners;
    const Status status = ReadTensor((*outputs)[i], limits, &binary, &tensor, &owners);
    if (!status.ok()) return Annotate(status, "outputs[" + std::to_string(i) + "]");
    if (std::ranges::find(read, tensor.name, &OutputTensor::name) != read.end()) {
      return InvalidArgument("output '" + tensor.name + "': stands twice", "name_twice");
    }
    read.push_back(OwningOutput(std::move(tensor)));
  }
  if (binary.empty()) return read;
  return InvalidArgument(std::to_string(binary.size()) + " bytes behind the JSON belong to no output",
                         "bytes_left_over");
}

Result<std::vector<TensorSpec>> ReadSpecs(const Json& json, std::string_view key, const InferLimits& limits) {
  PAWSIGHT_ASSIGN_OR_RETURN(const Json::Array* array, json.GetArray(key));
  if (array->size() > limits.max_inputs) {
    return InvalidArgument(std::string(key) + ": want at most " + std::to_string(limits.max_inputs), "field_invalid");
  }
  std::vector<TensorSpec> specs;
  for (const Json& item : *array) {
    TensorSpec spec;
    PAWSIGHT_ASSIGN_OR_RETURN(spec.name, item.GetString("name"));
    PAWSIGHT_RETURN_IF_ERROR(CheckName(key, spec.name, limits));
    PAWSIGHT_ASSIGN_OR_RETURN(const std::string datatype, item.GetString("datatype"));
    PAWSIGHT_ASSIGN_OR_RETURN(spec.datatype, ParseDatatype(datatype));
    PAWSIGHT_ASSIGN_OR_RETURN(const Json::Array* shape, item.GetArray("shape"));
    if (shape->size() > limits.max_dims) return InvalidArgument(std::string(key) + ".shape: too long", "shape_invalid");
    for (const Json& dim : *shape) {
      if (!dim.is_integer()) return InvalidArgument(std::string(key) + ".shape: want integers", "shape_invalid");
      spec.shape.push_back(dim.as_integer());
    }
    specs.push_back(std::move(spec));
  }
  return specs;
}

}  // namespace

EncodedResponse EncodeInferRequest(const InferRequest& request) {
  EncodedResponse encoded;
  std::string& out = encoded.body;
  size_t raw_bytes = 0;
  for (const InputTensor& input : request.inputs) raw_bytes += RawContentsBytes(input);
  out.reserve(1024 + raw_bytes);
  out = "{\"id\":" + JsonQuote(request.id);
  AppendParameters(WithSchedule(request), std::nullopt, &out);
  out += ",\"inputs\":[";
  for (size_t i = 0; i < request.inputs.size(); ++i) {
    const InputTensor& input = request.inputs[i];
    CheckCount(input);
    if (i > 0) out += ',';
    AppendTensorHead(input.name, input.datatype, input.shape, &out);
    AppendParameters(input.parameters, RawContentsBytes(input), &out);
    out += '}';
  }
  out += ']';
  for (size_t i = 0; i < request.outputs.size(); ++i) {
    const RequestedOutput& output = request.outputs[i];
    out += (i == 0 ? ",\"outputs\":[" : ",") + ("{\"name\":" + JsonQuote(output.name));
    Parameters parameters = output.parameters;
    parameters.emplace_back("binary_data", output.binary);
    AppendParameters(parameters, std::nullopt, &out);
    out += i + 1 == request.outputs.size() ? "}]" : "}";
  }
  out += '}';
  encoded.json_bytes = out.size();
  for (const InputTensor& input : request.inputs) AppendRawContents(input, &out);
  return encoded;
}

Result<InferResponse> ParseInferResponse(const InferBody& body, const InferLimits& limits) {
  size_t json_bytes = body.bytes.size();
  if (body.header_length) {
    PAWSIGHT_ASSIGN_OR_RETURN(json_bytes, ParseHeaderLength(*body.header_length, body.bytes.size()));
  }
  PAWSIGHT_ASSIGN_OR_RETURN(const Json json, ParseJson(body.bytes.substr(0, json_bytes), limits));
  if (!json.is_object()) return InvalidArgument("want a JSON object", "json_invalid");
  InferResponse response;
  PAWSIGHT_ASSIGN_OR_RETURN(response.model, OptionalString(json, "model_name", limits));
  PAWSIGHT_ASSIGN_OR_RETURN(response.version, OptionalString(json, "model_version", limits));
  PAWSIGHT_ASSIGN_OR_RETURN(response.parameters, ParseParameters(json, limits));
  PAWSIGHT_ASSIGN_OR_RETURN(response.outputs, ReadOutputs(json, body.bytes.substr(json_bytes), limits));
  return response;
}

Result<ModelMetadata> ParseModelMetadata(std::string_view body, const InferLimits& limits) {
  PAWSIGHT_ASSIGN_OR_RETURN(const Json json, ParseJson(body, limits));
  ModelMetadata metadata;
  PAWSIGHT_ASSIGN_OR_RETURN(metadata.name, json.GetString("name"));
  PAWSIGHT_RETURN_IF_ERROR(CheckName("name", metadata.name, limits));
  PAWSIGHT_ASSIGN_OR_RETURN(metadata.platform, OptionalString(json, "platform", limits));
  if (const Json* versions = FindOptional(json, "versions"); versions != nullptr) {
    if (!versions->is_array()) return InvalidArgument("versions: want an array", "field_invalid");
    for (const Json& version : versions->as_array()) {
      if (!version.is_string()) return InvalidArgument("versions: want strings", "field_invalid");
      metadata.versions.push_back(version.as_string());
    }
  }
  PAWSIGHT_ASSIGN_OR_RETURN(metadata.inputs, ReadSpecs(json, "inputs", limits));
  PAWSIGHT_ASSIGN_OR_RETURN(metadata.outputs, ReadSpecs(json, "outputs", limits));
  return metadata;
}

ErrorText ParseError(std::string_view body) {
  ErrorText said;
  if (body.size() > kMaxErrorBody) return said;
  const Result<Json> json = Json::Parse(body, {kMaxErrorBody, 4, true, 64});
  if (!json.ok() || !json->is_object()) return said;
  const auto text_of = [&](std::string_view key) {
    const Json* member = json->Find(key);
    return member != nullptr && member->is_string() ? std::string_view(member->as_string()) : std::string_view();
  };
  const std::string_view error = text_of("error");
  said.text = (error.empty() ? text_of("detail") : error).substr(0, kMaxErrorBytes);
  std::ranges::replace_if(
      said.text, [](unsigned char c) { return c < ' ' || c == 0x7F; }, ' ');
  said.reason = ReadReason(text_of("code"));
  return said;
}

std::string ReadReason(std::string_view word) {
  constexpr size_t kMaxReasonBytes = 64;
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const bool plain = !word.empty() && word.size() <= kMaxReasonBytes && letter(word.front()) &&
                     std::ranges::all_of(word, [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '_'; });
  return plain ? std::string(word) : std::string();
}

}  // namespace pawsight::protocol
