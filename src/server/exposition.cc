#include "server/exposition.h"

#include <string_view>

#include "base/metrics.h"
#include "server/estimate.h"

namespace pawsight::server {
namespace {

template <int kBuckets>
void WriteBuckets(const HistogramView<kBuckets>& histogram, double unit, const std::string& labels,
                  MetricsWriter& out) {
  uint64_t below = 0;
  uint64_t bound = histogram.first;
  const std::string comma = labels.empty() ? "" : labels + ",";
  for (size_t i = 0; i < histogram.counts.size(); ++i, bound *= 2) {
    below += histogram.counts[i];
    const bool last = i + 1 == histogram.counts.size();
    out.Sample(static_cast<double>(below),
               comma + MetricLabel("le", last ? "+Inf" : MetricsWriter::Number(static_cast<double>(bound) * unit)),
               "_bucket");
  }
  out.Sample(static_cast<double>(histogram.sum) * unit, labels, "_sum");
  out.Sample(static_cast<double>(below), labels, "_count");
}

void WriteWork(const CountersView& c, MetricsWriter& out) {
  out.Metric("requests_total", "counter", "Requests by how they ended.");
  for (size_t i = 0; i < c.requests.size(); ++i) {
    out.Sample(static_cast<double>(c.requests[i]), MetricLabel("outcome", OutcomeName(static_cast<Outcome>(i))));
  }
  out.Metric("refusals_total", "counter", "Refused requests by reason.");
  for (size_t i = 1; i < c.refusals.size(); ++i) {
    out.Sample(static_cast<double>(c.refusals[i]), MetricLabel("reason", RefusalName(static_cast<Refusal>(i))));
  }
  out.Metric("canaries_total", "counter", "Requests about our own health by how they ended.");
  for (size_t i = 0; i < c.canaries.size(); ++i) {
    out.Sample(static_cast<double>(c.canaries[i]), MetricLabel("outcome", OutcomeName(static_cast<Outcome>(i))));
  }
  out.Metric("stage_seconds", "histogram", "Where the time of answered requests went.");
  for (size_t i = 0; i < c.stages.size(); ++i)
    WriteBuckets(c.stages[i], 1e-9, MetricLabel("stage", kStageNames[i]), out);
  out.Metric("batch_frames", "histogram", "Different frames in a batch.");
  WriteBuckets(c.batch_frames, 1, "", out);
  out.Metric("frame_questions", "histogram", "Questions a frame of a request.");
  WriteBuckets(c.frame_questions, 1, "", out);
  out.Counter("frames_total", "Frames answered about, each request's counted.", c.frames);
  out.Counter("frames_encoded_total", "Frames that the image encoder saw.", c.frames_encoded);
  out.Counter("questions_total", "Questions answered, each request's counted.", c.questions);
  out.Counter("questions_computed_total", "Questions that the engine was asked.", c.questions_computed);
  out.Counter("decodes_total", "Images that were decoded, or tried.", c.decodes);
  out.Counter("decode_failures_total", "Images that could not be decoded.", c.decode_failures);
  out.Metric("engine_busy_seconds_total", "counter",
             "Time that batches spent in the engine, of all runners together. Its rate by runners is the share of time "
             "that the engine is busy.");
  out.Sample(static_cast<double>(c.engine_ns) * 1e-9);
  out.Gauge("sharing_ratio", "Frames answered about for each one encoded.", c.SharingRatio());
  out.Gauge("last_answer_timestamp_seconds", "When a request last ended ok; 0: never.",
            static_cast<double>(c.LastOkUnixMs()) * 1e-3);
}

void WriteHealth(const Health& h, MetricsWriter& out) {
  out.Gauge("queue_length", "Frames that wait.", h.queue_length);
  out.Gauge("queue_limit", "Frames that may wait.", h.queue_limit);
  out.Gauge("queue_oldest_age_seconds", "How long the oldest of them has waited.", Seconds(h.oldest_waiting_age));
  out.Gauge("held_bytes", "Bytes of images of accepted requests.", static_cast<double>(h.bytes));
  out.Gauge("held_limit_bytes", "Bytes that may be held.", static_cast<double>(h.bytes_limit));
  out.Gauge("requests_in_flight", "Requests accepted and not ended.", h.num_requests);
  out.Gauge("runners", "Batches that can run at once.", h.num_runners);
  out.Gauge("runners_busy", "Batches that run.", h.num_running);
  out.Gauge("running_oldest_age_seconds", "How long the oldest of them has run.", Seconds(h.oldest_running_age));
  out.Gauge("wedged", "1: a batch has run longer than it can.", h.wedged ? 1 : 0);
  out.Gauge("draining", "1: no more work is taken.", h.draining ? 1 : 0);
  out.Metric("shedding", "gauge", "1: work of this priority is let in only where it starts soon.");
  for (size_t i = 0; i < h.shedding.size(); ++i) {
    out.Sample(h.shedding[i] ? 1 : 0, MetricLabel("priority", PriorityName(static_cast<Priority>(i))));
  }
}

}  // namespace

std::string Exposition(const CountersView& counters, const Health& health) {
  MetricsWriter out("pawsight_server_");
  WriteWork(counters, out);
  WriteHealth(health, out);
  return out.Take();
}

}  // namespace pawsight::server
