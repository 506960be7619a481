// Any bytes as the body of an infer request: read or refused; what is read fits its shape and can be answered. The
// first byte says which model is asked and whether the rest is all JSON, JSON and tensors, or raw.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/json.h"
#include "protocol/json_codec.h"

namespace {

using namespace pawsight::protocol;

const ModelMetadata kMany{"many",
                          {"1"},
                          "",
                          {{"image", Datatype::kBytes, {-1}, true},
                           {"flag", Datatype::kBool, {-1}, true},
                           {"small", Datatype::kInt8, {-1}, true},
                           {"large", Datatype::kUint64, {-1, -1}, true},
                           {"half", Datatype::kFp16, {-1}, true},
                           {"number", Datatype::kFp32, {-1}, true}},
                          {{"answer", Datatype::kBytes, {-1}}, {"p_yes", Datatype::kFp32, {-1}}}};
const ModelMetadata kOneBytes{"bytes", {"1"}, "", {{"image", Datatype::kBytes, {-1}}}, kMany.outputs};
const ModelMetadata kOneNumber{"number", {"1"}, "", {{"x", Datatype::kFp32, {-1, 3}}}, kMany.outputs};

void Answer(const InferRequest& request) {
  for (const InputTensor& input : request.inputs) {
    const auto count = CountElements(input.shape, InferLimits{});
    CHECK(count.ok());
    CHECK(input.datatype == Datatype::kBytes ? input.elements.size() == *count
                                             : input.data.size() == *count * DatatypeBytes(input.datatype));
  }
  InferResponse response{request.model, "1", request.parameters, {}};
  response.outputs.push_back(BytesOutput("answer", {1}, {request.id}));
  const float p_yes = 0.5F;
  response.outputs.push_back(Fp32Output("p_yes", {1}, {&p_yes, 1}));
  const auto encoded = EncodeInferResponse(request, response);
  CHECK(encoded.ok());
  CHECK(pawsight::Json::Parse(
            std::string_view(encoded->body).substr(0, encoded->json_bytes.value_or(encoded->body.size())))
            .ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const ModelMetadata* models[] = {&kMany, &kOneBytes, &kOneNumber};
  const ModelMetadata& model = *models[data[0] % 3];
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  InferBody body{text, nullptr, std::nullopt};
  const std::string json_bytes = std::to_string(data[0] >= 128 ? text.find('\n') + 1 : 0);  // npos + 1 is 0
  if (data[0] >= 64) body.header_length = json_bytes;
  const auto request = ParseInferRequest(body, model, InferLimits{});
  if (request.ok()) Answer(*request);
  return 0;
}
