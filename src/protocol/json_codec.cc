#include "protocol/json_codec.h"

#include <algorithm>

#include "base/json.h"
#include "protocol/binary_tensors.h"
#include "protocol/json_data.h"
#include "protocol/json_fields.h"

namespace pawsight::protocol {
namespace {

/// A parameter that is true or false; `otherwise` without it.
Result<bool> BoolParameter(const Parameters& parameters, std::string_view name, bool otherwise) {
  const Parameter* found = FindParameter(parameters, name);
  if (found == nullptr) return otherwise;
  if (const bool* value = std::get_if<bool>(found)) return *value;
  return InvalidArgument("parameters." + std::string(name) + ": want true or false", "field_invalid");
}

/// Reads one request. `binary_` is what of the bytes behind the JSON no input has taken yet.
class RequestReader {
 public:
  RequestReader(const Json& json, std::string_view binary, const InferLimits& limits)
      : json_(json), binary_(binary), limits_(limits) {}

  Status Read(InferRequest* request) {
    if (!json_.is_object()) return InvalidArgument("want a JSON object", "json_invalid");
    PAWSIGHT_RETURN_IF_ERROR(ReadTop(request));
    PAWSIGHT_RETURN_IF_ERROR(ReadInputs(request));
    PAWSIGHT_RETURN_IF_ERROR(ReadOutputs(request));
    if (binary_.empty()) return Ok();
    return InvalidArgument(std::to_string(binary_.size()) + " bytes behind the JSON belong to no input",
                           "bytes_left_over");
  }

 private:
  Status ReadTop(InferRequest* request) {
    if (const Json* id = FindOptional(json_, "id"); id != nullptr) {
      if (!id->is_string()) return InvalidArgument("id: want a string", "field_invalid");
      if (!id->as_string().empty()) PAWSIGHT_RETURN_IF_ERROR(CheckName("id", id->as_string(), limits_));
      request->id = id->as_string();
    }
    PAWSIGHT_ASSIGN_OR_RETURN(request->parameters, ParseParameters(json_, limits_));
    PAWSIGHT_ASSIGN_OR_RETURN(request->binary_outputs, BoolParameter(request->parameters, "binary_data_output", false));
    return TakeSchedule(limits_, request);
  }

  Status ReadInputs(InferRequest* request) {
    PAWSIGHT_ASSIGN_OR_RETURN(const Json::Array* inputs, json_.GetArray("inputs"));
    if (inputs->empty() || inputs->size() > limits_.max_inputs) {
      return InvalidArgument("inputs: want 1 to " + std::to_string(limits_.max_inputs), "inputs_invalid");
    }
    for (size_t i = 0; i < inputs->size(); ++i) {
      InputTensor& input = request->inputs.emplace_back();
      const Status status = ReadInput((*inputs)[i], &input, &request->owners);
      if (!status.ok()) return Annotate(status, "inputs[" + std::to_string(i) + "]");
    }
    return Ok();
  }

  Status ReadInput(const Json& json, InputTensor* input, std::vector<std::shared_ptr<const void>>* owners) {
    return ReadTensor(json, limits_, &binary_, input, owners);
  }

  Status ReadOutputs(InferRequest* request) {
    const Json* found = FindOptional(json_, "outputs");
    if (found == nullptr) return Ok();
    if (!found->is_array()) return InvalidArgument("outputs: want an array", "field_invalid");
    if (found->as_array().size() > limits_.max_outputs) {
      return InvalidArgument("outputs: want at most " + std::to_string(limits_.max_outputs), "outputs_invalid");
    }
    for (size_t i = 0; i < found->as_array().size(); ++i) {
      RequestedOutput& output = request->outputs.emplace_back();
      const Status status = ReadOutput(found->as_array()[i], request->binary_outputs, &output);
      if (!status.ok()) return Annotate(status, "outputs[" + std::to_string(i) + "]");
    }
    return Ok();
  }

  Status ReadOutput(const Json& json, bool binary_outputs, RequestedOutput* output) {
    PAWSIGHT_ASSIGN_OR_RETURN(output->name, json.GetString("name"));
    PAWSIGHT_RETURN_IF_ERROR(CheckName("name", output->name, limits_));
    PAWSIGHT_ASSIGN_OR_RETURN(output->parameters, ParseParameters(json, limits_));
    PAWSIGHT_RETURN_IF_ERROR(RefuseUnsupported(output->parameters));
    PAWSIGHT_ASSIGN_OR_RETURN(output->binary, BoolParameter(output->parameters, "binary_data", binary_outputs));
    return Ok();
  }

