#include "evaluate/question_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "engine/file_testing.h"
#include "frames/encode.h"

namespace pawsight::evaluate {
namespace {

using engine::TempFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Jpeg(int side, uint8_t level) {
  frames::Image image(side, side);
  image.rgb.assign(image.rgb.size(), level);
  const std::vector<uint8_t> bytes = frames::EncodeJpeg(image, 80).value();
  return {bytes.begin(), bytes.end()};
}

std::string Line(const std::string& id, size_t offset, size_t length, const std::string& pairs) {
  return R"({"id":")" + id + R"(","kind":"pet","bin":"val","at":[)" + std::to_string(offset) + "," +
         std::to_string(length) + R"(],"facts":{},"qa":)" + pairs + "}\n";
}

TEST(DrawnSet, APictureIsTheSameAtEveryCallAndItsQuestionsHaveTheirOwnFamilies) {
  const auto set = DrawnSet({.seed = 5, .scenes = 3, .questions = 6, .width = 96});
  ASSERT_EQ(set->size(), 3);
  EXPECT_FALSE(set->private_pictures());
  const Shown first = set->Get(1).value();
  const Shown again = set->Get(1).value();
  EXPECT_EQ(first.image.rgb, again.image.rgb);
  ASSERT_EQ(first.pairs.size(), 6U);
  for (size_t i = 0; i < first.pairs.size(); ++i) {
    EXPECT_EQ(first.pairs[i].question, again.pairs[i].question);
    EXPECT_NE(first.pairs[i].family, "");
    EXPECT_NE(first.pairs[i].answer, "");
  }
  EXPECT_NE(first.image.rgb, set->Get(2)->image.rgb);
}

TEST(PackSet, PicturesLieInTheBinWhereTheLinesSay) {
  const TempFolder folder;
  const std::string a = Jpeg(32, 0), b = Jpeg(48, 255);
  folder.Write("val.bin", a + b);
  folder.Write("val.jsonl", Line("v0", 0, a.size(), R"([["Is there a dog?","yes"],["How many cats are there?","0"]])") +
                                Line("v1", a.size(), b.size(), "[]"));
  const auto set = OpenPackSet(folder.path());
  ASSERT_TRUE(set.ok()) << set.status().ToString();
  EXPECT_TRUE((*set)->private_pictures());
  ASSERT_EQ((*set)->size(), 2);
  const Shown shown = (*set)->Get(0).value();
  EXPECT_EQ(shown.image.width, 32);
  EXPECT_EQ(shown.id, "v0");
  EXPECT_EQ(shown.kind, "pet");
  ASSERT_EQ(shown.pairs.size(), 2U);
  EXPECT_EQ(shown.pairs[1].answer, "0");
  EXPECT_EQ(shown.pairs[0].family, "dog present");
  EXPECT_EQ(shown.pairs[1].family, "count");
  EXPECT_EQ((*set)->Get(1)->image.width, 48);
}

TEST(PackSet, ABadLineIsRefusedWithItsNumberAndField) {
  const TempFolder folder;
  folder.Write("val.bin", "0123456789");
  const std::string good = Line("v0", 0, 10, "[]");
  const auto refused = [&](const std::string& text) {
    folder.Write("val.jsonl", text);
    return OpenPackSet(folder.path()).status().message();
  };
  EXPECT_THAT(refused(good + Line("v1", 5, 6, "[]")), HasSubstr("line 2: at: reaches beyond val.bin of 10 bytes"));
  EXPECT_THAT(refused(Line("v1", 11, 0, "[]")), HasSubstr("line 1: at: "));
  EXPECT_THAT(refused(good + "{\n"), HasSubstr("line 2: "));
  EXPECT_THAT(refused(Line("v0", 0, 1, "[[1,2]]")), HasSubstr("qa: want"));
  EXPECT_THAT(refused(R"({"id":"a","kind":"b","bin":"../x","at":[0,1],"qa":[]})"), HasSubstr("bin: want a plain name"));
  EXPECT_THAT(refused(R"({"id":"a","kind":"b","bin":"val","at":[-1,1],"qa":[]})"), HasSubstr("at: want"));
  EXPECT_THAT(refused(""), HasSubstr("no picture"));
  EXPECT_EQ(OpenPackSet(folder.path() + "/nowhere").status().code(), StatusCode::kNotFound);
  folder.Write("val.jsonl", good);
  EXPECT_THAT(OpenPackSet(folder.path()).value()->Get(0).status().message(), HasSubstr("picture v0"));
}

TEST(PhotoSet, PhotosLieBesideTheLabelsOrAboveThem) {
  const TempFolder folder;
  std::filesystem::create_directories(folder.path() + "/photos");
  folder.Write("photos/a.jpg", Jpeg(40, 10));
  folder.Write("photos/b.jpg", Jpeg(64, 10));
  const std::string labels =
      folder.Write("photos/labels.json",
                   R"({"note":"x","photos":{"photos/a.jpg":{"qa":{"Is there a cat?":"no"}},"b.jpg":{"qa":{}}}})");
  const auto set = OpenPhotoSet(labels);
  ASSERT_TRUE(set.ok()) << set.status().ToString();
  EXPECT_TRUE((*set)->private_pictures());
  ASSERT_EQ((*set)->size(), 2);
  EXPECT_EQ((*set)->Get(0)->image.width, 40);
  EXPECT_EQ((*set)->Get(0)->pairs.at(0).family, "cat present");
  EXPECT_EQ((*set)->Get(1)->image.width, 64);
}

TEST(PhotoSet, LabelsThatLeadOutsideOrToNothingAreRefused) {
  const TempFolder folder;
  const auto refused = [&](const std::string& text) {
    return OpenPhotoSet(folder.Write("labels.json", text)).status();
  };
  EXPECT_THAT(refused(R"({"photos":{"../x.jpg":{"qa":{}}}})").message(), HasSubstr("without .."));
  EXPECT_THAT(refused(R"({"photos":{"/etc/passwd":{"qa":{}}}})").message(), HasSubstr("relative"));
  EXPECT_EQ(refused(R"({"photos":{"x.jpg":{"qa":{}}}})").code(), StatusCode::kNotFound);
  EXPECT_THAT(refused(R"({"photos":{}})").message(), HasSubstr("photos: 0"));
  EXPECT_FALSE(refused("[]").ok());
}

TEST(UnknownSet, EachQuestionIsAskedOfItsOwnSampleAndAPictureIsShownOnce) {
  const auto drawn = DrawnSet({.scenes = 10, .questions = 1, .width = 64});
  const std::vector<std::string> questions = {"Is it a violin?", "Is the bird blue?", "Is there a ship?"};
  const auto set = UnknownSet({drawn.get()}, questions, {.pictures = 4, .seed = 9});
  std::map<std::string, int> asked;
  std::set<std::string> shown;
  for (int i = 0; i < set->size(); ++i) {
    const Shown one = set->Get(i).value();
    EXPECT_TRUE(shown.insert(one.id).second) << one.id;
    for (const Pair& pair : one.pairs) {
      ++asked[pair.question];
      EXPECT_EQ(pair.answer, "");
    }
  }
  for (const std::string& question : questions) EXPECT_EQ(asked[question], 4) << question;
  EXPECT_GT(shown.size(), 4U) << "the samples differ";
  const auto all = UnknownSet({drawn.get()}, {"q"}, {.pictures = 100});
  EXPECT_EQ(all->size(), 10);
}

TEST(QuestionLines, EmptyLinesAndCommentsAreLeftOut) {
  const TempFolder folder;
  EXPECT_THAT(ReadQuestionLines(folder.Write("q.txt", "# why\n\n  Is it red? \r\nIs it far?")).value(),
              ElementsAre("Is it red?", "Is it far?"));
  EXPECT_EQ(ReadQuestionLines(folder.Write("none.txt", "# only\n")).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace pawsight::evaluate
