// apps/measure_peak.h: the arithmetic that the kernels reach at best, which `pawsight bench` and the worker hold
// against what they do.
#pragma once

#include <chrono>

#include "kernels/kernels.h"

namespace pawsight {

/// How long each of the sixteen shapes is tried.
struct PeakEffort {
  std::chrono::microseconds run{2000};
  int runs = 5;
};
/// About ten milliseconds in all, for a start; within some percent of the other.
inline constexpr PeakEffort kQuickPeak{std::chrono::microseconds(250), 2};

/// Operations a second, a multiply-add counted as two, that one thread reaches in products of this precision whose
/// operands stay in the first-level cache: the best of a few shapes and short runs. Cost: sixteen times run times runs.
double MeasurePeak(const kernels::Kernels& kernels, kernels::Precision precision, const PeakEffort& effort = {});

}  // namespace pawsight
