// tools/cell_run.h: one cell measured: the load (tools/load_run.h) and, beside it, what can be seen of the server and
// of the load itself. Used by one thread.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "tools/arrivals.h"
#include "tools/load_run.h"
#include "tools/stress_plan.h"
#include "tools/stress_result.h"

namespace pawsight::tools {

/// How all cells of a run are measured.
struct CellSettings {
  std::chrono::nanoseconds warmup{2'000'000'000};
  std::chrono::nanoseconds duration{10'000'000'000};
  std::chrono::nanoseconds timeout{10'000'000'000};
  ArrivalKind arrivals = ArrivalKind::kPoisson;  // of open loops
  std::string replay;                            // the text of the file, for kReplay
  uint64_t seed = 1;
};

/// Where the server's own numbers are. What is empty, or fails, is not told.
struct ServerPlace {
  std::function<Result<std::string>()> stats;    // the body of GET /v2/models/{model}/stats
  std::function<Result<std::string>()> metrics;  // Prometheus's text: processor time, memory, a gateway's outcomes
  int pid = 0;                                   // of its process on this machine; 0: it cannot be seen
};

/// Whether the change gate decided how much was asked: of a closed loop the clients spent more than a tenth of their
/// time with frames that it held back, of an open one it held back more than a tenth of what was due. Then the
/// throughput is the gate's and not the server's. Otherwise gated frames kept it less than a tenth below what the
/// server was good for. Pure.
bool GateLimited(const LoadSeen& seen, int clients);

/// Errors: kCancelled, stopped before its time was over: what was measured by then says something else than a whole
/// cell. Those of Arrivals. A server that does not tell its numbers is no error.
Result<StressCell> RunCell(const SendFrame& send, int questions_a_frame, const CellPlan& plan,
                           const CellSettings& settings, const ServerPlace& place, const Clock& clock,
                           std::stop_token stop, const OnProgress& progress);

}  // namespace pawsight::tools
