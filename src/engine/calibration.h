// engine/calibration.h: how sure a model may say it is. A small network's p_yes is too bold for some questions and too
// timid for others; `calibration.json` beside its weights holds what its logits are divided by (temperature scaling,
// Guo et al. 2017, "On Calibration of Modern Neural Networks") and the band of p_yes in which no answer should count.
// Format: docs/formats/calibration.md. Not here: fitting (evaluate/fit.h). Values; thread-compatible.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/status.h"

namespace pawsight::engine {

inline constexpr double kMinTemperature = 0.05;
inline constexpr double kMaxTemperature = 20.0;
inline constexpr size_t kMaxCalibrationFamilies = 64;
inline constexpr size_t kMaxCalibrationWords = 64;  // of one list

using WordSet = std::set<std::string, std::less<>>;

/// The words of a question: runs of letters and digits, ASCII letters in lower case; bytes above 127 count as letters.
WordSet WordsOf(std::string_view question);

/// Questions alike, told by their words: one of `any` stands in them and, where `with` is not empty, one of `with` too.
struct WordPattern {
  std::vector<std::string> any;   // 1..kMaxCalibrationWords, lower case
  std::vector<std::string> with;  // 0..kMaxCalibrationWords

  bool Holds(const WordSet& words) const;
};

struct CalibrationFamily {
  std::string name;
  WordPattern words;
  double temperature = 1.0;
};

/// Between `low` and `high`, both left out, p_yes is no answer. 0 <= low <= 0.5 <= high <= 1.
struct UnsureBand {
  double low = 0.5;
  double high = 0.5;

  bool Holds(double p_yes) const { return p_yes > low && p_yes < high; }
};

struct Calibration {
  double temperature = 1.0;                 // of every question that no family takes; kMinTemperature..kMaxTemperature
  std::vector<CalibrationFamily> families;  // the first that holds decides
  std::optional<UnsureBand> unsure;
  std::string fitted_on;  // for a person

  /// What the difference of a question's logits is divided by. Depends on the question alone.
  double TemperatureOf(std::string_view question) const;

  /// Errors: kInvalidArgument (calibration_invalid), naming the field, what was wanted and what to do; kUnimplemented,
  /// another version.
  static Result<Calibration> Parse(std::string_view json);
  /// `model_dir`/calibration.json, at most 1 MB; without that file temperature 1 and no band.
  static Result<Calibration> Open(const std::string& model_dir);
};

/// What Parse reads.
Json ToJson(const Calibration& calibration);

}  // namespace pawsight::engine
