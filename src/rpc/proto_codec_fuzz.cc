// Any bytes as a ModelInferRequest and as a ModelInferResponse: refused, or tensors that hold what their shapes say.
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/check.h"
#include "open_inference.pb.h"
#include "rpc/proto_codec.h"

namespace {

/// What a server may send.
void ReadResponse(const uint8_t* data, size_t size) {
  using namespace pawsight;
  inference::ModelInferResponse message;
  if (!message.ParseFromArray(data, static_cast<int>(size))) return;
  const protocol::InferLimits limits;
  const auto response = rpc::FromProto(message, limits);
  if (!response.ok()) return;
  for (const protocol::OutputTensor& output : response->outputs) {
    const auto count = protocol::CountElements(output.shape, limits);
    CHECK(count.ok());
    const size_t bytes = protocol::DatatypeBytes(output.datatype);
    CHECK(bytes == 0 ? output.elements.size() == *count : output.data.size() == *count * bytes);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pawsight;
  static const protocol::ModelMetadata metadata{"m",
                                                {"1"},
                                                "test",
                                                {{"image", protocol::Datatype::kBytes, {-1}, true},
                                                 {"small", protocol::Datatype::kInt8, {-1}, true},
                                                 {"real", protocol::Datatype::kFp32, {-1, -1}, true}},
                                                {}};
  ReadResponse(data, size);
  const auto message = std::make_shared<inference::ModelInferRequest>();
  if (!message->ParseFromArray(data, static_cast<int>(size))) return 0;
  const protocol::InferLimits limits;
  const auto request = rpc::FromProto(message, metadata, limits);
  if (!request.ok()) return 0;
  for (const protocol::InputTensor& input : request->inputs) {
    const auto count = protocol::CountElements(input.shape, limits);
    CHECK(count.ok());
    const size_t bytes = protocol::DatatypeBytes(input.datatype);
    CHECK(bytes == 0 ? input.elements.size() == *count : input.data.size() == *count * bytes);
  }
  return 0;
}
