// The CPU's compile: what it makes, what it leaves alone, what it refuses; and that what it made answers as it should.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/files.h"
#include "engine/file_testing.h"
#include "targets/cpu/compile.h"
#include "targets/testing.h"

namespace pawsight::targets {
namespace {

using engine::Component;
using engine::Precision;
using engine::TempFolder;
using ::testing::HasSubstr;

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

TEST(CompileForCpu, ACalibrationComesAlongAndGoesWithTheModelsAndCompilesNothingAnew) {
  const TempFolder folder;
  const std::string model = folder.path() + "/model";
  const std::string out = folder.path() + "/out";
  std::filesystem::copy(kMini, model);
  std::filesystem::remove(model + "/calibration.json");
  const auto compile = [&] { return CompileForCpu(model, out, {.precision = Precision::kInt8, .check = false}).value(); };
  compile();
  EXPECT_FALSE(FileExists(out + "/calibration.json"));
  folder.Write("model/calibration.json", R"({"version":1,"temperature":2})");
  for (const Compiled& one : compile()) EXPECT_TRUE(one.up_to_date);
  EXPECT_EQ(engine::ReadWhole(out + "/calibration.json"), R"({"version":1,"temperature":2})");
  std::filesystem::remove(model + "/calibration.json");
  for (const Compiled& one : compile()) EXPECT_TRUE(one.up_to_date);
  EXPECT_FALSE(FileExists(out + "/calibration.json"));
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

TEST(CompileForCpu, AModelWithFewPositionsIsCompiledForTheLengthsThatItHas) {
  const char* given = std::getenv("PAWSIGHT_SHARED");
  const std::string tiny = std::string(given != nullptr ? given : PAWSIGHT_SOURCE_DIR "/../shared") + "/goldens/tiny-a";
  if (!IsDirectory(tiny)) GTEST_SKIP() << "SKIPPED: no goldens at ../shared/goldens; set PAWSIGHT_SHARED to it";
  const TempFolder folder;  // 32 positions, fewer than the longest bucket's 35
  const auto compiled = CompileForCpu(tiny, folder.path(), {.precision = Precision::kBf16});
  ASSERT_TRUE(compiled.ok()) << compiled.status().ToString();
  EXPECT_EQ(compiled->size(), 3U);
  EXPECT_THAT(*ReadTextFile(folder.path() + "/manifest.json", 1U << 20U), HasSubstr("\"question_lengths\":[8,16]"));
}

}  // namespace
}  // namespace pawsight::targets
