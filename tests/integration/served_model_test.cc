// The shipped model behind the scheduler: what it answers in company is, bit for bit, what it answers alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "frames/encode.h"
#include "server/batcher.h"
#include "server/fake_engine.h"
#include "server/vqa_engine.h"
#include "targets/cpu/cpu_target.h"

namespace pawsight {
namespace {

using server::testing::Ending;

engine::Vqa OpenMini() {
  const std::string dir = PAWSIGHT_SOURCE_DIR "/models/pawsight-mini";
  auto target = targets::OpenCpuTarget(dir, {.threads = 1, .teams = 2});
  EXPECT_TRUE(target.ok()) << target.status().ToString();
  auto vqa = engine::Vqa::Open(dir, std::move(target).value());
  EXPECT_TRUE(vqa.ok()) << vqa.status().ToString();
  return std::move(vqa).value();
}

std::vector<uint8_t> Photo(int seed) {
  frames::Image image(320, 240);
  for (size_t i = 0; i < image.rgb.size(); ++i) {
    image.rgb[i] = static_cast<uint8_t>((i / 3 % 320 * static_cast<size_t>(seed) + i / 960) % 256);
  }
  return frames::EncodeJpeg(image, 85).value();
}

class ServedModel : public ::testing::Test {
 protected:
  Ending Submit(std::vector<std::vector<uint8_t>> images, std::vector<std::string> questions,
                engine::AskOptions ask = {}) {
    server::VqaWork work;
    for (std::vector<uint8_t>& image : images) work.images.push_back(server::Own(std::move(image)));
    work.questions = {std::move(questions)};
    work.ask = std::move(ask);
    Ending ending;
    batcher_->Submit(std::move(work), ending.done());
    return ending;
  }

  const SystemClock clock_{};
  const std::unique_ptr<server::Batcher> batcher_ =
      server::Batcher::Start({.num_runners = 2}, server::MakeVqaEngine(OpenMini()), clock_).value();
};

TEST_F(ServedModel, AnswersInCompanyAreThoseOfTheFrameAlone) {
  const std::vector<std::string> questions = {"Is there a dog?", "Is the cat on the table?", "Is there a dog?"};
  std::vector<Ending> endings;
  for (int i = 0; i < 12; ++i) endings.push_back(Submit({Photo(1 + i % 4)}, questions));
  const auto alone = server::MakeVqaEngine(OpenMini());
  for (int i = 0; i < 12; ++i) {
    const server::WorkResult result = endings[static_cast<size_t>(i)].Await();
    ASSERT_EQ(result.outcome, server::Outcome::kOk) << result.status.ToString();
    const std::vector<float> pixels = alone->Preprocess(Photo(1 + i % 4)).value();
    const std::span<const float> frame = pixels;
    const server::FrameHandle handle = alone->Look(std::span(&frame, 1)).value().front();
    ASSERT_EQ(result.answers[0].size(), questions.size());
    for (size_t q = 0; q < questions.size(); ++q) {
      const server::FrameQuestion question{handle, questions[q]};
      const engine::Answer want = alone->Ask(std::span(&question, 1), {}).value().front();
      EXPECT_EQ(result.answers[0][q].text, want.text);
      EXPECT_EQ(result.answers[0][q].p_yes, want.p_yes);
      EXPECT_EQ(result.answers[0][q].score, want.score);
    }
  }
}

TEST_F(ServedModel, ModesMayComeTogetherAndEachGetsItsOwnAnswer) {
  const Ending yes_no = Submit({Photo(1)}, {"Is there a dog?"});
  const Ending ranked =
      Submit({Photo(1)}, {"Is there a dog?"}, {.mode = engine::Mode::kRank, .choices = {"yes", "no"}});
  const Ending words = Submit({Photo(1)}, {"Is there a dog?"}, {.mode = engine::Mode::kGenerate, .max_length = 6});
  ASSERT_EQ(yes_no.Await().outcome, server::Outcome::kOk);
  ASSERT_EQ(ranked.Await().outcome, server::Outcome::kOk) << ranked.Await().status.ToString();
  ASSERT_EQ(words.Await().outcome, server::Outcome::kOk) << words.Await().status.ToString();
  EXPECT_FLOAT_EQ(*ranked.Await().answers[0][0].p_yes, *yes_no.Await().answers[0][0].p_yes);
  EXPECT_LT(ranked.Await().answers[0][0].score, 0);
}

TEST_F(ServedModel, WhatIsNoImageOrNoQuestionIsInvalidWithItsReason) {
  const std::string gif = "GIF89a not a photo at all";
  const server::WorkResult image = Submit({{gif.begin(), gif.end()}}, {"Is there a dog?"}).Await();
  EXPECT_EQ(image.outcome, server::Outcome::kInvalid);
  EXPECT_EQ(image.status.reason(), "image_type_unsupported");
  std::vector<uint8_t> cut = Photo(1);
  cut.resize(cut.size() / 2);
  EXPECT_EQ(Submit({std::move(cut)}, {"Is there a dog?"}).Await().status.reason(), "image_truncated");
  EXPECT_EQ(Submit({{}}, {"Is there a dog?"}).Await().status.reason(), "image_empty");
  EXPECT_EQ(Submit({Photo(1)}, {" "}).Await().status.reason(), "question_empty");
  EXPECT_EQ(Submit({Photo(1)}, {std::string(600, 'a')}).Await().status.reason(), "question_too_long");
  EXPECT_EQ(Submit({Photo(1)}, {"Is there a dog?"}, {.mode = engine::Mode::kRank}).Await().status.reason(),
            "choices_invalid");
}

}  // namespace
}  // namespace pawsight
