#include "engine/folder_stamp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/files.h"
#include "engine/file_testing.h"

namespace pawsight::engine {
namespace {

using ::testing::HasSubstr;

TEST(FolderStamp, AFolderLeftAloneIsUnchanged) {
  const TempFolder folder;
  folder.Write("config.json", "{}");
  std::filesystem::create_directory(folder.path() + "/onnx");
  const FolderStamp stamp = FolderStamp::Take(folder.path()).value();
  EXPECT_TRUE(stamp.CheckUnchanged().ok());
}

TEST(FolderStamp, AReplacedNewOrRemovedFileIsNamed) {
  const TempFolder folder;
  const std::string path = folder.Write("config.json", "{}");
  FolderStamp stamp = FolderStamp::Take(folder.path()).value();
  ASSERT_TRUE(WriteFileAtomically(path, "[]").ok());
  Status status = stamp.CheckUnchanged();
  EXPECT_EQ(status.code(), StatusCode::kAborted);
  EXPECT_EQ(status.reason(), "model_changed");
  EXPECT_THAT(status.message(), HasSubstr("config.json changed"));

  stamp = FolderStamp::Take(folder.path()).value();
  folder.Write("vocab.txt", "x");
  EXPECT_THAT(stamp.CheckUnchanged().message(), HasSubstr("vocab.txt changed"));

  stamp = FolderStamp::Take(folder.path()).value();
  std::filesystem::remove(path);
  EXPECT_THAT(stamp.CheckUnchanged().message(), HasSubstr("config.json changed"));
}

TEST(FolderStamp, ALinkThatPointsElsewhereIsAChange) {
  const TempFolder folder;
  const TempFolder blobs;
  std::filesystem::create_symlink(blobs.Write("1", "x"), folder.path() + "/model.safetensors");
  const FolderStamp stamp = FolderStamp::Take(folder.path()).value();
  std::filesystem::remove(folder.path() + "/model.safetensors");
  std::filesystem::create_symlink(blobs.Write("2", "x"), folder.path() + "/model.safetensors");
  EXPECT_EQ(stamp.CheckUnchanged().reason(), "model_changed");
}

TEST(FolderStamp, AFolderThatIsNotThereIsAnError) {
  EXPECT_EQ(FolderStamp::Take("/no/such/place").status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace pawsight::engine
