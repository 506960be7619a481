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

/// What {"error": ...} says, at most 256 bytes of it, without control characters; "" when the body says nothing of the
/// kind.
std::string ParseError(std::string_view body);

}  // namespace pawsight::protocol
