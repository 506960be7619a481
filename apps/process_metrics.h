// apps/process_metrics.h: what this process takes of the machine, under the names that Prometheus's own libraries use:
// process_cpu_seconds_total, process_resident_memory_bytes. Thread-safe.
#pragma once

#include <string>

namespace pawsight {

/// Prometheus text.
std::string ProcessMetrics();

}  // namespace pawsight
