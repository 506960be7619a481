#include "tools/out_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tools/testing.h"

namespace pawsight::tools {
namespace {

using ::testing::HasSubstr;

TEST(OutFolder, IsMadeAndIsOneRunsUntilThatHasEnded) {
  const testing::ScratchFolder scratch;
  const std::string path = scratch.Path("of/runs");
  {
    const auto first = OutFolder::Open(path);
    ASSERT_TRUE(first.ok()) << first.status().message();
    EXPECT_TRUE(std::filesystem::is_directory(path));
    const Status second = OutFolder::Open(path).status();
    EXPECT_EQ(second.code(), StatusCode::kFailedPrecondition);
    EXPECT_THAT(second.message(), HasSubstr("name another"));
    EXPECT_TRUE(OutFolder::Open(path + "/beside").ok());
  }
  EXPECT_TRUE(OutFolder::Open(path).ok());
}

TEST(OutFolder, AFileIsNone) {
  const testing::ScratchFolder scratch;
  const std::string path = scratch.Path("file");
  std::ofstream(path) << "mine";
  EXPECT_EQ(OutFolder::Open(path).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(OutFolder::Open(path + "/in").status().code(), StatusCode::kUnavailable);
}

}  // namespace
}  // namespace pawsight::tools
