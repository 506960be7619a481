#include "engine/vqa.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/files.h"
#include "engine/tokenizer.h"
#include "targets/cpu/cpu_target.h"

namespace pawsight::targets {
namespace {

/// tiny-b's weights with a vocabulary of our own: 298 words, ids as its config wants them.
class Asking : public testing::Test {
 protected:
  void SetUp() override {
    const char* given = std::getenv("PAWSIGHT_SHARED");
    const std::string shared = given != nullptr ? given : PAWSIGHT_SOURCE_DIR "/../shared";
    const std::string tiny = shared + "/goldens/tiny-b/";
    if (!IsDirectory(tiny)) GTEST_SKIP() << "SKIPPED: no goldens at ../shared/goldens; set PAWSIGHT_SHARED to it";
    dir_ = testing::TempDir() + "pawsight-vqa-" + std::to_string(::getpid());
    std::filesystem::create_directories(dir_);
    for (const char* file : {"config.json", "preprocessor_config.json", "model.safetensors"}) {
      std::filesystem::copy_file(tiny + file, dir_ + "/" + file, std::filesystem::copy_options::overwrite_existing);
    }
    WriteVocabulary("yes", "no");
  }
  void TearDown() override {
    if (!dir_.empty()) std::filesystem::remove_all(dir_);
  }

  void WriteVocabulary(const std::string& yes, const std::string& no) {
    std::string vocabulary;
    const std::vector<std::string> words = {"is", "there", "a", "dog", "cat", "on", "the", "bed", "?", yes, no};
    for (int id = 0; id < 298; ++id) {
      const auto word = static_cast<size_t>(id - 110);
      vocabulary += id == 0     ? "[PAD]"
                    : id == 100 ? "[UNK]"
                    : id == 101 ? "[CLS]"
                    : id == 102 ? "[SEP]"
                    : id >= 110 && word < words.size() ? words[word]
                                                       : "w" + std::to_string(id);
      vocabulary += '\n';
    }
    ASSERT_TRUE(WriteFileAtomically(dir_ + "/vocab.txt", vocabulary).ok());
  }

  engine::Vqa Open() {
    auto target = OpenCpuTarget(dir_, {.threads = 2});
    EXPECT_TRUE(target.ok()) << target.status().ToString();
    auto vqa = engine::Vqa::Open(dir_, std::move(target).value());
    EXPECT_TRUE(vqa.ok()) << vqa.status().ToString();
    return std::move(vqa).value();
  }

  static engine::ImageHandle LookAt(const engine::Vqa& vqa) {
    std::vector<float> pixels(3 * 80 * 80);
    for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>(i * 31 % 257) / 100.0F - 1.3F;
    return vqa.Look(pixels).value();
  }

