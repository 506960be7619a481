#include "base/json.h"

#include <gtest/gtest.h>

#include <string>

namespace pawsight {
namespace {

TEST(Json, AValueSurvivesDumpAndParse) {
  const std::string text = R"({"a":[1,-2.5,true,null,"x\"\\\n\u0001"],"b":{"c":9223372036854775807,"d":1e-300}})";
  const Result<Json> json = Json::Parse(text);
  ASSERT_TRUE(json.ok()) << json.status().ToString();
  EXPECT_EQ(json->Dump(), text);
}

TEST(Json, MalformedTextIsRefusedWithItsPlace) {
  for (const char* text : {"", "{", "[1,]", "nan", "1e999", "{\"a\":1} x", "\"\xff\"", "\"\\ud800\"", "{'a':1}", "01", "\xef\xbb\xbf{}"}) {
    const Result<Json> json = Json::Parse(text);
    ASSERT_FALSE(json.ok()) << text;
    EXPECT_EQ(json.status().code(), StatusCode::kInvalidArgument) << text;
  }
  EXPECT_NE(Json::Parse("{\n \"a\": ?}").status().message().find("line 2 column 7"), std::string::npos)
      << Json::Parse("{\n \"a\": ?}").status().message();
}

TEST(Json, DeepNestingIsRefusedWithoutRecursion) {
  EXPECT_FALSE(Json::Parse(std::string(250000, '[')).ok());
  EXPECT_TRUE(Json::Parse(std::string(60, '[') + std::string(60, ']')).ok());
}

TEST(Json, MoreValuesThanTheLimitAreRefusedWhileTheyAreRead) {
  EXPECT_TRUE(Json::Parse("[1,{\"a\":null},\"\"]", {.max_values = 5}).ok());
  EXPECT_EQ(Json::Parse("[1,{\"a\":null},\"\"]", {.max_values = 4}).status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(Json::Parse("[1,1,1,1,1,?", {.max_values = 4}).status().code(), StatusCode::kResourceExhausted);
}

TEST(Json, AKeyTwiceIsRefusedUnlessAllowedAndThenTheLastWins) {
  const std::string text = R"({"a":1,"a":2})";
  EXPECT_EQ(Json::Parse(text).status().reason(), "json_duplicate_key");
  const Result<Json> json = Json::Parse(text, {.allow_duplicate_keys = true});
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(json->GetInteger("a").value(), 2);
}

TEST(Json, WhatIsWrittenIsUtf8WhateverTheBytes) {
  const std::string text = "a\xff" "b\xC3\xA9\xED\xA0\x80\xF0\x9F\x90\xB6\xE2\x82";
  const std::string bad = "\xEF\xBF\xBD";
  EXPECT_EQ(JsonQuote(text), "\"a" + bad + "b\xC3\xA9" + bad + bad + bad + "\xF0\x9F\x90\xB6" + bad + bad + "\"");
  EXPECT_TRUE(Json::Parse(JsonQuote(text)).ok());
}

TEST(Json, AGetterNamesTheFieldAndWhatWasWanted) {
  const Json json = Json::Parse(R"({"size":"big"})").value();
  EXPECT_EQ(json.GetInteger("size").status().message(), "size: want an integer");
  EXPECT_EQ(json.GetNumber("width").status().message(), "width: missing, want a number");
}

}  // namespace
}  // namespace pawsight
