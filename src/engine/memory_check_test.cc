#include "engine/memory_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace pawsight::engine {
namespace {

constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();

TEST(MemoryCheck, AModelLargerThanMemoryIsRefusedWithBothFigures) {
  EXPECT_TRUE(CheckMemory(900, 1000).ok());
  const Status status = CheckMemory(1600000000, 1000000000);
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(status.reason(), "model_too_large");
  EXPECT_THAT(status.message(), ::testing::HasSubstr("1600 MB"));
  EXPECT_THAT(status.message(), ::testing::HasSubstr("1000 MB"));
}

TEST(MemoryCheck, TheKernelsFigureIsRead) {
  EXPECT_EQ(ParseMemAvailable("MemTotal:  100 kB\nMemAvailable:     2048 kB\n"), 2097152U);
  for (const char* text : {"", "MemAvailable:", "MemAvailable:  x kB", "MemAvailable: 18446744073709551615 kB"}) {
    EXPECT_EQ(ParseMemAvailable(text), kNoLimit) << text;
  }
  EXPECT_GT(AvailableMemory(), 1000000U);
}

}  // namespace
}  // namespace pawsight::engine
