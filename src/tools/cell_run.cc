#include "tools/cell_run.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/memory.h"
#include "net/http_client.h"
#include "tools/server_view.h"

namespace pawsight::tools {
namespace {

/// All that is read when the time begins and again when it ends.
struct Sight {
  double own_cpu = 0, server_cpu = 0;
  MachineTime machine;
  std::optional<ModelTimes> model;
};

class Watcher {
 public:
  explicit Watcher(const ServerPlace& place) : place_(place) {}

  Sight Look() {
    Sight sight{ProcessCpuSeconds(0), place_.pid > 0 ? ProcessCpuSeconds(place_.pid) : 0, ReadMachineTime(), {}};
    if (place_.stats_url.empty()) return sight;
    const auto fetched = http_.Get(place_.stats_url, {.total_timeout = std::chrono::milliseconds(2000)}, {});
    if (!fetched.ok()) return sight;
    const auto times = ParseModelTimes(std::string(fetched->body.begin(), fetched->body.end()));
    if (times.ok()) sight.model = *times;
    return sight;
  }

 private:
  const ServerPlace& place_;
  net::HttpClient http_;
};

void AddSight(const Sight& before, const Sight& after, const ServerPlace& place, double seconds, StressCell* cell) {
  if (seconds <= 0) return;
  cell->client_cores = (after.own_cpu - before.own_cpu) / seconds;
  if (place.pid > 0) {
    cell->server_cores = (after.server_cpu - before.server_cpu) / seconds;
    cell->server_rss_mb = static_cast<double>(ResidentBytes(place.pid)) / 1e6;
  }
  const double all = after.machine.all - before.machine.all;
  if (all > 0) cell->machine_busy = std::clamp((after.machine.busy - before.machine.busy) / all, 0.0, 1.0);
  if (before.model && after.model) cell->server_times = TimesBetween(*before.model, *after.model);
}

}  // namespace

Result<StressCell> RunCell(client::InferenceClient& server, const LoadFrames& frames, const CellPlan& plan,
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
  Watcher watcher(place);
  Sight before, after;
  // No two cells send the same bytes: a server may remember answers.
  const auto first = static_cast<int64_t>(clock.Now().time_since_epoch().count() / 1000);
  const LoadSeen seen = RunLoad(server, [&](int64_t number) { return frames.Request(first + number); }, spec, clock,
                                stop, progress, {[&] { before = watcher.Look(); }, [&] { after = watcher.Look(); }});
  if (seen.seconds < 1 && stop.stop_requested()) return Cancelled("stopped");
  StressCell cell;
  cell.role = plan.role;
  cell.server = plan.server;
  cell.clients = plan.clients;
  cell.rate_per_s = plan.rate_per_s;
  if (plan.clients == 0) cell.arrivals = ArrivalName(arrivals);
  cell.seconds = seen.seconds;
  cell.offered = seen.offered;
  cell.answered = seen.answered;
  cell.answers = seen.answered * frames.num_questions();
  cell.refused = seen.refused;
  cell.failed = seen.failed;
  if (seen.seconds > 0) {
    cell.frames_per_s = static_cast<double>(cell.answered) / seen.seconds;
    cell.answers_per_s = static_cast<double>(cell.answers) / seen.seconds;
  }
  cell.latency = seen.latency.Summary();
  cell.refused_p99_ms = seen.refused_latency.At(0.99).ms;
  if (plan.clients == 0) cell.late_p99_ms = seen.late.At(0.99).ms;
  AddSight(before, after, place, seen.seconds, &cell);
  cell.client_saturated = ClientSaturated(cell.client_cores, cell.late_p99_ms, cell.latency.p50.ms);
  return cell;
}

}  // namespace pawsight::tools
