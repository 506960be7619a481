#include "engine/artifact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "engine/artifact_layout.h"
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

TEST(Artifact, CutShortUnderItItReadsAsZerosAndSaysSoAndOthersStayWhole) {
  const TempFolder folder;
  const std::vector<float> values(1 << 16, 1.5F);
  Make(folder.path() + "/cut", values);
  Make(folder.path() + "/whole", values);
  auto cut = Artifact::Open(folder.path() + "/cut");
  const auto whole = Artifact::Open(folder.path() + "/whole");
  ASSERT_TRUE(cut.ok() && whole.ok());
  const Artifact moved = *std::move(cut);
  EXPECT_TRUE(moved.CheckUnchanged().ok());
  std::filesystem::resize_file(folder.path() + "/cut", kArtifactDataOffset + 8192);
  const auto read = moved.Layers()->Vector("v", 1 << 16);  // pages that are gone are touched by the thread that adds
  EXPECT_EQ(read.front(), 1.5F) << "what is still there";
  EXPECT_EQ(read.back(), 0.0F);
  EXPECT_EQ(moved.CheckUnchanged().reason(), "artifact_changed");
  EXPECT_FALSE(moved.Verify().ok());
  EXPECT_TRUE(whole->CheckUnchanged().ok());
  EXPECT_EQ(whole->Layers()->Vector("v", 1 << 16).back(), 1.5F);
}

TEST(Artifact, WrittenIntoItSaysSoThoughEveryPageIsThere) {
  const TempFolder folder;
  Make(folder.path() + "/a", {1.0F, 2.0F});
  const auto artifact = Artifact::Open(folder.path() + "/a");
  ASSERT_TRUE(artifact.ok());
  std::fstream file(folder.path() + "/a", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(kArtifactDataOffset).put('x');
  file.close();
  std::filesystem::last_write_time(folder.path() + "/a",  // a test is faster than the clock of the file system
                                   std::filesystem::file_time_type::clock::now() + std::chrono::seconds(1));
  EXPECT_EQ(artifact->CheckUnchanged().reason(), "artifact_changed");
}

TEST(Artifact, AsManyMayBeOpenAsAreWatchedAndAClosedOneMakesRoom) {
  const TempFolder folder;
  Make(folder.path() + "/a", {1.0F});
  std::vector<Artifact> open;
  for (int i = 0; i < kMaxWatchedMappings; ++i) {
    auto artifact = Artifact::Open(folder.path() + "/a");
    ASSERT_TRUE(artifact.ok()) << i << " " << artifact.status().ToString();
    open.push_back(*std::move(artifact));
  }
  EXPECT_EQ(Artifact::Open(folder.path() + "/a").status().code(), StatusCode::kResourceExhausted);
  open.pop_back();
  EXPECT_TRUE(Artifact::Open(folder.path() + "/a").ok());
}

TEST(MappedRead, ABusErrorThatNobodyWatchesForEndsTheProcessAsBefore) {
  const TempFolder folder;
  const MappedFile file = MappedFile::Open(folder.Write("x", std::string(1 << 16, 'x'))).value();
  std::filesystem::resize_file(folder.path() + "/x", 1);
  const auto touch = [&] {
    const MappingWatch other = MappingWatch::Start({reinterpret_cast<const uint8_t*>(4096), 4096}).value();
    const volatile uint8_t* bytes = file.bytes().data();
    return bytes[file.bytes().size() - 1];
  };
  EXPECT_DEATH((void)touch(), "");
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
