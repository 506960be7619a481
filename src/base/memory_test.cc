#include "base/memory.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace pawsight {
namespace {

TEST(ResidentBytes, IsWhatIsTouchedAndNothingOfAProcessThatIsNot) {
  const size_t before = ResidentBytes();
  EXPECT_GT(before, 100'000U);
  const std::vector<char> touched(64U << 20U, 'x');
  EXPECT_GT(ResidentBytes(), before + (60U << 20U)) << touched.size();
  EXPECT_EQ(ResidentBytes(1 << 30), 0U);
}

// A sanitizer has an allocator of its own, which keeps what it keeps.
#if defined(__has_feature)
#define PAWSIGHT_OTHER_ALLOCATOR (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define PAWSIGHT_OTHER_ALLOCATOR 0
#endif
#if !PAWSIGHT_OTHER_ALLOCATOR
TEST(MemoryTrim, WhatABurstLeftIsGivenBackOnceAnInterval) {
  ManualClock clock;
  MemoryTrim trim(clock);
  clock.Advance(MemoryTrim::kInterval);
  trim.Look();
  const size_t before = ResidentBytes();
  std::vector<std::unique_ptr<std::vector<char>>> burst;
  std::vector<std::unique_ptr<std::vector<char>>> kept;
  for (int i = 0; i < 2000; ++i) {
    burst.push_back(std::make_unique<std::vector<char>>(30000, 'x'));
    if (i % 50 == 0) kept.push_back(std::make_unique<std::vector<char>>(100, 'x'));  // holds the heap's end in place
  }
  burst.clear();
  ASSERT_GT(ResidentBytes(), before + (30U << 20U)) << "the allocator gave it back by itself";
  trim.Look();
  EXPECT_GT(ResidentBytes(), before + (30U << 20U)) << "it is not yet time";
  clock.Advance(MemoryTrim::kInterval);
  trim.Look();
  EXPECT_LT(ResidentBytes(), before + (5U << 20U)) << kept.size();
}
#endif

}  // namespace
}  // namespace pawsight
