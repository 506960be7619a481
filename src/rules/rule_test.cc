#include "rules/rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "rules/verdict.h"

namespace pawsight::rules {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Result<Rule> Parse(std::string_view text) { return ParseRule(Json::Parse(text).value()); }
std::string Message(std::string_view text) {
  const Result<Rule> rule = Parse(text);
  EXPECT_EQ(rule.status().code(), StatusCode::kInvalidArgument) << text;
  return rule.status().message();
}

TEST(RuleTest, AQuestionAloneIsARuleWithDefaults) {
  const Rule rule = Parse(R"({"question": "Is the dog on the couch?"})").value();
  EXPECT_EQ(rule.id, "is-the-dog-on-the-couch");
  EXPECT_EQ(rule.question.text(), "Is the dog on the couch?");
  EXPECT_TRUE(rule.expected);
  EXPECT_DOUBLE_EQ(rule.threshold.value(), 0.7);
  EXPECT_DOUBLE_EQ(rule.unsure_band, 0.1);
  EXPECT_EQ(rule.hold, milliseconds(0));
  EXPECT_EQ(rule.clear, milliseconds(5000));
  EXPECT_EQ(rule.cooldown, milliseconds(60000));
  EXPECT_EQ(rule.severity, Severity::kWarning);
}

TEST(RuleTest, EveryFieldIsReadAndWrittenBackTheSame) {
  const char* text = R"({"id":"door","question":"Is the door shut?","expect":"no","threshold":0.8,"unsure_band":0.25,)"
                     R"("for_s":2.5,"clear_s":3.0,"cooldown_s":120.0,"severity":"critical"})";
  const Rule rule = Parse(text).value();
  EXPECT_FALSE(rule.expected);
  EXPECT_EQ(rule.hold, milliseconds(2500));
  EXPECT_EQ(rule.severity, Severity::kCritical);
  const Json json = RuleToJson(rule);
  EXPECT_EQ(RuleToJson(ParseRule(json).value()).Dump(), json.Dump());
  EXPECT_EQ(json.GetString("expect").value(), "no");
}

TEST(RuleTest, AnErrorNamesTheFieldAndWhatWasWanted) {
  EXPECT_THAT(Message(R"({})"), StartsWith("question: "));
  EXPECT_THAT(Message(R"({"question": 7})"), StartsWith("question: "));
  EXPECT_THAT(Message(R"({"question": " "})"), StartsWith("question: empty"));
  EXPECT_THAT(Message(R"({"question": "a?", "threshold": 1.5})"), StartsWith("threshold: want 0.01 to 0.99"));
  EXPECT_THAT(Message(R"({"question": "a?", "threshold": "high"})"), StartsWith("threshold: "));
  EXPECT_THAT(Message(R"({"question": "a?", "unsure_band": 0.9})"), StartsWith("unsure_band: "));
  EXPECT_THAT(Message(R"({"question": "a?", "for_s": -1})"), StartsWith("for_s: want seconds"));
  EXPECT_THAT(Message(R"({"question": "a?", "for_s": 1e300})"), StartsWith("for_s: want seconds"));
  EXPECT_THAT(Message(R"({"question": "a?", "cooldown_s": 9999999})"), StartsWith("cooldown_s: want seconds"));
  EXPECT_THAT(Message(R"({"question": "a?", "severity": "loud"})"), StartsWith("severity: want"));
  EXPECT_THAT(Message(R"({"question": "a?", "expect": "maybe"})"), StartsWith("expect: want"));
  EXPECT_THAT(Message(R"({"question": "a?", "id": "A b"})"), StartsWith("id: want"));
  EXPECT_THAT(Message(R"({"question": "a?", "treshold": 0.5})"), HasSubstr("\"treshold\": no such field"));
  EXPECT_THAT(Message(R"([])"), StartsWith("want an object"));
}

TEST(RuleTest, WhenWhereAndWhomAreReadAndWrittenBackTheSame) {
  const char* text =
      R"({"id":"door","question":"Is the door shut?","expect":"no","threshold":0.8,"unsure_band":0.25,"for_frames":3,)"
      R"("of_frames":5,"clear_s":3.0,"cooldown_s":120.0,"severity":"critical","guard":"Is there a door?",)"
      R"("schedule":{"days":["mon","tue"],"from":"22:00","to":"06:30","zone":"Europe/Berlin"},"sample_every_s":10.0,)"
      R"("cameras":["cam_a","cam_b"],"receivers":["rcv_1"],"enabled":false})";
  const Rule rule = Parse(text).value();
  EXPECT_EQ(rule.frames, (FrameCount{3, 5}));
  EXPECT_EQ(rule.guard->text(), "Is there a door?");
  EXPECT_EQ(rule.sample_every, milliseconds(10000));
  EXPECT_EQ(rule.receivers, std::vector<std::string>{"rcv_1"});
  EXPECT_FALSE(rule.enabled);
  const Json json = RuleToJson(rule);
  EXPECT_EQ(json.Dump(), RuleToJson(ParseRule(json).value()).Dump());
  EXPECT_EQ(json.Find("schedule")->Dump(), Json::Parse(text)->Find("schedule")->Dump());
  EXPECT_EQ(Parse(R"({"question":"a?","for_frames":2})")->frames, (FrameCount{2, 2}));
  const Rule labelled = Parse(R"({"question":"a?","cameras":{"room":"den","floor":"1"}})").value();
  EXPECT_TRUE(labelled.cameras.Selects("cam", {{"room", "den"}, {"floor", "1"}, {"x", "y"}}));
  EXPECT_FALSE(labelled.cameras.Selects("cam", {{"room", "den"}}));
  EXPECT_FALSE(rule.cameras.Selects("cam_c", {}));
  EXPECT_TRUE(Parse(R"({"question":"a?"})")->cameras.Selects("any", {}));
}

TEST(RuleTest, WhatDoesNotGoTogetherIsRefused) {
  EXPECT_THAT(Message(R"({"question":"a?","for_s":1,"for_frames":2})"), StartsWith("for_frames: only without"));
  EXPECT_THAT(Message(R"({"question":"a?","of_frames":2})"), StartsWith("of_frames: only with"));
  EXPECT_THAT(Message(R"({"question":"a?","for_frames":3,"of_frames":2})"), StartsWith("of_frames: "));
  EXPECT_THAT(Message(R"({"question":"a?","for_frames":33})"), StartsWith("for_frames: "));
  EXPECT_THAT(Message(R"({"question":"a?","guard":"A ?"})"), StartsWith("guard: the same"));
  EXPECT_THAT(Message(R"({"question":"a?","guard":" "})"), StartsWith("guard: question: empty"));
  EXPECT_THAT(Message(R"({"question":"a?","schedule":{"from":"x"}})"), StartsWith("schedule: from: want"));
  EXPECT_THAT(Message(R"({"question":"a?","cameras":[]})"), StartsWith("cameras: want"));
  EXPECT_THAT(Message(R"({"question":"a?","cameras":{}})"), StartsWith("cameras: want"));
  EXPECT_THAT(Message(R"({"question":"a?","cameras":["a b"]})"), StartsWith("cameras: want ids"));
  EXPECT_THAT(Message(R"({"question":"a?","receivers":"x"})"), StartsWith("receivers: want"));
  Zones zones("/nonexistent");
  const Json mars = Json::Parse(R"({"question":"a?","schedule":{"zone":"Mars/Olympus"}})").value();
  EXPECT_TRUE(ParseRule(mars).ok());
  EXPECT_EQ(ParseRule(mars, &zones).status().reason(), "zone_unknown");
}

TEST(RuleTest, MeaningIsWhatIsAskedAndWanted) {
  const uint64_t meaning = Meaning(Parse(R"({"question":"Is it in?"})").value());
  EXPECT_EQ(Meaning(Parse(R"({"question":"is it IN","threshold":0.9,"for_s":5,"id":"x"})").value()), meaning);
  std::set<uint64_t> all = {meaning};
  for (const char* text : {R"({"question":"Is it out?"})", R"({"question":"Is it in?","expect":"no"})",
                           R"({"question":"Is it in?","guard":"Is it?"})"}) {
    EXPECT_TRUE(all.insert(Meaning(Parse(text).value())).second) << text;
  }
  EXPECT_EQ(meaning, 0x3D60A4647006E2AFULL) << "stored beside states: the same for ever";
}

TEST(RuleTest, AListSaysWhichRuleIsWrong) {
  const auto message = [](std::string_view text) { return ParseRules(Json::Parse(text).value()).status().message(); };
  EXPECT_THAT(message(R"([{"question":"a?"},{"question":"b?","threshold":2}])"), StartsWith("rules[1].threshold: "));
  EXPECT_THAT(message(R"([{"question":"a?","id":"x"},{"question":"b?","id":"x"}])"),
              HasSubstr("rules[1].id: \"x\" is used twice"));
  EXPECT_THAT(message(R"([7])"), StartsWith("rules[0]: want an object"));
  EXPECT_THAT(message(R"({})"), StartsWith("rules: want an array"));
  EXPECT_EQ(ParseRules(Json::Parse(R"([{"question":"a?"},{"question":"b?"}])").value()).value().size(), 2U);
}

TEST(RuleTest, AnIdIsMadeOfAnyQuestion) {
  const auto id = [](std::string_view text) { return RuleIdFor(Question::Parse(text).value()); };
  EXPECT_EQ(id("Is the cat's bowl empty?"), "is-the-cat-s-bowl-empty");
  EXPECT_EQ(id("犬?"), "rule");
  EXPECT_LE(id(std::string(500, 'a')).size(), 64U);
}

TEST(VerdictTest, TheBandBelowTheThresholdIsUnsure) {
  const Rule rule = Parse(R"({"question":"a?","threshold":0.7,"unsure_band":0.2})").value();
  EXPECT_EQ(Judge(rule, 1.0), Verdict::kTrue);
  EXPECT_EQ(Judge(rule, 0.7), Verdict::kTrue);
  EXPECT_EQ(Judge(rule, 0.69), Verdict::kUnsure);
  EXPECT_EQ(Judge(rule, 0.51), Verdict::kUnsure);
  EXPECT_EQ(Judge(rule, 0.49), Verdict::kFalse);
  EXPECT_EQ(Judge(rule, 0.0), Verdict::kFalse);
}

TEST(VerdictTest, ARuleThatExpectsNoReadsTheOtherSide) {
  const Rule rule = Parse(R"({"question":"a?","expect":"no","threshold":0.7,"unsure_band":0.1})").value();
  EXPECT_EQ(Judge(rule, 0.1), Verdict::kTrue);
  EXPECT_EQ(Judge(rule, 0.35), Verdict::kUnsure);
  EXPECT_EQ(Judge(rule, 0.9), Verdict::kFalse);
}

TEST(RuleTest, IdsDerivedFromQuestionsThatLookAlikeAreNumbered) {
  const std::string questions =
      "[{\"question\":\"\u0415\u0441\u0442\u044C \u043A\u043E\u0442?\"},"
      "{\"question\":\"\u0415\u0441\u0442\u044C \u043F\u0451\u0441?\"},"
      "{\"question\":\"Is it?\"},{\"question\":\"is it ?\",\"threshold\":0.9}]";
  const auto rules = ParseRules(Json::Parse(questions).value());
  ASSERT_TRUE(rules.ok()) << rules.status().ToString();
  EXPECT_EQ((*rules)[0].id, "rule");
  EXPECT_EQ((*rules)[1].id, "rule-2");
  EXPECT_EQ((*rules)[2].id, "is-it");
  EXPECT_EQ((*rules)[3].id, "is-it-2");
}

}  // namespace
}  // namespace pawsight::rules
