// base/metrics.h: numbers for a scraper: a histogram that threads add to without a lock, and a writer of Prometheus's
// text format (https://prometheus.io/docs/instrumenting/exposition_formats). Not here: serving it.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace pawsight {

/// Counts values in buckets whose upper bounds double: first, 2 first, 4 first..; the last has no bound. A snapshot
/// taken while others add may be one value apart in places.
struct BucketsView {
  static constexpr int kBuckets = 21;
  uint64_t first = 1;                           // the first bucket's bound, in the unit of what is counted
  std::array<uint64_t, kBuckets + 1> counts{};  // not cumulative
  uint64_t sum = 0;

  uint64_t Count() const;
  /// An upper bound of the value below which `share` (0..1) of them lie: a bucket's bound; 0 when there are none.
  uint64_t Quantile(double share) const;
};

/// Thread-safe.
class Buckets {
 public:
  explicit Buckets(uint64_t first) : first_(first) {}
  void Add(uint64_t value);
  /// Nanoseconds; what is below 0 counts as 0.
  void Add(std::chrono::nanoseconds time) { Add(static_cast<uint64_t>(time.count() > 0 ? time.count() : 0)); }
  BucketsView View() const;

 private:
  const uint64_t first_;
  std::array<std::atomic<uint64_t>, BucketsView::kBuckets + 1> counts_{};
  std::atomic<uint64_t> sum_{0};
};

/// Thread-compatible.
class MetricsWriter {
 public:
  /// Every name begins with it: "pawsight_gateway_".
  explicit MetricsWriter(std::string_view prefix) : prefix_(prefix) {}

  /// What the samples that follow are of. `help` is one line of ours.
  void Metric(std::string_view name, std::string_view type, std::string_view help);
  /// `labels`: made by Label, joined by ","; or nothing.
  void Sample(double value, std::string_view labels = "", std::string_view suffix = "");
  void Counter(std::string_view name, std::string_view help, uint64_t value, std::string_view labels = "");
  void Gauge(std::string_view name, std::string_view help, double value, std::string_view labels = "");
  /// After Metric(.., "histogram", ..). `unit`: what one of what is counted is in the metric's unit (1e-9 for
  /// nanoseconds in seconds).
  void Histogram(const BucketsView& buckets, double unit, std::string_view labels = "");
  /// A number as Sample writes it.
  static std::string Number(double value);
  std::string Take() { return std::move(text_); }

 private:
  const std::string prefix_;
  std::string name_;
  std::string text_;
};

/// `key="value"`, the value escaped.
std::string MetricLabel(std::string_view key, std::string_view value);

}  // namespace pawsight
