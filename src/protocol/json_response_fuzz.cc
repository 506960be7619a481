// Any bytes as the body of a server's answer: read or refused; what is read fits its shape. The first byte says whether
// it is an infer response in JSON, one with tensors behind the first line, metadata or an error.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "protocol/json_client.h"

namespace {

using namespace pawsight::protocol;

void Check(const InferResponse& response) {
  for (const OutputTensor& output : response.outputs) {
    const auto count = CountElements(output.shape, InferLimits{});
    CHECK(count.ok());
    CHECK(output.datatype == Datatype::kBytes ? output.elements.size() == *count
                                              : output.data.size() == *count * DatatypeBytes(output.datatype));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] >= 192) {
    const ErrorText error = ParseError(text);
    CHECK(error.text.size() <= 256 && error.text.find('\n') == std::string::npos);
    CHECK(error.reason.empty() || ReadReason(error.reason) == error.reason);
    return 0;
  }
  if (data[0] >= 128) {
    const auto metadata = ParseModelMetadata(text, InferLimits{});
    CHECK(!metadata.ok() || !metadata->name.empty());
    return 0;
  }
  InferBody body{text, nullptr, std::nullopt};
  const std::string json_bytes = std::to_string(text.find('\n') + 1);  // npos + 1 is 0
  if (data[0] >= 64) body.header_length = json_bytes;
  const auto response = ParseInferResponse(body, InferLimits{});
  if (response.ok()) Check(*response);
  return 0;
}
