// base/metrics_text.h: numbers as Prometheus reads them
// (https://prometheus.io/docs/instrumenting/exposition_formats, text 0.0.4). Thread-compatible.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pawsight {

/// `key="value"`, escaped.
std::string MetricLabel(std::string_view key, std::string_view value);

class MetricsText {
 public:
  /// `prefix`: "pawsight_server_".
  explicit MetricsText(std::string_view prefix) : prefix_(prefix) {}

  /// What the lines that follow are samples of: prefix + `name`. One metric's samples stand together, once.
  void Metric(std::string_view name, std::string_view type, std::string_view help);
  /// `labels`: MetricLabels with commas between, or nothing.
  void Sample(double value, std::string_view labels = "", std::string_view suffix = "");

  void Counter(std::string_view name, std::string_view help, uint64_t value, std::string_view labels = "");
  void Gauge(std::string_view name, std::string_view help, double value, std::string_view labels = "");

  /// A number as Sample writes it.
  static std::string Number(double value);
  std::string Take() { return std::move(text_); }

 private:
  const std::string prefix_;
  std::string name_;
  std::string text_;
};

}  // namespace pawsight
