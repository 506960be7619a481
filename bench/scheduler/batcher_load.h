// bench/scheduler/batcher_load.h: a batcher without a door in front of it, as a target of tools/load_run.h. For
// benchmarks; used by one thread.
#pragma once

#include <cstdint>
#include <functional>

#include "server/batcher.h"
#include "tools/load_run.h"

namespace pawsight::bench {

/// Work number 0, 1, 2...
using MakeWork = std::function<server::VqaWork(int64_t number)>;

/// Of a batcher that is to show the most it can do: requests that always wait are a standing queue, which the others
/// shed.
server::ScheduleOptions Patient();

/// As many as come back at once: `in_flight` at any time, for `seconds` after half a second to warm up. Answers a
/// second; none may be refused or fail (CHECK).
double MostOf(server::Batcher& batcher, int in_flight, double seconds, const MakeWork& make);

struct Offered {
  tools::LoadSeen seen;
  tools::LatencyRecord waited;  // in the queue, of those that were answered
  double seconds = 0;           // until the last of them had ended

  /// Answers a second. A queue that filled at first is emptied at the end, so that time counts as well.
  double Goodput() const { return static_cast<double>(seen.answered) / seconds; }
  /// How many were refused or failed; what the load itself was too late to send is neither.
  int64_t NotAnswered() const;
};
/// Poisson arrivals, `per_second` for `seconds`, from an empty queue on.
Offered Offer(server::Batcher& batcher, double per_second, double seconds, const MakeWork& make);

double P50(const tools::LatencyRecord& record);
double P99(const tools::LatencyRecord& record);

}  // namespace pawsight::bench
