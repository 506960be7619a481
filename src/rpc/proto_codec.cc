#include "rpc/proto_codec.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "open_inference.pb.h"
#include "protocol/binary_tensors.h"

namespace pawsight::rpc {
namespace {

using inference::InferTensorContents;
using ProtoParameters = google::protobuf::Map<std::string, inference::InferParameter>;

Status ReadParameter(const std::string& name, const inference::InferParameter& from,
                     const protocol::InferLimits& limits, protocol::Parameter* to) {
  switch (from.parameter_choice_case()) {
    case inference::InferParameter::kBoolParam:
      *to = from.bool_param();
      return Ok();
    case inference::InferParameter::kInt64Param:
      *to = from.int64_param();
      return Ok();
    case inference::InferParameter::kUint64Param:
      if (from.uint64_param() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) break;
      *to = static_cast<int64_t>(from.uint64_param());
      return Ok();
    case inference::InferParameter::kDoubleParam:
      *to = from.double_param();
      return Ok();
    case inference::InferParameter::kStringParam:
      if (from.string_param().size() > limits.max_name_bytes) break;
      *to = from.string_param();
      return Ok();
    case inference::InferParameter::PARAMETER_CHOICE_NOT_SET:
      break;
  }
  return InvalidArgument("parameters." + name + ": want a bool, a number below 2^63 or a string of at most " +
                             std::to_string(limits.max_name_bytes) + " bytes",
                         "field_invalid");
}

/// In the order of their names: protobuf's map has none.
Status ReadParameters(const ProtoParameters& from, const protocol::InferLimits& limits, protocol::Parameters* to) {
  if (from.size() > limits.max_parameters) {
    return InvalidArgument("parameters: want at most " + std::to_string(limits.max_parameters), "field_invalid");
  }
  for (const auto& [name, value] : from) {
    PAWSIGHT_RETURN_IF_ERROR(CheckName("a parameter's name", name, limits));
    protocol::Parameter parameter;
    PAWSIGHT_RETURN_IF_ERROR(ReadParameter(name, value, limits, &parameter));
    to->emplace_back(name, std::move(parameter));
  }
  std::ranges::sort(*to, {}, &std::pair<std::string, protocol::Parameter>::first);
  return Ok();
}

/// Numbers of a repeated field, packed as Element, which may be narrower: what does not fit is refused.
template <typename Element, typename Field>
Status Pack(const Field& field, protocol::InputTensor* input, std::vector<std::shared_ptr<const void>>* owners) {
  auto packed = std::make_shared<std::vector<std::byte>>(static_cast<size_t>(field.size()) * sizeof(Element));
  std::byte* out = packed->data();
  for (const auto value : field) {
    const auto element = static_cast<Element>(value);
    if constexpr (std::is_integral_v<Element> && sizeof(Element) < sizeof(value)) {
      if (static_cast<std::remove_const_t<decltype(value)>>(element) != value) {
        return InvalidArgument("input '" + input->name + "': " + std::to_string(value) + " does not fit " +
                                   std::string(DatatypeName(input->datatype)),
                               "value_out_of_range");
      }
    }
    std::memcpy(out, &element, sizeof(Element));
    out += sizeof(Element);
  }
  input->data = *packed;
  owners->push_back(std::move(packed));
  return Ok();
}

int CountContents(const InferTensorContents& c) {
  return c.bool_contents_size() + c.int_contents_size() + c.int64_contents_size() + c.uint_contents_size() +
         c.uint64_contents_size() + c.fp32_contents_size() + c.fp64_contents_size() + c.bytes_contents_size();
}

/// As many elements as there are in the field of the input's datatype.
int CountOwnContents(const InferTensorContents& c, protocol::Datatype datatype) {
  switch (datatype) {
    case protocol::Datatype::kBool:
      return c.bool_contents_size();
    case protocol::Datatype::kUint8:
    case protocol::Datatype::kUint16:
    case protocol::Datatype::kUint32:
      return c.uint_contents_size();
    case protocol::Datatype::kUint64:
      return c.uint64_contents_size();
    case protocol::Datatype::kInt8:
    case protocol::Datatype::kInt16:
    case protocol::Datatype::kInt32:
      return c.int_contents_size();
    case protocol::Datatype::kInt64:
      return c.int64_contents_size();
    case protocol::Datatype::kFp32:
      return c.fp32_contents_size();
    case protocol::Datatype::kFp64:
      return c.fp64_contents_size();
    case protocol::Datatype::kBytes:
      return c.bytes_contents_size();
    case protocol::Datatype::kFp16:
    case protocol::Datatype::kBf16:
      return -1;
  }
  return -1;
}

Status PackContents(const InferTensorContents& c, protocol::InputTensor* input,
                    std::vector<std::shared_ptr<const void>>* owners) {
  switch (input->datatype) {
    case protocol::Datatype::kBool:
      return Pack<bool>(c.bool_contents(), input, owners);
    case protocol::Datatype::kUint8:
      return Pack<uint8_t>(c.uint_contents(), input, owners);
    case protocol::Datatype::kUint16:
      return Pack<uint16_t>(c.uint_contents(), input, owners);
    case protocol::Datatype::kUint32:
      return Pack<uint32_t>(c.uint_contents(), input, owners);
    case protocol::Datatype::kUint64:
      return Pack<uint64_t>(c.uint64_contents(), input, owners);
    case protocol::Datatype::kInt8:
      return Pack<int8_t>(c.int_contents(), input, owners);
    case protocol::Datatype::kInt16:
      return Pack<int16_t>(c.int_contents(), input, owners);
    case protocol::Datatype::kInt32:
      return Pack<int32_t>(c.int_contents(), input, owners);
    case protocol::Datatype::kInt64:
      return Pack<int64_t>(c.int64_contents(), input, owners);
    case protocol::Datatype::kFp32:
      return Pack<float>(c.fp32_contents(), input, owners);
    case protocol::Datatype::kFp64:
      return Pack<double>(c.fp64_contents(), input, owners);
    case protocol::Datatype::kBytes:
      for (const std::string& element : c.bytes_contents()) input->elements.emplace_back(element);
      return Ok();
    case protocol::Datatype::kFp16:
    case protocol::Datatype::kBf16:
      break;
  }
  return InvalidArgument("input '" + input->name + "': " + std::string(DatatypeName(input->datatype)) + " travels raw",
                         "contents_invalid");
}

Status ReadContents(const InferTensorContents& contents, const protocol::InferLimits& limits,
                    protocol::InputTensor* input, std::vector<std::shared_ptr<const void>>* owners) {
  const Result<size_t> count = CountElements(input->shape, limits);
  if (!count.ok()) return Annotate(count.status(), "input '" + input->name + "'");
  const int own = CountOwnContents(contents, input->datatype);
  if (own != CountContents(contents) || static_cast<size_t>(std::max(own, 0)) != *count) {
    return InvalidArgument("input '" + input->name + "': its shape wants " + std::to_string(*count) +
                               " elements, all in the " + "contents of " + std::string(DatatypeName(input->datatype)),
                           "contents_invalid");
  }
  return PackContents(contents, input, owners);
}

/// An input of a request or an output of a response; `raw` null: its contents are in it.
template <typename Tensor>
Status ReadTensor(const Tensor& from, const std::string* raw, const protocol::InferLimits& limits,
                  protocol::InputTensor* tensor, std::vector<std::shared_ptr<const void>>* owners) {
  PAWSIGHT_RETURN_IF_ERROR(CheckName("a tensor's name", from.name(), limits));
  tensor->name = from.name();
  const Result<protocol::Datatype> datatype = protocol::ParseDatatype(from.datatype());
  if (!datatype.ok()) return Annotate(datatype.status(), "input '" + tensor->name + "'");
  tensor->datatype = *datatype;
  if (static_cast<size_t>(from.shape_size()) > limits.max_dims) {
    return InvalidArgument(
        "input '" + tensor->name + "': shape: want at most " + std::to_string(limits.max_dims) + " dimensions",
        "shape_invalid");
  }
  tensor->shape.assign(from.shape().begin(), from.shape().end());
  PAWSIGHT_RETURN_IF_ERROR(ReadParameters(from.parameters(), limits, &tensor->parameters));
  if (raw == nullptr) return ReadContents(from.contents(), limits, tensor, owners);
  if (from.has_contents() && CountContents(from.contents()) > 0) {
    return InvalidArgument("input '" + tensor->name + "': has contents beside raw_input_contents; want one of them",
                           "contents_invalid");
  }
  return SetRawContents(*raw, limits, tensor);
}

void WriteParameters(const protocol::Parameters& from, ProtoParameters* to) {
  for (const auto& [name, value] : from) {
    inference::InferParameter& parameter = (*to)[name];
    if (const bool* flag = std::get_if<bool>(&value)) {
      parameter.set_bool_param(*flag);
    } else if (const int64_t* integer = std::get_if<int64_t>(&value)) {
      parameter.set_int64_param(*integer);
    } else if (const double* number = std::get_if<double>(&value)) {
      parameter.set_double_param(*number);
    } else {
      parameter.set_string_param(std::get<std::string>(value));
    }
  }
}

Status CheckCounts(const inference::ModelInferRequest& message, const protocol::InferLimits& limits) {
  if (static_cast<size_t>(message.inputs_size()) > limits.max_inputs) {
    return InvalidArgument("inputs: want at most " + std::to_string(limits.max_inputs), "too_many_inputs");
  }
  if (static_cast<size_t>(message.outputs_size()) > limits.max_outputs) {
    return InvalidArgument("outputs: want at most " + std::to_string(limits.max_outputs), "too_many_outputs");
  }
  if (message.raw_input_contents_size() != 0 && message.raw_input_contents_size() != message.inputs_size()) {
    return InvalidArgument("raw_input_contents: want one for each input, or none", "contents_invalid");
  }
  return Ok();
}

template <typename Element, typename Add>
void AddAll(const std::string& data, Add add) {
  for (size_t at = 0; at + sizeof(Element) <= data.size(); at += sizeof(Element)) {
    Element element{};
    std::memcpy(&element, data.data() + at, sizeof(Element));
    add(element);
  }
}

Status WriteContents(const protocol::OutputTensor& output, InferTensorContents* c) {
  const std::string& data = output.data;
  const auto as_int = [c](auto v) { c->add_int_contents(v); };
  const auto as_uint = [c](auto v) { c->add_uint_contents(v); };
  switch (output.datatype) {
    case protocol::Datatype::kBool:
      AddAll<uint8_t>(data, [c](uint8_t v) { c->add_bool_contents(v != 0); });
      return Ok();
    case protocol::Datatype::kUint8:
      AddAll<uint8_t>(data, as_uint);
      return Ok();
    case protocol::Datatype::kUint16:
      AddAll<uint16_t>(data, as_uint);
      return Ok();
    case protocol::Datatype::kUint32:
      AddAll<uint32_t>(data, as_uint);
      return Ok();
    case protocol::Datatype::kUint64:
      AddAll<uint64_t>(data, [c](uint64_t v) { c->add_uint64_contents(v); });
      return Ok();
    case protocol::Datatype::kInt8:
      AddAll<int8_t>(data, as_int);
      return Ok();
    case protocol::Datatype::kInt16:
      AddAll<int16_t>(data, as_int);
      return Ok();
    case protocol::Datatype::kInt32:
      AddAll<int32_t>(data, as_int);
      return Ok();
    case protocol::Datatype::kInt64:
      AddAll<int64_t>(data, [c](int64_t v) { c->add_int64_contents(v); });
      return Ok();
    case protocol::Datatype::kFp32:
      AddAll<float>(data, [c](float v) { c->add_fp32_contents(v); });
      return Ok();
    case protocol::Datatype::kFp64:
      AddAll<double>(data, [c](double v) { c->add_fp64_contents(v); });
      return Ok();
    case protocol::Datatype::kBytes:
      for (const std::string& element : output.elements) c->add_bytes_contents(element);
      return Ok();
    case protocol::Datatype::kFp16:
    case protocol::Datatype::kBf16:
      break;
  }
  return InvalidArgument("output '" + output.name + "': " + std::string(DatatypeName(output.datatype)) +
                         " travels raw; send the inputs as raw_input_contents");
}

Status WriteOutput(const protocol::OutputTensor& output, bool raw, inference::ModelInferResponse* out) {
  auto* tensor = out->add_outputs();
  tensor->set_name(output.name);
  tensor->set_datatype(std::string(DatatypeName(output.datatype)));
  tensor->mutable_shape()->Add(output.shape.begin(), output.shape.end());
  if (!raw) return WriteContents(output, tensor->mutable_contents());
  AppendRawContents(output, out->add_raw_output_contents());
  return Ok();
}

void Write(const protocol::CountedTime& from, inference::StatisticDuration* to) {
  to->set_count(from.count);
  to->set_ns(static_cast<uint64_t>(from.total.count()));
}

inference::DataType ConfigType(protocol::Datatype datatype) {
  inference::DataType type = inference::TYPE_INVALID;
  CHECK(inference::DataType_Parse(std::string(DatatypeConfigName(datatype)), &type));
  return type;
}

}  // namespace

Result<protocol::InferRequest> FromProto(std::shared_ptr<const inference::ModelInferRequest> message,
                                         const protocol::ModelMetadata& metadata, const protocol::InferLimits& limits) {
  PAWSIGHT_RETURN_IF_ERROR(CheckCounts(*message, limits));
  protocol::InferRequest request;
  request.model = message->model_name();
  request.version = message->model_version();
  if (!message->id().empty()) PAWSIGHT_RETURN_IF_ERROR(CheckName("id", message->id(), limits));
  request.id = message->id();
  PAWSIGHT_RETURN_IF_ERROR(ReadParameters(message->parameters(), limits, &request.parameters));
  PAWSIGHT_RETURN_IF_ERROR(TakeSchedule(limits, &request));
  request.binary_outputs = message->raw_input_contents_size() > 0;
  for (int i = 0; i < message->inputs_size(); ++i) {
    const std::string* raw = request.binary_outputs ? &message->raw_input_contents(i) : nullptr;
    PAWSIGHT_RETURN_IF_ERROR(
        ReadTensor(message->inputs(i), raw, limits, &request.inputs.emplace_back(), &request.owners));
  }
  for (const auto& from : message->outputs()) {
    protocol::RequestedOutput output;
    PAWSIGHT_RETURN_IF_ERROR(CheckName("an output's name", from.name(), limits));
    output.name = from.name();
    output.binary = request.binary_outputs;
    PAWSIGHT_RETURN_IF_ERROR(ReadParameters(from.parameters(), limits, &output.parameters));
    request.outputs.push_back(std::move(output));
  }
  PAWSIGHT_RETURN_IF_ERROR(CheckAgainst(request, metadata));
  request.owners.push_back(std::move(message));
  return request;
}

Status ToProto(const protocol::InferRequest& request, const protocol::InferResponse& response,
               inference::ModelInferResponse* out) {
  out->set_model_name(response.model);
  out->set_model_version(response.version);
  out->set_id(request.id);
  if (request.outputs.empty()) {
    for (const protocol::OutputTensor& output : response.outputs) {
      PAWSIGHT_RETURN_IF_ERROR(WriteOutput(output, request.binary_outputs, out));
    }
    return Ok();
  }
  for (const protocol::RequestedOutput& wanted : request.outputs) {
    const auto found = std::ranges::find(response.outputs, wanted.name, &protocol::OutputTensor::name);
    if (found == response.outputs.end()) return Internal("output '" + wanted.name + "': the model gave none");
    PAWSIGHT_RETURN_IF_ERROR(WriteOutput(*found, request.binary_outputs, out));
  }
  return Ok();
}

void ToProto(const protocol::InferRequest& request, inference::ModelInferRequest* out) {
  out->set_model_name(request.model);
  out->set_model_version(request.version);
  out->set_id(request.id);
  WriteParameters(request.parameters, out->mutable_parameters());
  if (request.priority > 0) {
    (*out->mutable_parameters())["priority"].set_int64_param(static_cast<int64_t>(request.priority));
  }
  for (const protocol::InputTensor& input : request.inputs) {
    auto* tensor = out->add_inputs();
    tensor->set_name(input.name);
    tensor->set_datatype(std::string(DatatypeName(input.datatype)));
    tensor->mutable_shape()->Add(input.shape.begin(), input.shape.end());
    WriteParameters(input.parameters, tensor->mutable_parameters());
    AppendRawContents(input, out->add_raw_input_contents());
  }
  for (const protocol::RequestedOutput& output : request.outputs) {
    auto* wanted = out->add_outputs();
    wanted->set_name(output.name);
    WriteParameters(output.parameters, wanted->mutable_parameters());
  }
}

Result<protocol::InferResponse> FromProto(const inference::ModelInferResponse& message,
                                          const protocol::InferLimits& limits) {
  protocol::InferResponse response;
  const int num_raw = message.raw_output_contents_size();
  if (static_cast<size_t>(message.outputs_size()) > limits.max_outputs ||
      (num_raw != 0 && num_raw != message.outputs_size())) {
    return InvalidArgument(
        "outputs: want at most " + std::to_string(limits.max_outputs) + ", and raw contents for each or none",
        "outputs_invalid");
  }
  if (message.model_name().size() > limits.max_name_bytes || message.model_version().size() > limits.max_name_bytes) {
    return InvalidArgument("model: its name or version is too long", "field_invalid");
  }
  response.model = message.model_name();
  response.version = message.model_version();
  PAWSIGHT_RETURN_IF_ERROR(ReadParameters(message.parameters(), limits, &response.parameters));
  for (int i = 0; i < message.outputs_size(); ++i) {
    protocol::InputTensor tensor;
    std::vector<std::shared_ptr<const void>> owners;
    PAWSIGHT_RETURN_IF_ERROR(ReadTensor(message.outputs(i), num_raw > 0 ? &message.raw_output_contents(i) : nullptr,
                                        limits, &tensor, &owners));
    if (std::ranges::find(response.outputs, tensor.name, &protocol::OutputTensor::name) != response.outputs.end()) {
      return InvalidArgument("output '" + tensor.name + "': stands twice", "name_twice");
    }
    response.outputs.push_back(OwningOutput(std::move(tensor)));
  }
  return response;
}

Result<protocol::ModelMetadata> FromProto(const inference::ModelMetadataResponse& message,
                                          const protocol::InferLimits& limits) {
  protocol::ModelMetadata metadata;
  PAWSIGHT_RETURN_IF_ERROR(CheckName("name", message.name(), limits));
  metadata.name = message.name();
  metadata.versions.assign(message.versions().begin(), message.versions().end());
  metadata.platform = message.platform();
  const auto read = [&](const auto& tensors, std::vector<protocol::TensorSpec>* specs) -> Status {
    if (static_cast<size_t>(tensors.size()) > limits.max_inputs) return InvalidArgument("too many tensors");
    for (const auto& tensor : tensors) {
      PAWSIGHT_RETURN_IF_ERROR(CheckName("a tensor's name", tensor.name(), limits));
      PAWSIGHT_ASSIGN_OR_RETURN(const protocol::Datatype datatype, protocol::ParseDatatype(tensor.datatype()));
      specs->push_back({tensor.name(), datatype, {tensor.shape().begin(), tensor.shape().end()}});
    }
    return Ok();
  };
  PAWSIGHT_RETURN_IF_ERROR(read(message.inputs(), &metadata.inputs));
  PAWSIGHT_RETURN_IF_ERROR(read(message.outputs(), &metadata.outputs));
  return metadata;
}

void ToProto(const protocol::ServerMetadata& metadata, inference::ServerMetadataResponse* out) {
  out->set_name(metadata.name);
  out->set_version(metadata.version);
  for (const std::string& extension : metadata.extensions) out->add_extensions(extension);
}

void ToProto(const protocol::ModelMetadata& metadata, inference::ModelMetadataResponse* out) {
  out->set_name(metadata.name);
  for (const std::string& version : metadata.versions) out->add_versions(version);
  out->set_platform(metadata.platform);
  const auto add = [](const protocol::TensorSpec& spec, inference::ModelMetadataResponse::TensorMetadata* tensor) {
    tensor->set_name(spec.name);
    tensor->set_datatype(std::string(DatatypeName(spec.datatype)));
    tensor->mutable_shape()->Add(spec.shape.begin(), spec.shape.end());
  };
  for (const protocol::TensorSpec& spec : metadata.inputs) add(spec, out->add_inputs());
  for (const protocol::TensorSpec& spec : metadata.outputs) add(spec, out->add_outputs());
}

void ToProto(const protocol::ModelMetadata& metadata, const protocol::ModelConfig& config,
             inference::ModelConfigResponse* out) {
  inference::ModelConfig& to = *out->mutable_config();
  to.set_name(metadata.name);
  to.set_platform(metadata.platform);
  to.set_backend(config.backend);
  to.set_max_batch_size(config.max_batch_size);
  for (const int size : config.preferred_batch_sizes) to.mutable_dynamic_batching()->add_preferred_batch_size(size);
  to.mutable_dynamic_batching()->set_max_queue_delay_microseconds(
      static_cast<uint64_t>(config.max_queue_delay.count()));
  for (const protocol::TensorSpec& spec : metadata.inputs) {
    auto* input = to.add_input();
    input->set_name(spec.name);
    input->set_data_type(ConfigType(spec.datatype));
    input->mutable_dims()->Add(spec.shape.begin(), spec.shape.end());
    input->set_optional(spec.optional);
  }
  for (const protocol::TensorSpec& spec : metadata.outputs) {
    auto* output = to.add_output();
    output->set_name(spec.name);
    output->set_data_type(ConfigType(spec.datatype));
    output->mutable_dims()->Add(spec.shape.begin(), spec.shape.end());
  }
}

void ToProto(const std::vector<protocol::ModelStatistics>& statistics, inference::ModelStatisticsResponse* out) {
  for (const protocol::ModelStatistics& from : statistics) {
    inference::ModelStatistics& to = *out->add_model_stats();
    to.set_name(from.name);
    to.set_version(from.version);
    to.set_last_inference(from.last_inference_ms);
    to.set_inference_count(from.inference_count);
    to.set_execution_count(from.execution_count);
    inference::InferStatistics& stats = *to.mutable_inference_stats();
    Write(from.success, stats.mutable_success());
    Write(from.fail, stats.mutable_fail());
    Write(from.queue, stats.mutable_queue());
    Write(from.compute_input, stats.mutable_compute_input());
    Write(from.compute_infer, stats.mutable_compute_infer());
    Write(from.compute_output, stats.mutable_compute_output());
    Write(from.cache_hit, stats.mutable_cache_hit());
    Write(from.cache_miss, stats.mutable_cache_miss());
    for (const protocol::BatchStatistics& batch : from.batches) {
      inference::InferBatchStatistics& batch_to = *to.add_batch_stats();
      batch_to.set_batch_size(batch.batch_size);
      Write(batch.compute_input, batch_to.mutable_compute_input());
      Write(batch.compute_infer, batch_to.mutable_compute_infer());
      Write(batch.compute_output, batch_to.mutable_compute_output());
    }
  }
}

}  // namespace pawsight::rpc
