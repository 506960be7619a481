#include "rules/lint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace pawsight::rules {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Codes(std::string_view text) {
  std::vector<std::string> codes;
  for (const Finding& finding : LintRule(ParseRule(Json::Parse(text).value()).value())) {
    codes.emplace_back(finding.code);
    EXPECT_FALSE(finding.advice.empty());
  }
  return codes;
}
std::vector<std::string> OfQuestion(const std::string& question) {
  return Codes(R"({"for_s":2,"question":)" + JsonQuote(question) + "}");
}

TEST(LintTest, AGoodRuleHasNoFindings) {
  EXPECT_THAT(
      Codes(R"({"question":"Is the dog on the couch?","guard":"Is there a dog?","for_frames":2,"of_frames":3})"),
      IsEmpty());
}

TEST(LintTest, WindowsThatOverlapOrAreTooShortAreNamed) {
  const auto codes = [](const std::string& windows) {
    return Codes(R"({"question":"Is it in?","for_s":60,"schedule":{"windows":[)" + windows + "]}}");
  };
  EXPECT_THAT(codes(R"({"from":"06:00","to":"08:00"},{"from":"08:00","to":"10:00"})"), IsEmpty());
  EXPECT_THAT(codes(R"({"from":"06:00","to":"08:01"},{"from":"08:00","to":"10:00"})"), ElementsAre("windows_overlap"));
  EXPECT_THAT(codes(R"({"from":"06:00","to":"08:00"},{"from":"12:00","to":"12:01"})"), ElementsAre("window_too_short"));
}

TEST(LintTest, QuestionsThatAModelAnswersBadlyAreNamed) {
  EXPECT_THAT(OfQuestion("Is the dog in? Is the cat in?"), ElementsAre("two_questions"));
  EXPECT_THAT(OfQuestion("Where is the dog?"), ElementsAre("not_yes_no"));
  EXPECT_THAT(OfQuestion("Is it a dog or a cat?"), ElementsAre("choice"));
  EXPECT_THAT(OfQuestion("Is the door not shut?"), ElementsAre("negation"));
  EXPECT_THAT(OfQuestion("Isn't the door shut?"), ElementsAre("negation"));
  EXPECT_THAT(OfQuestion("Are there more than two dogs?"), ElementsAre("number"));
  EXPECT_THAT(OfQuestion("Is the dog still barking?"), ElementsAre("time_words"));
  EXPECT_THAT(OfQuestion("Is the notebook on the stilts?"), IsEmpty()) << "words, not parts of words";
  EXPECT_THAT(OfQuestion("Is a a a a a a a a a a a a a a there?"), ElementsAre("long_question"));
}

TEST(LintTest, OnlyWhatCannotBeAnsweredIsRefused) {
  const auto refused = [](std::string_view text) {
    bool refuse = false;
    for (const Finding& finding : LintRule(ParseRule(Json::Parse(text).value()).value())) refuse |= finding.refuse;
    return refuse;
  };
  EXPECT_TRUE(refused(R"({"question":"Where is the dog?"})"));
  EXPECT_TRUE(refused(R"({"question":"Is it in?","guard":"What is it?"})"));
  EXPECT_FALSE(refused(R"({"question":"Is the dog not in?","cooldown_s":0})"));
}

TEST(LintTest, TimesThatAlertTooOftenOrNeverAreNamed) {
  EXPECT_THAT(Codes(R"({"question":"Is it in?"})"), ElementsAre("no_hold"));
  EXPECT_THAT(Codes(R"({"question":"Is it in?","for_s":2,"cooldown_s":0})"), ElementsAre("no_cooldown"));
  EXPECT_THAT(Codes(R"({"question":"Is it in?","for_s":2,"sample_every_s":5})"), ElementsAre("sampled_past_hold"));
  EXPECT_THAT(Codes(R"({"question":"Is it in?","for_frames":8,"of_frames":32,"sample_every_s":60})"),
              ElementsAre("frames_past_sampling"));
  EXPECT_THAT(Codes(R"({"question":"Is it in?","for_s":2,"threshold":0.5})"), ElementsAre("threshold_low"));
  EXPECT_THAT(Codes(R"({"question":"Is it in?","for_s":2,"enabled":false})"), ElementsAre("never_due"));
}

}  // namespace
}  // namespace pawsight::rules
