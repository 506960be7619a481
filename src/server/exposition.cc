#include "server/exposition.h"

#include <cstdio>
#include <string_view>

#include "server/estimate.h"

namespace pawsight::server {
namespace {

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.10g", value);
  return text;
}

class Writer {
 public:
  /// What the lines that follow are samples of: pawsight_server_`name`.
  void Metric(std::string_view name, std::string_view type, std::string_view help) {
    name_ = "pawsight_server_" + std::string(name);
    text_ += "# HELP " + name_ + " " + std::string(help) + "\n# TYPE " + name_ + " " + std::string(type) + "\n";
  }
  /// `labels`: `key="value"`, or nothing.
  void Sample(double value, const std::string& labels = "", std::string_view suffix = "") {
    text_ += name_;
    text_ += suffix;
    if (!labels.empty()) text_ += "{" + labels + "}";
    text_ += " " + Number(value) + "\n";
  }
  void Counter(std::string_view name, std::string_view help, uint64_t value) {
    Metric(name, "counter", help);
    Sample(static_cast<double>(value));
  }
  void Gauge(std::string_view name, std::string_view help, double value) {
    Metric(name, "gauge", help);
    Sample(value);
  }
  template <int kBuckets>
  void Buckets(const HistogramView<kBuckets>& histogram, double unit, const std::string& labels = "") {
    uint64_t below = 0;
    uint64_t bound = histogram.first;
    const std::string comma = labels.empty() ? "" : labels + ",";
    for (size_t i = 0; i < histogram.counts.size(); ++i, bound *= 2) {
      below += histogram.counts[i];
      const bool last = i + 1 == histogram.counts.size();
      Sample(static_cast<double>(below),
             comma + "le=\"" + (last ? "+Inf" : Number(static_cast<double>(bound) * unit)) + "\"", "_bucket");
    }
    Sample(static_cast<double>(histogram.sum) * unit, labels, "_sum");
    Sample(static_cast<double>(below), labels, "_count");
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string name_;
  std::string text_;
};

std::string Label(std::string_view key, std::string_view value) {
  return std::string(key) + "=\"" + std::string(value) + "\"";
}

void WriteWork(const CountersView& c, Writer& out) {
  out.Metric("requests_total", "counter", "Requests by how they ended.");
  for (size_t i = 0; i < c.requests.size(); ++i) {
    out.Sample(static_cast<double>(c.requests[i]), Label("outcome", OutcomeName(static_cast<Outcome>(i))));
  }
  out.Metric("refusals_total", "counter", "Refused requests by reason.");
  for (size_t i = 1; i < c.refusals.size(); ++i) {
    out.Sample(static_cast<double>(c.refusals[i]), Label("reason", RefusalName(static_cast<Refusal>(i))));
  }
  out.Metric("canaries_total", "counter", "Requests about our own health by how they ended.");
  for (size_t i = 0; i < c.canaries.size(); ++i) {
    out.Sample(static_cast<double>(c.canaries[i]), Label("outcome", OutcomeName(static_cast<Outcome>(i))));
  }
  out.Metric("stage_seconds", "histogram", "Where the time of answered requests went.");
  for (size_t i = 0; i < c.stages.size(); ++i) out.Buckets(c.stages[i], 1e-9, Label("stage", kStageNames[i]));
  out.Metric("batch_frames", "histogram", "Different frames in a batch.");
  out.Buckets(c.batch_frames, 1);
  out.Metric("frame_questions", "histogram", "Questions a frame of a request.");
  out.Buckets(c.frame_questions, 1);
  out.Counter("frames_total", "Frames answered about, each request's counted.", c.frames);
  out.Counter("frames_encoded_total", "Frames that the image encoder saw.", c.frames_encoded);
  out.Counter("questions_total", "Questions answered, each request's counted.", c.questions);
  out.Counter("questions_computed_total", "Questions that the engine was asked.", c.questions_computed);
  out.Counter("decodes_total", "Images that were decoded, or tried.", c.decodes);
  out.Counter("decode_failures_total", "Images that could not be decoded.", c.decode_failures);
  out.Gauge("sharing_ratio", "Frames answered about for each one encoded.", c.SharingRatio());
  out.Gauge("last_answer_timestamp_seconds", "When a request last ended ok; 0: never.",
            static_cast<double>(c.LastOkUnixMs()) * 1e-3);
}

void WriteHealth(const Health& h, Writer& out) {
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
    out.Sample(h.shedding[i] ? 1 : 0, Label("priority", PriorityName(static_cast<Priority>(i))));
  }
}

}  // namespace

std::string Exposition(const CountersView& counters, const Health& health) {
  Writer out;
  WriteWork(counters, out);
  WriteHealth(health, out);
  return out.Take();
}

}  // namespace pawsight::server
