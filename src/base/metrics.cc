#include "base/metrics.h"

#include <cmath>
#include <cstdio>

namespace pawsight {
uint64_t BucketsView::Count() const {
  uint64_t all = 0;
  for (const uint64_t count : counts) all += count;
  return all;
}

uint64_t BucketsView::Quantile(double share) const {
  const auto wanted = static_cast<uint64_t>(std::ceil(share * static_cast<double>(Count())));
  uint64_t below = 0;
  uint64_t bound = first;
  for (const uint64_t count : counts) {
    below += count;
    if (below > 0 && below >= wanted) return bound;
    bound *= 2;
  }
  return 0;
}

void Buckets::Add(uint64_t value) {
  size_t bucket = 0;
  for (uint64_t bound = first_; bucket < BucketsView::kBuckets && value > bound; bound *= 2) ++bucket;
  counts_[bucket].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

BucketsView Buckets::View() const {
  BucketsView view{.first = first_};
  for (size_t i = 0; i < counts_.size(); ++i) view.counts[i] = counts_[i].load(std::memory_order_relaxed);
  view.sum = sum_.load(std::memory_order_relaxed);
  return view;
}

std::string MetricsWriter::Number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.10g", value);
  return text;
}

void MetricsWriter::Metric(std::string_view name, std::string_view type, std::string_view help) {
  name_ = prefix_ + std::string(name);
  text_ += "# HELP " + name_ + " " + std::string(help) + "\n# TYPE " + name_ + " " + std::string(type) + "\n";
}

void MetricsWriter::Sample(double value, std::string_view labels, std::string_view suffix) {
  text_ += name_;
  text_ += suffix;
  if (!labels.empty()) {
    text_ += "{";
    text_ += labels;
    text_ += "}";
  }
  text_ += " " + Number(value) + "\n";
}

void MetricsWriter::Counter(std::string_view name, std::string_view help, uint64_t value, std::string_view labels) {
  Metric(name, "counter", help);
  Sample(static_cast<double>(value), labels);
}

void MetricsWriter::Gauge(std::string_view name, std::string_view help, double value, std::string_view labels) {
  Metric(name, "gauge", help);
  Sample(value, labels);
}

void MetricsWriter::Histogram(const BucketsView& buckets, double unit, std::string_view labels) {
  uint64_t below = 0;
  uint64_t bound = buckets.first;
  const std::string before = labels.empty() ? "" : std::string(labels) + ",";
  for (size_t i = 0; i < buckets.counts.size(); ++i, bound *= 2) {
    below += buckets.counts[i];
    const bool last = i + 1 == buckets.counts.size();
    Sample(static_cast<double>(below),
           before + "le=\"" + (last ? "+Inf" : Number(static_cast<double>(bound) * unit)) + "\"", "_bucket");
  }
  Sample(static_cast<double>(buckets.sum) * unit, labels, "_sum");
  Sample(static_cast<double>(below), labels, "_count");
}

std::string MetricLabel(std::string_view key, std::string_view value) {
  std::string label(key);
  label += "=\"";
  for (const char c : value) {
    if (c == '\\' || c == '"') label += '\\';
    if (c == '\n') {
      label += "\\n";
    } else {
      label += c;
    }
  }
  return label + "\"";
}

}  // namespace pawsight
