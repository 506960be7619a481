// `pawsight scenes` and `pawsight model score` from outside: the stream that training reads, and how right the model
// that ships is.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "program.h"

namespace pawsight::integration {
namespace {

uint32_t NumberAt(std::string_view bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value |= static_cast<uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  return value;
}

/// The records of a stream as docs/formats/scene-stream.md has them, JSON and pixels; fails the test when they are not
/// so.
std::vector<std::pair<Json, std::string>> Records(std::string_view stream, uint32_t side) {
  std::vector<std::pair<Json, std::string>> records;
  EXPECT_EQ(stream.substr(0, 8), "PAWSCENE");
  EXPECT_EQ(NumberAt(stream, 8), 1U);
  EXPECT_EQ(NumberAt(stream, 12), side);
  const size_t pixels = size_t{3} * side * side;
  for (size_t at = 16; at + 4 <= stream.size();) {
    const size_t length = NumberAt(stream, at);
    EXPECT_LE(at + 4 + length + pixels, stream.size());
    if (at + 4 + length + pixels > stream.size()) break;
    const auto json = Json::Parse(stream.substr(at + 4, length));
    EXPECT_TRUE(json.ok()) << json.status().ToString();
    if (!json.ok()) break;
    records.emplace_back(*json, stream.substr(at + 4 + length, pixels));
    at += 4 + length + pixels;
  }
  return records;
}

TEST(Scenes, TheStreamIsAsItsPageSays) {
  const Ended ended = RunProgram({"scenes", "stream", "--count", "5", "--size", "48", "--questions", "4"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  const auto records = Records(ended.out, 48);
  ASSERT_EQ(records.size(), 5U);
  for (const auto& [json, pixels] : records) {
    ASSERT_TRUE(json.GetArray("questions").ok());
    const Json::Array& questions = **json.GetArray("questions");
    ASSERT_EQ(questions.size(), 4U);
    for (const Json& question : questions) {
      EXPECT_TRUE(question.GetString("text").ok());
      EXPECT_TRUE(question.GetString("answer").ok());
      EXPECT_TRUE(question.GetString("family").ok());
    }
    const Json* truth = json.Find("truth");
    ASSERT_NE(truth, nullptr);
    EXPECT_TRUE(truth->GetBool("night").ok());
    EXPECT_TRUE(truth->GetArray("pets").ok());
    EXPECT_TRUE(truth->GetArray("things").ok());
  }
}

TEST(Scenes, AStreamGoesOnWhereItStopped) {
  const Ended whole = RunProgram({"scenes", "stream", "--count", "4", "--size", "32"});
  const Ended rest = RunProgram({"scenes", "stream", "--first", "2", "--count", "2", "--size", "32"});
  const auto all = Records(whole.out, 32), tail = Records(rest.out, 32);
  ASSERT_EQ(all.size(), 4U);
  ASSERT_EQ(tail.size(), 2U);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(all[i + 2].first.Dump(), tail[i].first.Dump());
    EXPECT_EQ(all[i + 2].second, tail[i].second);
  }
}

TEST(Scenes, DrawLeavesAPictureAndItsTruth) {
  const TempFolder folder;
  const Ended ended = RunProgram({"scenes", "draw", "--out", folder.Path("rooms"), "--count", "2", "--width", "160"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  for (const char* name : {"rooms/scene-0", "rooms/scene-1"}) {
    EXPECT_TRUE(FileExists(folder.Path(std::string(name) + ".jpg")));
    const auto truth = ReadTextFile(folder.Path(std::string(name) + ".json"), 1U << 20U);
    ASSERT_TRUE(truth.ok());
    EXPECT_TRUE(Json::Parse(*truth).ok());
  }
}

TEST(ModelScore, TheModelThatShipsIsRightInNineteenOfTwenty) {
  const Ended ended = RunProgram({"model", "score", "--model", PAWSIGHT_SOURCE_DIR "/models/pawsight-mini", "--count",
                                  "100", "--at-least", "95", "--json"});
  EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
  EXPECT_THAT(ended.out, ::testing::HasSubstr("\"family\":\"all yes/no\""));
}

}  // namespace
}  // namespace pawsight::integration
