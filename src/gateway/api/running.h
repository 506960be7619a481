// gateway/api/running.h: how it goes: /healthz, /readyz, /metrics, /v1/stats, /v1/autoscale, and the API's own
// description, /openapi.json. Thread-safe.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "gateway/api/api_router.h"
#include "gateway/autoscale.h"
#include "gateway/path/frame_path.h"

namespace pawsight::gateway {

struct RunningParts {
  FramePath& path;
  std::function<std::vector<std::string>()> unready;  // why it is not ready; empty: it is. Quick
  std::function<std::string()> metrics;               // Prometheus text of everything
  std::function<AutoscaleView()> autoscale;
  std::function<Json(const std::string& owner)> sources;  // Puller::Stats; empty: nothing is pulled
};

class RunningApi {
 public:
  /// Adds its routes. What the parts refer to outlives the server.
  RunningApi(const ApiContext& context, RunningParts parts);
  RunningApi(const RunningApi&) = delete;
  RunningApi& operator=(const RunningApi&) = delete;

  /// The metrics as a response, for a listener of their own.
  net::HttpResponse Metrics() const;

 private:
  Result<net::HttpResponse> Stats(const Call& call) const;
  Result<net::HttpResponse> Autoscale(const Call& call) const;

  const RunningParts parts_;
};

/// What the door refused, by its code: pawsight_gateway_rejected_total{reason="..."}.
std::string RefusalMetrics(const std::map<std::string, uint64_t>& refusals);

}  // namespace pawsight::gateway
