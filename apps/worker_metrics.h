// apps/worker_metrics.h: what a worker has done and how it is, as Prometheus reads it. Thread-safe: a function without
// state.
#pragma once

#include <chrono>
#include <string>

#include "engine/counted_target.h"
#include "net/access_log.h"
#include "net/http_server.h"
#include "rpc/grpc_endpoint.h"
#include "server/batcher.h"

namespace pawsight {

/// A worker's parts; what it does not have is null.
struct WorkerParts {
  const server::Batcher* batcher = nullptr;
  const net::HttpServer* http = nullptr;
  const rpc::GrpcEndpoint* grpc = nullptr;
  const net::AccessLog* access_log = nullptr;
  const engine::OperationCount* operations = nullptr;
  const engine::PeakShare* peak_share = nullptr;  // of these
  std::chrono::nanoseconds now{0};
  std::string precision;
};

/// pawsight_build_info and the metrics of each part. About 15 kB.
std::string WorkerMetrics(const WorkerParts& parts);

}  // namespace pawsight
