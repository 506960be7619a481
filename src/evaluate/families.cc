#include "evaluate/families.h"

#include <cctype>

namespace pawsight::evaluate {
namespace {

using engine::WordSet;

const std::vector<std::string> kPets = {"dog",    "dogs", "cat",  "cats",   "puppy",
                                        "kitten", "pet",  "pets", "animal", "animals"};
// What asks for presence and nothing more.
const std::vector<std::string> kShown = {"there", "see",     "visible", "show", "shows",
                                         "shown", "picture", "photo",   "here"};

std::string FirstWord(std::string_view question) {
  std::string word;
  for (const char c : question) {
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!word.empty()) {
      break;
    }
  }
  return word;
}

/// Whether the question ends in "on": "What is the cat on?".
bool EndsInOn(std::string_view question) {
  while (!question.empty() && std::isalpha(static_cast<unsigned char>(question.back())) == 0) question.remove_suffix(1);
  return question.ends_with(" on");
}

bool HasOneOf(const WordSet& words, const std::vector<std::string>& wanted) {
  return engine::WordPattern{wanted, {}}.Holds(words);
}

/// Of a question that wants a word: how, what, which, where.
std::string WordFamily(std::string_view question, const WordSet& words) {
  const bool of_pet = HasOneOf(words, kPets);
  if (HasOneOf(words, {"many", "number"})) return "count";
  if (words.contains("where")) return "where";
  if (EndsInOn(question) && of_pet) return "where";
  if (of_pet && HasOneOf(words, {"doing", "does", "up"})) return "doing";
  if (of_pet && HasOneOf(words, {"animal", "pet", "kind"}) && !words.contains("color") && !words.contains("colour")) {
    return "which animal";
  }
  return "other";
}

}  // namespace

const std::vector<YesNoFamily>& YesNoFamilies() {
  static const std::vector<YesNoFamily> kFamilies = {
      {"room empty", {{"empty", "nobody", "without"}, {}}},
      {"sleeping", {{"sleeping", "asleep", "sleep", "lying", "resting", "napping"}, {}}},
      {"doing",
       {{"sitting", "sit", "walking", "walk", "eating", "eat", "playing", "play", "chewing", "biting", "destroying",
         "running", "standing", "barking", "drinking", "scratching", "looking", "wearing"},
        kPets}},
      {"by the window", {{"window"}, kPets}},
      {"by the door", {{"door"}, kPets}},
      {"on a place",
       {{"couch", "sofa", "bed", "table", "chair", "floor", "counter", "basket", "desk", "rug", "carpet"}, kPets}},
      {"person",
       {{"person", "people", "someone", "somebody", "anybody", "anyone", "human", "man", "woman", "child", "kid"},
        {"there", "see", "visible", "show", "shows", "picture", "photo", "here", "room", "home"}}},
      {"dog present", {{"dog", "dogs", "puppy"}, kShown}},
      {"cat present", {{"cat", "cats", "kitten"}, kShown}},
      {"pet present", {{"pet", "pets", "animal", "animals"}, kShown}},
      {"indoors", {{"indoors", "outdoors", "inside", "outside", "indoor", "outdoor"}, {}}},
      {"couch", {{"couch", "sofa"}, kShown}},
      {"bed", {{"bed"}, kShown}},
      {"tv", {{"tv", "television"}, kShown}},
      {"laptop", {{"laptop", "computer"}, kShown}},
      {"bowl", {{"bowl"}, kShown}},
      {"chair", {{"chair"}, kShown}},
      {"table", {{"table"}, kShown}},
  };
  return kFamilies;
}

std::string FamilyOf(std::string_view question) {
  const WordSet words = engine::WordsOf(question);
  const std::string first = FirstWord(question);
  if (first == "how" || first == "what" || first == "which" || first == "where") return WordFamily(question, words);
  // "Is it a dog or a cat?"
  if (words.contains("or") && HasOneOf(words, kPets)) return "which animal";
  for (const YesNoFamily& family : YesNoFamilies()) {
    if (family.words.Holds(words)) return family.name;
  }
  return "other";
}

}  // namespace pawsight::evaluate
