// engine/counted_target.h: how many operations a model computes, counted where it computes them, and what share of the
// processor's peak that is. Not here: measuring the peak (apps/measure_peak.h). Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>

#include "base/mutex.h"
#include "engine/target.h"

namespace pawsight::engine {

/// Floating-point operations that were done, a multiply-add counted as two, as engine/pass_work.h counts them.
class OperationCount {
 public:
  void Add(double operations) {
    // No fetch_add: clang 14's library has none for doubles.
    double seen = total_.load(std::memory_order_relaxed);
    while (!total_.compare_exchange_weak(seen, seen + operations, std::memory_order_relaxed)) {
    }
  }
  double total() const { return total_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> total_{0};
};

/// Passes everything on to `target`, and adds what a call computed to `count` once it ended well. `count` outlives it.
/// Useful work only: of each text its own tokens, padding not. Left out, because calls do not say it: what the decoder
/// looks at besides the token before (in answers below one in a hundred, in captions one in ten), and the second
/// reading of a text that is matched.
std::unique_ptr<Target> CountOperations(std::unique_ptr<Target> target, OperationCount& count);

/// Operations a second over the last seconds, as a share of what the processor could do.
class PeakShare {
 public:
  static constexpr std::chrono::seconds kWindow{10};
  static constexpr std::chrono::seconds kEvery{1};  // samples in between are left out, so there are at most twelve

  /// `peak`: operations a second, above 0 (CHECK).
  explicit PeakShare(double peak);

  double peak() const { return peak_; }
  /// What the count is now; at least each second, times never falling.
  void Sample(std::chrono::nanoseconds now, double operations) EXCLUDES(mu_);
  /// Since the newest sample that is at least kWindow old, or the first; 0 before there is one.
  double Share(std::chrono::nanoseconds now, double operations) const EXCLUDES(mu_);

 private:
  struct Seen {
    std::chrono::nanoseconds time{0};
    double operations = 0;
  };
  const double peak_;
  mutable Mutex mu_;
  std::deque<Seen> seen_ GUARDED_BY(mu_);
};

}  // namespace pawsight::engine
