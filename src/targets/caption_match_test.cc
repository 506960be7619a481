// Captions and matching in words: the reference's numbers where its weights are here, and what must hold for any.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/json.h"
#include "engine/file_testing.h"
#include "engine/generate.h"
#include "engine/vqa.h"
#include "targets/cpu/compile.h"
#include "targets/cpu/cpu_target.h"
#include "targets/golden_check.h"
#include "targets/testing.h"

namespace pawsight::targets {
namespace {

using engine::AskOptions;
using engine::Mode;

constexpr size_t kTinyPixels = size_t{3} * 48 * 48;

class Describing : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = testing::TempDir() + "pawsight-describe-" + std::to_string(::getpid());
    std::filesystem::create_directories(dir_);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  static std::string Tiny() {
    const char* given = std::getenv("PAWSIGHT_SHARED");
    return std::string(given != nullptr ? given : PAWSIGHT_SOURCE_DIR "/../shared") + "/goldens/tiny-a/";
  }

  /// The reference's weights with a vocabulary of our own, in dir_/model.
  void CopyGolden(const std::string& weights) {
    const std::string to = dir_ + "/model/";
    std::filesystem::create_directories(to);
    std::filesystem::copy_file(Tiny() + weights, to + "model.safetensors");
    std::filesystem::copy_file(Tiny() + "preprocessor_config.json", to + "preprocessor_config.json");
    Json config = Json::Parse(ReadTextFile(Tiny() + "config.json", 1 << 20).value()).value();
    config.Set("image_text_hidden_size", 32);  // the weights' own; the file, shared with other classes, says 256
    ASSERT_TRUE(WriteFileAtomically(to + "config.json", config.Dump()).ok());
    ASSERT_TRUE(WriteFileAtomically(to + "vocab.txt", TinyVocabulary(kTinyVocabulary)).ok());
  }

  engine::Vqa Open() const {
    auto target = OpenCpuTarget(dir_ + "/model", {.threads = 2});
    EXPECT_TRUE(target.ok()) << target.status().ToString();
    auto vqa = engine::Vqa::Open(dir_ + "/model", std::move(target).value());
    EXPECT_TRUE(vqa.ok()) << vqa.status().ToString();
    return std::move(vqa).value();
  }

  static engine::ImageHandle LookAt(const engine::Vqa& vqa, int seed) {
    std::vector<float> pixels(kTinyPixels);
    for (size_t i = 0; i < pixels.size(); ++i) {
      pixels[i] = static_cast<float>(i * static_cast<size_t>(seed) % 257) / 100.0F - 1.3F;
    }
    return vqa.Look(pixels).value();
  }

  std::string dir_;
};

#define NEED_GOLDENS()                                                                     \
  if (!IsDirectory(Tiny())) {                                                              \
    GTEST_SKIP() << "SKIPPED: no goldens at ../shared/goldens; set PAWSIGHT_SHARED to it"; \
  }

/// The golden frames as handles, and integer tensors row by row.
struct Golden {
  explicit Golden(const std::string& path) : file(GoldenFile::Open(path).value()) {}

  std::vector<engine::ImageHandle> Look(const engine::Vqa& vqa) const {
    const std::vector<float> pixels = engine::ToFloat(file.tensors.at("pre.pixel_values")).value();
    std::vector<engine::ImageHandle> images;
    for (size_t i = 0; i < 2; ++i)
      images.push_back(vqa.Look(std::span(pixels).subspan(i * kTinyPixels, kTinyPixels)).value());
    return images;
  }
  std::vector<std::vector<int>> Rows(const std::string& name) const {
    const engine::TensorView& tensor = file.tensors.at(name);
    const std::vector<int64_t> values = engine::ToInt64(tensor).value();
    const auto columns = static_cast<size_t>(tensor.shape.at(1));
    std::vector<std::vector<int>> rows;
    for (size_t at = 0; at < values.size(); at += columns) {
      rows.emplace_back(values.begin() + static_cast<ptrdiff_t>(at),
                        values.begin() + static_cast<ptrdiff_t>(at + columns));
    }
    return rows;
  }
  std::vector<float> Floats(const std::string& name) const { return engine::ToFloat(file.tensors.at(name)).value(); }

