// tools/server_view.h: what can be seen of a server from outside while a load runs: processor time and memory of a
// process by /proc, the queue and compute times of its model statistics. Linux. Thread-compatible.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "tools/stress_result.h"

namespace pawsight::tools {

/// Processor time, seconds; pid 0 is this process. 0 when the system does not tell.
double ProcessCpuSeconds(int pid);

/// Of all cores since the machine's start, seconds.
struct MachineTime {
  double busy = 0;
  double all = 0;
};
MachineTime ReadMachineTime();

std::string ProcessorName();

/// Sums since the server's start.
struct ModelTimes {
  int64_t queue_count = 0, compute_count = 0;
  double queue_ms = 0, compute_ms = 0;
};
/// The body of GET /v2/models/{model}/stats. Errors: kInvalidArgument.
Result<ModelTimes> ParseModelTimes(std::string_view body);
/// Means of the frames between; absent when there were none, or the server was started anew.
std::optional<ServerTimes> TimesBetween(const ModelTimes& before, const ModelTimes& after);

/// Whether a cell's numbers are the load's limit and not the server's: its one sending thread has hardly time left
/// (more than 0.85 of a core), or it sends late by more than a quarter of the median latency and 5 ms.
bool ClientSaturated(double client_cores, double late_p99_ms, double p50_ms);

}  // namespace pawsight::tools
