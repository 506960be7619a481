// protocol/json_client.h: the asking side of protocol/json_codec.h: infer requests written as HTTP bodies, responses,
// errors and metadata read. What a server sends is trusted no more than what a client sends. Thread-safe: functions
// without state.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "protocol/json_codec.h"
#include "protocol/messages.h"

namespace pawsight::protocol {

/// JSON and, behind it, every input as raw bytes; the outputs as `request` wants them. timeout and priority are written
/// as parameters, where they are not 0. CHECK that inputs hold as many elements as their shapes say.
/// Cost: copies what the inputs view.
EncodedResponse EncodeInferRequest(const InferRequest& request);

/// Reads the body of a 200. Copies what it keeps, so body.owner may be empty.
/// Errors: kInvalidArgument, naming the field: what a request may not hold either, an output twice, bytes left over.
Result<InferResponse> ParseInferResponse(const InferBody& body, const InferLimits& limits);

/// Reads the body of GET /v2/models/{model}. Errors: kInvalidArgument.
Result<ModelMetadata> ParseModelMetadata(std::string_view body, const InferLimits& limits);

/// What a body says that tells of an error.
struct ErrorText {
  std::string text;    // at most 256 bytes, without control characters; "" when it says nothing of the kind
  std::string reason;  // ReadReason of its code
};
/// {"error": text, "code": reason} as inference servers write it, or {"detail": text, "code": reason}, a problem
/// (RFC 9457). Every server has its own idea of errors, so whatever is in the body is no error here.
ErrorText ParseError(std::string_view body);

/// `word` when it may be a Status's reason: 1 to 64 of a-z, 0-9 and _, the first a letter; else "".
std::string ReadReason(std::string_view word);

}  // namespace pawsight::protocol
