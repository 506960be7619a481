// server/model.h: what stands between the endpoints, which know protocols, and a model, which knows what its tensors
// mean. Not here: which models there are (server/repository.h), wire formats (protocol/). Thread-safe, each
// implementation too: endpoints call from all their threads.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>

#include "base/status.h"
#include "protocol/messages.h"
#include "server/request_notes.h"

namespace pawsight::server {

/// Around one request. Times are Clock::Monotonic's.
struct RequestContext {
  std::chrono::nanoseconds arrival{0};
  /// The answer is worthless from then on; nanoseconds::max() without a timeout.
  std::chrono::nanoseconds deadline = std::chrono::nanoseconds::max();
  /// Stop is requested when the client has gone: nobody reads the answer. A std::stop_callback on it runs on an I/O
  /// thread, so it must be quick and must not wait.
  std::stop_token gone;
  /// May be null. A model may write into it until it calls done, and not after.
  RequestNotes* notes = nullptr;
};

class Model {
 public:
  /// The answer or why there is none: kInvalidArgument, the request's fault. kResourceExhausted or kUnavailable,
  /// refused unexecuted, may be tried again later. kDeadlineExceeded. kCancelled, the client had gone. kInternal.
  using Done = std::function<void(Result<protocol::InferResponse>)>;

  virtual ~Model() = default;

  /// The same for the model's life, and so are the next.
  virtual const protocol::ModelMetadata& Metadata() const = 0;
  virtual const protocol::ModelConfig& Config() const = 0;
  virtual protocol::ModelStatistics Statistics() const = 0;
  /// Whether it answers now, as its own last check found.
  virtual bool Ready() const = 0;

  /// Returns at once. `request` has passed protocol::CheckAgainst(Metadata()). `done` is called exactly once, from any
  /// thread, perhaps before this returns, under no lock of the model; it is quick and does not throw. The caller keeps
  /// the model alive until then.
  virtual void Infer(std::shared_ptr<const protocol::InferRequest> request, const RequestContext& context,
                     Done done) = 0;
};

}  // namespace pawsight::server
