// evaluate/reliability.h: whether what is said with probability p is right in a share p of the cases. Pure;
// thread-safe. Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", section 2: the expected calibration
// error, here with 15 bins of equal width on the probability of the answer given.
#pragma once

#include <array>
#include <span>

namespace pawsight::evaluate {

inline constexpr int kReliabilityBins = 15;

struct Scored {
  double p = 0.0;  // of the answer given, finite, 0..1
  bool right = false;
  double weight = 1.0;
};

struct ReliabilityBin {
  double weight = 0.0;  // sum
  double p = 0.0;       // weighted mean of the probability said
  double right = 0.0;   // weighted share that was right
};

struct Reliability {
  std::array<ReliabilityBin, kReliabilityBins> bins{};
  double weight = 0.0;
  double ece = 0.0;  // weighted mean over the bins of |right - p|; 0 without any
};

Reliability MeasureReliability(std::span<const Scored> scored);

/// 1 / (1 + exp(-margin / temperature)).
double Sigmoid(double margin, double temperature = 1.0);

}  // namespace pawsight::evaluate
