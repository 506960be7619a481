// The CPU's compile: what it makes, what it leaves alone, what it refuses; and that what it made answers as it should.
#include "targets/cpu/compile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/files.h"
#include "base/rng.h"
#include "engine/file_testing.h"
#include "engine/generate.h"

namespace pawsight::targets {
namespace {

using engine::Component;
using engine::Precision;
using engine::TempFolder;
using ::testing::HasSubstr;

const std::string kMini = PAWSIGHT_SOURCE_DIR "/models/pawsight-mini";

std::vector<Compiled> Compile(const std::string& out, const CompileOptions& options) {
  auto compiled = CompileForCpu(kMini, out, options);
  EXPECT_TRUE(compiled.ok()) << compiled.status().ToString();
  return compiled.ok() ? *std::move(compiled) : std::vector<Compiled>{};
}

TEST(CompileForCpu, MakesAnArtifactAComponentNearTheFp32PathAndTheSecondTimeNothing) {
  for (const Precision precision : {Precision::kFp32, Precision::kBf16, Precision::kInt8}) {
    const TempFolder folder;
    const std::string out = folder.path() + "/made/by/it";
    for (const Compiled& one : Compile(out, {.precision = precision})) {
      EXPECT_FALSE(one.up_to_date);
      EXPECT_TRUE(one.check.ok()) << one.check.stage << " " << one.check.cosine;
      EXPECT_EQ(one.check.relative_error == 0.0, precision == Precision::kFp32) << one.check.stage;
      EXPECT_TRUE(FileExists(one.path));
    }
    const std::vector<Compiled> again = Compile(out, {.precision = precision});
    EXPECT_EQ(again.size(), 3U);
    for (const Compiled& one : again) {
      EXPECT_TRUE(one.up_to_date);
      EXPECT_FALSE(one.check.stage.empty()) << "the manifest remembers the check";
    }
    for (const Compiled& one : Compile(out, {.precision = precision, .force = true})) EXPECT_FALSE(one.up_to_date);
    for (const char* file : {"manifest.json", "compile.log", "config.json", "preprocessor_config.json", "vocab.txt"}) {
      EXPECT_TRUE(FileExists(out + "/" + file)) << file;
    }
  }
}

TEST(CompileForCpu, OneComponentAloneIsReplacedAndTheOthersStay) {
  const TempFolder folder;
  Compile(folder.path(), {.precision = Precision::kBf16});
  const auto before = std::filesystem::last_write_time(ArtifactPath(folder.path(), Component::kImageEncoder));
  const auto made = Compile(folder.path(), {.precision = Precision::kInt8, .components = {Component::kTextDecoder}});
  ASSERT_EQ(made.size(), 1U);
  EXPECT_EQ(made[0].component, Component::kTextDecoder);
  EXPECT_EQ(std::filesystem::last_write_time(ArtifactPath(folder.path(), Component::kImageEncoder)), before);
  const auto artifacts = OpenArtifacts(folder.path());
  ASSERT_TRUE(artifacts.ok());
  EXPECT_EQ((*artifacts)[0]->info().precision, Precision::kBf16);
  EXPECT_EQ((*artifacts)[2]->info().precision, Precision::kInt8);
  EXPECT_TRUE(OpenCpuArtifacts(folder.path()).ok()) << "precisions may be mixed";
  const auto manifest = ReadTextFile(folder.path() + "/manifest.json", 1U << 20U);
  EXPECT_THAT(*manifest, HasSubstr("image_encoder")) << "the manifest still has what was not asked for";
}

TEST(CompileForCpu, AFileWhereTheDirectoryShouldBeIsRefused) {
  const TempFolder folder;
  const auto compiled = CompileForCpu(kMini, folder.Write("file", "x"), {});
  EXPECT_EQ(compiled.status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(compiled.status().reason(), "not_a_directory");
}

TEST(CompileForCpu, ADamagedArtifactIsMadeAnewAndWhatAnInterruptedCompileLeftIsSweptOut) {
  const TempFolder folder;
  Compile(folder.path(), {.precision = Precision::kInt8, .check = false});
  const std::string path = ArtifactPath(folder.path(), Component::kTextEncoder);
  std::string bytes = engine::ReadWhole(path);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  folder.Write("text_encoder.artifact", bytes);
  folder.Write("text_encoder.artifact.Xy12ab", "half of one");
  const auto again = Compile(folder.path(), {.precision = Precision::kInt8, .check = false});
  ASSERT_EQ(again.size(), 3U);
  EXPECT_TRUE(again[0].up_to_date);
  EXPECT_FALSE(again[1].up_to_date);
  EXPECT_TRUE(again[2].up_to_date);
  EXPECT_FALSE(FileExists(folder.path() + "/text_encoder.artifact.Xy12ab"));
}

TEST(CompileForCpu, ArtifactsOfTwoCheckpointsAreNotRunTogether) {
  const TempFolder model;
  const TempFolder out;
  std::filesystem::copy(kMini, model.path(), std::filesystem::copy_options::recursive);
  Compile(out.path(), {.precision = Precision::kInt8, .check = false});
  const std::string weights = model.path() + "/model.safetensors";
  std::string bytes = engine::ReadWhole(weights);
  bytes[bytes.size() - 1] = static_cast<char>(bytes[bytes.size() - 1] ^ 1);
  model.Write("model.safetensors", bytes);
  const CompileOptions one{.precision = Precision::kInt8, .components = {Component::kTextDecoder}, .check = false};
  ASSERT_TRUE(CompileForCpu(model.path(), out.path(), one).ok());
  const auto target = OpenCpuArtifacts(out.path());
  EXPECT_EQ(target.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(target.status().reason(), "artifact_mismatch");
}

TEST(CompileForCpu, WhatTheCheckpointLacksIsRefusedByName) {
  const TempFolder folder;
  const auto lengths = CompileForCpu(kMini, folder.path(), {.question_lengths = {4000}});
  EXPECT_THAT(lengths.status().message(), HasSubstr("question_length: 4000"));
  const auto none = OpenCpuArtifacts(folder.path() + "/nothing");
  EXPECT_EQ(none.status().code(), StatusCode::kNotFound);
  std::filesystem::create_directory(folder.path() + "/empty");
  EXPECT_EQ(OpenCpuArtifacts(folder.path() + "/empty").status().reason(), "artifact_mismatch");
}

/// Mini's pixels and questions of several lengths.
std::vector<float> Pixels(uint64_t seed) {
  Rng rng(seed);
  std::vector<float> pixels(3 * 128 * 128);
  for (float& v : pixels) v = static_cast<float>(rng.Uniform(-1.8, 2.1));
  return pixels;
}

engine::TokenRow Question(int seed) {
  engine::TokenRow row;
  for (int i = 0; i < 3 + seed % 9; ++i) row.ids.push_back(5 + (seed * 31 + i * 7) % 600);
  row.valid = static_cast<int>(row.ids.size());
  return row;
}

/// Logits of the whole vocabulary after the start token, question by question.
std::vector<float> Logits(engine::Target& target, const std::vector<engine::ImageHandle>& looks,
                          const std::vector<engine::TokenRow>& questions) {
  const auto read = target.Read(looks, questions);
  EXPECT_TRUE(read.ok()) << read.status().ToString();
  std::vector<int> each;
  std::vector<engine::RowToken> start;
  for (int i = 0; i < static_cast<int>(questions.size()); ++i) {
    each.push_back(i);
    start.push_back({i, target.config().text.bos_id});
  }
  const auto rows = target.BeginAnswers(*read, each, 2, engine::Padding::kMask);
  std::vector<float> logits(questions.size() * static_cast<size_t>(target.config().text.vocab_size));
  EXPECT_TRUE(target.Step(**rows, start, {}, logits).ok());
  return logits;
}

TEST(NarrowAnswers, AreTheSameBitsAloneAndInCompanyOnEveryTable) {
  for (const kernels::Kernels* kernels : kernels::Available()) {
    for (const Precision precision : {Precision::kBf16, Precision::kInt8}) {
      SCOPED_TRACE(std::string(kernels->name) + " " + std::string(engine::PrecisionName(precision)));
      const CpuOptions options{.threads = 2, .kernels = std::string(kernels->name), .precision = precision};
      const auto opened = OpenCpuTarget(kMini, options);
      ASSERT_TRUE(opened.ok()) << opened.status().ToString();
      engine::Target& target = **opened;
      std::vector<float> two = Pixels(1);
      const std::vector<float> other = Pixels(2);
      two.insert(two.end(), other.begin(), other.end());
      const auto both = target.Look(two, 2);
      const auto alone = target.Look(other, 1);
      ASSERT_TRUE(both.ok() && alone.ok());
      std::vector<engine::ImageHandle> looks;
      std::vector<engine::TokenRow> questions;
      for (int i = 0; i < 17; ++i) {
        looks.push_back((*both)[static_cast<size_t>(i % 2)]);
        questions.push_back(Question(i));
      }
      const std::vector<float> company = Logits(target, looks, questions);
      const auto vocabulary = static_cast<size_t>(target.config().text.vocab_size);
      for (const size_t i : {size_t{1}, size_t{7}, size_t{15}}) {
        const std::vector<float> one = Logits(target, {alone->front()}, {questions[i]});
        EXPECT_TRUE(std::equal(one.begin(), one.end(), company.begin() + static_cast<std::ptrdiff_t>(i * vocabulary))) << i;
      }
    }
  }
}

TEST(NarrowAnswers, AreTheSameFromAnArtifactOnDiskAndFromACheckpointPackedInMemoryWhateverTheTeams) {
  for (const Precision precision : {Precision::kBf16, Precision::kInt8}) {
    const TempFolder folder;
    Compile(folder.path(), {.precision = precision, .check = false});
    const auto disk = OpenCpuArtifacts(folder.path(), {.threads = 1, .teams = 2, .pin = true});
    const auto memory = OpenCpuTarget(kMini, {.threads = 1, .precision = precision});
    ASSERT_TRUE(disk.ok() && memory.ok());
    const auto a = (*disk)->Look(Pixels(3), 1);
    const auto b = (*memory)->Look(Pixels(3), 1);
    EXPECT_EQ(Logits(**disk, {a->front()}, {Question(4)}), Logits(**memory, {b->front()}, {Question(4)}));
  }
}

TEST(NarrowAnswers, YesAndNoRowsAloneEqualTheWholeVocabularysLogits) {
  const auto target = OpenCpuTarget(kMini, {.threads = 1, .precision = Precision::kInt8});
  ASSERT_TRUE(target.ok());
  const auto look = (*target)->Look(Pixels(5), 1);
  const std::vector<float> all = Logits(**target, {look->front()}, {Question(2)});
  const auto questions = std::vector<engine::TokenRow>{Question(2)};
  const auto read = (*target)->Read(*look, questions);
  const int which = 0;
  const auto rows = (*target)->BeginAnswers(*read, {&which, 1}, 1, engine::Padding::kMask);
  const std::vector<int> wanted = {620, 3, 40};
  const std::vector<engine::RowToken> start = {{0, (*target)->config().text.bos_id}};
  std::vector<float> some(wanted.size());
  ASSERT_TRUE((*target)->Step(**rows, start, wanted, some).ok());
  for (size_t i = 0; i < wanted.size(); ++i) EXPECT_EQ(some[i], all[static_cast<size_t>(wanted[i])]);
}

}  // namespace
}  // namespace pawsight::targets