  GoldenFile file;
};

/// What a person would have typed for these ids, special tokens left out.
std::string Words(std::span<const int> ids) {
  std::string text;
  for (const int id : ids) {
    if (id != 0 && id != 101 && id != 102 && id < kTinyVocabulary - 2) text += (text.empty() ? "" : " ") + TinyWord(id);
  }
  return text;
}

TEST_F(Describing, CaptionsAreTheReferencesWordsWithAPromptAndWithout) {
  NEED_GOLDENS();
  CopyGolden("caption.safetensors");
  const engine::Vqa vqa = Open();
  ASSERT_TRUE(vqa.Can(Mode::kCaption));
  EXPECT_FALSE(vqa.Can(Mode::kYesNo));
  const Golden golden(Tiny() + "goldens.safetensors");
  const std::vector<engine::ImageHandle> images = golden.Look(vqa);
  for (const bool prompted : {false, true}) {
    const auto sequences = golden.Rows(prompted ? "caption.prompted.sequences" : "caption.unconditional.sequences");
    const auto prompt_ids = golden.Rows("caption.prompt_ids");
    std::vector<std::string> prompts(2);
    if (prompted) prompts = {Words(prompt_ids[0]), Words(prompt_ids[1])};
    const AskOptions options{.mode = Mode::kCaption, .max_length = static_cast<int>(sequences.front().size())};
    const auto captions = vqa.Ask(images, prompts, options);
    ASSERT_TRUE(captions.ok()) << captions.status().ToString();
    const size_t given = prompted ? prompt_ids.front().size() - 1 : 1;
    for (size_t i = 0; i < 2; ++i) {
      EXPECT_EQ((*captions)[i].text, vqa.tokenizer().Decode(std::span(sequences[i]).subspan(given))) << i;
      EXPECT_GT((*captions)[i].score, 0.0F);
      EXPECT_FALSE((*captions)[i].p_yes.has_value());
    }
  }
}

TEST_F(Describing, MatchingGivesTheReferencesProbabilityAndCosine) {
  NEED_GOLDENS();
  CopyGolden("itm.safetensors");
  const engine::Vqa vqa = Open();
  const Golden golden(Tiny() + "goldens.safetensors");
  const std::vector<engine::ImageHandle> images = golden.Look(vqa);
  const std::vector<int64_t> image_of_text = engine::ToInt64(golden.file.tensors.at("itm.image_index")).value();
  std::vector<engine::ImageHandle> looks;
  std::vector<std::string> texts;
  for (const std::vector<int>& ids : golden.Rows("in.question_ids")) {
    looks.push_back(images[static_cast<size_t>(image_of_text[texts.size()])]);
    texts.push_back(Words(ids));
  }
  const auto matches = vqa.Ask(looks, texts, {.mode = Mode::kMatch});
  ASSERT_TRUE(matches.ok()) << matches.status().ToString();
  const std::vector<float> logits = golden.Floats("itm.itm_score");
  const std::vector<float> cosines = golden.Floats("itm.itc_cosine");
  for (size_t i = 0; i < texts.size(); ++i) {
    EXPECT_NEAR(*(*matches)[i].p_yes, 1.0F / (1.0F + std::exp(logits[2 * i] - logits[2 * i + 1])), 1e-5) << texts[i];
    EXPECT_NEAR(*(*matches)[i].cosine, cosines[i * texts.size() + i], 1e-5) << texts[i];
  }
}

TEST_F(Describing, ACaptionAloneIsTheCaptionInCompanyByBeamsToo) {
  WriteTinyModel(dir_ + "/model", "BlipForConditionalGeneration");
  const engine::Vqa vqa = Open();
  const std::vector<engine::ImageHandle> images = {LookAt(vqa, 31), LookAt(vqa, 7), LookAt(vqa, 31), LookAt(vqa, 3)};
  const std::vector<std::string> prompts = {"", "w5 w6 w7", "w9", "  "};
  for (const int beams : {1, 3}) {
    const AskOptions options{.mode = Mode::kCaption, .max_length = 10, .num_beams = beams};
    const auto together = vqa.Ask(images, prompts, options);
    ASSERT_TRUE(together.ok()) << together.status().ToString();
    for (size_t i = 0; i < prompts.size(); ++i) {
      const auto alone = vqa.Ask(images[i], {&prompts[i], 1}, options);
      ASSERT_TRUE(alone.ok());
      EXPECT_EQ(alone->front().text, (*together)[i].text) << beams << " " << prompts[i];
      EXPECT_EQ(alone->front().score, (*together)[i].score);
    }
  }
}

/// The sum of log-probabilities of what follows the first `given` tokens, fed one by one.
double Forced(engine::Target& target, const engine::ImageHandle& image, const std::vector<int>& ids, size_t given) {
  const auto rows = target.BeginCaptions({&image, 1}, static_cast<int>(ids.size()));
  std::vector<float> logits(static_cast<size_t>(target.config().text.vocab_size));
  double sum = 0;
  for (size_t i = 0; i + 1 < ids.size(); ++i) {
    const engine::RowToken token{0, ids[i]};
    EXPECT_TRUE(target.Step(**rows, {&token, 1}, {}, logits).ok());
    if (i + 1 < given) continue;
    double all = 0;
    for (const float logit : logits) all += std::exp(static_cast<double>(logit));
    sum += static_cast<double>(logits[static_cast<size_t>(ids[i + 1])]) - std::log(all);
  }
  return sum;
}

TEST_F(Describing, BeamsGoOnWithAPromptOfSeveralTokensAndOneBeamIsGreedy) {
  NEED_GOLDENS();
  CopyGolden("caption.safetensors");
  const engine::Vqa vqa = Open();
  engine::Target& target = vqa.target();
  const engine::ImageHandle image = LookAt(vqa, 31);
  const int bos = target.config().text.bos_id;
  const std::vector<std::vector<int>> prompts = {{bos, 12, 13, 14}, {bos}};
  const auto write = [&](int beams) {
    const std::vector<engine::ImageHandle> images(prompts.size() * static_cast<size_t>(beams), image);
    const auto rows = target.BeginCaptions(images, 12);
    return engine::BeamSearch(target, **rows, prompts, {.max_length = 12, .num_beams = beams}).value();
  };
  const std::vector<engine::ImageHandle> two(2, image);
  const auto greedy_rows = target.BeginCaptions(two, 12);
  const auto greedy = engine::Greedy(target, **greedy_rows, prompts, {.max_length = 12}).value();
  const auto one = write(1);
  const auto five = write(5);
  for (size_t i = 0; i < prompts.size(); ++i) {
    EXPECT_EQ(one[i].ids, greedy[i].ids);
    EXPECT_NEAR(one[i].log_prob, greedy[i].log_prob, 1e-4);
    EXPECT_TRUE(std::equal(prompts[i].begin(), prompts[i].end(), five[i].ids.begin())) << "a prompt is kept";
    EXPECT_NEAR(five[i].log_prob, Forced(target, image, five[i].ids, prompts[i].size()), 1e-3)
        << "its own past, no other's";
  }
}

/// Makes the question-answering model of `dir` one of two files, the other with heads for matching.
void AddMatchHeads(const std::string& dir) {
  std::filesystem::rename(dir + "/model.safetensors", dir + "/first.safetensors");
  Json header, files;
  std::vector<float> values;
  for (const auto& [name, rows, columns] :
       {std::tuple<std::string, int, int>{"itm_head", 2, 64}, {"vision_proj", 32, 64}, {"text_proj", 32, 64}}) {
    for (const bool bias : {false, true}) {
      Json::Array shape{Json(rows)};
      if (!bias) shape.emplace_back(columns);
      const auto begin = static_cast<int64_t>(values.size() * sizeof(float));
      for (int i = 0; i < (bias ? rows : rows * columns); ++i) {
        values.push_back(static_cast<float>((i * 37 + rows) % 101) / 500.0F - 0.1F);
      }
      const auto end = static_cast<int64_t>(values.size() * sizeof(float));
      const std::string full = name + (bias ? ".bias" : ".weight");
      header.Set(full,
                 Json(Json::Object{{"dtype", "F32"}, {"shape", shape}, {"data_offsets", Json::Array{begin, end}}}));
      files.Set(full, "second.safetensors");
    }
  }
  const std::string bytes = engine::Safetensors(header.Dump(), engine::FloatBytes(values));
  ASSERT_TRUE(WriteFileAtomically(dir + "/second.safetensors", bytes).ok());
  for (const engine::ExpectedTensor& tensor :
       engine::ExpectedTensors(engine::BlipConfig::Open(dir).value(), engine::Head::kVqa)) {
    if (!tensor.optional) files.Set(tensor.name, "first.safetensors");
  }
  const std::string index = Json(Json::Object{{"weight_map", files}}).Dump();
  ASSERT_TRUE(WriteFileAtomically(dir + "/model.safetensors.index.json", index).ok());
}

TEST_F(Describing, ACheckpointThatAnswersAndMatchesDoesBothOfOneLook) {
  WriteTinyModel(dir_ + "/model", "BlipForQuestionAnswering");
  const std::vector<std::string> questions = {"w5 w6", "w9 w7 w8"};
  std::vector<std::optional<float>> plain;
  {
    const engine::Vqa vqa = Open();
    const auto answers = vqa.Ask(LookAt(vqa, 31), questions);
    ASSERT_TRUE(answers.ok());
    for (const engine::Answer& answer : *answers) plain.push_back(answer.p_yes);
  }
  AddMatchHeads(dir_ + "/model");
  const engine::Vqa vqa = Open();
  EXPECT_TRUE(vqa.Can(Mode::kYesNo) && vqa.Can(Mode::kMatch) && !vqa.Can(Mode::kCaption));
  const engine::ImageHandle image = LookAt(vqa, 31);
  const auto answers = vqa.Ask(image, questions);
  const auto matches = vqa.Ask(image, questions, {.mode = Mode::kMatch});
  ASSERT_TRUE(answers.ok() && matches.ok()) << matches.status().ToString();
  for (size_t i = 0; i < questions.size(); ++i) {
    EXPECT_EQ((*answers)[i].p_yes, plain[i]) << "the heads change no answer";
    EXPECT_LE(std::abs(*(*matches)[i].cosine), 1.0F);
    EXPECT_EQ((*matches)[i].score, *(*matches)[i].p_yes);
  }
  const auto compiled =
      CompileForCpu(dir_ + "/model", dir_ + "/int8", {.precision = engine::Precision::kInt8, .cpu = {.threads = 1}});
  ASSERT_TRUE(compiled.ok()) << compiled.status().ToString();
  EXPECT_TRUE(OpenCpuArtifacts(dir_ + "/int8", {.threads = 1, .verify = true}).ok());
}

TEST_F(Describing, WhatAModelCannotDoIsSaidAndAPromptMustLeaveRoom) {
  WriteTinyModel(dir_ + "/model", "BlipForConditionalGeneration");
  const engine::Vqa vqa = Open();
  const engine::ImageHandle image = LookAt(vqa, 31);
  const std::vector<std::string> text = {"w5 w6 w7"};
  EXPECT_EQ(vqa.Ask(image, text).status().reason(), "head_missing");
  EXPECT_EQ(vqa.Ask(image, text, {.mode = Mode::kMatch}).status().reason(), "head_missing");
  EXPECT_EQ(vqa.Ask(image, text, {.mode = Mode::kCaption, .max_length = 4}).status().reason(), "prompt_too_long");
  EXPECT_EQ(vqa.Ask(image, text, {.mode = Mode::kCaption, .max_length = 33}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(engine::CheckText(Mode::kMatch, " ").reason(), "question_empty");
  EXPECT_EQ(engine::CheckText(Mode::kCaption, std::string(600, 'a')).reason(), "question_too_long");
  EXPECT_TRUE(engine::CheckText(Mode::kCaption, "").ok());
}

TEST_F(Describing, EveryClassCompilesInEveryPrecisionAndMatchesItsCheck) {
  for (const std::string architecture :
       {"BlipForConditionalGeneration", "BlipForImageTextRetrieval", "BlipForQuestionAnswering"}) {
    WriteTinyModel(dir_ + "/" + architecture, architecture);
    for (const engine::Precision precision :
         {engine::Precision::kFp32, engine::Precision::kBf16, engine::Precision::kInt8}) {
      SCOPED_TRACE(architecture + " " + std::string(engine::PrecisionName(precision)));
      const std::string out = dir_ + "/" + architecture + "-" + std::string(engine::PrecisionName(precision));
      const auto compiled =
          CompileForCpu(dir_ + "/" + architecture, out, {.precision = precision, .cpu = {.threads = 1}});
      ASSERT_TRUE(compiled.ok()) << compiled.status().ToString();
      EXPECT_EQ(compiled->size(), architecture == "BlipForQuestionAnswering" ? 3U : 2U);
      for (const Compiled& one : *compiled) EXPECT_TRUE(one.check.ok()) << one.check.stage << " " << one.check.cosine;
      EXPECT_TRUE(OpenCpuArtifacts(out, {.threads = 1}).ok());
    }
  }
}

}  // namespace
}  // namespace pawsight::targets
