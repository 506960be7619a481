// server/exposition.h: the inference tier's numbers as Prometheus reads them
// (https://prometheus.io/docs/instrumenting/exposition_formats, text 0.0.4). Thread-safe: a function without state.
#pragma once

#include <string>

#include "server/counters.h"
#include "server/queue.h"

namespace pawsight::server {

/// Names pawsight_server_<thing>_<unit>, each with HELP and TYPE; times in seconds. About 12 kB.
std::string Exposition(const CountersView& counters, const Health& health);

}  // namespace pawsight::server
