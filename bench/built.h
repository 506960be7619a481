// bench/built.h: the built program and the other benchmarks as children of a table. For benchmarks; a failure ends them
// (CHECK).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tools/server_process.h"

namespace pawsight::bench {

/// The folder that the benchmarks were built into, with `pawsight` and the others.
std::string BuildDir();
/// Where what is started here keeps its cache: $XDG_CACHE_HOME of the children.
std::string CacheHome();

/// Runs a program to its end and gives its standard output. CHECK that it ended with 0.
std::string OutputOf(const std::vector<std::string>& argv);

/// The built `pawsight worker` and `pawsight gateway`.
std::unique_ptr<tools::WorkerProcess> StartWorker(const std::vector<std::string>& arguments);
std::unique_ptr<tools::GatewayProcess> StartGateway(const std::string& data, const std::vector<std::string>& arguments);

}  // namespace pawsight::bench
