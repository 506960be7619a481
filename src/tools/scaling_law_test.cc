#include "tools/scaling_law.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/rng.h"

namespace pawsight::tools {
namespace {

std::vector<Throughput> Curve(const LawFit& law, double noise, uint64_t seed) {
  Rng rng(seed);
  std::vector<Throughput> points;
  for (const double n : {1, 2, 4, 8, 16, 32, 64}) points.push_back({n, LawAt(law, n) * (1 + noise * rng.Normal())});
  return points;
}

TEST(ScalingLaw, WhatMadeACurveIsFoundInIt) {
  Rng rng(3);
  for (int i = 0; i < 200; ++i) {
    const LawFit truth{.lambda = rng.Uniform(1, 100), .sigma = rng.Uniform(0, 0.5), .kappa = rng.Uniform(1e-4, 0.02)};
    const auto law = FitLaw(1, Curve(truth, 0, 0));
    ASSERT_TRUE(law.has_value());
    EXPECT_NEAR(law->lambda, truth.lambda, 1e-6 * truth.lambda);
    EXPECT_NEAR(law->sigma, truth.sigma, 1e-6);
    EXPECT_NEAR(law->kappa, truth.kappa, 1e-8);
    EXPECT_NEAR(law->peak_clients, std::max(1.0, std::sqrt((1 - truth.sigma) / truth.kappa)), 1e-3);
    EXPECT_NEAR(law->r2, 1, 1e-9);
  }
}

TEST(ScalingLaw, AFewPercentOfNoiseMoveThePeakLittle) {
  const LawFit truth{.lambda = 10, .sigma = 0.05, .kappa = 0.002};  // peak at 21.8
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const auto law = FitLaw(1, Curve(truth, 0.03, seed));
    ASSERT_TRUE(law.has_value());
    EXPECT_NEAR(law->peak_clients, 21.8, 5) << seed;
    EXPECT_NEAR(law->peak_per_s, LawAt(truth, 21.8), 0.1 * LawAt(truth, 21.8));
    EXPECT_GE(law->sigma, 0);
  }
}

TEST(ScalingLaw, ACurveThatOnlyFlattensHasNoPeak) {
  const LawFit flat{.lambda = 10, .sigma = 1, .kappa = 0};  // one server: X is 10 however many ask
  const auto law = FitLaw(2, Curve(flat, 0, 0));
  ASSERT_TRUE(law.has_value());
  EXPECT_EQ(law->server, 2);
  EXPECT_NEAR(law->sigma, 1, 1e-6);
  EXPECT_NEAR(law->kappa, 0, 1e-9);
  const auto linear = FitLaw(1, std::vector<Throughput>{{1, 5}, {2, 10}, {4, 20}, {8, 41}});
  ASSERT_TRUE(linear.has_value());
  EXPECT_EQ(linear->peak_clients, 0);
}

TEST(ScalingLaw, TwoPointsAreTooFew) {
  EXPECT_FALSE(FitLaw(1, std::vector<Throughput>{{1, 5}, {2, 9}, {2, 9.1}}).has_value());
}

}  // namespace
}  // namespace pawsight::tools
