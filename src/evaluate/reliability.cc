#include "evaluate/reliability.h"

#include <algorithm>
#include <cmath>

namespace pawsight::evaluate {

double Sigmoid(double margin, double temperature) { return 1.0 / (1.0 + std::exp(-margin / temperature)); }

Reliability MeasureReliability(std::span<const Scored> scored) {
  Reliability reliability;
  for (const Scored& one : scored) {
    const int place = std::clamp(static_cast<int>(one.p * kReliabilityBins), 0, kReliabilityBins - 1);
    ReliabilityBin& bin = reliability.bins[static_cast<size_t>(place)];
    bin.weight += one.weight;
    bin.p += one.weight * one.p;
    bin.right += one.right ? one.weight : 0.0;
    reliability.weight += one.weight;
  }
  for (ReliabilityBin& bin : reliability.bins) {
    if (bin.weight <= 0.0) continue;
    reliability.ece += std::abs(bin.right - bin.p) / reliability.weight;
    bin.p /= bin.weight;
    bin.right /= bin.weight;
  }
  return reliability;
}

}  // namespace pawsight::evaluate
