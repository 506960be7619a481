#include "protocol/messages.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace pawsight::protocol {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors travel as they lie in memory");

size_t Product(std::span<const int64_t> shape) {
  size_t product = 1;
  for (const int64_t dim : shape) product *= static_cast<size_t>(dim);
  return product;
}

const TensorSpec* FindSpec(const std::vector<TensorSpec>& specs, std::string_view name) {
  const auto found = std::find_if(specs.begin(), specs.end(), [&](const TensorSpec& s) { return s.name == name; });
  return found == specs.end() ? nullptr : &*found;
}

template <typename T>
Status RefuseTwice(std::string_view what, const std::vector<T>& named) {
  for (size_t i = 0; i < named.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (named[i].name == named[j].name) {
        return InvalidArgument(std::string(what) + " '" + named[i].name + "': stands twice", "name_twice");
      }
    }
  }
  return Ok();
}

}  // namespace

const Parameter* FindParameter(const Parameters& parameters, std::string_view name) {
  for (const auto& [key, value] : parameters) {
    if (key == name) return &value;
  }
  return nullptr;
}

const InputTensor* InferRequest::Find(std::string_view name) const {
  for (const InputTensor& input : inputs) {
    if (input.name == name) return &input;
  }
  return nullptr;
}

bool InferRequest::Wants(std::string_view name) const {
  return outputs.empty() ||
         std::any_of(outputs.begin(), outputs.end(), [&](const RequestedOutput& o) { return o.name == name; });
}

OutputTensor OwningOutput(InputTensor tensor) {
  OutputTensor output{std::move(tensor.name), tensor.datatype, std::move(tensor.shape), {}, {}, {}};
  output.data.assign(reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size());
  output.elements.assign(tensor.elements.begin(), tensor.elements.end());
  for (auto& parameter : tensor.parameters) {
    if (parameter.first != "binary_data_size") output.parameters.push_back(std::move(parameter));
  }
  return output;
}

OutputTensor BytesOutput(std::string name, std::vector<int64_t> shape, std::vector<std::string> elements) {
  CHECK(Product(shape) == elements.size());
  return {std::move(name), Datatype::kBytes, std::move(shape), {}, {}, std::move(elements)};
}

OutputTensor Fp32Output(std::string name, std::vector<int64_t> shape, std::span<const float> values) {
  CHECK(Product(shape) == values.size());
  std::string data(values.size_bytes(), '\0');
  if (!values.empty()) std::memcpy(data.data(), values.data(), data.size());
  return {std::move(name), Datatype::kFp32, std::move(shape), {}, std::move(data), {}};
}

ServerMetadata ThisServer() {
  return {"pawsight",
          PAWSIGHT_VERSION,
          {"binary_tensor_data", "model_configuration", "parameters", "schedule_policy", "statistics"}};
}

Result<size_t> CountElements(std::span<const int64_t> shape, const InferLimits& limits) {
  if (shape.size() > limits.max_dims) {
    return InvalidArgument(
        "shape: " + std::to_string(shape.size()) + " dimensions, want at most " + std::to_string(limits.max_dims),
        "shape_invalid");
  }
  size_t count = 1;
  for (const int64_t dim : shape) {
    if (dim < 1)
      return InvalidArgument("shape: a dimension of " + std::to_string(dim) + ", want 1 or more", "shape_invalid");
    if (__builtin_mul_overflow(count, static_cast<size_t>(dim), &count)) {
      return InvalidArgument("shape: its product overflows", "shape_invalid");
    }
  }
  if (count > limits.max_elements) {
    return InvalidArgument(
        "shape: " + std::to_string(count) + " elements, want at most " + std::to_string(limits.max_elements),
        "too_many_elements");
  }
  return count;
}

Status CheckName(std::string_view what, std::string_view name, const InferLimits& limits) {
  const bool plain = std::none_of(name.begin(), name.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7F; });
  if (!name.empty() && name.size() <= limits.max_name_bytes && plain) return Ok();
  return InvalidArgument(
      std::string(what) + ": want 1 to " + std::to_string(limits.max_name_bytes) + " bytes without control characters",
      "name_invalid");
}

Status TakeSchedule(const InferLimits& limits, InferRequest* request) {
  for (const std::string_view name : {"timeout", "priority"}) {
    const auto found = std::find_if(request->parameters.begin(), request->parameters.end(),
                                    [&](const auto& parameter) { return parameter.first == name; });
    if (found == request->parameters.end()) continue;
    const int64_t* value = std::get_if<int64_t>(&found->second);
    if (value == nullptr || *value < 0) {
      return InvalidArgument("parameters." + std::string(name) + ": want an integer, 0 or more", "field_invalid");
    }
    if (name == "priority") {
      request->priority = static_cast<uint64_t>(*value);
    } else if (*value > 0) {
      request->timeout = std::min(std::chrono::microseconds(*value), limits.max_timeout);
    }
    request->parameters.erase(found);
  }
  return Ok();
}

Status CheckAgainst(const InferRequest& request, const ModelMetadata& metadata) {
  PAWSIGHT_RETURN_IF_ERROR(RefuseTwice("input", request.inputs));
  PAWSIGHT_RETURN_IF_ERROR(RefuseTwice("output", request.outputs));
  for (const InputTensor& input : request.inputs) {
    const TensorSpec* spec = FindSpec(metadata.inputs, input.name);
    if (spec == nullptr) {
      return InvalidArgument("input '" + input.name + "': model '" + metadata.name + "' has no such input",
                             "input_unknown");
    }
    if (spec->datatype != input.datatype) {
      return InvalidArgument("input '" + input.name + "': is " + std::string(DatatypeName(input.datatype)) + ", want " +
                                 std::string(DatatypeName(spec->datatype)),
                             "datatype_wrong");
    }
  }
  for (const TensorSpec& spec : metadata.inputs) {
    if (!spec.optional && request.Find(spec.name) == nullptr) {
      return InvalidArgument("input '" + spec.name + "': missing", "input_missing");
    }
  }
  for (const RequestedOutput& output : request.outputs) {
    if (FindSpec(metadata.outputs, output.name) == nullptr) {
      return InvalidArgument("output '" + output.name + "': model '" + metadata.name + "' has no such output",
                             "output_unknown");
    }
  }
  return Ok();
}

}  // namespace pawsight::protocol
