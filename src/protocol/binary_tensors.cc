#include "protocol/binary_tensors.h"

#include <cstdint>
#include <cstring>
#include <limits>

namespace pawsight::protocol {
namespace {

constexpr size_t kLengthBytes = 4;

void AppendBytesElement(std::string_view element, std::string* out) {
  CHECK(element.size() <= std::numeric_limits<uint32_t>::max());
  const auto length = static_cast<uint32_t>(element.size());
  char prefix[kLengthBytes];
  std::memcpy(prefix, &length, kLengthBytes);
  out->append(prefix, kLengthBytes);
  *out += element;
}

template <typename Element>
size_t RawBytes(size_t data_bytes, const std::vector<Element>& elements) {
  for (const Element& element : elements) data_bytes += kLengthBytes + element.size();
  return data_bytes;
}

}  // namespace

Result<std::vector<std::string_view>> SplitBytesTensor(std::string_view bytes, size_t count) {
  if (bytes.size() / kLengthBytes < count) {
    return InvalidArgument(std::to_string(bytes.size()) + " bytes are too few for " + std::to_string(count) +
                               " elements with their lengths",
                           "bytes_truncated");
  }
  std::vector<std::string_view> elements;
  elements.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    uint32_t length = 0;
    if (bytes.size() >= kLengthBytes) {
      std::memcpy(&length, bytes.data(), kLengthBytes);
      bytes.remove_prefix(kLengthBytes);
    } else {
      length = std::numeric_limits<uint32_t>::max();
    }
    if (length > bytes.size()) {
      return InvalidArgument("element " + std::to_string(i) + " ends behind the data", "bytes_truncated");
    }
    elements.push_back(bytes.substr(0, length));
    bytes.remove_prefix(length);
  }
  if (!bytes.empty()) {
    return InvalidArgument(
        std::to_string(bytes.size()) + " bytes are left over after " + std::to_string(count) + " elements",
        "bytes_left_over");
  }
  return elements;
}

Status SetRawContents(std::string_view bytes, const InferLimits& limits, InputTensor* input) {
  const std::string where = "input '" + input->name + "'";
  const Result<size_t> count = CountElements(input->shape, limits);
  if (!count.ok()) return Annotate(count.status(), where);
  if (input->datatype == Datatype::kBytes) {
    Result<std::vector<std::string_view>> elements = SplitBytesTensor(bytes, *count);
    if (!elements.ok()) return Annotate(elements.status(), where);
    input->elements = *std::move(elements);
    return Ok();
  }
  const size_t wanted = *count * DatatypeBytes(input->datatype);
  if (bytes.size() != wanted) {
    return InvalidArgument(
        where + ": " + std::to_string(bytes.size()) + " bytes, want " + std::to_string(wanted) + " for its shape",
        "data_size_wrong");
  }
  input->data = std::as_bytes(std::span(bytes.data(), bytes.size()));
  return Ok();
}

void AppendRawContents(const OutputTensor& output, std::string* out) {
  *out += output.data;
  for (const std::string& element : output.elements) AppendBytesElement(element, out);
}

void AppendRawContents(const InputTensor& input, std::string* out) {
  out->append(reinterpret_cast<const char*>(input.data.data()), input.data.size());
  for (const std::string_view element : input.elements) AppendBytesElement(element, out);
}

size_t RawContentsBytes(const OutputTensor& output) { return RawBytes(output.data.size(), output.elements); }
size_t RawContentsBytes(const InputTensor& input) { return RawBytes(input.data.size(), input.elements); }

}  // namespace pawsight::protocol
