#include "apps/gateway_metrics.h"

#include "apps/process_metrics.h"
#include "base/metrics.h"
#include "net/http_metrics.h"

namespace pawsight {
namespace {

void AddStore(const events::StoreStats& stats, MetricsWriter* out) {
  out->Gauge("store_writable", "Whether the last group of writes was committed.", stats.writable.ok() ? 1 : 0);
  out->Gauge("store_queue_length", "Batches that wait for the writer.", static_cast<double>(stats.queue_length));
  out->Gauge("store_queue_oldest_seconds", "How long the first of them has waited.",
             std::chrono::duration<double>(stats.queue_oldest).count());
  out->Counter("store_refused_total", "Batches that the queue did not take.", stats.num_refused);
  out->Counter("store_batches_total", "Batches committed.", stats.num_batches);
  out->Counter("store_failed_total", "Batches taken, but not committed.", stats.num_failed);
  out->Counter("store_commits_total", "Commits; several batches share one.", stats.num_commits);
  out->Gauge("store_file_bytes", "Of the file.", static_cast<double>(stats.file_bytes));
}

void AddNotifier(const notify::NotifierStats& stats, MetricsWriter* out) {
  out->Counter("notify_delivered_total", "Messages that receivers took.", stats.num_delivered);
  out->Counter("notify_failed_total", "Attempts that failed.", stats.num_failed);
  out->Counter("notify_dead_total", "Messages that were given up.", stats.num_dead);
  out->Counter("notify_switched_off_total", "Receivers that were switched off.", stats.num_switched_off);
  out->Gauge("notify_running", "Attempts now.", stats.num_running);
  out->Gauge("notify_receivers", "Receivers that have messages.", static_cast<double>(stats.num_receivers));
}

void AddPictures(const gateway::PictureStation::Counts& counts, MetricsWriter* out) {
  out->Gauge("pictures_waiting", "Frames that alerts fired on and that wait to be encoded anew.",
             static_cast<double>(counts.waiting));
  out->Gauge("pictures_waiting_limit", "And how many there may be.",
             static_cast<double>(gateway::PictureStation::kMaxWaiting));
  out->Metric("pictures_total", "counter", "Pictures of alerts that were to be kept, by what came of them.");
  out->Sample(static_cast<double>(counts.made), MetricLabel("outcome", "made"));
  out->Sample(static_cast<double>(counts.unfit), MetricLabel("outcome", "unfit"));
  out->Sample(static_cast<double>(counts.refused), MetricLabel("outcome", "too_many"));
}

}  // namespace

std::string GatewayMetrics(const GatewayNumbers& numbers) {
  MetricsWriter out("pawsight_gateway_");
  out.Gauge("config_last_reload_ok", "Whether the settings were taken at the last SIGHUP.", numbers.reload_ok ? 1 : 0);
  out.Gauge("offered_per_second", "Frames that were offered to workers, over the last minute.", numbers.offered_per_s);
  AddStore(numbers.store.Stats(), &out);
  AddNotifier(numbers.notifier.Stats(), &out);
  AddPictures(numbers.pictures, &out);
  numbers.puller.WriteTo(out);
  std::string text = ProcessMetrics() + out.Take() + numbers.path.Metrics() + numbers.backends.Metrics();
  if (numbers.http != nullptr) {
    const net::NamedHttpServer http{"api", *numbers.http};
    text += net::HttpMetrics({&http, 1});
  }
  return text;
}

}  // namespace pawsight
