// net/http_metrics.h: what an HTTP server has done, as Prometheus reads it. Thread-safe: a function without state.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "net/http_server.h"

namespace pawsight::net {

struct NamedHttpServer {
  std::string_view listener;  // "http"
  const HttpServer& server;
};

/// Names pawsight_net_<thing>_<unit>, with the label `listener`; connections, handshakes, bytes, responses by status,
/// errors by reason.
std::string HttpMetrics(std::span<const NamedHttpServer> servers);

}  // namespace pawsight::net
