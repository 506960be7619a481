#include "base/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace pawsight {
namespace {

class Files : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = testing::TempDir() + "pawsight-files-" + std::to_string(::getpid());
    std::filesystem::create_directories(dir_);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  std::string dir_;
};

TEST_F(Files, WhatIsWrittenIsReadAndMappedAndNothingIsLeftBeside) {
  const std::string path = dir_ + "/a";
  ASSERT_TRUE(WriteFileAtomically(path, "first").ok());
  const auto before = MappedFile::Open(path);
  ASSERT_TRUE(WriteFileAtomically(path, std::string("sec\0nd", 6)).ok());
  EXPECT_EQ(ReadTextFile(path, 100).value(), std::string("sec\0nd", 6));
  ASSERT_TRUE(before.ok());
  EXPECT_EQ(std::string(before->bytes().begin(), before->bytes().end()), "first") << "a mapping keeps the file it opened";
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir_), {}), 1);
}

TEST_F(Files, AMappingKnowsWhetherItsFileWasWrittenToOrCutButNotWhatItIsCalled) {
  const std::string path = dir_ + "/a";
  ASSERT_TRUE(WriteFileAtomically(path, "first").ok());
  const auto replaced = MappedFile::Open(path);
  ASSERT_TRUE(WriteFileAtomically(path, "second").ok());
  const auto cut = MappedFile::Open(path);
  ASSERT_TRUE(replaced.ok() && cut.ok());
  EXPECT_TRUE(replaced->Unchanged());
  EXPECT_TRUE(cut->Unchanged());
  std::filesystem::resize_file(path, 3);
  EXPECT_FALSE(cut->Unchanged());
  EXPECT_TRUE(replaced->Unchanged());
  const auto written = MappedFile::Open(path);
  std::filesystem::last_write_time(path, std::filesystem::last_write_time(path) + std::chrono::seconds(1));
  EXPECT_FALSE(written->Unchanged()) << "of the same size";
}

TEST_F(Files, OnlyRegularFilesAreRead) {
  const std::string fifo = dir_ + "/fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  for (const std::string& path : {fifo, dir_, std::string("/dev/zero")}) {
    EXPECT_EQ(ReadFile(path, 100).status().reason(), "not_a_file") << path;
    EXPECT_EQ(MappedFile::Open(path).status().reason(), "not_a_file") << path;
  }
  EXPECT_EQ(ReadFile(dir_ + "/none", 100).status().code(), StatusCode::kNotFound);
}

TEST_F(Files, AFileAboveTheLimitIsRefused) {
  ASSERT_TRUE(WriteFileAtomically(dir_ + "/big", std::string(101, 'x')).ok());
  EXPECT_EQ(ReadFile(dir_ + "/big", 100).status().code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(ReadFile(dir_ + "/big", 101).ok());
}

TEST_F(Files, AWriteThatFailsLeavesTheOldFile) {
  EXPECT_EQ(WriteFileAtomically(dir_ + "/none/a", "x").code(), StatusCode::kUnavailable);
  const std::string fifo = dir_ + "/fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(WriteFileAtomically(fifo, "x").reason(), "not_a_file");
  EXPECT_TRUE(std::filesystem::is_fifo(fifo));
}

}  // namespace
}  // namespace pawsight
