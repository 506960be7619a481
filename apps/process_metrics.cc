#include "apps/process_metrics.h"

#include "base/memory.h"
#include "base/metrics.h"
#include "tools/server_view.h"

namespace pawsight {

std::string ProcessMetrics() {
  MetricsWriter out("process_");
  out.Metric("cpu_seconds_total", "counter", "Processor time, all threads.");
  out.Sample(tools::ProcessCpuSeconds(0));
  out.Gauge("resident_memory_bytes", "Resident memory.", static_cast<double>(ResidentBytes()));
  return out.Take();
}

}  // namespace pawsight
