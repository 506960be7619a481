#include "base/yaml.h"

#include <gtest/gtest.h>

#include <string>

namespace pawsight {
namespace {

std::string Parsed(std::string_view text) {
  const Result<Json> json = ParseYaml(text);
  return json.ok() ? json->Dump() : json.status().ToString();
}

TEST(Yaml, ListsMapsAndScalarsBecomeJsonInTheirOrder) {
  EXPECT_EQ(Parsed("b: 1\na:\n  - x\n  - {y: 2.5, z: [true, null]}\n"),
            R"({"b":1,"a":["x",{"y":2.5,"z":[true,null]}]})");
  EXPECT_EQ(Parsed(""), "{}");
  EXPECT_EQ(Parsed("# only a comment\n"), "{}");
  EXPECT_EQ(Parsed("a:\nb: ~\n"), R"({"a":null,"b":null})");
}

TEST(Yaml, WordsThatOldYamlTookForOtherThingsStayWords) {
  EXPECT_EQ(Parsed("a: on\nb: no\nc: 12:30\nd: 0x1F\ne: 1_000\nf: .inf\ng: 1.2.3\nh: -x\n"),
            R"({"a":"on","b":"no","c":"12:30","d":"0x1F","e":"1_000","f":".inf","g":"1.2.3","h":"-x"})");
  EXPECT_EQ(Parsed("a: '1'\nb: \"true\"\nc: +5\nd: -7\ne: 1e3\n"), R"({"a":"1","b":"true","c":5,"d":-7,"e":1000})");
}

TEST(Yaml, WhatIsWrongIsNamedWithItsPlace) {
  EXPECT_EQ(Parsed("a: 1\nb: 2\na: 3\n"), "INVALID_ARGUMENT: yaml: line 3 column 1: the key \"a\" twice");
  for (const char* text : {"a: &x 1\n", "a: *x\n", "a: !tag 1\n", "? [1]\n: 2\n", "a: [1\n", "a: b: c\n", "\tb: 1\n"}) {
    const Result<Json> json = ParseYaml(text);
    ASSERT_FALSE(json.ok()) << text << json->Dump();
    EXPECT_EQ(json.status().code(), StatusCode::kInvalidArgument) << text;
    EXPECT_NE(json.status().message().find("line "), std::string::npos) << json.status().message();
  }
  EXPECT_FALSE(ParseYaml("a: 1\n---\nb: 2\n").ok());
}

TEST(Yaml, DeepAndLargeTextsAreRefused) {
  EXPECT_FALSE(ParseYaml(std::string(100000, '[')).ok());
  EXPECT_FALSE(ParseYaml(std::string(40, '[') + std::string(40, ']')).ok());
  std::string steps, dashes;
  for (int i = 0; i < 40; ++i) steps += std::string(static_cast<size_t>(i), ' ') + "a:\n";
  EXPECT_FALSE(ParseYaml(steps).ok());
  for (int i = 0; i < 30000; ++i) dashes += "- ";
  EXPECT_FALSE(ParseYaml(dashes).ok());
  EXPECT_EQ(ParseYaml(std::string((1U << 20U) + 1, '#')).status().code(), StatusCode::kResourceExhausted);
  std::string many;
  for (int i = 0; i < 100001; ++i) many += "- 1\n";
  EXPECT_EQ(ParseYaml(many).status().code(), StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace pawsight
