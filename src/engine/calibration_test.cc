#include "engine/calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "engine/file_testing.h"

namespace pawsight::engine {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kGood = R"({"version":1,"temperature":1.25,"families":[
  {"name":"sleeping","any":["sleeping","asleep"],"temperature":1.6},
  {"name":"dog","any":["dog"],"with":["there","see"],"temperature":0.5}],
  "unsure":[0.38,0.62],"fitted_on":"a day","later":{"more":1}})";

TEST(Calibration, TheFirstFamilyWithAWordInTheQuestionDecidesElseTheGeneralTemperature) {
  const Calibration calibration = Calibration::Parse(kGood).value();
  EXPECT_EQ(calibration.TemperatureOf("Is there a dog SLEEPING?"), 1.6);
  EXPECT_EQ(calibration.TemperatureOf("Is there a Dog?"), 0.5);
  EXPECT_EQ(calibration.TemperatureOf("Is the dog big?"), 1.25) << "no word of `with`";
  EXPECT_EQ(calibration.TemperatureOf("Is there a hotdog?"), 1.25) << "whole words only";
  EXPECT_EQ(calibration.TemperatureOf(""), 1.25);
  ASSERT_TRUE(calibration.unsure.has_value());
  EXPECT_TRUE(calibration.unsure->Holds(0.5));
  EXPECT_FALSE(calibration.unsure->Holds(0.38));
  EXPECT_FALSE(calibration.unsure->Holds(0.62));
}

TEST(Calibration, WhatIsWrittenIsReadAgain) {
  const Json json = ToJson(Calibration::Parse(kGood).value());
  EXPECT_EQ(ToJson(Calibration::Parse(json.Dump()).value()).Dump(), json.Dump());
}

TEST(Calibration, WordsAreLowerCaseRunsOfLettersAndDigits) {
  EXPECT_THAT(WordsOf("Is the Dog on-the TV2?"), ElementsAre("dog", "is", "on", "the", "tv2"));
  EXPECT_TRUE(WordsOf("?!").empty());
}

TEST(Calibration, AModelWithoutTheFileHasTemperatureOneAndNoBand) {
  const TempFolder folder;
  const Calibration calibration = Calibration::Open(folder.path()).value();
  EXPECT_EQ(calibration.TemperatureOf("Is there a dog?"), 1.0);
  EXPECT_FALSE(calibration.unsure.has_value());
}

TEST(Calibration, ABadFileIsRefusedWithItsPathTheFieldAndTheRemedy) {
  const TempFolder folder;
  const auto message = [&](const std::string& text) {
    folder.Write("calibration.json", text);
    const Result<Calibration> opened = Calibration::Open(folder.path());
    EXPECT_FALSE(opened.ok()) << text;
    if (opened.ok()) return std::string();
    EXPECT_THAT(opened.status().message(),
                AllOf(HasSubstr("calibration.json: "), HasSubstr("pawsight model calibrate")));
    EXPECT_EQ(opened.status().reason(), "calibration_invalid");
    return opened.status().message();
  };
  message("");
  message("[]");
  message("{\"version\":1");
  EXPECT_THAT(message(R"({"version":2,"temperature":1})"), HasSubstr("version: 2"));
  EXPECT_THAT(message(R"({"version":1})"), HasSubstr("temperature: missing"));
  for (const char* value : {"0", "-1", "0.049", "20.1", "1e300"}) {
    EXPECT_THAT(message(R"({"version":1,"temperature":)" + std::string(value) + "}"), HasSubstr("want 0.05..20"))
        << value;
  }
  const auto family = [&](const std::string& members) {
    return message(R"({"version":1,"temperature":1,"families":[{)" + members + "}]}");
  };
  EXPECT_THAT(family(R"("name":"a","any":["b"],"temperature":0)"), HasSubstr("families[0]: temperature: 0, want"));
  EXPECT_THAT(family(R"("name":"a","any":[],"temperature":1)"), HasSubstr("families[0]: any: 0 words"));
  EXPECT_THAT(family(R"("name":"a","any":["Big"],"temperature":1)"), HasSubstr("any: \"Big\""));
  EXPECT_THAT(family(R"("name":"a","any":["two words"],"temperature":1)"), HasSubstr("single words"));
  EXPECT_THAT(family(R"("name":"a","any":[1],"temperature":1)"), HasSubstr("strings"));
  EXPECT_THAT(family(R"("name":"","any":["b"],"temperature":1)"), HasSubstr("name: "));
  for (const char* band : {"[0.6,0.7]", "[0.4]", "[0.4,0.45]", "[-0.1,0.6]", "[0.4,1.1]", "\"all\"", "[\"a\",1]"}) {
    EXPECT_THAT(message(R"({"version":1,"temperature":1,"unsure":)" + std::string(band) + "}"),
                HasSubstr("unsure: want"));
  }
}

TEST(Calibration, MoreFamiliesOrWordsThanTheLimitAreRefused) {
  std::string words;
  for (int i = 0; i < 65; ++i) words += (i == 0 ? "\"w" : ",\"w") + std::to_string(i) + "\"";
  std::string families;
  for (int i = 0; i < 65; ++i)
    families += std::string(i == 0 ? "" : ",") + R"({"name":"a","any":["b"],"temperature":1})";
  EXPECT_THAT(Calibration::Parse(R"({"version":1,"temperature":1,"families":[)" + families + "]}").status().message(),
              HasSubstr("families: 65"));
  EXPECT_THAT(Calibration::Parse(R"({"version":1,"temperature":1,"families":[{"name":"a","any":[)" + words +
                                 R"(],"temperature":1}]})")
                  .status()
                  .message(),
              HasSubstr("any: 65 words"));
}

}  // namespace
}  // namespace pawsight::engine
