#include "engine/weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "engine/file_testing.h"

namespace pawsight::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A file with one float tensor.
std::string OneTensor(const std::string& name, float value) {
  return Safetensors("{\"" + name + R"(":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", FloatBytes({value}));
}

TEST(Weights, SafetensorsGoBeforeTheIndexAndTheIndexBeforeThePickle) {
  const TempFolder folder;
  std::filesystem::copy(GoldenPath("checkpoints/state_dict_zip.bin"), folder.path() + "/pytorch_model.bin");
  Result<Weights> weights = Weights::Open(folder.path());
  ASSERT_TRUE(weights.ok()) << weights.status().ToString();
  EXPECT_EQ(weights->format(), "pytorch");
  EXPECT_THAT(weights->ReadFloats("bias").value(), ElementsAre(5.0F, 6.0F));

  folder.Write("model-1.safetensors", OneTensor("a", 1.0F));
  folder.Write("model.safetensors.index.json",
               R"({"metadata":{"total_size":4},"weight_map":{"a":"model-1.safetensors"}})");
  weights = Weights::Open(folder.path());
  ASSERT_TRUE(weights.ok()) << weights.status().ToString();
  EXPECT_EQ(weights->format(), "sharded safetensors");
  EXPECT_THAT(weights->ReadFloats("a").value(), ElementsAre(1.0F));

  folder.Write("model.safetensors", OneTensor("b", 2.0F));
  weights = Weights::Open(folder.path());
  ASSERT_TRUE(weights.ok()) << weights.status().ToString();
  EXPECT_EQ(weights->format(), "safetensors");
  EXPECT_THAT(weights->ReadFloats("b").value(), ElementsAre(2.0F));
  EXPECT_EQ(weights->Find("a"), nullptr);
  EXPECT_EQ(weights->ReadFloats("a").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(weights->float_bytes(), 4U);
}

TEST(Weights, ViewsSurviveAMoveAndTheRemovalOfTheFile) {
  const TempFolder folder;
  folder.Write("model.safetensors", OneTensor("a", 3.0F));
  Weights first = Weights::Open(folder.path()).value();
  const TensorView* view = first.Find("a");
  const Weights second = std::move(first);
  std::filesystem::remove(folder.path() + "/model.safetensors");
  EXPECT_EQ(second.Find("a"), view);
  EXPECT_THAT(second.ReadFloats("a").value(), ElementsAre(3.0F));
}

TEST(Weights, AReplacedFileDoesNotChangeWhatWasOpened) {
  const TempFolder folder;
  const std::string path = folder.Write("model.safetensors", OneTensor("a", 3.0F));
  const Weights weights = Weights::Open(folder.path()).value();
  ASSERT_TRUE(WriteFileAtomically(path, OneTensor("a", 4.0F)).ok());
  EXPECT_THAT(weights.ReadFloats("a").value(), ElementsAre(3.0F));
  EXPECT_THAT(Weights::Open(folder.path())->ReadFloats("a").value(), ElementsAre(4.0F));
}

TEST(Weights, ADirectoryWithoutWeightsSaysWhatIsLookedForAndWhatIsThere) {
  EXPECT_THAT(Weights::Open("/no/such/place").status().message(), HasSubstr("/no/such/place: no such directory"));
  const TempFolder folder;
  Status status = Weights::Open(folder.path()).status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr("no model.safetensors, model.safetensors.index.json or pytorch_model.bin"));
  folder.Write("tf_model.h5", "\x89HDF");
  status = Weights::Open(folder.path()).status();
  EXPECT_THAT(status.message(), HasSubstr("tf_model.h5 is not read here"));
}

TEST(Weights, WhatIsNoRegularFileIsRefused) {
  const TempFolder folder;
  const std::string path = folder.path() + "/model.safetensors";
  std::filesystem::create_directory(path);
  EXPECT_EQ(Weights::Open(folder.path()).status().reason(), "not_a_file");
  std::filesystem::remove(path);
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(Weights::Open(folder.path()).status().reason(), "not_a_file");
  std::filesystem::remove(path);
  std::filesystem::create_symlink("/dev/zero", path);
  EXPECT_EQ(Weights::Open(folder.path()).status().reason(), "not_a_file");
  std::filesystem::remove(path);
  std::filesystem::create_symlink("/etc/passwd", path);
  EXPECT_EQ(Weights::Open(folder.path()).status().reason(), "header_invalid");
}

TEST(Weights, AnErrorNamesTheFile) {
  const TempFolder folder;
  const std::string path = folder.Write("model.safetensors", "");
  const Status status = Weights::Open(folder.path()).status();
  EXPECT_EQ(status.reason(), "header_invalid");
  EXPECT_THAT(status.message(), HasSubstr(path));
}

class Shards : public ::testing::Test {
 protected:
  Shards() {
    folder_.Write("model-1.safetensors", OneTensor("a", 1.0F));
    folder_.Write("model-2.safetensors", OneTensor("b", 2.0F));
  }
  Result<Weights> OpenWith(const std::string& weight_map) {
    folder_.Write("model.safetensors.index.json", R"({"weight_map":)" + weight_map + "}");
    return Weights::Open(folder_.path());
  }
  TempFolder folder_;
};

TEST_F(Shards, TensorsOfAllShardsAreFound) {
  const Result<Weights> weights = OpenWith(R"({"a":"model-1.safetensors","b":"model-2.safetensors"})");
  ASSERT_TRUE(weights.ok()) << weights.status().ToString();
  EXPECT_THAT(weights->ReadFloats("a").value(), ElementsAre(1.0F));
  EXPECT_THAT(weights->ReadFloats("b").value(), ElementsAre(2.0F));
  EXPECT_EQ(weights->files().size(), 2U);
}

TEST_F(Shards, AnIndexThatContradictsTheShardsIsRefused) {
  EXPECT_EQ(OpenWith(R"({"a":"model-1.safetensors","c":"model-1.safetensors"})").status().reason(), "index_invalid");
  EXPECT_EQ(OpenWith(R"({"a":"model-2.safetensors","b":"model-1.safetensors"})").status().reason(), "index_invalid");
  EXPECT_EQ(OpenWith(R"({"c":"model-1.safetensors"})").status().reason(), "index_invalid");
  EXPECT_EQ(OpenWith(R"({"a":"model-3.safetensors"})").status().code(), StatusCode::kNotFound);
}

TEST_F(Shards, AShardNameThatLeadsElsewhereIsRefused) {
  folder_.Write("plain.txt", OneTensor("a", 1.0F));
  for (const char* name : {"../model-1.safetensors", "/etc/model.safetensors", "sub/model-1.safetensors", "plain.txt",
                           "", ".safetensors", "..", "x\\\\y.safetensors", "model-1.safetensors\\u0000.safetensors"}) {
    const Status status = OpenWith(R"({"a":")" + std::string(name) + "\"}").status();
    EXPECT_EQ(status.reason(), "index_invalid") << name;
  }
}

