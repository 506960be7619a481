#include "base/metrics_text.h"

#include <array>
#include <cstdio>

namespace pawsight {

std::string MetricLabel(std::string_view key, std::string_view value) {
  std::string label(key);
  label += "=\"";
  for (const char c : value) {
    if (c == '\n') {
      label += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') label += '\\';
    label += c;
  }
  return label + "\"";
}

std::string MetricsText::Number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.10g", value);
  return text.data();
}

void MetricsText::Metric(std::string_view name, std::string_view type, std::string_view help) {
  name_ = prefix_;
  name_.append(name);
  text_.append("# HELP ").append(name_).append(" ").append(help).append("\n");
  text_.append("# TYPE ").append(name_).append(" ").append(type).append("\n");
}

void MetricsText::Sample(double value, std::string_view labels, std::string_view suffix) {
  text_.append(name_).append(suffix);
  if (!labels.empty()) text_.append("{").append(labels).append("}");
  text_.append(" ").append(Number(value)).append("\n");
}

void MetricsText::Counter(std::string_view name, std::string_view help, uint64_t value, std::string_view labels) {
  Metric(name, "counter", help);
  Sample(static_cast<double>(value), labels);
}

void MetricsText::Gauge(std::string_view name, std::string_view help, double value, std::string_view labels) {
  Metric(name, "gauge", help);
  Sample(value, labels);
}

}  // namespace pawsight
