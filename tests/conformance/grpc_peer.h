// tests/conformance/grpc_peer.h: the client of the gRPC conformance suite. For tests only.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "open_inference.grpc.pb.h"
#include "target.h"

namespace pawsight::conformance {

using Stub = inference::GRPCInferenceService::Stub;

/// To the target; one connection for all tests.
const std::shared_ptr<grpc::Channel>& TheChannel();
/// Another connection to it, shared with nobody.
std::shared_ptr<grpc::Channel> OwnChannel();
Stub& TheStub();

/// A call, with a time limit of 20 s.
template <typename Method, typename Request, typename Response>
grpc::Status Call(const Method& method, const Request& request, Response* response) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  return (TheStub().*method)(&context, request, response);
}
grpc::Status Infer(const inference::ModelInferRequest& request, inference::ModelInferResponse* response);
grpc::StatusCode CodeOf(const inference::ModelInferRequest& request);

/// What any method answers to any bytes: status and bytes. For services whose messages are not ours, and for what is no
/// message.
struct RawAnswer {
  grpc::Status status;
  std::string bytes;
};
RawAnswer CallRaw(const std::string& method, const std::string& bytes);

/// One image, `questions` of shape [Q] about it; typed contents.
inference::ModelInferRequest Request(const std::vector<std::string>& questions);
/// The same, raw contents.
inference::ModelInferRequest RawRequest(const std::vector<std::string>& questions);

/// The output of that name; null when there is none.
const inference::ModelInferResponse::InferOutputTensor* Output(const inference::ModelInferResponse& response,
                                                               const std::string& name);
/// Its elements, whether they came typed or raw.
std::vector<float> Floats(const inference::ModelInferResponse& response, const std::string& name);
std::vector<std::string> Texts(const inference::ModelInferResponse& response, const std::string& name);

}  // namespace pawsight::conformance