TEST_F(Shards, AnIndexThatIsNoneIsRefused) {
  for (const char* map : {"[]", "{}", "1", R"({"a":1})", R"({"a":"model-1.safetensors","a":"model-1.safetensors"})"}) {
    EXPECT_EQ(OpenWith(map).status().reason(), "index_invalid") << map;
  }
  folder_.Write("model.safetensors.index.json", std::string(100000, '['));
  EXPECT_EQ(Weights::Open(folder_.path()).status().reason(), "index_invalid");
}

TEST(Weights, TheTinyModelIsTheSameInBothFormats) {
  const std::string dir = SharedPath("goldens/tiny-a");
  PAWSIGHT_NEED_SHARED(dir);
  const Weights one = Weights::OpenFile(dir + "/model.safetensors").value();
  const Result<Weights> other = Weights::OpenFile(dir + "/pytorch_model.bin");
  ASSERT_TRUE(other.ok()) << other.status().ToString();
  ASSERT_EQ(one.tensors().size(), 150U);
  ASSERT_EQ(other->tensors().size(), 150U);
  for (const auto& [name, tensor] : one.tensors()) {
    const TensorView* same = other->Find(name);
    ASSERT_NE(same, nullptr) << name;
    EXPECT_EQ(same->shape, tensor.shape) << name;
    EXPECT_EQ(same->dtype, tensor.dtype) << name;
    EXPECT_TRUE(std::equal(same->bytes.begin(), same->bytes.end(), tensor.bytes.begin(), tensor.bytes.end())) << name;
  }
}

}  // namespace
}  // namespace pawsight::engine
