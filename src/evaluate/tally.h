// evaluate/tally.h: from what was observed to numbers: how often right, by family and by kind of answer, what is taken
// for what, and what one would reach blind. Pure; thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "evaluate/observe.h"
#include "evaluate/reliability.h"

namespace pawsight::evaluate {

struct Counts {
  int asked = 0;
  int right = 0;
  int yes = 0, no = 0;              // true answers
  int yes_right = 0, no_right = 0;  // of those
  int words_alone = 0;              // right by the words of the question alone
  int always_no = 0;                // right by always saying no

  /// 0..100; 0 of nothing.
  double Percent(int of_asked) const { return asked == 0 ? 0.0 : 100.0 * of_asked / asked; }
};

/// A wrong answer in words and how often it was given.
struct Confusion {
  std::string truth;
  std::string answer;
  int times = 0;
};

struct Tally {
  std::string set;
  std::map<std::string, Counts> families;
  Counts yes_no, counts, words, all;  // `counts`: the answer is a number; `words`: other words
  std::vector<Confusion> confusions;  // of counts and words, the most frequent first, at most kMostConfusions
  Reliability before, after;          // yes/no, at temperature 1 and as the model said it
  Reliability in_words;               // counts and words, by the probability of the words
};

inline constexpr size_t kMostConfusions = 12;

/// For each observation, whether the most frequent other answer to the same wording in the set is its true one; the
/// pair itself is left out. Of equally frequent answers the first by alphabet counts; a wording that comes once is
/// answered with the most frequent answer of its family, and where that too comes once, wrongly.
std::vector<bool> RightByWordsAlone(const std::vector<Observation>& observations);

/// Of a set with known answers.
Tally MakeTally(const Observed& observed);

/// How sure a model is where it can know nothing.
struct UnknownCounts {
  int asked = 0;
  double distance = 0.0;  // mean |p_yes - 0.5|
  double in_band = 0.0;   // share inside the unsure band
  double bold = 0.0;      // share below 0.2 or above 0.8
};

struct UnknownTally {
  std::map<std::string, UnknownCounts> questions;  // by wording
  UnknownCounts all;
};

/// Of a set without answers; without a band none lies in it.
UnknownTally MakeUnknownTally(const Observed& observed, const std::optional<engine::UnsureBand>& band);

}  // namespace pawsight::evaluate
