#include "engine/pass_work.h"

#include <gtest/gtest.h>

namespace pawsight::engine {
namespace {

/// BLIP base; the text's heads do not matter here.
const BlipConfig kBase;

TEST(PassWork, AFrameOfBlipBaseIs111GflopAndItsKeysAndValuesAre16) {
  const PassWork work = WorkOfPass(kBase, {});
  EXPECT_NEAR(work.image_encoder, 110.97e9, 0.01e9);
  EXPECT_NEAR(work.image_kv, 16.34e9, 0.01e9);
  EXPECT_DOUBLE_EQ(WorkOfPass(kBase, {.frames = 8}).image_encoder, 8 * work.image_encoder);
}

TEST(PassWork, ARowOfTextIsALayersWeightsAndWhatItLooksAt) {
  // 12 layers of 6 * 768^2 + 2 * 768 * 3072 weights; a row looks at 8 tokens and 577 patches, twice.
  const double row = 2.0 * 12 * (8257536 + 2.0 * 768 * (8 + 577));
  EXPECT_DOUBLE_EQ(WorkOfPass(kBase, {.questions = 1}).text_encoder, 8 * row);
  EXPECT_DOUBLE_EQ(WorkOfPass(kBase, {.frames = 2, .questions = 5}).text_encoder, 80 * row);
}

TEST(PassWork, TheDecoderPaysForStepsWordsAndTheContext) {
  const double context = 2.0 * 8 * 2 * 12 * 768 * 768;
  const auto step = [](double s, double words) {
    return 2.0 * (12 * (8257536 + 2.0 * 768 * (s + 8)) + 768.0 * 768 + 768 * words);
  };
  EXPECT_DOUBLE_EQ(WorkOfPass(kBase, {.whole_vocabulary = false}).decoder, context + step(1, 2));
  EXPECT_DOUBLE_EQ(WorkOfPass(kBase, {.steps = 2}).decoder, context + step(1, 30524) + step(2, 30524));
  EXPECT_DOUBLE_EQ(WorkOfPass(kBase, {.questions = 20}).decoder, 20 * WorkOfPass(kBase, {}).decoder);
}

TEST(PassWork, WeightsAreReadOnceAPassAndTheDecodersOnceAStep) {
  const PassWeights one = WeightsOfPass(kBase, {});
  EXPECT_EQ(one.image_encoder, 85524480);  // 768 * 768 for patches, 12 layers of 7077888
  EXPECT_EQ(one.text_encoder, 12 * (8257536 + 1179648));
  const PassWeights five = WeightsOfPass(kBase, {.questions = 20, .steps = 5});
  EXPECT_EQ(five.text_encoder, one.text_encoder);
  EXPECT_EQ(five.text_decoder - one.text_decoder, 4 * (12 * 8257536LL + 768 * 768 + 768 * 30524));
}

}  // namespace
}  // namespace pawsight::engine
