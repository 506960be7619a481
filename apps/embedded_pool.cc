#include "apps/embedded_pool.h"

#include <filesystem>
#include <utility>

namespace pawsight {
namespace {

/// A frame takes as long as it takes: nobody else could answer.
constexpr std::chrono::minutes kAttemptTimeout{5};

}  // namespace

Result<std::unique_ptr<EmbeddedPool>> EmbeddedPool::Open(const ModelOptions& model, const Clock& clock) {
  ModelOptions found = model;
  if (found.model.empty() && found.artifacts.empty()) {
    PAWSIGHT_ASSIGN_OR_RETURN(found.model, DefaultModelDir());
  }
  std::unique_ptr<EmbeddedPool> pool(new EmbeddedPool());
  const std::filesystem::path path(found.artifacts.empty() ? found.model : found.artifacts);
  pool->name_ = path.lexically_normal().filename().string() + " on this CPU";
  PAWSIGHT_ASSIGN_OR_RETURN(pool->worker_, EmbeddedWorker::Start(found, {}, clock));
  pool->clients_ = std::make_unique<BackendClients>(
      std::map<std::string, BackendCredential>{},
      [worker = pool->worker_.get()](const std::string&) { return worker->MakeClient(); });
  pool->backends_ = std::make_unique<gateway::Backends>(
      gateway::BackendsOptions{},
      [clients = pool->clients_.get()](const gateway::EndpointConfig& endpoint) { return clients->Make(endpoint); },
      clock);
  gateway::PoolConfig config;
  config.name = "embedded";
  config.endpoints.push_back({"embedded", "", ""});
  config.attempt_timeout = kAttemptTimeout;
  gateway::RoutingConfig routing;
  routing.weights.emplace_back(config.name, 1);
  PAWSIGHT_RETURN_IF_ERROR(pool->backends_->Set({{config}}, routing));
  return pool;
}

}  // namespace pawsight
