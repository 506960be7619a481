#include "apps/model_client.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace pawsight {
namespace {

/// What the batcher refuses it does not execute (server/batcher.h).
bool MayHaveRun(StatusCode code) {
  return code != StatusCode::kResourceExhausted && code != StatusCode::kUnavailable &&
         code != StatusCode::kInvalidArgument;
}

}  // namespace

ModelClient::~ModelClient() { calls_->CancelAll(); }

client::InferenceClient::CallId ModelClient::Calls::Begin(std::stop_source gone) {
  MutexLock lock(mu_);
  gone_.emplace(next_, std::move(gone));
  return next_++;
}

void ModelClient::Calls::End(CallId call) {
  MutexLock lock(mu_);
  gone_.erase(call);
}

void ModelClient::Calls::Cancel(CallId call) {
  std::stop_source gone(std::nostopstate);
  {
    MutexLock lock(mu_);
    if (const auto found = gone_.find(call); found != gone_.end()) gone = found->second;
  }
  gone.request_stop();
}

void ModelClient::Calls::CancelAll() {
  std::vector<std::stop_source> all;
  {
    MutexLock lock(mu_);
    for (const auto& [call, gone] : gone_) all.push_back(gone);
  }
  for (std::stop_source& gone : all) gone.request_stop();
}

client::InferenceClient::CallId ModelClient::Infer(std::shared_ptr<const protocol::InferRequest> request,
                                                   client::Deadline deadline, Done done) {
  server::RequestContext context;
  context.arrival = clock_.Monotonic();
  context.deadline = std::chrono::duration_cast<std::chrono::nanoseconds>(deadline.time_since_epoch());
  if (context.deadline <= context.arrival) {
    done({DeadlineExceeded("the deadline has passed"), false, {}});
    return 0;
  }
  if (Status fits = CheckAgainst(*request, model_->Metadata()); !fits.ok()) {
    done({std::move(fits), false, {}});
    return 0;
  }
  const std::stop_source gone;
  context.gone = gone.get_token();
  const CallId call = calls_->Begin(gone);
  const auto end = [calls = calls_, call, done = std::move(done)](Result<protocol::InferResponse> response) {
    calls->End(call);
    const bool may_have_run = response.ok() || MayHaveRun(response.status().code());
    done({std::move(response), may_have_run, {}});
  };
  model_->Infer(std::move(request), context, end);
  return call;
}

void ModelClient::Cancel(CallId call) { calls_->Cancel(call); }

void ModelClient::CheckReady(client::Deadline, std::function<void(Status)> done) {
  done(model_->Ready() ? Ok() : Unavailable("the model is not ready"));
}

void ModelClient::GetMetadata(const std::string& model, client::Deadline,
                              std::function<void(Result<protocol::ModelMetadata>)> done) {
  if (model != model_->Metadata().name) return done(NotFound("there is no model '" + model + "'"));
  done(model_->Metadata());
}

}  // namespace pawsight
