// Whole runs with the model that ships: photos asked, a folder watched, alerts recorded, a run interrupted.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "base/files.h"
#include "base/json.h"
#include "program.h"

namespace pawsight::integration {
namespace {

using ::testing::HasSubstr;

/// Each line of `text` as JSON; a line that is none fails the test.
std::vector<Json> JsonLines(const std::string& text) {
  std::vector<Json> lines;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    Result<Json> line = Json::Parse(text.substr(start, end - start));
    EXPECT_TRUE(line.ok()) << text.substr(start, end - start);
    if (line.ok()) lines.push_back(std::move(line).value());
    start = end + 1;
  }
  return lines;
}

/// Draws scene-0.jpg, scene-1.jpg, ... into `folder`.
void DrawScenes(const std::string& folder, int count) {
  const Ended drawn = RunProgram({"scenes", "draw", "--out", folder, "--count", std::to_string(count)});
  ASSERT_EQ(drawn.code, 0) << drawn.err;
}

TEST(Ask, EveryPhotoAndQuestionIsOneJsonLine) {
  const TempFolder folder;
  DrawScenes(folder.Path(""), 2);
  const Ended asked = RunProgram({"ask", "--json", "-q", "Is there a dog?", "-q", "Is there a cat?",
                                  folder.Path("scene-0.jpg"), folder.Path("scene-1.jpg")});
  EXPECT_EQ(asked.code, 0) << asked.err;
  const std::vector<Json> lines = JsonLines(asked.out);
  ASSERT_EQ(lines.size(), 4U) << asked.out;
  for (const Json& line : lines) {
    for (const char* field : {"image", "question", "mode", "answer", "p_yes", "score", "ms"}) {
      EXPECT_NE(line.Find(field), nullptr) << field << " is missing in " << line.Dump();
    }
  }
}

TEST(Ask, APhotoThatIsNoneIsReportedAndTheOthersAreAnswered) {
  const TempFolder folder;
  DrawScenes(folder.Path(""), 1);
  WriteText(folder.Path("text.jpg"), "this is no photo");
  WriteText(folder.Path("empty.png"), "");
  const Ended asked = RunProgram({"ask", "--json", "-q", "Is there a dog?", folder.Path("text.jpg"),
                                  folder.Path("empty.png"), folder.Path("absent.jpg"), folder.Path("scene-0.jpg")});
  EXPECT_EQ(asked.code, 1) << asked.err;
  const std::vector<Json> lines = JsonLines(asked.out);
  ASSERT_EQ(lines.size(), 4U) << asked.out;
  for (size_t i = 0; i < 3; ++i) EXPECT_NE(lines[i].Find("error"), nullptr) << lines[i].Dump();
  EXPECT_NE(lines[3].Find("answer"), nullptr) << lines[3].Dump();
}

TEST(Ask, AnAnswerDoesNotDependOnTheQuestionsBesideIt) {
  const TempFolder folder;
  DrawScenes(folder.Path(""), 1);
  const std::string photo = folder.Path("scene-0.jpg");
  const Ended alone = RunProgram({"ask", "--json", "-q", "Is there a dog?", photo});
  const Ended beside =
      RunProgram({"ask", "--json", "-q", "Is there a dog?", "-q", "Is the cat sleeping on the bed?", photo});
  const std::vector<Json> one = JsonLines(alone.out);
  const std::vector<Json> two = JsonLines(beside.out);
  ASSERT_EQ(one.size(), 1U) << alone.err;
  ASSERT_EQ(two.size(), 2U) << beside.err;
  EXPECT_EQ(one[0].Find("p_yes")->Dump(), two[0].Find("p_yes")->Dump());
}

TEST(Watch, AFolderIsWatchedToItsEndAndItsAlertsAreRecorded) {
  const TempFolder folder;
  std::filesystem::create_directory(folder.Path("frames"));
  DrawScenes(folder.Path("frames"), 4);
  // Any answer counts as yes, so the first frame fires, whatever was drawn.
  const Ended watched =
      RunProgram({"watch", folder.Path("frames"), "-q", "Is there a dog?", "--threshold", "0.01", "--every-frame",
                  "--expect", "no", "--json", "--events", folder.Path("events.sqlite")});
  EXPECT_EQ(watched.code, 0) << watched.err;
  int frames = 0;
  int fired = 0;
  for (const Json& line : JsonLines(watched.out)) {
    const std::string type = line.Find("type")->as_string();
    frames += type == "frame" ? 1 : 0;
    fired += type == "alert.fired" && line.Find("recorded")->Dump() == "true" ? 1 : 0;
  }
  EXPECT_EQ(frames, 4) << watched.out;
  EXPECT_EQ(fired, 1) << watched.out;
  EXPECT_TRUE(FileExists(folder.Path("events.sqlite")));
}

TEST(Watch, ACameraThatDoesNotAnswerIsUnreachable) {
  const Ended watched =
      RunProgram({"watch", "http://127.0.0.1:1/snapshot.jpg", "-q", "Is there a dog?", "--no-events"});
  EXPECT_EQ(watched.code, 4) << watched.err;
  EXPECT_THAT(watched.err, HasSubstr("127.0.0.1:1"));
}

TEST(Watch, WhatCannotBeWatchedIsAUsageError) {
  const TempFolder folder;
  WriteText(folder.Path("rules.json"), "{");
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"ftp://host/file", "-q", "Is there a dog?"},
           {folder.Path(""), "--rules", folder.Path("rules.json")},
           {folder.Path(""), "-q", "Is there a dog?", "--listen", "300.1.1.1:99999"}}) {
    std::vector<std::string> words = {"watch", "--no-events"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    const Ended watched = RunProgram(words);
    EXPECT_EQ(watched.code, 2) << ::testing::PrintToString(arguments) << watched.err;
  }
}

TEST(Demo, AnInterruptEndsItWithThatExitCode) {
  const Ended ended = RunProgram({"demo", "--listen", "127.0.0.1:0"}, "Ctrl-C ends it");
  EXPECT_EQ(ended.code, 130) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("a drawn room at http://127.0.0.1:"));
  EXPECT_THAT(ended.out, HasSubstr("/#token=paw_o")) << "the page signs itself in";
}

}  // namespace
}  // namespace pawsight::integration
