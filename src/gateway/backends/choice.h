// gateway/backends/choice.h: who is asked next, as pure functions and small values: pools by weight, endpoints by load,
// and how many retries there may be. Time and chance are arguments. Thread-compatible.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/rng.h"

namespace pawsight::gateway {

/// Spreads turns over weights as evenly as can be, without chance: of 3 and 1 every four turns go 0 0 1 0. (Smooth
/// weighted round robin: everybody earns its weight a turn, the richest is served and pays for all.)
class SmoothWeights {
 public:
  SmoothWeights() = default;
  /// Some weight is above 0.
  explicit SmoothWeights(std::vector<int> weights) : weights_(std::move(weights)), earned_(weights_.size(), 0) {}

  /// Cost: linear in the number of weights.
  size_t Next() {
    int64_t all = 0;
    size_t richest = weights_.size();
    for (size_t i = 0; i < weights_.size(); ++i) {
      if (weights_[i] == 0) continue;
      all += weights_[i];
      earned_[i] += weights_[i];
      if (richest == weights_.size() || earned_[i] > earned_[richest]) richest = i;
    }
    earned_[richest] -= all;
    return richest;
  }

 private:
  std::vector<int> weights_;
  std::vector<int64_t> earned_;
};

/// True for a `share` (0..1) of its calls, spread evenly.
class EvenShare {
 public:
  bool Next(double share) {
    saved_ += share;
    if (saved_ < 1) return false;
    saved_ -= 1;
    return true;
  }

 private:
  double saved_ = 0;
};

/// A mean that forgets by time: what is `kMemory` old weighs a third.
class RecentMean {
 public:
  static constexpr std::chrono::nanoseconds kMemory = std::chrono::seconds(10);

  void Add(std::chrono::nanoseconds now, double value) {
    const double age = std::chrono::duration<double>(now - at_) / std::chrono::duration<double>(kMemory);
    // Of values that come densely each weighs little; at least a tenth, so that a change is seen within some dozen.
    const double keep = known_ ? std::min(std::exp(-std::max(age, 0.0)), 0.9) : 0;
    mean_ = keep * mean_ + (1 - keep) * value;
    at_ = now;
    known_ = true;
  }
  bool known() const { return known_; }
  double value() const { return mean_; }
  /// 0 when nothing was added for kMemory: who was slow then is not left out for ever.
  double Recent(std::chrono::nanoseconds now) const { return known_ && now - at_ < kMemory ? mean_ : 0; }

 private:
  double mean_ = 0;
  std::chrono::nanoseconds at_{0};
  bool known_ = false;
};

/// An endpoint as the choice sees it.
struct LoadView {
  int in_flight = 0;
  double latency_s = 0;      // recent; 0: not known
  bool backing_off = false;  // it refused a moment ago
};

/// Whether `a` is the better to ask: one that did not just refuse; then the shorter expected wait, where both latencies
/// are known; then the fewer in flight.
constexpr bool Better(const LoadView& a, const LoadView& b) {
  if (a.backing_off != b.backing_off) return b.backing_off;
  if (a.latency_s > 0 && b.latency_s > 0) {
    return (a.in_flight + 1) * a.latency_s < (b.in_flight + 1) * b.latency_s;
  }
  return a.in_flight < b.in_flight;
}
static_assert(Better({.in_flight = 3, .latency_s = 0.01}, {.in_flight = 1, .latency_s = 0.1}));
static_assert(Better({.in_flight = 3}, {.in_flight = 0, .backing_off = true}));

/// Index of the better of two that chance picks (Mitzenmacher 2001, "The power of two choices in randomized load
/// balancing"): nearly as good as the best, and no herd runs to it. `loads` is not empty.
inline size_t ChooseOfTwo(std::span<const LoadView> loads, Rng& rng) {
  const auto count = static_cast<int>(loads.size());
  if (count == 1) return 0;
  const int first = rng.Below(count);
  int second = rng.Below(count - 1);
  if (second >= first) ++second;
  const auto a = static_cast<size_t>(first);
  const auto b = static_cast<size_t>(second);
  return Better(loads[b], loads[a]) ? b : a;
}

/// Retries are paid for by first tries: each of those earns `share` of one, up to `most`. So a fleet that fails is not
/// asked twice as much for it.
class RetryBudget {
 public:
  RetryBudget(double share, double most) : share_(share), most_(most), saved_(std::min(most, kAtStart)) {}
  void Earn() { saved_ = std::min(most_, saved_ + share_); }
  /// False: there is none left.
  bool Spend() {
    if (saved_ < 1) return false;
    saved_ -= 1;
    return true;
  }
  double saved() const { return saved_; }

 private:
  static constexpr double kAtStart = 10;  // so that the first failure of a quiet gateway is retried
  double share_;
  double most_;
  double saved_;
};

}  // namespace pawsight::gateway
