#include "rules/question.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pawsight::rules {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string Clean(std::string_view text) { return Question::Parse(text).value().text(); }
std::string ReasonOf(std::string_view text) { return Question::Parse(text).status().reason(); }

TEST(QuestionTest, SpacesAndQuestionMarksBecomeOneSpelling) {
  EXPECT_EQ(Clean("Is the dog on the couch?"), "Is the dog on the couch?");
  EXPECT_EQ(Clean("  Is the\tdog \r\n on the couch ?? "), "Is the dog on the couch?");
  EXPECT_EQ(Clean("is there a cat"), "is there a cat?");
  EXPECT_EQ(Clean(std::string_view("is\0it\x7fok", 8)), "is it ok?");
}

TEST(QuestionTest, TextThatIsNoQuestionIsRefusedWithItsReason) {
  EXPECT_EQ(ReasonOf(""), "question_empty");
  EXPECT_EQ(ReasonOf(" \t\n"), "question_empty");
  EXPECT_EQ(ReasonOf("???"), "question_empty");
  EXPECT_EQ(ReasonOf(std::string(513, 'a')), "question_too_long");
  EXPECT_TRUE(Question::Parse(std::string(512, 'a')).ok());
}

TEST(QuestionTest, BytesThatAreNotUtf8AreRefused) {
  for (const char* bad :
       {"is \xff it", "is \xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe0\x80\xaf", "\x80"}) {
    EXPECT_EQ(ReasonOf(bad), "question_not_utf8") << bad;
  }
  EXPECT_EQ(Clean("¿Está el perro en el sofá?"), "¿Está el perro en el sofá?");
  EXPECT_EQ(Clean("🐕 on 床?"), "🐕 on 床?");
}

TEST(QuestionTest, CaseMakesNoDifferentQuestion) {
  EXPECT_EQ(Question::Parse("IS IT?").value(), Question::Parse("is it").value());
  EXPECT_FALSE(Question::Parse("is it").value() == Question::Parse("is that").value());
}

TEST(QuestionTest, AdviceNamesWhatAYesNoModelAnswersBadly) {
  const auto advice = [](std::string_view text) { return QuestionAdvice(Question::Parse(text).value()); };
  EXPECT_THAT(advice("Is the dog on the couch?"), IsEmpty());
  EXPECT_THAT(advice("Is the dog in? Is the cat in?"), ElementsAre(HasSubstr("two questions")));
  EXPECT_THAT(advice("Where is the dog?"), ElementsAre(HasSubstr("not a yes/no question")));
  EXPECT_THAT(advice("What?"), SizeIs(1));
  EXPECT_THAT(advice("Is it a dog or a cat?"), ElementsAre(HasSubstr("choice")));
  EXPECT_THAT(advice("Is a a a a a a a a a a a a a a there?"), ElementsAre(HasSubstr("long")));
}

TEST(QuestionTest, OneWordingIsAskedOnceForAllRules) {
  std::vector<Question> wanted;
  for (const char* text : {"Is it A?", "Is it B?", "is it a", "Is it  A ?", "Is it C?"}) {
    wanted.push_back(Question::Parse(text).value());
  }
  const QuestionPlan plan = PlanQuestions(wanted);
  EXPECT_THAT(plan.questions, ElementsAre("Is it A?", "Is it B?", "Is it C?"));
  EXPECT_THAT(plan.question_idx, ElementsAre(0, 1, 0, 0, 2));
  EXPECT_THAT(PlanQuestions({}).questions, IsEmpty());
}

}  // namespace
}  // namespace pawsight::rules
