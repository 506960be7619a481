#include "evaluate/families.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "scenes/questions.h"

namespace pawsight::evaluate {
namespace {

TEST(FamilyOf, AQuestionsWordsTellItsKind) {
  const std::map<std::string, std::string> wanted = {{"Is there a dog?", "dog present"},
                                                     {"Does this picture show a dog?", "dog present"},
                                                     {"Is there any cat here?", "cat present"},
                                                     {"Is a cat visible?", "cat present"},
                                                     {"Are there any animals?", "pet present"},
                                                     {"Is there a pet in the room?", "pet present"},
                                                     {"Is anybody there?", "person"},
                                                     {"Are there people in the picture?", "person"},
                                                     {"Is anyone home?", "person"},
                                                     {"How many dogs do you see?", "count"},
                                                     {"what is the number of drawers?", "count"},
                                                     {"What animal is this?", "which animal"},
                                                     {"Is that a dog or a cat?", "which animal"},
                                                     {"What pet is in the room?", "which animal"},
                                                     {"What kind of animal is there?", "which animal"},
                                                     {"Which animal do you see?", "which animal"},
                                                     {"Where do you see the cat?", "where"},
                                                     {"What is the cat on?", "where"},
                                                     {"What is the dog doing?", "doing"},
                                                     {"Is the dog chewing the couch?", "doing"},
                                                     {"Is the cat on the couch?", "on a place"},
                                                     {"Is there a dog on the floor?", "on a place"},
                                                     {"Do you see a cat on the counter?", "on a place"},
                                                     {"Is the cat sleeping?", "sleeping"},
                                                     {"Is the dog lying on the bed?", "sleeping"},
                                                     {"Is the cat near a window?", "by the window"},
                                                     {"Is nobody in the room?", "room empty"},
                                                     {"Is this room empty?", "room empty"},
                                                     {"Is a sofa visible?", "couch"},
                                                     {"Is there a television in the room?", "tv"},
                                                     {"Can you see a bowl?", "bowl"},
                                                     {"Was this taken indoors?", "indoors"},
                                                     {"Is this outside?", "indoors"},
                                                     {"what is on the table?", "other"},
                                                     {"What is the dog wearing on its head?", "other"},
                                                     {"What color is the dog?", "other"},
                                                     {"Is the dog brown?", "other"},
                                                     {"Is the tv on?", "other"},
                                                     {"", "other"}};
  for (const auto& [question, family] : wanted) EXPECT_EQ(FamilyOf(question), family) << question;
}

TEST(FamilyOf, WordingsOfOneDrawnQuestionAreOfOneKind) {
  const std::map<std::string, std::string> wanted = {
      {"person_present", "person"},   {"pet_present", "pet present"}, {"room_empty", "room empty"},
      {"dog_present", "dog present"}, {"cat_count", "count"},         {"dog_where", "where"},
      {"cat_on_couch", "on a place"}, {"dog_sleeping", "sleeping"},   {"couch_present", "couch"}};
  for (const scenes::QuestionKind& kind : scenes::AllQuestions()) {
    const auto family = wanted.find(kind.family);
    if (family == wanted.end()) continue;
    for (std::string wording : kind.wordings) {
      const std::string pet = kind.species == scenes::Species::kDog ? "dog" : "cat";
      for (size_t at = wording.find("{pet}"); at != std::string::npos; at = wording.find("{pet}"))
        wording.replace(at, 5, pet);
      EXPECT_EQ(FamilyOf(wording), family->second) << wording;
    }
  }
}

}  // namespace
}  // namespace pawsight::evaluate
