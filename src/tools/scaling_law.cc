#include "tools/scaling_law.h"

#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "base/check.h"

namespace pawsight::tools {
namespace {

using Row = std::array<double, 3>;

/// The coefficients of the features in `used`, the others 0; absent where the equations have no answer.
std::optional<Row> Solve(std::span<const Throughput> points, const std::array<bool, 3>& used) {
  std::array<std::array<double, 4>, 3> m{};
  for (const Throughput& point : points) {
    const double weight = point.per_s / point.n;  // errors relative to n / X
    const Row x{weight, weight * (point.n - 1), weight * point.n * (point.n - 1)};
    for (size_t i = 0; i < 3; ++i) {
      for (size_t j = 0; j < 3; ++j) m[i][j] += x[i] * x[j];
      m[i][3] += x[i];  // the right side is 1, by the weight
    }
  }
  for (size_t i = 0; i < 3; ++i) {
    if (used[i]) continue;
    for (size_t j = 0; j < 3; ++j) m[i][j] = m[j][i] = 0;
    m[i][i] = 1;
    m[i][3] = 0;
  }
  for (size_t column = 0; column < 3; ++column) {
    size_t pivot = column;
    for (size_t row = column; row < 3; ++row) {
      if (std::abs(m[row][column]) > std::abs(m[pivot][column])) pivot = row;
    }
    if (std::abs(m[pivot][column]) < 1e-12) return std::nullopt;
    std::swap(m[pivot], m[column]);
    for (size_t row = 0; row < 3; ++row) {
      if (row == column) continue;
      const double factor = m[row][column] / m[column][column];
      for (size_t j = column; j < 4; ++j) m[row][j] -= factor * m[column][j];
    }
  }
  return Row{m[0][3] / m[0][0], m[1][3] / m[1][1], m[2][3] / m[2][2]};
}

double Error(std::span<const Throughput> points, const Row& c) {
  double sum = 0;
  for (const Throughput& p : points) {
    const double predicted = c[0] + c[1] * (p.n - 1) + c[2] * p.n * (p.n - 1);
    sum += std::pow(predicted * p.per_s / p.n - 1, 2);
  }
  return sum;
}

double RSquared(std::span<const Throughput> points, const LawFit& law) {
  double mean = 0;
  for (const Throughput& p : points) mean += p.per_s / static_cast<double>(points.size());
  double residual = 0;
  double total = 0;
  for (const Throughput& p : points) {
    residual += std::pow(p.per_s - LawAt(law, p.n), 2);
    total += std::pow(p.per_s - mean, 2);
  }
  return total > 0 ? std::max(0.0, 1 - residual / total) : 1;
}

}  // namespace

double LawAt(const LawFit& law, double n) {
  return law.lambda * n / (1 + law.sigma * (n - 1) + law.kappa * n * (n - 1));
}

std::optional<LawFit> FitLaw(int server, std::span<const Throughput> points) {
  std::set<double> different;
  for (const Throughput& point : points) {
    CHECK(point.n >= 1 && point.per_s > 0);
    different.insert(point.n);
  }
  if (different.size() < 3) return std::nullopt;
  // The least of the fits that keep the signs: with both terms, with one, with none.
  std::optional<Row> best;
  double least = std::numeric_limits<double>::infinity();
  for (unsigned used = 0; used < 4; ++used) {
    const auto c = Solve(points, {true, (used & 1U) != 0, (used & 2U) != 0});
    if (!c || (*c)[0] <= 0 || (*c)[1] < 0 || (*c)[2] < 0) continue;
    if (const double error = Error(points, *c); error < least - 1e-15) {
      least = error;
      best = c;
    }
  }
  if (!best) return std::nullopt;
  LawFit law{.server = server, .lambda = 1 / (*best)[0]};
  law.sigma = (*best)[1] * law.lambda;
  law.kappa = (*best)[2] * law.lambda;
  law.r2 = RSquared(points, law);
  if (law.kappa > 0 && law.sigma < 1) {
    law.peak_clients = std::max(1.0, std::sqrt((1 - law.sigma) / law.kappa));
    law.peak_per_s = LawAt(law, law.peak_clients);
  }
  return law;
}

}  // namespace pawsight::tools
