#include "apps/worker_metrics.h"

#include "apps/process_metrics.h"
#include "base/metrics.h"
#include "net/http_metrics.h"
#include "server/exposition.h"

namespace pawsight {

std::string WorkerMetrics(const WorkerParts& parts) {
  MetricsWriter out("pawsight_");
  out.Gauge("build_info", "Always 1.", 1,
            MetricLabel("version", PAWSIGHT_VERSION) + "," + MetricLabel("compiler", __VERSION__) + "," +
                MetricLabel("precision", parts.precision));
  if (parts.access_log != nullptr) {
    const net::AccessLogCounts lines = parts.access_log->counts();
    out.Metric("net_access_log_lines_total", "counter",
               "Lines of the access log: written, over the rate, or not taken by the disk.");
    out.Sample(static_cast<double>(lines.written), MetricLabel("outcome", "written"));
    out.Sample(static_cast<double>(lines.suppressed), MetricLabel("outcome", "left_out"));
    out.Sample(static_cast<double>(lines.lost), MetricLabel("outcome", "lost"));
  }
  if (parts.operations != nullptr && parts.peak_share != nullptr) {
    const double operations = parts.operations->total();
    out.Metric("engine_operations_total", "counter",
               "Floating-point operations that the model needed, a multiply-add counted as two.");
    out.Sample(operations);
    out.Gauge("engine_peak_operations_per_second", "Those that the engine's threads could do at best.",
              parts.peak_share->peak());
    out.Gauge("engine_peak_share", "Operations a second of the last ten seconds, by the peak.",
              parts.peak_share->Share(parts.now, operations));
  }
  std::string text = ProcessMetrics() + out.Take();
  if (parts.batcher != nullptr) text += server::Exposition(parts.batcher->counters(), parts.batcher->health());
  if (parts.http != nullptr) {
    const net::NamedHttpServer http{"http", *parts.http};
    text += net::HttpMetrics({&http, 1});
  }
  if (parts.grpc != nullptr) text += parts.grpc->Metrics();
  return text;
}

}  // namespace pawsight