  std::string dir_;
};

TEST_F(Asking, AnswersComeInTheOrderOfTheQuestionsAndEqualQuestionsAreOne) {
  const engine::Vqa vqa = Open();
  const engine::ImageHandle image = LookAt(vqa);
  const std::vector<std::string> questions = {"Is there a dog?", "is there a cat", "IS THERE A DOG ?", "Is the cat on the bed?"};
  const auto together = vqa.Ask(image, questions);
  ASSERT_TRUE(together.ok()) << together.status().ToString();
  ASSERT_EQ(together->size(), questions.size());
  EXPECT_EQ((*together)[0].p_yes, (*together)[2].p_yes);
  for (size_t i = 0; i < questions.size(); ++i) {
    const auto alone = vqa.Ask(image, {&questions[i], 1});
    ASSERT_TRUE(alone.ok());
    EXPECT_EQ(alone->front().p_yes, (*together)[i].p_yes) << questions[i];
    const float p = *alone->front().p_yes;
    EXPECT_EQ(alone->front().text, p >= 0.5F ? "yes" : "no");
    EXPECT_EQ(alone->front().score, std::max(p, 1.0F - p));
  }
  EXPECT_NE((*together)[0].p_yes, (*together)[1].p_yes);
}

TEST_F(Asking, QuestionsAboutSeveralFramesInOneBatchAreAnsweredAsAlone) {
  const engine::Vqa vqa = Open();
  const engine::ImageHandle first = LookAt(vqa);
  const size_t size = static_cast<size_t>(vqa.preprocess().width) * static_cast<size_t>(vqa.preprocess().height) * 3;
  const auto second = vqa.Look(std::vector<float>(size, 0.5F));
  ASSERT_TRUE(second.ok()) << second.status().ToString();
  const std::vector<engine::ImageHandle> images = {first, *second, first, *second};
  const std::vector<std::string> questions = {"Is there a dog?", "Is there a dog?", "Is the cat on the bed?", "Is there a dog?"};
  const auto together = vqa.Ask(images, questions);
  ASSERT_TRUE(together.ok()) << together.status().ToString();
  ASSERT_EQ(together->size(), 4U);
  for (size_t i = 0; i < 4; ++i) {
    const auto alone = vqa.Ask(images[i], {&questions[i], 1});
    ASSERT_TRUE(alone.ok());
    EXPECT_EQ(alone->front().p_yes, (*together)[i].p_yes) << i;
  }
  EXPECT_NE((*together)[0].p_yes, (*together)[1].p_yes);
  EXPECT_EQ(vqa.Ask({images.data(), 3}, questions).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(Asking, YesNoAndRankAndGenerateAgreeOnTheFirstWord) {
  const engine::Vqa vqa = Open();
  const engine::ImageHandle image = LookAt(vqa);
  const std::string question = "Is there a dog?";
  const auto yes_no = vqa.Ask(image, {&question, 1});
  const auto ranked = vqa.Ask(image, {&question, 1}, {.mode = engine::Mode::kRank, .choices = {"yes", "no"}});
  const auto written = vqa.Ask(image, {&question, 1}, {.mode = engine::Mode::kGenerate, .max_length = 8});
  ASSERT_TRUE(yes_no.ok() && ranked.ok() && written.ok());
  EXPECT_FLOAT_EQ(*ranked->front().p_yes, *yes_no->front().p_yes);
  EXPECT_FLOAT_EQ(*written->front().p_yes, *yes_no->front().p_yes);
  EXPECT_TRUE(ranked->front().text == "yes" || ranked->front().text == "no");
  EXPECT_LT(ranked->front().score, 0.0F);
  EXPECT_GT(written->front().score, 0.0F);
  EXPECT_LE(written->front().score, 1.0F);
}

TEST_F(Asking, PaddingChangesAnAnswerOnlyWhenTheLibrarysMaskIsAskedFor) {
  const engine::Vqa vqa = Open();
  const engine::ImageHandle image = LookAt(vqa);
  const std::vector<std::string> questions = {"Is there a dog?", "Is there a cat on the bed on the bed on the bed?"};
  const auto alone = vqa.Ask(image, {questions.data(), 1}, {.padding = engine::Padding::kAttend});
  const auto masked = vqa.Ask(image, questions);
  const auto attended = vqa.Ask(image, questions, {.padding = engine::Padding::kAttend});
  ASSERT_TRUE(alone.ok() && masked.ok() && attended.ok());
  EXPECT_EQ(masked->front().p_yes, alone->front().p_yes);
  EXPECT_NE(attended->front().p_yes, alone->front().p_yes);
}

TEST_F(Asking, WhatCannotBeAskedIsRefusedWithItsReason) {
  const engine::Vqa vqa = Open();
  const engine::ImageHandle image = LookAt(vqa);
  const auto reason = [&](const std::vector<std::string>& questions, const engine::AskOptions& options = {}) {
    return vqa.Ask(image, questions, options).status().reason();
  };
  EXPECT_EQ(reason({}), "question_empty");
  EXPECT_EQ(reason({" \t "}), "question_empty");
  EXPECT_EQ(reason({std::string(10000, 'a')}), "question_too_long");
  EXPECT_EQ(reason(std::vector<std::string>(10000, "Is there a dog?")), "too_many_questions");
  EXPECT_EQ(reason({"Is there a dog?"}, {.mode = engine::Mode::kRank}), "choices_invalid");
  EXPECT_EQ(vqa.Ask(image, std::vector<std::string>{"ok", ""}).status().message().substr(0, 12), "questions[1]");
  EXPECT_EQ(vqa.Ask(image, std::vector<std::string>{"ok"}, {.mode = engine::Mode::kGenerate, .max_length = 41}).status().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(Asking, AQuestionBeyondThePositionsIsCutAndSaidSo) {
  const engine::Vqa vqa = Open();
  std::string question;
  for (int i = 0; i < 60; ++i) question += "dog ";  // 40 positions
  const auto answers = vqa.Ask(LookAt(vqa), {&question, 1});
  ASSERT_TRUE(answers.ok()) << answers.status().ToString();
  EXPECT_TRUE(answers->front().truncated);
}

TEST_F(Asking, NaughtyQuestionsGetAnAnswerOrAReasonAndNeverACrash) {
  const engine::Vqa vqa = Open();
  const engine::ImageHandle image = LookAt(vqa);
  for (const std::string question :
       {"[SEP]", "[CLS] [ENC] [DEC]", "##ing", "<script>alert(1)</script>", "'; DROP TABLE rules;--", "\xF0\x9F\x90\xB6?",
        "\xff\xfe", "e\xCC\x81\xCC\x81\xCC\x81", "\xE7\x8A\xAC\xE3\x81\xAF?", "\xE2\x80\xAEtac", "NaN", "\x01"}) {
    const auto answers = vqa.Ask(image, {&question, 1});
    if (answers.ok()) {
      EXPECT_TRUE(answers->front().text == "yes" || answers->front().text == "no");
    } else {
      EXPECT_EQ(answers.status().code(), StatusCode::kInvalidArgument) << question;
    }
  }
}

TEST_F(Asking, AVocabularyWithoutYesAndNoSaysSo) {
  WriteVocabulary("oui", "non");
  const engine::Vqa vqa = Open();
  const std::string question = "Is there a dog?";
  const auto answers = vqa.Ask(LookAt(vqa), {&question, 1});
  EXPECT_EQ(answers.status().code(), StatusCode::kFailedPrecondition);
  const auto written = vqa.Ask(LookAt(vqa), {&question, 1}, {.mode = engine::Mode::kGenerate, .max_length = 5, .num_beams = 3});
  ASSERT_TRUE(written.ok()) << written.status().ToString();
  EXPECT_FALSE(written->front().p_yes.has_value());
}

TEST_F(Asking, ACalibrationBendsPYesOfItsQuestionsAndNothingElse) {
  const engine::Vqa plain = Open();
  ASSERT_TRUE(WriteFileAtomically(dir_ + "/calibration.json",
                                  R"({"version":1,"temperature":1,"unsure":[0.25,0.75],
                                      "families":[{"name":"cats","any":["cat","kitty"],"temperature":4}]})")
                  .ok());
  const engine::Vqa vqa = Open();
  const engine::ImageHandle image = LookAt(vqa);
  // The last two are equal to the model, which knows neither word, and are not to the calibration.
  const std::vector<std::string> questions = {"Is there a dog?", "Is there a cat?", "Is there a puppy?",
                                              "Is there a kitty?"};
  const auto raw = plain.Ask(LookAt(plain), questions).value();
  const auto bent = vqa.Ask(image, questions).value();
  EXPECT_EQ(raw[2].p_yes, raw[3].p_yes);
  for (size_t i = 0; i < questions.size(); ++i) {
    const float temperature = i % 2 == 0 ? 1.0F : 4.0F;
    EXPECT_EQ(*bent[i].p_yes, 1.0F / (1.0F + std::exp(-(*raw[i].margin / temperature)))) << questions[i];
    EXPECT_EQ(bent[i].margin, raw[i].margin);
    EXPECT_EQ(bent[i].text, raw[i].text) << "a temperature changes no answer";
    EXPECT_EQ(bent[i].score, std::max(*bent[i].p_yes, 1.0F - *bent[i].p_yes));
    EXPECT_EQ(bent[i].unsure, *bent[i].p_yes > 0.25F && *bent[i].p_yes < 0.75F);
    EXPECT_FALSE(raw[i].unsure);
    EXPECT_EQ(vqa.Ask(image, {&questions[i], 1})->front().p_yes, bent[i].p_yes) << "alone as in company";
  }
  EXPECT_EQ(raw[0].p_yes, bent[0].p_yes) << "temperature 1 changes no bit";
  for (const engine::AskOptions& other :
       {engine::AskOptions{.mode = engine::Mode::kGenerate, .max_length = 8},
        engine::AskOptions{.mode = engine::Mode::kRank, .choices = {"yes", "no"}}}) {
    const engine::Answer own = vqa.Ask(image, {&questions[1], 1}, other)->front();
    const engine::Answer unbent = plain.Ask(LookAt(plain), {&questions[1], 1}, other)->front();
    EXPECT_FLOAT_EQ(*own.p_yes, *bent[1].p_yes) << "p_yes means the same in every mode";
    EXPECT_EQ(own.text, unbent.text);
    EXPECT_EQ(own.score, unbent.score);
  }
}

TEST_F(Asking, ACalibrationIsLeftOutWhenAskedAndABadOneIsRefused) {
  ASSERT_TRUE(WriteFileAtomically(dir_ + "/calibration.json", R"({"version":1,"temperature":0})").ok());
  const auto open = [&](const engine::VqaOptions& options) {
    return engine::Vqa::Open(dir_, OpenCpuTarget(dir_, {.threads = 1}).value(), options);
  };
  EXPECT_EQ(open({}).status().reason(), "calibration_invalid");
  const auto raw = open({.calibrate = false});
  ASSERT_TRUE(raw.ok());
  EXPECT_EQ(raw->calibration().temperature, 1.0);
}

TEST_F(Asking, AModelWhosePreparationDoesNotFitIsRefused) {
  ASSERT_TRUE(WriteFileAtomically(dir_ + "/preprocessor_config.json", R"({"size": 384})").ok());
  auto target = OpenCpuTarget(dir_, {.threads = 1});
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(engine::Vqa::Open(dir_, std::move(target).value()).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace pawsight::targets
