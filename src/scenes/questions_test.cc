#include "scenes/questions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "scenes/draw.h"

namespace pawsight::scenes {
namespace {

const QuestionKind& Kind(const std::string& family) {
  const auto& all = AllQuestions();
  const auto found = std::find_if(all.begin(), all.end(), [&](const QuestionKind& k) { return k.family == family; });
  EXPECT_NE(found, all.end()) << family;
  return *found;
}

std::string Answer(const std::string& family, const Truth& truth) {
  return Kind(family).answer(truth, Kind(family).species);
}

PetTruth APet(Species species, Activity activity, Place place) {
  PetTruth pet;
  pet.species = species;
  pet.activity = activity;
  pet.place = place;
  return pet;
}

TEST(Questions, ThereAreAtLeastThirtyInFourWordingsEach) {
  EXPECT_GE(AllQuestions().size(), 30U);
  std::set<std::string> families, wordings;
  for (const QuestionKind& kind : AllQuestions()) {
    EXPECT_TRUE(families.insert(kind.family).second) << kind.family;
    EXPECT_GE(kind.wordings.size(), 4U) << kind.family;
    for (const std::string& wording : kind.wordings) {
      EXPECT_TRUE(wording.ends_with("?")) << wording;
      EXPECT_EQ(wording.find('{'), std::string::npos) << wording;
      wordings.insert(wording);
    }
  }
  EXPECT_GE(wordings.size(), 200U);
}

TEST(Questions, ADogOnTheCouchIsAYesForTheDogAndANoForTheCat) {
  Truth truth;
  truth.couch = true;
  truth.pets = {APet(Species::kDog, Activity::kSleeping, Place::kCouch)};
  EXPECT_EQ(Answer("dog_on_couch", truth), "yes");
  EXPECT_EQ(Answer("cat_on_couch", truth), "no");
  EXPECT_EQ(Answer("dog_sleeping", truth), "yes");
  EXPECT_EQ(Answer("cat_sleeping", truth), "no");
  EXPECT_EQ(Answer("dog_where", truth), "couch");
  EXPECT_EQ(Answer("which_animal", truth), "dog");
  EXPECT_EQ(Answer("pet_count", truth), "1");
  EXPECT_EQ(Answer("room_empty", truth), "no");
}

TEST(Questions, WhatIsNotThereIsNotAskedWhereItIs) {
  EXPECT_EQ(Answer("cat_where", Truth{}), "");
  EXPECT_EQ(Answer("dog_doing", Truth{}), "");
  EXPECT_EQ(Answer("room_empty", Truth{}), "yes");
}

TEST(Questions, TwoDogsLeaveOpenWhichOneIsMeant) {
  Truth truth;
  truth.pets = {APet(Species::kDog, Activity::kSleeping, Place::kBed),
                APet(Species::kDog, Activity::kChewing, Place::kFloor)};
  EXPECT_EQ(Answer("dog_where", truth), "");
  EXPECT_EQ(Answer("dog_count", truth), "2");
  EXPECT_EQ(Answer("dog_chewing_couch", truth), "yes");
}

TEST(Questions, AHalfHiddenPetLeavesEverythingAboutItOpenAndTheRestNot) {
  Truth truth;
  truth.pets = {APet(Species::kCat, Activity::kSitting, Place::kTable)};
  truth.pets[0].visible = 0.4;
  for (const char* family : {"cat_present", "cat_on_table", "cat_count", "pet_present", "room_empty", "which_animal"}) {
    EXPECT_EQ(Answer(family, truth), "") << family;
  }
  EXPECT_EQ(Answer("dog_present", truth), "no");
}

TEST(Questions, NearTheDoorIsNeitherAtItNorAway) {
  Truth truth;
  truth.pets = {APet(Species::kDog, Activity::kSitting, Place::kFloor)};
  truth.pets[0].door_gap = 0.5 * kByDoor;
  EXPECT_EQ(Answer("dog_by_door", truth), "yes");
  truth.pets[0].door_gap = 1.5 * kByDoor;
  EXPECT_EQ(Answer("dog_by_door", truth), "");
  truth.pets[0].door_gap = 3 * kByDoor;
  EXPECT_EQ(Answer("dog_by_door", truth), "no");
}

TEST(Questions, EveryAnswerIsOneLowerCaseWordOfTheVocabulary) {
  const std::vector<std::string> words = QuestionWords();
  EXPECT_TRUE(std::is_sorted(words.begin(), words.end()));
  for (uint64_t seed = 0; seed < 300; ++seed) {
    const Truth truth = Describe(RandomScene(seed));
    for (const QuestionKind& kind : AllQuestions()) {
      const std::string answer = kind.answer(truth, kind.species);
      EXPECT_TRUE(answer.empty() || std::binary_search(words.begin(), words.end(), answer))
          << kind.family << ": " << answer;
    }
  }
}

TEST(Questioner, AsksEveryFamilyWithYesAndNoNearlyEven) {
  const Questioner questioner;
  std::map<std::string, std::map<std::string, int>> counts;
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    Rng rng(seed);
    for (const Asked& asked : questioner.Ask(Describe(RandomScene(seed + 100000)), rng, 6)) {
      ++counts[std::string(asked.family)][asked.answer];
    }
  }
  EXPECT_EQ(counts.size(), AllQuestions().size());
  double yes = 0, no = 0;
  for (const auto& [family, answers] : counts) {
    if (!answers.contains("yes")) continue;
    const int y = answers.at("yes"), n = answers.at("no");
    EXPECT_GT(y, 0.22 * (y + n)) << family;
    EXPECT_LT(y, 0.65 * (y + n)) << family;
    yes += y;
    no += n;
  }
  EXPECT_NEAR(yes / (yes + no), 0.46, 0.06);
}

TEST(Questioner, TheSameSeedAsksTheSameAndNoFamilyTwice) {
  const Questioner questioner;
  const Truth truth = Describe(RandomScene(4));
  Rng a(9), b(9);
  const auto first = questioner.Ask(truth, a, 10), second = questioner.Ask(truth, b, 10);
  ASSERT_EQ(first.size(), 10U);
  std::set<std::string_view> families;
  for (size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].text, second[i].text);
    EXPECT_TRUE(families.insert(first[i].family).second);
  }
}

}  // namespace
}  // namespace pawsight::scenes
