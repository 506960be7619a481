#include "engine/artifact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "engine/compile/artifact_writer.h"
#include "engine/file_testing.h"

namespace pawsight::engine {
namespace {

using ::testing::HasSubstr;

constexpr const char* kConfig = R"({"model_type":"blip","text_config":{"num_attention_heads":12},"vision_config":{}})";

const ArtifactInfo kInfo = {.component = Component::kTextEncoder,
                            .precision = Precision::kBf16,
                            .heads = {Head::kVqa},
                            .config = kConfig,
                            .source = "0123",
                            .compiler = "test"};

/// An artifact with one vector, published at `path`.
void Make(const std::string& path, const std::vector<float>& values) {
  auto writer = ArtifactWriter::Create(path);
  ASSERT_TRUE(writer.ok()) << writer.status().ToString();
  const auto offset = writer->Append(values.data(), values.size() * sizeof(float));
  ASSERT_TRUE(offset.ok());
  writer->AddEntry(Json(Json::Object{
      {"name", "v"}, {"kind", "vector"}, {"size", static_cast<int64_t>(values.size())}, {"data", Json(*offset)}}));
  ASSERT_TRUE(writer->Finish(kInfo).ok());
  ASSERT_TRUE(writer->Publish().ok());
}

TEST(Artifact, WhatWasWrittenIsReadWhereItLies) {
  const TempFolder folder;
  const std::string path = folder.path() + "/a";
  Make(path, {1.5F, -2.0F, 3.25F});
  const auto artifact = Artifact::Open(path);
  ASSERT_TRUE(artifact.ok()) << artifact.status().ToString();
  EXPECT_EQ(artifact->info().component, Component::kTextEncoder);
  EXPECT_EQ(artifact->info().precision, Precision::kBf16);
  EXPECT_EQ(artifact->info().heads, std::vector<Head>{Head::kVqa});
  EXPECT_EQ(artifact->info().config, kConfig);
  EXPECT_EQ(artifact->config().text.num_heads, 12);
  EXPECT_TRUE(artifact->Verify().ok());
  const auto layers = artifact->Layers();
  EXPECT_THAT(layers->Vector("v", 3), ::testing::ElementsAre(1.5F, -2.0F, 3.25F));
  EXPECT_TRUE(layers->status().ok());
}

TEST(Artifact, AMissingEntryOrOneOfAnotherSizeIsAnErrorThatSticks) {
  const TempFolder folder;
  Make(folder.path() + "/a", {1.0F});
  const auto artifact = Artifact::Open(folder.path() + "/a");
  ASSERT_TRUE(artifact.ok());
  const auto layers = artifact->Layers();
  EXPECT_TRUE(layers->Vector("w", 1).empty());
  EXPECT_EQ(layers->status().reason(), "artifact_damaged");
  EXPECT_THAT(layers->status().message(), HasSubstr("w: missing"));
  const auto others = artifact->Layers();
  EXPECT_TRUE(others->Vector("v", 2).empty());
  EXPECT_EQ(others->status().reason(), "artifact_damaged");
}

TEST(Artifact, NothingIsLeftOfOneThatWasNotPublished) {
  const TempFolder folder;
  {
    auto writer = ArtifactWriter::Create(folder.path() + "/a");
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE(writer->Append("abcd", 4).ok());
    ASSERT_TRUE(writer->Finish(kInfo).ok());
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Artifact, EveryCutAndEveryFlippedByteOfTheHeaderIsDamage) {
  const TempFolder folder;
  Make(folder.path() + "/a", {1.0F, 2.0F});
  const std::string whole = ReadWhole(folder.path() + "/a");
  for (const size_t length : {size_t{0}, size_t{7}, size_t{64}, size_t{4095}, size_t{4096}, whole.size() - 1}) {
    const auto cut = Artifact::Open(folder.Write("cut", whole.substr(0, length)));
    EXPECT_EQ(cut.status().reason(), "artifact_damaged") << length;
  }
  for (size_t at = 0; at < whole.size(); at = at == 63 ? 4096 + 8 : at + 1) {
    if (at >= 8 && at < 12) continue;   // the version, see below
    if (at >= 24 && at < 32) continue;  // reserved
    if (at >= 48 && at < 64) continue;  // the data's checksum: Verify's
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x20);
    EXPECT_EQ(Artifact::Open(folder.Write("flipped", flipped)).status().reason(), "artifact_damaged") << at;
  }
}

TEST(Artifact, DamagedDataIsFoundByVerify) {
  const TempFolder folder;
  Make(folder.path() + "/a", {1.0F, 2.0F});
  std::string bytes = ReadWhole(folder.path() + "/a");
  bytes[4096] = static_cast<char>(bytes[4096] ^ 1);
  const auto artifact = Artifact::Open(folder.Write("b", bytes));
  ASSERT_TRUE(artifact.ok());
  EXPECT_EQ(artifact->Verify().reason(), "artifact_damaged");
}

TEST(Artifact, AnotherVersionIsRefusedWithTheCommandThatMakesANewOne) {
  const TempFolder folder;
  Make(folder.path() + "/a", {1.0F});
  std::string bytes = ReadWhole(folder.path() + "/a");
  bytes[8] = 2;
  const auto artifact = Artifact::Open(folder.Write("b", bytes));
  EXPECT_EQ(artifact.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(artifact.status().reason(), "artifact_version");
  EXPECT_THAT(artifact.status().message(), HasSubstr("pawsight compile MODEL_DIR --out " + folder.path() + " --force"));
}

TEST(Artifact, AnEntryOutsideTheFileIsDamage) {
  const TempFolder folder;
  for (const int64_t offset : {int64_t{-64}, int64_t{32}, int64_t{64}, int64_t{1} << 40}) {
    auto writer = ArtifactWriter::Create(folder.path() + "/a");
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE(writer->Append("abcd", 4).ok());
    writer->AddEntry(Json(Json::Object{{"name", "v"}, {"kind", "vector"}, {"size", 1}, {"data", offset}}));
    EXPECT_EQ(writer->Finish(kInfo).status().reason(), "artifact_damaged") << offset;
  }
}

TEST(Artifact, AMissingFileIsNotFoundAndADirectoryIsNoArtifact) {
  const TempFolder folder;
  EXPECT_EQ(Artifact::Open(folder.path() + "/none").status().code(), StatusCode::kNotFound);
  EXPECT_FALSE(Artifact::Open(folder.path()).ok());
}

}  // namespace
}  // namespace pawsight::engine
