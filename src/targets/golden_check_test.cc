#include "targets/golden_check.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "engine/generate.h"
#include "kernels/kernels.h"
#include "targets/cpu/cpu_target.h"

namespace pawsight::targets {
namespace {

/// Where the shared goldens lie; empty when they are not here.
std::string Goldens() {
  const char* given = std::getenv("PAWSIGHT_SHARED");
  const std::string folder = std::string(given != nullptr ? given : PAWSIGHT_SOURCE_DIR "/../shared") + "/goldens/";
  return IsDirectory(folder) ? folder : "";
}

#define NEED_GOLDENS()                                                                    \
  if (Goldens().empty()) {                                                                \
    GTEST_SKIP() << "SKIPPED: no goldens at ../shared/goldens; set PAWSIGHT_SHARED to it"; \
  }

/// `dir` is the model, `model` the name of the goldens that go with it.
void ExpectGolden(const std::string& dir, const std::string& model, const CpuOptions& options, size_t least_stages) {
  SCOPED_TRACE(dir + " " + options.weights + " " + options.kernels + " " + std::to_string(options.threads));
  auto target = OpenCpuTarget(dir, options);
  ASSERT_TRUE(target.ok()) << target.status().ToString();
  const auto goldens = GoldenFile::Open(Goldens() + model + "/goldens.safetensors");
  ASSERT_TRUE(goldens.ok()) << goldens.status().ToString();
  const auto stages = CheckGoldens(**target, goldens->tensors);
  ASSERT_TRUE(stages.ok()) << stages.status().ToString();
  EXPECT_GE(stages->size(), least_stages);
  for (const StageDifference& stage : *stages) {
    EXPECT_TRUE(stage.ok) << stage.stage << ": " << stage.max_absolute << " absolute, " << stage.max_relative << " relative";
  }
}

TEST(Goldens, EveryStageOfBothTinyModelsMatchesOnEveryTableOfKernels) {
  NEED_GOLDENS();
  for (const kernels::Kernels* kernels : kernels::Available()) {
    for (const int threads : {1, 2}) {
      const CpuOptions options{.threads = threads, .kernels = std::string(kernels->name)};
      ExpectGolden(Goldens() + "tiny-a", "tiny-a", options, 40);
      ExpectGolden(Goldens() + "tiny-b", "tiny-b", options, 40);
    }
  }
}

TEST(Goldens, APyTorchCheckpointGivesTheSameAsSafetensors) {
  NEED_GOLDENS();
  ExpectGolden(Goldens() + "tiny-a", "tiny-a", {.threads = 1, .weights = Goldens() + "tiny-a/pytorch_model.bin"}, 40);
}

TEST(Goldens, TheCaptioningHeadMatches) {
  NEED_GOLDENS();
  ExpectGolden(Goldens() + "tiny-a", "tiny-a", {.threads = 2, .weights = Goldens() + "tiny-a/caption.safetensors"}, 3);
}

TEST(Goldens, TheRetrievalHeadsMatch) {
  NEED_GOLDENS();
  // The weights' projections are 32 wide; the config beside them, shared with the other heads, says 256.
  const auto config = ReadTextFile(Goldens() + "tiny-a/config.json", 1 << 20);
  ASSERT_TRUE(config.ok());
  Json narrow = Json::Parse(*config).value();
  narrow.Set("image_text_hidden_size", 32);
  const std::string dir = testing::TempDir() + "pawsight-itm-" + std::to_string(::getpid());
  std::filesystem::create_directory(dir);
  ASSERT_TRUE(WriteFileAtomically(dir + "/config.json", narrow.Dump()).ok());
  ExpectGolden(dir, "tiny-a", {.threads = 2, .weights = Goldens() + "tiny-a/itm.safetensors"}, 2);
  std::filesystem::remove_all(dir);
}

TEST(Goldens, AChangedWeightIsFoundAndItsStageNamed) {
  NEED_GOLDENS();
  auto target = OpenCpuTarget(Goldens() + "tiny-b", {.threads = 1});
  ASSERT_TRUE(target.ok());
  const auto file = GoldenFile::Open(Goldens() + "tiny-b/goldens.safetensors");
  ASSERT_TRUE(file.ok());
  engine::TensorMap goldens = file->tensors;
  const std::string stage = "q3img0.text.hidden.1";
  std::vector<uint8_t> changed(goldens.at(stage).bytes.begin(), goldens.at(stage).bytes.end());
  changed[3] ^= 0x01;  // the first value's exponent
  goldens.at(stage).bytes = changed;
  const auto stages = CheckGoldens(**target, goldens);
  ASSERT_TRUE(stages.ok());
  for (const StageDifference& s : *stages) EXPECT_EQ(s.ok, s.stage != stage) << s.stage;
}

/// A question of `length` tokens, different for every seed.
engine::TokenRow Question(int seed, int length) {
  engine::TokenRow row;
  for (int i = 0; i < length; ++i) row.ids.push_back((seed * 37 + i * 11) % 120 + 1);
  row.valid = length;
  return row;
}

/// All bits of what the decoder says after two tokens, for each of the questions in one batch.
std::vector<std::vector<float>> Logits(engine::Target& target, const engine::ImageHandle& image,
                                       const std::vector<engine::TokenRow>& questions) {
  const std::vector<engine::ImageHandle> images(questions.size(), image);
  const auto read = target.Read(images, questions);
  EXPECT_TRUE(read.ok());
  std::vector<int> each;
  for (size_t i = 0; i < questions.size(); ++i) each.push_back(static_cast<int>(i));
  const auto rows = target.BeginAnswers(*read, each, 2, engine::Padding::kMask);
  EXPECT_TRUE(rows.ok());
  const auto vocab = static_cast<size_t>(target.config().text.vocab_size);
  std::vector<float> logits(questions.size() * vocab);
  for (const int token : {target.config().text.bos_id, 7}) {
    std::vector<engine::RowToken> tokens;
    for (const int row : each) tokens.push_back({row, token});
    EXPECT_TRUE(target.Step(**rows, tokens, {}, logits).ok());
  }
  std::vector<std::vector<float>> out;
  for (size_t i = 0; i < questions.size(); ++i) {
    out.emplace_back(logits.begin() + static_cast<std::ptrdiff_t>(i * vocab),
                     logits.begin() + static_cast<std::ptrdiff_t>((i + 1) * vocab));
  }
  return out;
}

TEST(Goldens, AQuestionAloneAndAmongSixteenOthersGivesTheSameLogitsBitForBit) {
  NEED_GOLDENS();
  for (const kernels::Kernels* kernels : kernels::Available()) {
    SCOPED_TRACE(kernels->name);
    auto target = OpenCpuTarget(Goldens() + "tiny-a", {.threads = 2, .kernels = std::string(kernels->name)});
    ASSERT_TRUE(target.ok()) << target.status().ToString();
    std::vector<float> pixels(3 * 48 * 48);
    for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>(i * 7919 % 1000) / 500.0F - 1.0F;
    const auto images = (*target)->Look(pixels, 1);
    ASSERT_TRUE(images.ok());
    std::vector<engine::TokenRow> questions;
    for (int i = 0; i < 16; ++i) questions.push_back(Question(i, 3 + i));
    const auto together = Logits(**target, images->front(), questions);
    for (size_t i = 0; i < questions.size(); ++i) {
      EXPECT_EQ(Logits(**target, images->front(), {questions[i]}).front(), together[i]) << "question " << i;
    }
    std::vector<engine::TokenRow> reversed(questions.rbegin(), questions.rend());
    EXPECT_EQ(Logits(**target, images->front(), reversed).front(), together.back());
  }
}

TEST(Goldens, AFrameAloneAndAmongOthersGivesTheSameAnswersBitForBit) {
  NEED_GOLDENS();
  auto target = OpenCpuTarget(Goldens() + "tiny-b", {.threads = 2});
  ASSERT_TRUE(target.ok());
  const size_t size = 3 * 80 * 80;
  std::vector<float> pixels(3 * size);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>(i * 104729 % 997) / 400.0F - 1.2F;
  const auto together = (*target)->Look(pixels, 3);
  const auto alone = (*target)->Look(std::span(pixels).subspan(size, size), 1);
  ASSERT_TRUE(together.ok() && alone.ok());
  EXPECT_EQ(Logits(**target, (*together)[1], {Question(1, 6)}), Logits(**target, alone->front(), {Question(1, 6)}));
}

TEST(Goldens, YesAndNoRowsAloneEqualTheWholeVocabularysLogitsBitForBit) {
  NEED_GOLDENS();
  auto target = OpenCpuTarget(Goldens() + "tiny-b", {.threads = 1});
  ASSERT_TRUE(target.ok());
  const auto images = (*target)->Look(std::vector<float>(3 * 80 * 80, 0.25F), 1);
  ASSERT_TRUE(images.ok());
  const engine::TokenRow question = Question(3, 5);
  const auto read = (*target)->Read({&images->front(), 1}, {&question, 1});
  ASSERT_TRUE(read.ok());
  const int zero = 0;
  std::vector<float> all(300);
  std::vector<float> two(2);
  const engine::RowToken start{0, (*target)->config().text.bos_id};
  const std::vector<int> wanted = {250, 17};
  for (std::vector<float>* logits : {&all, &two}) {
    const auto rows = (*target)->BeginAnswers(*read, {&zero, 1}, 1, engine::Padding::kMask);
    ASSERT_TRUE(rows.ok());
    const std::span<const int> ids = logits == &two ? std::span<const int>(wanted) : std::span<const int>();
    ASSERT_TRUE((*target)->Step(**rows, {&start, 1}, ids, *logits).ok());
  }
  EXPECT_EQ(two[0], all[250]);
  EXPECT_EQ(two[1], all[17]);
}

TEST(CpuTarget, InputsOfTheWrongSizeOrValueAreRefusedWithAReason) {
  NEED_GOLDENS();
  auto target = OpenCpuTarget(Goldens() + "tiny-b", {.threads = 1});
  ASSERT_TRUE(target.ok());
  EXPECT_EQ((*target)->Look(std::vector<float>(5), 1).status().code(), StatusCode::kInvalidArgument);
  std::vector<float> pixels(3 * 80 * 80);
  pixels[100] = NAN;
  EXPECT_EQ((*target)->Look(pixels, 1).status().code(), StatusCode::kInvalidArgument);
  pixels[100] = 0;
  const auto images = (*target)->Look(pixels, 1);
  ASSERT_TRUE(images.ok());
  engine::TokenRow question = Question(1, 5);
  question.ids[2] = 300;
  EXPECT_EQ((*target)->Read({&images->front(), 1}, {&question, 1}).status().code(), StatusCode::kInvalidArgument);
  question = Question(1, 41);
  EXPECT_EQ((*target)->Read({&images->front(), 1}, {&question, 1}).status().reason(), "question_too_long");
  EXPECT_EQ((*target)->BeginCaptions({&images->front(), 1}, 5).status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(OpenCpuTarget(Goldens() + "tiny-b", {.kernels = "mmx"}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(OpenCpuTarget(Goldens() + "nothing-here").status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace pawsight::targets
