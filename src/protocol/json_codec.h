// protocol/json_codec.h: infer requests and responses as HTTP bodies: JSON, JSON with binary tensors behind it, and raw
// requests of one tensor. docs/protocol.md has the bytes. Not here: metadata (protocol/json_metadata.h), HTTP itself.
// Thread-safe: functions without state.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "protocol/messages.h"

namespace pawsight::protocol {

struct InferBody {
  std::string_view bytes;
  std::shared_ptr<const void> owner;              // keeps `bytes`; the request views into them
  std::optional<std::string_view> header_length;  // Inference-Header-Content-Length, as it was sent
};

/// Reads a request for the model of `metadata` and checks it against that (CheckAgainst). Without header_length the
/// bytes are JSON; with 0 they are the model's only input; else that many bytes of JSON and then the binary tensors, in
/// the order of the inputs that have a `binary_data_size`. Of JSON's BYTES, elements are the strings' UTF-8, or with
/// the input's parameter "content_type": "base64" what that stands for. Errors: kInvalidArgument, naming the field.
/// Cost: binary tensors are not copied; JSON strings are copied once, base64 is decoded once.
Result<InferRequest> ParseInferRequest(const InferBody& body, const ModelMetadata& metadata, const InferLimits& limits);

struct EncodedResponse {
  std::string body;
  std::optional<size_t> json_bytes;  // set when binary tensors follow the JSON
};

/// The outputs that `request` wants, in its order, each in JSON or binary as it asks.
/// Errors: kInternal, the model gave no such output. kInvalidArgument, FP16 and BF16 are asked for in JSON, which has
/// no way to write them.
Result<EncodedResponse> EncodeInferResponse(const InferRequest& request, const InferResponse& response);

}  // namespace pawsight::protocol
