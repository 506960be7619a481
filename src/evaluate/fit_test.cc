#include "evaluate/fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include "base/rng.h"
#include "evaluate/families.h"
#include "evaluate/reliability.h"
#include "scenes/questions.h"

namespace pawsight::evaluate {
namespace {

/// Questions whose true temperature is known: the truth is drawn from sigmoid(margin / temperature).
std::vector<FitPoint> Drawn(Rng& rng, const std::string& family, double temperature, int count, double weight = 1.0) {
  std::vector<FitPoint> points;
  for (int i = 0; i < count; ++i) {
    const double margin = 3.0 * temperature * rng.Normal();
    points.push_back({margin, rng.Chance(Sigmoid(margin, temperature)), weight, family, i % 2});
  }
  return points;
}

std::vector<const FitPoint*> Pointers(const std::vector<FitPoint>& points) {
  std::vector<const FitPoint*> pointers;
  for (const FitPoint& point : points) pointers.push_back(&point);
  return pointers;
}

const FamilyFit& Of(const Fit& fit, const std::string& family) {
  return *std::find_if(fit.families.begin(), fit.families.end(),
                       [&](const FamilyFit& f) { return f.family == family; });
}

TEST(FitTemperature, FindsTheTemperatureThatTheTruthWasDrawnWith) {
  for (const double temperature : {0.5, 1.0, 1.7, 4.0}) {
    Rng rng(7);
    const std::vector<FitPoint> points = Drawn(rng, "", temperature, 20000);
    EXPECT_NEAR(FitTemperature(Pointers(points)) / temperature, 1.0, 0.05) << temperature;
  }
}

TEST(FitTemperature, StaysWithinItsRangeWhateverThePoints) {
  EXPECT_EQ(FitTemperature({}), 1.0);
  const std::vector<FitPoint> always_right = {{3.0, true}, {-2.0, false}};
  EXPECT_NEAR(FitTemperature(Pointers(always_right)), 0.05, 1e-4);
  const std::vector<FitPoint> always_wrong = {{3.0, false}, {-2.0, true}};
  EXPECT_NEAR(FitTemperature(Pointers(always_wrong)), 20.0, 1e-2);
  const std::vector<FitPoint> extreme = {{1e6, false}, {-1e6, true}, {0.0, true}};
  EXPECT_TRUE(std::isfinite(FitTemperature(Pointers(extreme))));
}

TEST(FitTemperature, AWeightCountsAsSoManyPoints) {
  Rng rng(3);
  std::vector<FitPoint> doubled = Drawn(rng, "", 2.0, 400);
  std::vector<FitPoint> twice = doubled;
  for (FitPoint& point : doubled) point.weight = 2.0;
  twice.insert(twice.end(), doubled.begin(), doubled.end());
  for (FitPoint& point : twice) point.weight = 1.0;
  EXPECT_NEAR(FitTemperature(Pointers(doubled)), FitTemperature(Pointers(twice)), 1e-4);
}

TEST(FitCalibration, AFamilyHasItsOwnTemperatureOnlyWhenItIsLargeAndDiffers) {
  Rng rng(11);
  std::vector<FitPoint> points = Drawn(rng, "sleeping", 3.0, 4000);
  for (const auto& [family, temperature, count] :
       {std::tuple{"dog present", 1.0, 4000}, {"cat present", 6.0, 150}, {"other", 6.0, 2000}}) {
    const std::vector<FitPoint> more = Drawn(rng, family, temperature, count);
    points.insert(points.end(), more.begin(), more.end());
  }
  const Fit fit = FitCalibration(points);
  EXPECT_TRUE(Of(fit, "sleeping").own);
  EXPECT_NEAR(Of(fit, "sleeping").temperature, 3.0, 0.3);
  EXPECT_TRUE(Of(fit, "dog present").own);
  EXPECT_NEAR(Of(fit, "dog present").temperature, 1.0, 0.1);
  EXPECT_FALSE(Of(fit, "cat present").own) << "150 questions are too few";
  EXPECT_EQ(Of(fit, "cat present").temperature, fit.temperature);
  EXPECT_FALSE(Of(fit, "other").own) << "no words tell it";
  EXPECT_LT(fit.nll_after, fit.nll_before);
  EXPECT_LT(fit.ece_after, fit.ece_before);
  EXPECT_LT(fit.ece_two_fold, fit.ece_before);
}

TEST(FitCalibration, TheBandIsTheNarrowestWhoseOutsideIsRightOftenEnough) {
  std::vector<FitPoint> points;
  const auto add = [&](double p_yes, bool yes, int times) {
    for (int i = 0; i < times; ++i) points.push_back({std::log(p_yes / (1 - p_yes)), yes, 1.0, "other", i % 2});
  };
  // Sure ones nearly always right, unsure ones right in six of ten: such a pair of shares is at temperature one.
  add(0.99, true, 990);
  add(0.99, false, 10);
  add(0.6, true, 600);
  add(0.6, false, 400);
  const Fit fit = FitCalibration(points);
  EXPECT_NEAR(fit.temperature, 1.0, 0.02);
  EXPECT_NEAR(fit.unsure.low, 0.39, 0.011);
  EXPECT_NEAR(fit.unsure.low + fit.unsure.high, 1.0, 1e-12);
  EXPECT_NEAR(fit.share_outside, 0.5, 1e-9);
  EXPECT_NEAR(fit.right_outside, 0.99, 1e-9);
}

TEST(FitCalibration, TheBandIsCappedWhereNoWidthIsEnough) {
  Rng rng(5);
  std::vector<FitPoint> points;
  for (int i = 0; i < 1000; ++i) points.push_back({4.0 * rng.Normal(), rng.Chance(0.5), 1.0, "other", i % 2});
  const Fit fit = FitCalibration(points);
  EXPECT_DOUBLE_EQ(fit.unsure.low, 0.25);
  EXPECT_DOUBLE_EQ(fit.unsure.high, 0.75);
  EXPECT_LT(fit.right_outside, 0.95);
}

TEST(ToCalibration, EveryDrawnYesNoQuestionHasTheTemperatureOfItsFamily) {
  Rng rng(13);
  std::vector<FitPoint> points;
  double temperature = 0.5;
  for (const YesNoFamily& family : YesNoFamilies()) {
    if (family.name == "doing" || family.name == "table") continue;  // without an own one: the general
    const std::vector<FitPoint> more = Drawn(rng, family.name, temperature *= 1.15, 1500);
    points.insert(points.end(), more.begin(), more.end());
  }
  const Fit fit = FitCalibration(points);
  const auto written = engine::Calibration::Parse(ToJson(ToCalibration(fit, "a test")).Dump());
  ASSERT_TRUE(written.ok()) << written.status().ToString();
  for (const scenes::QuestionKind& kind : scenes::AllQuestions()) {
    for (const std::string& wording : kind.wordings) {
      const std::string family = FamilyOf(wording);
      const bool word = family == "count" || family == "where" || family == "which animal" || wording.starts_with("Wh");
      if (word || wording.find("{pet}") != std::string::npos) continue;
      const auto fitted = std::find_if(fit.families.begin(), fit.families.end(),
                                       [&](const FamilyFit& f) { return f.family == family; });
      const double wanted = fitted != fit.families.end() ? fitted->temperature : fit.temperature;
      EXPECT_NEAR(written->TemperatureOf(wording), wanted, 1e-4) << wording << " " << family;
    }
  }
}

TEST(ToCalibration, WithoutAFamilyOfItsOwnTheFileHasOneTemperature) {
  Rng rng(17);
  const engine::Calibration calibration = ToCalibration(FitCalibration(Drawn(rng, "other", 2.0, 1000)), "x");
  EXPECT_TRUE(calibration.families.empty());
  EXPECT_NEAR(calibration.temperature, 2.0, 0.4);
}

}  // namespace
}  // namespace pawsight::evaluate
