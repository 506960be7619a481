#include "tools/metrics_text.h"

#include <charconv>
#include <cmath>

namespace pawsight::tools {
namespace {

constexpr size_t kMaxLabels = 64;

/// The number that ends a sample's line, which may have a time behind it.
std::optional<double> ValueOf(std::string_view rest) {
  if (!rest.starts_with(' ')) return std::nullopt;
  rest.remove_prefix(1);
  const std::string_view word = rest.substr(0, rest.find_first_of(" \r"));
  double value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (word.empty() || error != std::errc() || end != word.data() + word.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

/// Calls `take(line)` until it returns false.
template <typename Take>
void EachLine(std::string_view text, Take take) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (!take(text.substr(0, end))) return;
    text = end == text.npos ? std::string_view() : text.substr(end + 1);
  }
}

}  // namespace

std::optional<double> MetricOf(std::string_view text, std::string_view sample) {
  std::optional<double> found;
  EachLine(text, [&](std::string_view line) {
    if (line.starts_with(sample)) found = ValueOf(line.substr(sample.size()));
    return !found;
  });
  return found;
}

std::map<std::string, double> MetricByLabel(std::string_view text, std::string_view name, std::string_view label) {
  const std::string start = std::string(name) + "{" + std::string(label) + "=\"";
  std::map<std::string, double> found;
  EachLine(text, [&](std::string_view line) {
    if (!line.starts_with(start)) return true;
    line.remove_prefix(start.size());
    const size_t quote = line.find_first_of("\"\\");
    if (quote == line.npos || !line.substr(quote).starts_with("\"}")) return true;
    if (const auto value = ValueOf(line.substr(quote + 2))) found.emplace(line.substr(0, quote), *value);
    return found.size() < kMaxLabels;
  });
  return found;
}

std::map<std::string, int64_t> Growth(const std::map<std::string, double>& before,
                                      const std::map<std::string, double>& after) {
  constexpr double kMost = 9e15;  // whole numbers that a double holds exactly
  std::map<std::string, int64_t> grown;
  for (const auto& [key, value] : after) {
    const auto known = before.find(key);
    const double more = value - (known == before.end() ? 0 : known->second);
    if (more >= 1 && more <= kMost) grown[key] = std::llround(more);
  }
  return grown;
}

}  // namespace pawsight::tools
