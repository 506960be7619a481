// tools/latency_record.h: latencies in bounded memory: buckets on a log scale, 64 an octave, so a value is told within
// 0.8 % of what it was, from 128 us on; below, within half a microsecond; the largest is kept exactly. 16 kB.
// Thread-compatible.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "tools/stress_result.h"

namespace pawsight::tools {

class LatencyRecord {
 public:
  /// What is below 1 us counts as 1 us, what is above 2^36 us (19 hours) as that.
  void Add(std::chrono::nanoseconds latency);

  int64_t count() const { return count_; }
  /// The value of which a share `q`, 0..1, lies at or below, with the interval that holds the true one with 95 %
  /// confidence: the order statistics of ranks nq -+ 1.96 sqrt(nq(1-q)), which asks nothing of the distribution but
  /// independence. All 0 when there are none.
  Percentile At(double q) const;
  LatencySummary Summary() const;

 private:
  double AtRank(double rank) const;

  std::array<int64_t, 2048> counts_{};
  int64_t count_ = 0;
  double sum_ms_ = 0;
  double max_ms_ = 0;
};

/// The percentile of `latency` that an objective names. CHECK that it is one that a summary has.
Percentile PercentileOf(const LatencySummary& latency, double quantile);

}  // namespace pawsight::tools
