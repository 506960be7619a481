// `pawsight bench` from outside: what its lines say on the model that ships, and how wrong flags are refused.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "base/json.h"
#include "program.h"

namespace pawsight::integration {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kModel = PAWSIGHT_SOURCE_DIR "/models/pawsight-mini";

Ended RunBench(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"bench", "--model", kModel});
  return RunProgram(arguments);
}

/// The objects, one a line; fails the test where a line is none.
std::vector<Json> JsonLines(const std::string& text) {
  std::vector<Json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    const auto json = Json::Parse(line);
    EXPECT_TRUE(json.ok()) << line;
    if (json.ok()) lines.push_back(*json);
  }
  return lines;
}

std::vector<std::string> Keys(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.as_object()) keys.push_back(key);
  return keys;
}

/// Times of one pass: every stage took its time, and they were within the pass. (Medians of several passes, each stage's
/// by itself, need not add up.)
void CheckTimes(const Json& times) {
  EXPECT_THAT(Keys(times), ElementsAre("image_encoder", "image_kv", "text_encoder", "decoder", "total"));
  const double total = times.GetNumber("total").value();
  double parts = 0;
  for (const char* stage : {"image_encoder", "image_kv", "text_encoder", "decoder"}) {
    const double part = times.GetNumber(stage).value();
    EXPECT_GT(part, 0) << stage;
    EXPECT_LE(part, total) << stage;
    parts += part;
  }
  EXPECT_LE(parts, total + 0.003) << "each is rounded to a thousandth";
}

TEST(Bench, ALineOfJsonForEachCaseWithEveryKey) {
  const Ended ended =
      RunBench({"--precision", "fp32", "--questions", "1,2", "--steps", "1,5", "--repeat", "1", "--json"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  const std::vector<Json> lines = JsonLines(ended.out);
  ASSERT_EQ(lines.size(), 4U) << ended.out;
  for (const Json& line : lines) {
    EXPECT_THAT(Keys(line),
                ElementsAre("precision", "threads", "teams", "frames", "questions", "steps", "median_ms", "p95_ms",
                            "frames_per_s", "gops", "peak_share", "peak_rss_mb", "bytes_moved", "kernels"));
    CheckTimes(*line.Find("median_ms"));
    CheckTimes(*line.Find("p95_ms"));
    EXPECT_NEAR(line.GetNumber("frames_per_s").value(), 1000 / line.Find("median_ms")->GetNumber("total").value(),
                0.01 * line.GetNumber("frames_per_s").value());
    for (const char* key : {"gops", "peak_share", "peak_rss_mb"}) EXPECT_GT(line.GetNumber(key).value(), 0) << key;
  }
  // More words move the decoder's weights again, more questions move nothing more.
  EXPECT_GT(lines[2].GetInteger("bytes_moved").value(), lines[0].GetInteger("bytes_moved").value());
  EXPECT_EQ(lines[1].GetInteger("bytes_moved").value(), lines[0].GetInteger("bytes_moved").value());
}

TEST(Bench, APrecisionOfFewerBytesMovesFewer) {
  const Ended ended = RunBench({"--questions", "1", "--steps", "1", "--repeat", "1", "--json"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  const std::vector<Json> lines = JsonLines(ended.out);
  ASSERT_EQ(lines.size(), 3U) << ended.out;
  const int64_t fp32 = lines[0].GetInteger("bytes_moved").value();
  const int64_t bf16 = lines[1].GetInteger("bytes_moved").value();
  const int64_t int8 = lines[2].GetInteger("bytes_moved").value();
  EXPECT_EQ(fp32, 2 * bf16);
  EXPECT_GT(int8, fp32 / 4) << "the patch embedding stays in bf16";
  EXPECT_LT(int8, fp32 / 4 * 11 / 10);
}

TEST(Bench, FramesInABatchAndTeamsAtOnceCountAllFrames) {
  const Ended batch = RunBench({"--precision", "fp32", "--questions", "1", "--steps", "1", "--frames", "2", "--threads",
                                "1", "--repeat", "2", "--json"});
  ASSERT_EQ(batch.code, 0) << batch.err;
  const std::vector<Json> two = JsonLines(batch.out);
  ASSERT_EQ(two.size(), 1U);
  EXPECT_EQ(two[0].GetInteger("frames").value(), 2);
  EXPECT_NEAR(two[0].GetNumber("frames_per_s").value(), 2000 / two[0].Find("median_ms")->GetNumber("total").value(),
              0.01 * two[0].GetNumber("frames_per_s").value());

  const Ended teams = RunBench({"--precision", "fp32", "--questions", "1", "--steps", "1", "--teams", "2", "--threads",
                                "1", "--repeat", "3", "--json"});
  ASSERT_EQ(teams.code, 0) << teams.err;
  const std::vector<Json> lines = JsonLines(teams.out);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].GetInteger("teams").value(), 2);
  EXPECT_EQ(lines[0].GetInteger("threads").value(), 1);
  EXPECT_GT(lines[0].GetNumber("frames_per_s").value(), 0);
  EXPECT_GE(lines[0].Find("p95_ms")->GetNumber("total").value(), lines[0].Find("median_ms")->GetNumber("total").value());
}

TEST(Bench, ForAPersonThereIsATableThatNamesTheMachine) {
  const Ended ended =
      RunBench({"--precision", "fp32", "--questions", "1", "--steps", "1", "--repeat", "1", "--cpu", "scalar"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, AllOf(HasSubstr("cores; kernels scalar"), HasSubstr("precision"), HasSubstr("frames/s")));
  EXPECT_THAT(ended.err, IsEmpty());
}

TEST(Bench, AWrongFlagIsNamed) {
  const std::vector<std::vector<std::string>> wrong = {
      {"--questions", "0"},    {"--questions", "1,65"}, {"--steps", "0"},    {"--steps", "1,500"},
      {"--precision", "fp16"}, {"--frames", "0"},       {"--teams", "0"},    {"--threads", "257"},
      {"--repeat", "0"},       {"--seconds", "-1"},     {"--cpu", "abacus"}, {"--random-base"},
      {"--artifacts", "dir"}};
  for (const std::vector<std::string>& arguments : wrong) {
    const Ended ended = RunBench(arguments);
    EXPECT_EQ(ended.code, 2) << arguments[0] << ended.err;
    EXPECT_THAT(ended.err, HasSubstr(arguments[0]));
    EXPECT_THAT(ended.out, IsEmpty()) << arguments[0];
  }
}

TEST(Bench, WhatIsNotThereIsAnEnvironmentErrorThatNamesIt) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"bench", "--model", "/no/such/model"}, {"bench", "--artifacts", "/no/such/dir"}}) {
    const Ended ended = RunProgram(arguments);
    EXPECT_EQ(ended.code, 3) << ended.err;
    EXPECT_THAT(ended.err, HasSubstr("/no/such/"));
  }
}

TEST(Bench, AnInterruptKeepsWhatWasMeasured) {
  // The second case takes many times as long as the first.
  const Ended ended = RunProgram({"bench", "--model", kModel, "--precision", "fp32", "--questions", "1,64", "--steps", "5",
                                  "--repeat", "200", "--json"},
                                 "\"questions\":1,");
  EXPECT_EQ(ended.code, 130) << ended.err;
  EXPECT_THAT(JsonLines(ended.out), ::testing::Not(IsEmpty()));
}

}  // namespace
}  // namespace pawsight::integration
