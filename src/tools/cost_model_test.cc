#include "tools/cost_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace pawsight::tools {
namespace {

using ::testing::DoubleNear;
using ::testing::HasSubstr;

/// $0.36 an hour is $0.0001 a second; 20 frames a second of 5 questions.
CostInput Input() {
  CostInput input;
  input.price_per_hour = 0.36;
  input.frames_per_s = 20;
  input.questions_measured = 5;
  input.questions = 5;
  input.asked_share = 0.1;
  input.frames_per_camera_day = 86'400;
  input.cameras = 100'000;
  input.peak = 2;
  return input;
}

TEST(ComputeCost, FiguresAreAsByHand) {
  const CostFigures figures = ComputeCost(Input()).value();
  EXPECT_EQ(figures.frames_per_s, 20);
  EXPECT_FALSE(figures.scaled);
  EXPECT_THAT(figures.per_million_asked, DoubleNear(5, 1e-9));      // 1e6 / 20 s at $0.0001
  EXPECT_THAT(figures.per_million_offered, DoubleNear(0.5, 1e-9));  // a tenth is asked
  EXPECT_THAT(figures.per_million_answered, DoubleNear(5, 1e-9));
  EXPECT_THAT(figures.per_million_answers, DoubleNear(1, 1e-9));               // five a frame
  EXPECT_THAT(figures.per_camera_month, DoubleNear(0.0432 * 365 / 12, 1e-9));  // 86,400 frames a day
  EXPECT_THAT(figures.fleet_per_s, DoubleNear(10'000, 1e-6));
  EXPECT_EQ(figures.instances_mean, 500);
  EXPECT_EQ(figures.instances_peak, 1000);
  EXPECT_THAT(figures.per_camera_month_peak, DoubleNear(1000 * 0.36 * 24 * 365 / 12 / 100'000, 1e-9));
}

TEST(ComputeCost, WhatIsNotAnsweredMakesAnswersDearer) {
  CostInput input = Input();
  input.answered_share = 0.8;
  const CostFigures figures = ComputeCost(input).value();
  EXPECT_THAT(figures.per_million_asked, DoubleNear(5, 1e-9));
  EXPECT_THAT(figures.per_million_answered, DoubleNear(6.25, 1e-9));
  EXPECT_THAT(figures.per_million_answers, DoubleNear(1.25, 1e-9));
}

TEST(ComputeCost, AnotherNumberOfQuestionsIsScaledByArithmeticAndSaysSo) {
  CostInput input = Input();
  input.questions = 20;
  const CostFigures figures = ComputeCost(input).value();
  EXPECT_TRUE(figures.scaled);
  EXPECT_THAT(figures.frames_per_s, DoubleNear(20 * 63.0 / 78, 1e-9));
}

TEST(ComputeCost, OneCameraWantsOneInstanceAndNothingAskedCostsNothing) {
  CostInput input = Input();
  input.cameras = 1;
  EXPECT_EQ(ComputeCost(input)->instances_mean, 1);
  input.asked_share = 0;
  EXPECT_EQ(ComputeCost(input)->per_million_offered, 0);
}

TEST(ComputeCost, AValueOutsideItsRangeIsNamed) {
  const auto error = [](auto change) {
    CostInput input = Input();
    change(input);
    return ComputeCost(input).status().message();
  };
  EXPECT_THAT(error([](CostInput& input) { input.price_per_hour = 0; }),
              HasSubstr("price_per_hour: want a number above 0"));
  EXPECT_THAT(error([](CostInput& input) { input.frames_per_s = -1; }), HasSubstr("frames_per_s"));
  EXPECT_THAT(error([](CostInput& input) { input.asked_share = 1.1; }),
              HasSubstr("asked_share: want a number from 0 to 1"));
  EXPECT_THAT(error([](CostInput& input) { input.questions = 65; }), HasSubstr("questions: want"));
  EXPECT_THAT(error([](CostInput& input) { input.peak = 0.5; }), HasSubstr("peak"));
  EXPECT_THAT(error([](CostInput& input) { input.price_per_hour = std::nan(""); }), HasSubstr("price_per_hour"));
}

Baseline Theirs() {
  Baseline baseline;
  baseline.what = "PyTorch";
  baseline.calls_per_s = 4;
  baseline.ours = {{1, 25}, {5, 24}};
  return baseline;
}

TEST(ComputeSaving, FactorsAreAsByHandAndTheirLogarithmsAddUp) {
  const Saving saving = ComputeSaving(Input(), Theirs()).value();
  EXPECT_THAT(saving.engine, DoubleNear(25.0 / 4, 1e-9));
  EXPECT_THAT(saving.sharing, DoubleNear(5 * 24.0 / 25, 1e-9));
  EXPECT_THAT(saving.gating, DoubleNear(10, 1e-9));
  EXPECT_THAT(saving.whole, DoubleNear(300, 1e-6));
  EXPECT_THAT(std::log(saving.engine) + std::log(saving.sharing) + std::log(saving.gating),
              DoubleNear(std::log(saving.whole), 1e-9));
}

TEST(ComputeSaving, TheEngineIsTheSamePrecisionsFactorTimesThePrecisions) {
  Baseline baseline = Theirs();
  EXPECT_FALSE(ComputeSaving(Input(), baseline)->same_precision);
  baseline.same = {"bf16", 10};
  const Saving saving = ComputeSaving(Input(), baseline).value();
  EXPECT_THAT(*saving.same_precision, DoubleNear(10.0 / 4, 1e-9));
  EXPECT_THAT(*saving.precision, DoubleNear(25.0 / 10, 1e-9));
  EXPECT_THAT(*saving.same_precision * *saving.precision, DoubleNear(saving.engine, 1e-9));
  EXPECT_THAT(SavingToJson(saving).GetNumber("precision").value(), DoubleNear(2.5, 1e-9));
}

TEST(ComputeSaving, TheBaselineHasOursHeadroomAndCostsTheWholeMore) {
  const CostFigures ours = ComputeCost(Input()).value();
  const Saving saving = ComputeSaving(Input(), Theirs()).value();
  // 4 calls a second are 0.8 frames of five questions; ours keeps 20 of its 24.
  EXPECT_THAT(saving.baseline.frames_per_s, DoubleNear(0.8 * 20 / 24, 1e-9));
  EXPECT_THAT(saving.baseline.per_million_offered, DoubleNear(saving.whole * ours.per_million_offered, 1e-6));
  EXPECT_THAT(saving.baseline.per_camera_month, DoubleNear(saving.whole * ours.per_camera_month, 1e-6));
}

TEST(ComputeSaving, APassThatWasNotMeasuredIsAnError) {
  CostInput input = Input();
  input.questions = 7;
  EXPECT_THAT(ComputeSaving(input, Theirs()).status().message(), HasSubstr("with 1, 5 questions, want 1 and 7"));
  input.questions = 5;
  input.asked_share = 0;
  EXPECT_FALSE(ComputeSaving(input, Theirs()).ok());
}

TEST(Baseline, IsReadAndAnErrorNamesTheField) {
  const std::string good =
      R"({"format":"pawsight-baseline","format_version":1,"what":"PyTorch","machine":"2 threads","made_at":
      "2026-11-25T00:00:00Z","calls_per_s":2.5,"ours":[{"questions":1,"frames_per_s":30}],"rounds":3,"ours_precision":"int8",
      "ours_same_precision":{"precision":"bf16","frames_per_s":20}})";
  const Baseline baseline = BaselineFromJson(Json::Parse(good).value()).value();
  EXPECT_EQ(baseline.calls_per_s, 2.5);
  ASSERT_EQ(baseline.ours.size(), 1U);
  EXPECT_EQ(baseline.ours[0].frames_per_s, 30);
  EXPECT_EQ(baseline.ours_precision, "int8");
  EXPECT_EQ(baseline.same->precision, "bf16");
  EXPECT_EQ(baseline.same->frames_per_s, 20);
  const auto error = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return BaselineFromJson(Json::Parse(text).value()).status().message();
  };
  EXPECT_THAT(error("2.5", "0"), HasSubstr("calls_per_s: want a number above 0"));
  EXPECT_THAT(error("\"frames_per_s\":30", "\"fps\":30"), HasSubstr("frames_per_s: missing"));
  EXPECT_THAT(error("\"frames_per_s\":30", "\"fps\":30"), HasSubstr("ours[0]"));
  EXPECT_THAT(error("pawsight-baseline", "pawsight-gate"), HasSubstr("format: want pawsight-baseline"));
  EXPECT_THAT(error("\"frames_per_s\":20", "\"frames_per_s\":-1"), HasSubstr("ours_same_precision: frames_per_s"));
  EXPECT_THAT(ReadBaseline("/nonexistent.json").status().message(), HasSubstr("/nonexistent.json"));
}

}  // namespace
}  // namespace pawsight::tools
