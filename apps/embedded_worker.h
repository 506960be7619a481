// apps/embedded_worker.h: the inference tier inside this process, for one small box: the model, the batcher and its
// canaries, offered as the endpoint kind "embedded". Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "apps/open_model.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "client/inference_client.h"
#include "server/served_vqa.h"

namespace pawsight {

class EmbeddedWorker {
 public:
  /// Opens the model and asks it a canary. `scheduling` says how work is queued (server/schedule.h). `clock` outlives
  /// it. Errors: those of OpenModel and server::ServedVqa::Start. Cost: reads the model's weights, packs them once.
  static Result<std::unique_ptr<EmbeddedWorker>> Start(const ModelOptions& model,
                                                       const server::ScheduleOptions& scheduling, const Clock& clock);

  /// The worker outlives what asks it.
  std::shared_ptr<client::InferenceClient> MakeClient() const;
  /// Takes no more work and waits for what was accepted, at most `limit`. False: a batch still runs.
  bool Drain(std::chrono::nanoseconds limit) { return served_->Drain(limit); }
  server::Batcher& batcher() { return served_->batcher(); }

 private:
  EmbeddedWorker(std::unique_ptr<server::ServedVqa> served, std::shared_ptr<server::Model> vqa, const Clock& clock)
      : served_(std::move(served)), vqa_(std::move(vqa)), clock_(clock) {}

  const std::unique_ptr<server::ServedVqa> served_;
  const std::shared_ptr<server::Model> vqa_;
  const Clock& clock_;
};

/// The same model in as many precisions as somebody asks for, each opened when it is first named.
class EmbeddedWorkers {
 public:
  /// `model` says the precision that is meant by "". `clock` outlives it.
  EmbeddedWorkers(ModelOptions model, const Clock& clock) : model_(std::move(model)), clock_(clock) {}

  /// Opens the worker of that precision unless it is open, which takes about a second for pawsight-mini, longer for
  /// what was never compiled here. Errors: EmbeddedWorker::Start's. kFailedPrecondition: another precision than that of
  /// artifacts.
  Result<std::shared_ptr<client::InferenceClient>> MakeClient(const std::string& precision) EXCLUDES(mu_);

 private:
  const ModelOptions model_;
  const Clock& clock_;
  Mutex mu_;
  std::map<std::string, std::unique_ptr<EmbeddedWorker>> workers_ GUARDED_BY(mu_);  // by precision
};

}  // namespace pawsight
