// apps/gateway_metrics.h: a gateway's numbers for a scraper, of all its parts.
#pragma once

#include <string>

#include "events/store.h"
#include "gateway/api/picture_station.h"
#include "gateway/backends/backends.h"
#include "gateway/path/frame_path.h"
#include "gateway/path/puller.h"
#include "net/access_log.h"
#include "net/http_server.h"
#include "notify/notifier.h"

namespace pawsight {

struct GatewayNumbers {
  const gateway::FramePath& path;
  const gateway::Backends& backends;
  const events::Store& store;
  const notify::Notifier& notifier;
  const gateway::Puller& puller;
  gateway::PictureStation::Counts pictures{};
  const net::HttpServer* http = nullptr;       // null: not yet
  const net::AccessLog* access_log = nullptr;  // null: off
  double offered_per_s = 0;
  bool reload_ok = true;
};

/// Prometheus text.
std::string GatewayMetrics(const GatewayNumbers& numbers);

}  // namespace pawsight
