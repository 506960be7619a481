// tools/cell_run.h: one cell measured: the load (tools/load_run.h) and, beside it, what can be seen of the server and
// of the load itself. Used by one thread.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "client/inference_client.h"
#include "tools/arrivals.h"
#include "tools/load_frames.h"
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

/// Where the server's own numbers are.
struct ServerPlace {
  std::string stats_url;  // GET .../v2/models/vqa/stats; "": not asked
  int pid = 0;            // 0: its process cannot be seen
};

/// Errors: kCancelled, stopped before a second had been measured; those of Arrivals. A server that does not tell its
/// statistics is no error.
Result<StressCell> RunCell(client::InferenceClient& server, const LoadFrames& frames, const CellPlan& plan,
                           const CellSettings& settings, const ServerPlace& place, const Clock& clock,
                           std::stop_token stop, const OnProgress& progress);

}  // namespace pawsight::tools
