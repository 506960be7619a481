// apps/model_client.h: a model of the inference tier in this process, asked as any other server is. Thread-safe.
#pragma once

#include <memory>
#include <unordered_map>

#include "base/clock.h"
#include "base/mutex.h"
#include "client/inference_client.h"
#include "server/model.h"

namespace pawsight {

class ModelClient : public client::InferenceClient {
 public:
  /// What stands behind `model` outlives the client and its calls; `clock` as well.
  ModelClient(std::shared_ptr<server::Model> model, const Clock& clock)
      : calls_(std::make_shared<Calls>()), model_(std::move(model)), clock_(clock) {}
  ~ModelClient() override;

  CallId Infer(std::shared_ptr<const protocol::InferRequest> request, client::Deadline deadline, Done done) override;
  void Cancel(CallId call) override;
  void CheckReady(client::Deadline deadline, std::function<void(Status)> done) override;
  void GetMetadata(const std::string& model, client::Deadline deadline,
                   std::function<void(Result<protocol::ModelMetadata>)> done) override;

 private:
  /// Of calls that have not ended; they may outlive the client.
  class Calls {
   public:
    CallId Begin(std::stop_source gone) EXCLUDES(mu_);
    void End(CallId call) EXCLUDES(mu_);
    void Cancel(CallId call) EXCLUDES(mu_);
    void CancelAll() EXCLUDES(mu_);

   private:
    Mutex mu_;
    CallId next_ GUARDED_BY(mu_) = 1;
    std::unordered_map<CallId, std::stop_source> gone_ GUARDED_BY(mu_);
  };

  const std::shared_ptr<Calls> calls_;
  const std::shared_ptr<server::Model> model_;
  const Clock& clock_;
};

}  // namespace pawsight
