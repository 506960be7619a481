#include "tools/cell_run.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/memory.h"
#include "tools/metrics_text.h"
#include "tools/server_view.h"

namespace pawsight::tools {
namespace {

/// All that is read when the time begins and again when it ends.
struct Sight {
  double own_cpu = 0, server_cpu = 0;
  MachineTime machine;
  std::optional<ModelTimes> model;
  std::optional<double> told_cpu, told_rss;  // by its metrics
  std::map<std::string, double> outcomes;
};

Sight LookAt(const ServerPlace& place) {
  Sight sight;
  sight.own_cpu = ProcessCpuSeconds(0);
  if (place.pid > 0) sight.server_cpu = ProcessCpuSeconds(place.pid);
  sight.machine = ReadMachineTime();
  if (const auto stats = place.stats ? place.stats() : NotFound("none"); stats.ok()) {
    if (const auto times = ParseModelTimes(*stats); times.ok()) sight.model = *times;
  }
  if (const auto metrics = place.metrics ? place.metrics() : NotFound("none"); metrics.ok()) {
    sight.told_cpu = MetricOf(*metrics, "process_cpu_seconds_total");
    sight.told_rss = MetricOf(*metrics, "process_resident_memory_bytes");
    sight.outcomes = MetricByLabel(*metrics, "pawsight_gateway_outcomes_total", "reason");
  }
  return sight;
}

void AddSight(const Sight& before, const Sight& after, const ServerPlace& place, double seconds, StressCell* cell) {
  if (seconds <= 0) return;
  cell->client_cores = (after.own_cpu - before.own_cpu) / seconds;
  if (place.pid > 0) {
    cell->server_cores = (after.server_cpu - before.server_cpu) / seconds;
    cell->server_rss_mb = static_cast<double>(ResidentBytes(place.pid)) / 1e6;
  } else if (before.told_cpu && after.told_cpu) {
    cell->server_cores = std::max(0.0, *after.told_cpu - *before.told_cpu) / seconds;
    if (after.told_rss) cell->server_rss_mb = *after.told_rss / 1e6;
  }
  const double all = after.machine.all - before.machine.all;
  if (all > 0) cell->machine_busy = std::clamp((after.machine.busy - before.machine.busy) / all, 0.0, 1.0);
  if (before.model && after.model) cell->server_times = TimesBetween(*before.model, *after.model);
  cell->outcomes = Growth(before.outcomes, after.outcomes);
}

}  // namespace

bool GateLimited(const LoadSeen& seen, int clients) {
  constexpr double kMost = 0.1;
  if (clients > 0) return static_cast<double>(seen.gated_time.count()) * 1e-9 > kMost * clients * seen.seconds;
  int64_t gated = 0;
  for (const auto& [reason, count] : seen.gated) gated += count;
  return static_cast<double>(gated) > kMost * static_cast<double>(seen.offered);
}

Result<StressCell> RunCell(const SendFrame& send, int questions_a_frame, const CellPlan& plan,
                           const CellSettings& settings, const ServerPlace& place, const Clock& clock,
                           std::stop_token stop, const OnProgress& progress) {
  LoadSpec spec{
      .clients = plan.clients, .warmup = settings.warmup, .duration = settings.duration, .timeout = settings.timeout};
  const ArrivalKind arrivals =
      plan.role == CellRole::kCheckOverload ? ArrivalKind::kPoisson : settings.arrivals;  // the same for all
  if (plan.clients == 0) {
    const std::chrono::nanoseconds length = settings.warmup + settings.duration;
    PAWSIGHT_ASSIGN_OR_RETURN(spec.due, arrivals == ArrivalKind::kReplay
                                            ? ReplayArrivals(settings.replay, length)
                                            : Arrivals(arrivals, plan.rate_per_s, length, settings.seed));
  }
  Sight before, after;
  // No two cells send the same bytes: a server may remember answers.
  const auto first = static_cast<int64_t>(clock.Now().time_since_epoch().count() / 1000);
  const SendFrame send_fresh = [&](int64_t number, client::Deadline deadline, OnEnded on_ended) {
    send(first + number, deadline, std::move(on_ended));
  };
  const LoadSeen seen = RunLoad(send_fresh, spec, clock, stop, progress,
                                {[&] { before = LookAt(place); }, [&] { after = LookAt(place); }});
  if (stop.stop_requested()) return Cancelled("stopped");
  StressCell cell;
  cell.role = plan.role;
  cell.server = plan.server;
  cell.clients = plan.clients;
  cell.rate_per_s = plan.rate_per_s;
  if (plan.clients == 0) cell.arrivals = ArrivalName(arrivals);
  cell.seconds = seen.seconds;
  cell.offered = seen.offered;
  cell.answered = seen.answered;
  cell.answers = seen.answered * questions_a_frame;
  cell.gated = seen.gated;
  cell.refused = seen.refused;
  cell.failed = seen.failed;
  cell.unseen = seen.unseen;
  if (seen.seconds > 0) {
    cell.frames_per_s = static_cast<double>(cell.answered) / seen.seconds;
    cell.answers_per_s = static_cast<double>(cell.answers) / seen.seconds;
  }
  cell.latency = seen.latency.Summary();
  cell.refused_p99_ms = seen.refused_latency.At(0.99).ms;
  if (plan.clients == 0) cell.late_p99_ms = seen.late.At(0.99).ms;
  AddSight(before, after, place, seen.seconds, &cell);
  cell.gate_limited = GateLimited(seen, plan.clients);
  cell.client_saturated =
      cell.num_unseen() > 0 || ClientSaturated(cell.client_cores, cell.late_p99_ms, cell.latency.p50.ms);
  return cell;
}

}  // namespace pawsight::tools
