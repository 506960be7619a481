// apps/worker_metrics.h: what a worker has done and how it is, as Prometheus reads it. Thread-safe: a function without
// state.
#pragma once

#include <string>

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
  std::string precision;
};

/// pawsight_build_info and the metrics of each part. About 15 kB.
std::string WorkerMetrics(const WorkerParts& parts);

}  // namespace pawsight
