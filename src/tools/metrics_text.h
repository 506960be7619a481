// tools/metrics_text.h: what a server's /metrics say, as far as a stress test looks at them: Prometheus's text format
// read (https://prometheus.io/docs/instrumenting/exposition_formats). Not here: fetching it, writing it
// (base/metrics.h). Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace pawsight::tools {

/// The value of the first sample of that name and those labels, written as the server writes them: "up",
/// "frames_total{reason=\"late\"}". Absent when there is none, or it is no finite number.
std::optional<double> MetricOf(std::string_view text, std::string_view sample);

/// The samples `name{label="..."}` that have this one label and no other, by its value; at most 64 of them. Values with
/// escapes, and what is no finite number, are passed over.
std::map<std::string, double> MetricByLabel(std::string_view text, std::string_view name, std::string_view label);

/// What has grown from one reading to the next, in whole numbers.
std::map<std::string, int64_t> Growth(const std::map<std::string, double>& before,
                                      const std::map<std::string, double>& after);

}  // namespace pawsight::tools
