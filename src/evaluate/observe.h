// evaluate/observe.h: asks a model all questions of a set and keeps what it said beside what is true. Yes/no questions,
// and those whose answer nobody knows, by p_yes at 0.5, as rules ask them; the rest in words. Used by one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "engine/vqa.h"
#include "evaluate/question_set.h"

namespace pawsight::evaluate {

struct Observation {
  int picture = 0;  // index into the set
  std::string question;
  std::string truth;  // "" when nobody knows
  std::string family;
  std::string answer;
  bool yes_no = false;  // asked by p_yes; else in words
  double margin = 0.0;  // yes_no: the logit of "yes" less that of "no", before calibration
  double p_yes = 0.5;   // yes_no: calibrated
  double p = 0.0;       // of the answer given

  bool right() const { return answer == truth; }
};

/// One picture, small, for a page.
struct Thumbnail {
  std::string id;
  std::string kind;
  std::vector<uint8_t> jpeg;  // as the model sees it: squashed to a square; empty when none was kept
};

struct Observed {
  std::string set;
  bool private_pictures = false;
  std::vector<Observation> observations;
  std::vector<Thumbnail> pictures;  // one a picture of the set
};

struct ObserveOptions {
  /// A picture as the model takes it.
  std::function<std::vector<float>(const frames::Image& image)> prepare;
  /// Told after each picture; may be empty.
  std::function<void(int done, int of)> progress;
  int thumbnail_side = 0;      // pixels; 0 keeps none
  int most_thumbnails = 2000;  // of the first pictures
};

/// Errors: those of QuestionSet::Get, Vqa::Look and Vqa::Ask, with the picture's name; kDataLoss, a probability that is
/// no number. Cost: a look a picture; memory about 200 bytes a question and 4 kB a thumbnail.
Result<Observed> Observe(const engine::Vqa& vqa, const QuestionSet& set, const ObserveOptions& options);

}  // namespace pawsight::evaluate
