#include "tools/latency_record.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/check.h"

namespace pawsight::tools {
namespace {

constexpr uint64_t kPerOctave = 64;
constexpr uint64_t kMostUs = (uint64_t{1} << 36U) - 1;

size_t BucketOf(uint64_t us) {
  if (us < 2 * kPerOctave) return us;
  const auto shift = static_cast<unsigned>(std::bit_width(us)) - 7;
  return kPerOctave * shift + (us >> shift);
}

/// The middle of a bucket.
double MiddleMs(size_t bucket) {
  if (bucket < 2 * kPerOctave) return static_cast<double>(bucket) / 1000;
  const auto shift = static_cast<unsigned>(bucket / kPerOctave - 1);
  const uint64_t low = (bucket - kPerOctave * shift) << shift;
  return (static_cast<double>(low) + std::ldexp(0.5, static_cast<int>(shift))) / 1000;
}

}  // namespace

void LatencyRecord::Add(std::chrono::nanoseconds latency) {
  const auto us = static_cast<uint64_t>(std::max<int64_t>(latency.count() / 1000, 1));
  ++counts_[BucketOf(std::min(us, kMostUs))];
  ++count_;
  const double ms = static_cast<double>(latency.count()) / 1e6;
  sum_ms_ += ms;
  max_ms_ = std::max(max_ms_, ms);
}

double LatencyRecord::AtRank(double rank) const {
  const auto wanted = static_cast<int64_t>(std::clamp(std::ceil(rank), 1.0, static_cast<double>(count_)));
  if (wanted == count_) return max_ms_;
  int64_t below = 0;
  for (size_t bucket = 0; bucket < counts_.size(); ++bucket) {
    below += counts_[bucket];
    if (below >= wanted) return std::min(MiddleMs(bucket), max_ms_);
  }
  return max_ms_;
}

Percentile LatencyRecord::At(double q) const {
  if (count_ == 0) return {};
  const double n = static_cast<double>(count_);
  const double spread = 1.96 * std::sqrt(n * q * (1 - q));
  return {AtRank(n * q), AtRank(n * q - spread), AtRank(n * q + spread)};
}

LatencySummary LatencyRecord::Summary() const {
  if (count_ == 0) return {};
  return {.count = count_,
          .mean_ms = sum_ms_ / static_cast<double>(count_),
          .p50 = At(0.5),
          .p90 = At(0.9),
          .p99 = At(0.99),
          .p99_9 = At(0.999),
          .max_ms = max_ms_};
}

Percentile PercentileOf(const LatencySummary& latency, double quantile) {
  if (quantile == 0.5) return latency.p50;
  if (quantile == 0.9) return latency.p90;
  if (quantile == 0.99) return latency.p99;
  CHECK(quantile == 0.999);
  return latency.p99_9;
}

}  // namespace pawsight::tools
