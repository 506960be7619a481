// apps/embedded_pool.h: the gateway's backends with one pool, the model in this process: what a gateway has that was
// given no workers, for a command without one. Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "apps/backend_clients.h"
#include "apps/embedded_worker.h"
#include "gateway/backends/backends.h"

namespace pawsight {

class EmbeddedPool {
 public:
  /// `clock` outlives it. Errors: EmbeddedWorker::Start's. Cost: reads the model's weights, packs them once.
  static Result<std::unique_ptr<EmbeddedPool>> Open(const ModelOptions& model, const Clock& clock);

  gateway::AsyncBackend& backend() { return *backends_; }
  /// For people: "pawsight-mini on this CPU".
  const std::string& name() const { return name_; }

 private:
  EmbeddedPool() = default;

  std::string name_;
  std::unique_ptr<EmbeddedWorker> worker_;
  std::unique_ptr<BackendClients> clients_;
  std::unique_ptr<gateway::Backends> backends_;
};

}  // namespace pawsight
