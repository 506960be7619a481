// rpc/proto_codec.h: the protocol's messages to and from protobuf (rpc/open_inference.proto), for endpoints and
// clients. Not here: gRPC itself. Thread-safe: functions without state.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "protocol/messages.h"

namespace inference {
class ModelConfigResponse;
class ModelInferRequest;
class ModelInferResponse;
class ModelMetadataResponse;
class ModelStatisticsResponse;
class ServerMetadataResponse;
}  // namespace inference

namespace pawsight::rpc {

/// Trailing metadata of a call that failed: the Status's reason, where it has one.
inline constexpr const char* kReasonKey = "pawsight-reason";

/// Reads a request and checks it against the model (CheckAgainst). BYTES and raw contents are viewed in `message`,
/// which the request keeps; other typed contents are packed into memory of their own. binary_outputs says that the
/// tensors came raw. Errors: kInvalidArgument, naming the field: what CheckAgainst refuses, contents in the field of
/// another datatype, raw and typed contents together, not as many as the shape says, over one of the limits.
Result<protocol::InferRequest> FromProto(std::shared_ptr<const inference::ModelInferRequest> message,
                                         const protocol::ModelMetadata& metadata, const protocol::InferLimits& limits);

/// The outputs that `request` wants, in its order, raw when its tensors came raw. Errors: kInternal, the model gave no
/// such output. kInvalidArgument, FP16 or BF16 wanted typed, which has no field for them.
Status ToProto(const protocol::InferRequest& request, const protocol::InferResponse& response,
               inference::ModelInferResponse* out);

/// The asking side: every input raw; timeout is left to the call's deadline.
void ToProto(const protocol::InferRequest& request, inference::ModelInferRequest* out);
/// Copies what it keeps. Errors: kInvalidArgument: what a request may not hold either, an output twice.
Result<protocol::InferResponse> FromProto(const inference::ModelInferResponse& message,
                                          const protocol::InferLimits& limits);
Result<protocol::ModelMetadata> FromProto(const inference::ModelMetadataResponse& message,
                                          const protocol::InferLimits& limits);

void ToProto(const protocol::ServerMetadata& metadata, inference::ServerMetadataResponse* out);
void ToProto(const protocol::ModelMetadata& metadata, inference::ModelMetadataResponse* out);
void ToProto(const protocol::ModelMetadata& metadata, const protocol::ModelConfig& config,
             inference::ModelConfigResponse* out);
void ToProto(const std::vector<protocol::ModelStatistics>& statistics, inference::ModelStatisticsResponse* out);

}  // namespace pawsight::rpc
