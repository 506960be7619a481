// tools/stress_report.h: a result as one self-contained HTML page: the advice, latency by "server-client" cell,
// throughput against clients with the law's fit, latency against throughput with the knee marked, the price of a
// million frames, and all numbers. No script, nothing from outside; light and dark. Pure. All text is escaped.
#pragma once

#include <string>

#include "tools/stress_result.h"

namespace pawsight::tools {

std::string StressReport(const StressResult& result);

}  // namespace pawsight::tools
