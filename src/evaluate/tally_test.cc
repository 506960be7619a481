#include "evaluate/tally.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace pawsight::evaluate {
namespace {

using ::testing::ElementsAre;

Observation YesNo(const std::string& question, const std::string& truth, double p_yes,
                  const std::string& family = "f") {
  return {.question = question,
          .truth = truth,
          .family = family,
          .answer = p_yes >= 0.5 ? "yes" : "no",
          .yes_no = true,
          .margin = std::log(p_yes / (1 - p_yes)),
          .p_yes = p_yes,
          .p = std::max(p_yes, 1 - p_yes)};
}

Observation InWords(const std::string& question, const std::string& truth, const std::string& answer) {
  return {.question = question, .truth = truth, .family = "w", .answer = answer, .p = 0.5};
}

TEST(WordsAlone, ThePairItselfIsLeftOutAndALoneWordingIsAnsweredByItsFamily) {
  const std::vector<Observation> observations = {
      YesNo("Is there a dog?", "yes", 0.5), YesNo("is there a DOG?", "yes", 0.5), YesNo("Is there a dog?", "no", 0.5),
      YesNo("A lone one?", "yes", 0.5), YesNo("Quite alone?", "no", 0.5, "other family")};
  // The "no" sees two "yes"; each "yes" sees one of both and takes the first by alphabet, "no".
  EXPECT_THAT(RightByWordsAlone(observations), ElementsAre(false, false, false, true, false));
  EXPECT_THAT(RightByWordsAlone({YesNo("q", "no", 0.5), YesNo("q", "no", 0.5), YesNo("q", "yes", 0.5)}),
              ElementsAre(true, true, false))
      << "of a draw the first by alphabet";
}

TEST(Tally, CountsAreApartByKindOfAnswerWithTheirBlindBaselines) {
  Observed observed{"pack", true, {}, {}};
  observed.observations = {YesNo("a", "yes", 0.9),      YesNo("a", "no", 0.8),       YesNo("a", "no", 0.3),
                           YesNo("b", "no", 0.1),       InWords("n", "2", "1"),      InWords("n", "2", "2"),
                           InWords("c", "red", "blue"), InWords("c", "red", "blue"), InWords("c", "blue", "blue")};
  const Tally tally = MakeTally(observed);
  EXPECT_EQ(tally.yes_no.asked, 4);
  EXPECT_EQ(tally.yes_no.right, 3);
  EXPECT_EQ(tally.yes_no.yes, 1);
  EXPECT_EQ(tally.yes_no.yes_right, 1);
  EXPECT_EQ(tally.yes_no.no_right, 2);
  EXPECT_EQ(tally.yes_no.always_no, 3);
  EXPECT_EQ(tally.counts.asked, 2);
  EXPECT_EQ(tally.counts.right, 1);
  EXPECT_EQ(tally.counts.words_alone, 2);
  EXPECT_EQ(tally.words.asked, 3);
  EXPECT_EQ(tally.all.asked, 9);
  EXPECT_EQ(tally.all.right, 5);
  EXPECT_EQ(tally.all.always_no, 3);
  EXPECT_EQ(tally.families.at("f").asked, 4);
  ASSERT_EQ(tally.confusions.size(), 2U);
  EXPECT_EQ(tally.confusions[0].truth, "red");
  EXPECT_EQ(tally.confusions[0].answer, "blue");
  EXPECT_EQ(tally.confusions[0].times, 2);
}

TEST(Tally, ReliabilityBeforeCalibrationIsThatOfTheMargins) {
  Observed observed{"pack", false, {YesNo("a", "yes", 0.99)}, {}};
  observed.observations[0].p_yes = observed.observations[0].p = 0.7;
  const Tally tally = MakeTally(observed);
  EXPECT_NEAR(tally.before.ece, 0.01, 1e-9);
  EXPECT_NEAR(tally.after.ece, 0.3, 1e-9);
}

TEST(UnknownTally, TellsHowSureTheModelIsWhereItCanKnowNothing) {
  Observed observed{"unknown", false, {}, {}};
  observed.observations = {YesNo("q", "", 0.5), YesNo("q", "", 0.9), YesNo("r", "", 0.1), YesNo("r", "", 0.45)};
  const UnknownTally tally = MakeUnknownTally(observed, engine::UnsureBand{0.4, 0.6});
  EXPECT_EQ(tally.all.asked, 4);
  EXPECT_NEAR(tally.all.distance, (0.0 + 0.4 + 0.4 + 0.05) / 4, 1e-12);
  EXPECT_DOUBLE_EQ(tally.all.in_band, 0.5);
  EXPECT_DOUBLE_EQ(tally.all.bold, 0.5);
  EXPECT_DOUBLE_EQ(tally.questions.at("q").in_band, 0.5);
  EXPECT_EQ(MakeUnknownTally(observed, std::nullopt).all.in_band, 0.0);
}

}  // namespace
}  // namespace pawsight::evaluate
