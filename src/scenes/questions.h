// scenes/questions.h: from the truth about a frame to questions with known answers. Pure; thread-compatible.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "scenes/truth.h"

namespace pawsight::scenes {

struct Asked {
  std::string text;         // one wording, "Is the dog on the couch?"
  std::string answer;       // one lower-case word or number: "yes", "couch", "2"
  std::string_view family;  // which question it is, whatever the wording: "dog_on_couch"
};

/// One question in all its wordings. A wording may name {pet}; the family's name has the species in its place.
struct QuestionKind {
  std::string family;
  std::vector<std::string> wordings;  // at least four
  /// The answer, or "" when the truth leaves it open: a pet half hidden, two dogs and one is meant.
  std::string (*answer)(const Truth& truth, Species species);
  Species species = Species::kDog;
};

/// Every question there is, in a fixed order.
const std::vector<QuestionKind>& AllQuestions();

/// All words that questions and answers use, lower case, sorted: the start of a vocabulary.
std::vector<std::string> QuestionWords();

/// Chooses questions so that over many random scenes every answer of a question comes about equally often.
class Questioner {
 public:
  /// Learns how often each answer is true from the truths of a few thousand random scenes (not painted).
  /// Cost: about 0.1 s.
  Questioner();

  /// Up to `count` questions of different families about `truth`; fewer when fewer are decided.
  std::vector<Asked> Ask(const Truth& truth, Rng& rng, int count) const;

 private:
  std::vector<std::map<std::string, double>> share_;  // by question kind: answer -> part of the scenes
};

}  // namespace pawsight::scenes
