#include "evaluate/fit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "evaluate/families.h"
#include "evaluate/reliability.h"

namespace pawsight::evaluate {
namespace {

using Points = std::vector<const FitPoint*>;

/// -log sigmoid(x), exact for large |x|.
double NegLogSigmoid(double x) { return x > 0 ? std::log1p(std::exp(-x)) : std::log1p(std::exp(x)) - x; }

/// The weighted sum.
double NegLogLikelihood(std::span<const FitPoint* const> points, double temperature) {
  double sum = 0.0;
  for (const FitPoint* point : points) {
    sum += point->weight * NegLogSigmoid((point->yes ? point->margin : -point->margin) / temperature);
  }
  return sum;
}

double Weight(std::span<const FitPoint* const> points) {
  double sum = 0.0;
  for (const FitPoint* point : points) sum += point->weight;
  return sum;
}

Points OfFold(std::span<const FitPoint* const> points, int fold) {
  Points chosen;
  for (const FitPoint* point : points) {
    if (point->fold == fold) chosen.push_back(point);
  }
  return chosen;
}

/// Temperatures of one family, and what they were learned from.
struct Learned {
  double whole = 1.0;                     // on all
  std::array<double, 2> other{1.0, 1.0};  // for fold k: on the other fold
};

Learned Learn(const Points& points) {
  return {FitTemperature(points), {FitTemperature(OfFold(points, 1)), FitTemperature(OfFold(points, 0))}};
}

FamilyFit FitFamily(const std::string& name, const Points& points, const Learned& general, const Learned& own,
                    const FitOptions& options) {
  FamilyFit fit{.family = name, .questions = static_cast<int>(points.size()), .temperature = general.whole};
  for (const int fold : {0, 1}) {
    const Points held_out = OfFold(points, fold);
    fit.nll_general += NegLogLikelihood(held_out, general.other[static_cast<size_t>(fold)]);
    fit.nll_own += NegLogLikelihood(held_out, own.other[static_cast<size_t>(fold)]);
  }
  const double weight = Weight(points);
  if (weight > 0) {
    fit.nll_general /= weight;
    fit.nll_own /= weight;
  }
  const bool known = std::ranges::any_of(YesNoFamilies(), [&](const YesNoFamily& one) { return one.name == name; });
  fit.own = known && fit.questions >= options.least_questions && fit.nll_own < fit.nll_general;
  if (fit.own) fit.temperature = own.whole;
  return fit;
}

Scored Score(const FitPoint& point, double temperature) {
  const double p_yes = Sigmoid(point.margin, temperature);
  return {std::max(p_yes, 1.0 - p_yes), (p_yes >= 0.5) == point.yes, point.weight};
}

void ChooseBand(const std::vector<Scored>& scored, const FitOptions& options, Fit* fit) {
  const int steps = static_cast<int>(std::lround(options.widest * 100));
  for (int step = 0; step <= steps; ++step) {
    const double half = step / 100.0;
    double all = 0.0, outside = 0.0, right = 0.0;
    for (const Scored& one : scored) {
      all += one.weight;
      if (one.p < 0.5 + half) continue;
      outside += one.weight;
      right += one.right ? one.weight : 0.0;
    }
    fit->unsure = {(50 - step) / 100.0, (50 + step) / 100.0};
    fit->share_outside = all > 0 ? outside / all : 0.0;
    fit->right_outside = outside > 0 ? right / outside : 0.0;
    if (fit->right_outside >= options.right_outside) return;
  }
}

}  // namespace

double FitTemperature(std::span<const FitPoint* const> points) {
  if (points.empty()) return 1.0;
  constexpr double kGolden = 0.6180339887498949;
  double low = std::log(engine::kMinTemperature);
  double high = std::log(engine::kMaxTemperature);
  const auto cost = [&](double log_temperature) { return NegLogLikelihood(points, std::exp(log_temperature)); };
  double left = high - kGolden * (high - low);
  double right = low + kGolden * (high - low);
  double at_left = cost(left);
  double at_right = cost(right);
  while (high - low > 1e-5) {
    if (at_left <= at_right) {
      high = right;
      right = left;
      at_right = at_left;
      left = high - kGolden * (high - low);
      at_left = cost(left);
    } else {
      low = left;
      left = right;
      at_left = at_right;
      right = low + kGolden * (high - low);
      at_right = cost(right);
    }
  }
  return std::clamp(std::exp((low + high) / 2), engine::kMinTemperature, engine::kMaxTemperature);
}

Fit FitCalibration(const std::vector<FitPoint>& points, const FitOptions& options) {
  Fit fit;
  fit.questions = static_cast<int>(points.size());
  Points all;
  std::map<std::string, Points> by_family;
  for (const FitPoint& point : points) {
    all.push_back(&point);
    by_family[point.family].push_back(&point);
  }
  const Learned general = Learn(all);
  fit.temperature = general.whole;
  std::vector<Scored> before, after, two_fold;
  double nll_before = 0.0, nll_after = 0.0;
  for (const auto& [name, family] : by_family) {
    const Learned own = Learn(family);
    fit.families.push_back(FitFamily(name, family, general, own, options));
    const FamilyFit& fitted = fit.families.back();
    nll_before += NegLogLikelihood(family, 1.0);
    nll_after += NegLogLikelihood(family, fitted.temperature);
    for (const FitPoint* point : family) {
      before.push_back(Score(*point, 1.0));
      after.push_back(Score(*point, fitted.temperature));
      two_fold.push_back(Score(*point, (fitted.own ? own : general).other[point->fold == 0 ? 0 : 1]));
    }
  }
  const double weight = Weight(all);
  if (weight > 0) {
    fit.nll_before = nll_before / weight;
    fit.nll_after = nll_after / weight;
  }
  fit.ece_before = MeasureReliability(before).ece;
  fit.ece_after = MeasureReliability(after).ece;
  fit.ece_two_fold = MeasureReliability(two_fold).ece;
  ChooseBand(after, options, &fit);
  return fit;
}

engine::Calibration ToCalibration(const Fit& fit, const std::string& fitted_on) {
  engine::Calibration calibration;
  const auto rounded = [](double temperature) {
    return std::clamp(std::round(temperature * 1e4) / 1e4, engine::kMinTemperature, engine::kMaxTemperature);
  };
  calibration.temperature = rounded(fit.temperature);
  calibration.unsure = fit.unsure;
  calibration.fitted_on = fitted_on;
  size_t last = 0;
  for (const YesNoFamily& family : YesNoFamilies()) {
    const auto fitted = std::ranges::find(fit.families, family.name, &FamilyFit::family);
    const bool own = fitted != fit.families.end() && fitted->own;
    calibration.families.push_back(
        {family.name, family.words, own ? rounded(fitted->temperature) : calibration.temperature});
    if (own) last = calibration.families.size();
  }
  calibration.families.resize(last);
  return calibration;
}

}  // namespace pawsight::evaluate