  const Json& json_;
  std::string_view binary_;
  const InferLimits& limits_;
};

/// A body that is a tensor and nothing else: BYTES are one element without its length; of other datatypes the one
/// dimension that may have any size is what the bytes make it.
Status ReadRaw(std::string_view bytes, const ModelMetadata& metadata, const InferLimits& limits,
               InferRequest* request) {
  const auto wanted = [](const TensorSpec& spec) { return !spec.optional; };
  const auto num_wanted = std::ranges::count_if(metadata.inputs, wanted);
  if (num_wanted != 1) {
    return InvalidArgument(
        "a raw request needs a model that wants one input, '" + metadata.name + "' wants " + std::to_string(num_wanted),
        "raw_impossible");
  }
  const TensorSpec& spec = *std::ranges::find_if(metadata.inputs, wanted);
  InputTensor& input = request->inputs.emplace_back();
  input.name = spec.name;
  input.datatype = spec.datatype;
  input.shape = spec.shape;
  request->binary_outputs = true;
  const auto num_open = std::count(spec.shape.begin(), spec.shape.end(), -1);
  if (num_open > 1)
    return InvalidArgument("a raw request needs an input with at most one open dimension", "raw_impossible");
  const auto open = std::find(input.shape.begin(), input.shape.end(), -1);
  if (spec.datatype == Datatype::kBytes) {
    if (open != input.shape.end()) *open = 1;
    PAWSIGHT_ASSIGN_OR_RETURN(const size_t count, CountElements(input.shape, limits));
    if (count != 1) return InvalidArgument("a raw request of BYTES has one element", "raw_impossible");
    input.elements.push_back(bytes);
    return Ok();
  }
  if (open != input.shape.end()) {
    *open = 1;
    PAWSIGHT_ASSIGN_OR_RETURN(const size_t row, CountElements(input.shape, limits));
    *open = static_cast<int64_t>(bytes.size() / (row * DatatypeBytes(spec.datatype)));
  }
  return SetRawContents(bytes, limits, &input);
}

Status AppendOutput(const OutputTensor& output, bool binary, std::string* out) {
  AppendTensorHead(output.name, output.datatype, output.shape, out);
  AppendParameters(output.parameters, binary ? std::optional(RawContentsBytes(output)) : std::nullopt, out);
  if (!binary) {
    *out += ",\"data\":";
    PAWSIGHT_RETURN_IF_ERROR(AppendJsonContents(output, out));
  }
  *out += '}';
  return Ok();
}

struct Chosen {
  const OutputTensor* output;
  bool binary;
};

Result<std::vector<Chosen>> ChooseOutputs(const InferRequest& request, const InferResponse& response) {
  std::vector<Chosen> chosen;
  if (request.outputs.empty()) {
    for (const OutputTensor& output : response.outputs) chosen.push_back({&output, request.binary_outputs});
    return chosen;
  }
  for (const RequestedOutput& wanted : request.outputs) {
    const auto found = std::find_if(response.outputs.begin(), response.outputs.end(),
                                    [&](const OutputTensor& output) { return output.name == wanted.name; });
    if (found == response.outputs.end()) return Internal("the model did not give output '" + wanted.name + "'");
    chosen.push_back({&*found, wanted.binary});
  }
  return chosen;
}

}  // namespace

Result<InferRequest> ParseInferRequest(const InferBody& body, const ModelMetadata& metadata,
                                       const InferLimits& limits) {
  InferRequest request;
  request.model = metadata.name;
  request.owners.push_back(body.owner);
  size_t json_bytes = body.bytes.size();
  if (body.header_length) {
    PAWSIGHT_ASSIGN_OR_RETURN(json_bytes, ParseHeaderLength(*body.header_length, body.bytes.size()));
    if (json_bytes == 0) {
      PAWSIGHT_RETURN_IF_ERROR(ReadRaw(body.bytes, metadata, limits, &request));
      return request;
    }
  }
  PAWSIGHT_ASSIGN_OR_RETURN(Json parsed, ParseJson(body.bytes.substr(0, json_bytes), limits));
  const auto json = std::make_shared<const Json>(std::move(parsed));
  request.owners.push_back(json);
  PAWSIGHT_RETURN_IF_ERROR(RequestReader(*json, body.bytes.substr(json_bytes), limits).Read(&request));
  PAWSIGHT_RETURN_IF_ERROR(CheckAgainst(request, metadata));
  return request;
}

Result<EncodedResponse> EncodeInferResponse(const InferRequest& request, const InferResponse& response) {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<Chosen> chosen, ChooseOutputs(request, response));
  EncodedResponse encoded;
  std::string& out = encoded.body;
  out = "{\"model_name\":" + JsonQuote(response.model) + ",\"model_version\":" + JsonQuote(response.version);
  if (!request.id.empty()) out += ",\"id\":" + JsonQuote(request.id);
  AppendParameters(response.parameters, std::nullopt, &out);
  out += ",\"outputs\":[";
  bool any_binary = false;
  for (size_t i = 0; i < chosen.size(); ++i) {
    if (i > 0) out += ',';
    PAWSIGHT_RETURN_IF_ERROR(AppendOutput(*chosen[i].output, chosen[i].binary, &out));
    any_binary = any_binary || chosen[i].binary;
  }
  out += "]}";
  if (!any_binary) return encoded;
  encoded.json_bytes = out.size();
  for (const Chosen& choice : chosen) {
    if (choice.binary) AppendRawContents(*choice.output, &out);
  }
  return encoded;
}

}  // namespace pawsight::protocol
