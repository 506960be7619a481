#include "apps/embedded_worker.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "apps/model_client.h"
#include "frames/encode.h"
#include "scenes/draw.h"
#include "server/vqa_engine.h"

namespace pawsight {

Result<std::unique_ptr<EmbeddedWorker>> EmbeddedWorker::Start(const ModelOptions& model,
                                                              const server::ScheduleOptions& scheduling,
                                                              const Clock& clock) {
  ModelOptions found = model;
  if (found.threads == 0) {
    const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    found.threads = std::max(1, cores / found.teams);
  }
  server::ServedVqaOptions options;
  PAWSIGHT_ASSIGN_OR_RETURN(options.canary_image, frames::EncodeJpeg(scenes::Draw(7, 160, 120).image, 80));
  options.batcher.schedule = scheduling;
  options.batcher.num_runners = found.teams;
  const auto open = [found]() -> Result<std::shared_ptr<server::Engine>> {
    PAWSIGHT_ASSIGN_OR_RETURN(engine::Vqa vqa, OpenModel(found));
    return std::shared_ptr<server::Engine>(server::MakeVqaEngine(std::move(vqa)));
  };
  PAWSIGHT_ASSIGN_OR_RETURN(std::unique_ptr<server::ServedVqa> served, server::ServedVqa::Start(options, open, clock));
  for (const std::shared_ptr<server::Model>& offered : served->models()) {
    if (offered->Metadata().name != "vqa") continue;
    const std::shared_ptr<server::Model> vqa = offered;  // `served` is moved from while it lists it
    return std::unique_ptr<EmbeddedWorker>(new EmbeddedWorker(std::move(served), vqa, clock));
  }
  return FailedPrecondition("the model answers no questions");
}

std::shared_ptr<client::InferenceClient> EmbeddedWorker::MakeClient() const {
  return std::make_shared<ModelClient>(vqa_, clock_);
}

Result<std::shared_ptr<client::InferenceClient>> EmbeddedWorkers::MakeClient(const std::string& precision) {
  ModelOptions model = model_;
  if (!precision.empty() && !model.artifacts.empty()) {
    return FailedPrecondition("the gateway serves artifacts, which have one precision: name none", "precision_fixed");
  }
  if (!precision.empty()) model.precision = precision;
  MutexLock lock(mu_);
  std::unique_ptr<EmbeddedWorker>& worker = workers_[model.precision];
  if (worker == nullptr) {
    PAWSIGHT_ASSIGN_OR_RETURN(worker, EmbeddedWorker::Start(model, {}, clock_));
  }
  return worker->MakeClient();
}

}  // namespace pawsight
