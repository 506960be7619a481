#include "tools/load_frames.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "frames/decode.h"
#include "tools/testing.h"

namespace pawsight::tools {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(LoadFrames, DrawnFramesAreJpegFilesOfWhichNoTwoAreTheSame) {
  const LoadFrames frames = LoadFrames::Draw(1, 3, DefaultQuestions());
  EXPECT_EQ(frames.count(), 3);
  EXPECT_GT(frames.mean_bytes(), 5000);
  std::set<std::string> seen;
  for (int64_t number = 0; number < 9; ++number) {
    const std::string image = frames.Image(number);
    EXPECT_TRUE(seen.insert(image).second) << number;
    const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(image.data()), image.size());
    const auto decoded = frames::DecodeScaled(bytes, {}, 160, 120);
    ASSERT_TRUE(decoded.ok()) << "what is behind its end does no harm: " << decoded.status().message();
  }
  EXPECT_EQ(LoadFrames::Draw(1, 1, DefaultQuestions()).Image(0), frames.Image(0)) << "a seed repeats";
  EXPECT_NE(LoadFrames::Draw(2, 1, DefaultQuestions()).Image(0), frames.Image(0));
  const std::string another = frames.Image(7, 2);
  EXPECT_EQ(another.substr(0, another.size() - 8), frames.Image(2).substr(0, frames.Image(2).size() - 8));
  EXPECT_NE(another, frames.Image(2)) << "with its own number";
}

TEST(LoadFrames, ARequestHasTheImageAndAllItsQuestions) {
  const LoadFrames frames = LoadFrames::Draw(1, 1, {"Is it day?", "Is it late?"});
  const auto request = frames.Request(5);
  ASSERT_NE(request->Find("image"), nullptr);
  EXPECT_EQ(request->Find("image")->elements.front(), frames.Image(5));
  EXPECT_THAT(request->Find("question")->elements, ElementsAre("Is it day?", "Is it late?"));
  EXPECT_EQ(frames.num_questions(), 2);
}

TEST(LoadFrames, AFolderIsReadInTheOrderOfItsNames) {
  const testing::ScratchFolder scratch;
  const std::string folder = scratch.Path("frames");
  EXPECT_THAT(LoadFrames::Read(folder, {}).status().message(), HasSubstr(folder));
  std::filesystem::create_directory(folder);
  std::ofstream(folder + "/notes.txt") << "none";
  EXPECT_THAT(LoadFrames::Read(folder, {}).status().message(), HasSubstr("no JPEG or PNG file"));
  std::ofstream(folder + "/b.JPG") << "second";
  std::ofstream(folder + "/a.png") << "first";
  const auto frames = LoadFrames::Read(folder, {});
  ASSERT_TRUE(frames.ok());
  EXPECT_EQ(frames->count(), 2);
  EXPECT_THAT(frames->Image(0), HasSubstr("first"));
  EXPECT_THAT(frames->Image(1), HasSubstr("second"));
}

TEST(LoadFrames, QuestionsAreOneALine) {
  EXPECT_THAT(ParseQuestions("Is it day?\r\n\nIs it late?").value(), ElementsAre("Is it day?", "Is it late?"));
  EXPECT_FALSE(ParseQuestions("\n\n").ok());
  EXPECT_FALSE(ParseQuestions(std::string(513, 'a')).ok());
  std::string many;
  for (int n = 0; n < 64; ++n) many += "Is it day?\n";
  EXPECT_THAT(ParseQuestions(many).value(), SizeIs(64));
  EXPECT_FALSE(ParseQuestions(many + "Is it late?").ok());
}

}  // namespace
}  // namespace pawsight::tools
