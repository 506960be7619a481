// evaluate/fit.h: fits a calibration: temperatures by family and the band in which answers should not count. A pure
// function of margins and truths; thread-safe. Source: temperature scaling, Guo et al. 2017: T minimises the negative
// log likelihood of the truth under sigmoid(margin / T). It is convex in 1 / T, so a golden-section search on log T
// finds it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/calibration.h"

namespace pawsight::evaluate {

/// One yes/no question.
struct FitPoint {
  double margin = 0.0;  // the logit of "yes" less that of "no", uncalibrated
  bool yes = false;     // the truth
  double weight = 1.0;
  std::string family;  // as FamilyOf says
  int fold = 0;        // 0 or 1; questions of one picture share it
};

struct FitOptions {
  int least_questions = 200;    // fewer, and a family keeps the general temperature
  double right_outside = 0.95;  // share of the answers outside the band that are to be right
  double widest = 0.25;         // the band reaches at most so far from 0.5
};

struct FamilyFit {
  std::string family;
  int questions = 0;
  double temperature = 1.0;  // its own where `own`, else the general one
  bool own = false;
  // Mean negative log likelihood of each fold's questions under temperatures fitted on the other fold.
  double nll_general = 0.0;
  double nll_own = 0.0;
};

struct Fit {
  int questions = 0;
  double temperature = 1.0;  // fitted on all questions together
  std::vector<FamilyFit> families;
  engine::UnsureBand unsure;
  double share_outside = 0.0;  // of the answers outside the band
  double right_outside = 0.0;  // of those; below the wish when the cap was reached
  double nll_before = 0.0, nll_after = 0.0;
  double ece_before = 0.0, ece_after = 0.0;
  double ece_two_fold =
      0.0;  // each fold under temperatures fitted on the other: what to expect of new questions like these
};

/// The T in kMinTemperature..kMaxTemperature with the least weighted negative log likelihood; 1 without points.
double FitTemperature(std::span<const FitPoint* const> points);

/// A family has a temperature of its own when it has enough questions and predicts each fold better with one fitted on
/// the other fold than with the general one fitted there. The band is symmetric and in steps of 0.01: the narrowest
/// whose outside is right often enough, at most `widest`.
Fit FitCalibration(const std::vector<FitPoint>& points, const FitOptions& options = {});

/// The file's content: families in the order of YesNoFamilies() up to the last that has a temperature of its own; those
/// before it that have none are written with the general one, so that every question is taken by the family that
/// FamilyOf names.
engine::Calibration ToCalibration(const Fit& fit, const std::string& fitted_on);

}  // namespace pawsight::evaluate
