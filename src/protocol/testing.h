// protocol/testing.h: models and requests for the tests of codecs.
#pragma once

#include <string>
#include <string_view>

#include "protocol/json_codec.h"

namespace pawsight::protocol::testing {

/// Takes what model `vqa` takes, and a number input of most kinds besides.
inline ModelMetadata VqaLike() {
  return {"vqa",
          {"1"},
          "test",
          {{"image", Datatype::kBytes, {-1}},
           {"question", Datatype::kBytes, {-1}, true},
           {"flag", Datatype::kBool, {-1}, true},
           {"tiny", Datatype::kInt8, {-1}, true},
           {"huge", Datatype::kUint64, {-1}, true},
           {"half", Datatype::kFp16, {-1}, true},
           {"number", Datatype::kFp32, {-1, -1}, true}},
          {{"answer", Datatype::kBytes, {-1}}, {"p_yes", Datatype::kFp32, {-1}}}};
}

/// `bytes` must outlive the request.
inline Result<InferRequest> Parse(std::string_view bytes, std::optional<std::string_view> header_length = std::nullopt,
                                  const InferLimits& limits = {}) {
  return ParseInferRequest({bytes, nullptr, header_length}, VqaLike(), limits);
}

/// A request with one image "x", and `more` in the top object and `input` in the image's.
inline std::string Request(const std::string& more, const std::string& input = R"("shape":[1],"data":["x"])") {
  return R"({"inputs":[{"name":"image","datatype":"BYTES",)" + input + "}]" + (more.empty() ? "" : ",") + more + "}";
}

/// Four little-endian bytes.
inline std::string Length(uint32_t length) {
  return {static_cast<char>(length), static_cast<char>(length >> 8U), static_cast<char>(length >> 16U),
          static_cast<char>(length >> 24U)};
}

}  // namespace pawsight::protocol::testing
