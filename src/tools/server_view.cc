#include "tools/server_view.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/json.h"

namespace pawsight::tools {
namespace {

double Ticks() { return static_cast<double>(sysconf(_SC_CLK_TCK)); }

Status Add(const Json& stats, const std::string& key, int64_t* count, double* ms) {
  const Json* one = stats.Find(key);
  if (one == nullptr) return InvalidArgument(key + ": missing");
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t times, one->GetInteger("count", 0, INT64_MAX));
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t ns, one->GetInteger("ns", 0, INT64_MAX));
  *count = std::max(*count, times);
  *ms += static_cast<double>(ns) / 1e6;
  return Ok();
}

}  // namespace

double ProcessCpuSeconds(int pid) {
  std::ifstream file("/proc/" + (pid == 0 ? "self" : std::to_string(pid)) + "/stat");
  std::string text;
  std::getline(file, text);
  const size_t name_end = text.rfind(')');  // the name may hold spaces
  if (name_end == std::string::npos) return 0;
  std::istringstream words(text.substr(name_end + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) words >> skipped;
  double user = 0;
  double system = 0;
  words >> user >> system;
  return (user + system) / Ticks();
}

MachineTime ReadMachineTime() {
  std::ifstream file("/proc/stat");
  std::string cpu;
  double user = 0, nice = 0, system = 0, idle = 0, io = 0, irq = 0, soft = 0, steal = 0;
  file >> cpu >> user >> nice >> system >> idle >> io >> irq >> soft >> steal;
  const double busy = user + nice + system + irq + soft + steal;
  return {busy / Ticks(), (busy + idle + io) / Ticks()};
}

std::string ProcessorName() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown processor";
}

Result<ModelTimes> ParseModelTimes(std::string_view body) {
  PAWSIGHT_ASSIGN_OR_RETURN(const Json json, Json::Parse(body));
  PAWSIGHT_ASSIGN_OR_RETURN(const Json::Array* const models, json.GetArray("model_stats"));
  if (models->empty()) return InvalidArgument("model_stats: empty");
  const Json* stats = models->front().Find("inference_stats");
  if (stats == nullptr) return InvalidArgument("inference_stats: missing");
  ModelTimes times;
  PAWSIGHT_RETURN_IF_ERROR(Add(*stats, "queue", &times.queue_count, &times.queue_ms));
  for (const char* part : {"compute_input", "compute_infer", "compute_output"}) {
    PAWSIGHT_RETURN_IF_ERROR(Add(*stats, part, &times.compute_count, &times.compute_ms));
  }
  return times;
}

std::optional<ServerTimes> TimesBetween(const ModelTimes& before, const ModelTimes& after) {
  const int64_t queued = after.queue_count - before.queue_count;
  const int64_t computed = after.compute_count - before.compute_count;
  if (queued <= 0 || computed <= 0) return std::nullopt;
  return ServerTimes{std::max(0.0, after.queue_ms - before.queue_ms) / static_cast<double>(queued),
                     std::max(0.0, after.compute_ms - before.compute_ms) / static_cast<double>(computed)};
}

bool ClientSaturated(double client_cores, double late_p99_ms, double p50_ms) {
  return client_cores > 0.85 || late_p99_ms > std::max(5.0, p50_ms / 4);
}

}  // namespace pawsight::tools
