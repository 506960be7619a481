// kernels/benching.h: what the kernels' benchmarks share. For benchmarks only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>

#include "base/rng.h"

namespace pawsight::kernels {

/// `count` random floats from a cache line's start.
class Floats {
 public:
  explicit Floats(size_t count) : memory_(count + 16), start_(memory_.data()) {
    while (reinterpret_cast<uintptr_t>(start_) % 64 != 0) ++start_;
    Rng rng(1);
    for (float& value : memory_) value = static_cast<float>(rng.Uniform(-1.0, 1.0));
  }
  Floats(const Floats&) = delete;
  Floats& operator=(const Floats&) = delete;
  float* data() { return start_; }

 private:
  std::vector<float> memory_;
  float* start_;
};

/// Counts `amount` of work an iteration as a rate, `name`.
inline void Rate(benchmark::State& state, const char* name, double amount) {
  state.counters[name] =
      benchmark::Counter(amount * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

/// With --benchmark_repetitions, the least time and the highest rate: what the code can do, where the mean also tells how
/// busy the machine was.
inline void ReportBest(benchmark::internal::Benchmark* benchmark) {
  benchmark->Unit(benchmark::kMicrosecond)
      ->ComputeStatistics("min", [](const std::vector<double>& runs) { return *std::min_element(runs.begin(), runs.end()); })
      ->ComputeStatistics("max", [](const std::vector<double>& runs) { return *std::max_element(runs.begin(), runs.end()); });
}

}  // namespace pawsight::kernels
