// tools/scaling_law.h: Gunther's universal scalability law fitted to measured throughput:
//   X(n) = lambda n / (1 + sigma (n - 1) + kappa n (n - 1)),
// n requests at once, lambda the throughput of one, sigma contention (a queue for what is shared), kappa coherence
// (work that grows with every pair). Source: N. Gunther, "Guerrilla Capacity Planning", 2007, chapter 4. Pure.
#pragma once

#include <optional>
#include <span>

#include "tools/stress_result.h"

namespace pawsight::tools {

struct Throughput {
  double n = 0;      // 1 or more
  double per_s = 0;  // more than 0
};

/// Least squares of n / X, which is linear in 1/lambda, sigma/lambda and kappa/lambda, each point weighted so that
/// relative errors count; neither sigma nor kappa below 0. Absent with fewer than three different n.
/// `server` is passed through; r2 is of the throughput.
std::optional<LawFit> FitLaw(int server, std::span<const Throughput> points);

/// X(n).
double LawAt(const LawFit& law, double n);

}  // namespace pawsight::tools
