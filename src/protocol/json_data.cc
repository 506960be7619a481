#include "protocol/json_data.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "base/base64.h"

namespace pawsight::protocol {
namespace {

using Leaves = std::vector<const Json*>;

/// The leaves of `data` nested as `shape` from dimension `depth` on. The shape's length bounds the recursion.
Status Flatten(const Json& data, const std::vector<int64_t>& shape, size_t depth, Leaves* leaves) {
  if (depth == shape.size()) {
    if (data.is_array()) return InvalidArgument("data: nested deeper than the shape", "data_shape_wrong");
    leaves->push_back(&data);
    return Ok();
  }
  if (!data.is_array() || data.as_array().size() != static_cast<size_t>(shape[depth])) {
    return InvalidArgument(
        "data: want an array of " + std::to_string(shape[depth]) + " in dimension " + std::to_string(depth),
        "data_shape_wrong");
  }
  for (const Json& item : data.as_array()) PAWSIGHT_RETURN_IF_ERROR(Flatten(item, shape, depth + 1, leaves));
  return Ok();
}

Result<Leaves> LeavesOf(const Json& data, const std::vector<int64_t>& shape, size_t count) {
  if (!data.is_array()) return InvalidArgument("data: want an array", "data_invalid");
  const Json::Array& items = data.as_array();
  Leaves leaves;
  if (shape.size() > 1 && !items.empty() && items.front().is_array()) {
    PAWSIGHT_RETURN_IF_ERROR(Flatten(data, shape, 0, &leaves));
    return leaves;
  }
  if (items.size() != count) {
    return InvalidArgument(
        "data: " + std::to_string(items.size()) + " elements, want " + std::to_string(count) + " for its shape",
        "data_size_wrong");
  }
  leaves.reserve(count);
  for (const Json& item : items)
    leaves.push_back(&item);  // an array among them has the wrong type, which is said below
  return leaves;
}

Status WrongElement(size_t at, const std::string& wanted) {
  return InvalidArgument("data: element " + std::to_string(at) + ": want " + wanted, "data_invalid");
}

/// Integers, BOOL, FP32, FP64 as bytes of T. A float takes any JSON number that it can hold; integers are exact.
template <typename T>
Status AppendElements(const Leaves& leaves, std::string* out) {
  out->reserve(leaves.size() * sizeof(T));
  for (size_t i = 0; i < leaves.size(); ++i) {
    const Json& leaf = *leaves[i];
    T value{};
    if constexpr (std::is_same_v<T, bool>) {
      if (!leaf.is_bool()) return WrongElement(i, "true or false");
      value = leaf.as_bool();
    } else if constexpr (std::is_floating_point_v<T>) {
      if (!leaf.is_number()) return WrongElement(i, "a number");
      value = static_cast<T>(leaf.as_number());
      if (!std::isfinite(value)) return WrongElement(i, "a number that the datatype can hold");
    } else {
      const auto high = std::numeric_limits<T>::max();
      if (!leaf.is_integer() || leaf.as_integer() < static_cast<int64_t>(std::numeric_limits<T>::min()) ||
          (leaf.as_integer() > 0 && static_cast<uint64_t>(leaf.as_integer()) > static_cast<uint64_t>(high))) {
        return WrongElement(i, "an integer that the datatype can hold");
      }
      value = static_cast<T>(leaf.as_integer());
    }
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    out->append(bytes, sizeof(T));
  }
  return Ok();
}

Status AppendNumbers(Datatype datatype, const Leaves& leaves, std::string* out) {
  switch (datatype) {
    case Datatype::kBool:
      return AppendElements<bool>(leaves, out);
    case Datatype::kUint8:
      return AppendElements<uint8_t>(leaves, out);
    case Datatype::kUint16:
      return AppendElements<uint16_t>(leaves, out);
    case Datatype::kUint32:
      return AppendElements<uint32_t>(leaves, out);
    case Datatype::kUint64:
      return AppendElements<uint64_t>(leaves, out);
    case Datatype::kInt8:
      return AppendElements<int8_t>(leaves, out);
    case Datatype::kInt16:
      return AppendElements<int16_t>(leaves, out);
    case Datatype::kInt32:
      return AppendElements<int32_t>(leaves, out);
    case Datatype::kInt64:
      return AppendElements<int64_t>(leaves, out);
    case Datatype::kFp32:
      return AppendElements<float>(leaves, out);
    case Datatype::kFp64:
      return AppendElements<double>(leaves, out);
    case Datatype::kFp16:
    case Datatype::kBf16:
      return InvalidArgument("data: FP16 and BF16 come as binary data only", "data_invalid");
    case Datatype::kBytes:
      break;
  }
  CHECK(false);
}

/// Whether the input says that its strings are base64. Errors: another content_type.
Result<bool> IsBase64(const Parameters& parameters) {
  const Parameter* type = FindParameter(parameters, "content_type");
  if (type == nullptr) return false;
  const std::string* text = std::get_if<std::string>(type);
  if (text != nullptr && *text == "base64") return true;
  if (text != nullptr && *text == "str") return false;
  return InvalidArgument("parameters.content_type: want \"base64\" or \"str\"", "content_type_unknown");
}

Status SetStrings(const Leaves& leaves, InputTensor* input, std::vector<std::shared_ptr<const void>>* owners) {
  PAWSIGHT_ASSIGN_OR_RETURN(const bool base64, IsBase64(input->parameters));
  auto decoded = std::make_shared<std::vector<std::string>>();
  if (base64) decoded->reserve(leaves.size());  // so that views into it stay
  input->elements.reserve(leaves.size());
  for (size_t i = 0; i < leaves.size(); ++i) {
    if (!leaves[i]->is_string()) return WrongElement(i, "a string");
    const std::string& text = leaves[i]->as_string();
    if (base64) {
      Result<std::string> bytes = DecodeBase64(text);
      if (!bytes.ok()) return Annotate(bytes.status(), "data: element " + std::to_string(i));
      input->elements.push_back(decoded->emplace_back(*std::move(bytes)));
      continue;
    }
    if (text.find('\0') != std::string::npos)
      return WrongElement(i, "text without NUL; bytes come as base64 or binary");
    input->elements.push_back(text);
  }
  if (base64) owners->push_back(std::move(decoded));
  return Ok();
}

template <typename T>
T ElementAt(const std::string& data, size_t at) {
  T value{};
  std::memcpy(&value, data.data() + at * sizeof(T), sizeof(T));
  return value;
}

template <typename T>
void AppendNumber(T value, std::string* out) {
  if constexpr (std::is_same_v<T, bool>) {
    *out += value ? "true" : "false";
  } else {
    if constexpr (std::is_floating_point_v<T>) {
      if (!std::isfinite(value)) {
        *out += "null";
        return;
      }
    }
    char text[40];
    const auto written = std::to_chars(text, text + sizeof text, value);  // the shortest that reads back as the same
    out->append(text, static_cast<size_t>(written.ptr - text));
  }
}

template <typename T>
void AppendArray(const std::string& data, std::string* out) {
  for (size_t i = 0; i < data.size() / sizeof(T); ++i) {
    if (i > 0) *out += ',';
    AppendNumber(ElementAt<T>(data, i), out);
  }
}

}  // namespace

Status SetJsonContents(const Json& data, const InferLimits& limits, InputTensor* input,
                       std::vector<std::shared_ptr<const void>>* owners) {
  PAWSIGHT_ASSIGN_OR_RETURN(const size_t count, CountElements(input->shape, limits));
  PAWSIGHT_ASSIGN_OR_RETURN(const Leaves leaves, LeavesOf(data, input->shape, count));
  if (input->datatype == Datatype::kBytes) return SetStrings(leaves, input, owners);
  auto made = std::make_shared<std::string>();
  PAWSIGHT_RETURN_IF_ERROR(AppendNumbers(input->datatype, leaves, made.get()));
  input->data = std::as_bytes(std::span(made->data(), made->size()));
  owners->push_back(std::move(made));
  return Ok();
}

Status AppendJsonContents(const OutputTensor& output, std::string* out) {
  *out += '[';
  switch (output.datatype) {
    case Datatype::kBool:
      AppendArray<bool>(output.data, out);
      break;
    case Datatype::kUint8:
      AppendArray<uint8_t>(output.data, out);
      break;
    case Datatype::kUint16:
      AppendArray<uint16_t>(output.data, out);
      break;
    case Datatype::kUint32:
      AppendArray<uint32_t>(output.data, out);
      break;
    case Datatype::kUint64:
      AppendArray<uint64_t>(output.data, out);
      break;
    case Datatype::kInt8:
      AppendArray<int8_t>(output.data, out);
      break;
    case Datatype::kInt16:
      AppendArray<int16_t>(output.data, out);
      break;
    case Datatype::kInt32:
      AppendArray<int32_t>(output.data, out);
      break;
    case Datatype::kInt64:
      AppendArray<int64_t>(output.data, out);
      break;
    case Datatype::kFp32:
      AppendArray<float>(output.data, out);
      break;
    case Datatype::kFp64:
      AppendArray<double>(output.data, out);
      break;
    case Datatype::kFp16:
    case Datatype::kBf16:
      return InvalidArgument("output '" + output.name + "': FP16 and BF16 go as binary data only",
                             "output_binary_only");
    case Datatype::kBytes:
      for (size_t i = 0; i < output.elements.size(); ++i) {
        if (i > 0) *out += ',';
        *out += JsonQuote(output.elements[i]);
      }
      break;
  }
  *out += ']';
  return Ok();
}

}  // namespace pawsight::protocol
