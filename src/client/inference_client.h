// client/inference_client.h: asking one inference server, by whatever protocol: calls go out, answers come back through
// callbacks. A client knows how far a failed call got, because only what certainly did not run may be asked again
// elsewhere. Not here: which server to ask, retries, health (gateway/backends). Implementations: HTTP
// (client/http_client.h), gRPC (rpc/grpc_client.h), the model in this process (apps/embedded_worker.h).
// Thread-safe, each implementation too.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/status.h"
#include "protocol/messages.h"

namespace pawsight::client {

using Deadline = std::chrono::steady_clock::time_point;

/// How a call ended.
struct InferResult {
  /// The answer, or why there is none: kInvalidArgument, the request's fault. kResourceExhausted or kUnavailable with
  /// may_have_run false, refused. kUnavailable, no connection, or it broke. kDeadlineExceeded. kCancelled. kDataLoss,
  /// what came is no answer. kUnauthenticated, kPermissionDenied, kNotFound, kFailedPrecondition, kUnimplemented: this
  /// is not the server that was expected, or we are not the client that it expects. kInternal, its fault.
  Result<protocol::InferResponse> response;
  /// False only when it is certain that the server did not and will not execute the request: it was refused, or never
  /// left here whole.
  bool may_have_run = false;
  /// When the server, refusing, said that it is worth trying again.
  std::optional<std::chrono::milliseconds> retry_after;
};

class InferenceClient {
 public:
  using CallId = uint64_t;
  using Done = std::function<void(InferResult)>;

  /// Does not wait. Calls that are left end as kCancelled, perhaps after this has returned.
  virtual ~InferenceClient() = default;

  /// Never blocks. `done` is called exactly once, from any thread, perhaps before this returns; it is quick and does
  /// not throw. `request` is not looked at after that. What the request's own timeout says is replaced by the time
  /// left.
  virtual CallId Infer(std::shared_ptr<const protocol::InferRequest> request, Deadline deadline, Done done) = 0;
  /// Ends the call as kCancelled, on another thread perhaps, and tells the server where the protocol can. A call that
  /// has ended, or never was: nothing.
  virtual void Cancel(CallId call) = 0;

  /// OK when the server says that it is ready. Errors: kUnavailable, it says no, or is not there; then as Infer's.
  virtual void CheckReady(Deadline deadline, std::function<void(Status)> done) = 0;
  /// What the model takes and gives. Errors: as Infer's.
  virtual void GetMetadata(const std::string& model, Deadline deadline,
                           std::function<void(Result<protocol::ModelMetadata>)> done) = 0;
};

}  // namespace pawsight::client
