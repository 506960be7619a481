// base/rng.h: seeded random numbers, the same on every machine. SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable
// pseudorandom number generators"): small, fast, good enough for drawing and tests; not for secrets. Thread-compatible.
#pragma once

#include <cmath>
#include <cstdint>

namespace pawsight {

class Rng {
 public:
  explicit Rng(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  /// In [0, 1).
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
  /// In [low, high).
  double Uniform(double low, double high) { return low + (high - low) * Uniform(); }
  /// In [0, n); n >= 1. The bias, below n / 2^64, is of no matter here.
  int Below(int n) { return static_cast<int>(Next() % static_cast<uint64_t>(n)); }
  bool Chance(double p) { return Uniform() < p; }
  /// Mean 0, deviation 1 (Box and Muller 1958).
  double Normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - Uniform()));
    return radius * std::cos(6.283185307179586 * Uniform());
  }
  /// An independent stream, so that adding a draw in one place leaves the others as they were.
  Rng Fork(uint64_t stream) {
    Rng mixed(state_ ^ (stream * 0xD6E8FEB86659FD93ULL));
    return Rng(mixed.Next());
  }

 private:
  uint64_t state_;
};

}  // namespace pawsight
