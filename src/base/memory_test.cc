#include "base/memory.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "base/allocator_testing.h"

namespace pawsight {
namespace {

TEST(ResidentBytes, IsWhatIsTouchedAndNothingOfAProcessThatIsNot) {
  const size_t before = ResidentBytes();
  EXPECT_GT(before, 100'000U);
  const std::vector<char> touched(64U << 20U, 'x');
  EXPECT_GT(ResidentBytes(), before + (60U << 20U)) << touched.size();
  EXPECT_EQ(ResidentBytes(1 << 30), 0U);
}

static_assert(Unused({.resident = 100, .allocated = 60}) == 40);
static_assert(Unused({.resident = 100, .allocated = 160}) == 0);  // what was never touched is allocated as well
static_assert(!MemoryTrim::Wanted({.resident = 1000, .allocated = 900}, 90));
static_assert(MemoryTrim::Wanted({.resident = 1000, .allocated = 900}, 89));
static_assert(!MemoryTrim::Wanted({.resident = 5000, .allocated = 4900}, 90));  // all that came is in use

/// Pieces too small to be mapped each for itself, and some between them that hold the heap's end in place.
class Burst {
 public:
  Burst() {
    for (int i = 0; i < 2000; ++i) {
      burst_.push_back(std::make_unique<std::vector<char>>(30000, 'x'));
      if (i % 50 == 0) kept_.push_back(std::make_unique<std::vector<char>>(100, 'x'));
    }
  }
  void End() { burst_.clear(); }

 private:
  std::vector<std::unique_ptr<std::vector<char>>> burst_;
  std::vector<std::unique_ptr<std::vector<char>>> kept_;
};

/// One that has looked once.
class MemoryTrimTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (kOtherAllocator) GTEST_SKIP() << "it keeps what it keeps";
    LookAgain();
    before_ = ResidentBytes();
  }
  void LookAgain() {
    clock_.Advance(MemoryTrim::kInterval);
    trim_.Look();
  }
  bool HoldsABurst() const { return ResidentBytes() > before_ + (30U << 20U); }
  bool HoldsNothingMore() const { return ResidentBytes() < before_ + (5U << 20U); }

  ManualClock clock_;
  MemoryTrim trim_{clock_};
  size_t before_ = 0;
};

TEST_F(MemoryTrimTest, WhatABurstLeftIsGivenBackOnceAnInterval) {
  Burst burst;
  burst.End();
  ASSERT_TRUE(HoldsABurst()) << "the allocator gave it back by itself";
  trim_.Look();
  EXPECT_TRUE(HoldsABurst()) << "it is not yet time";
  LookAgain();
  EXPECT_TRUE(HoldsNothingMore());
}

TEST_F(MemoryTrimTest, WhatABurstLeftIsGivenBackAlsoWhenItWasLookedAtInItsMidst) {
  Burst burst;
  LookAgain();
  burst.End();
  ASSERT_TRUE(HoldsABurst()) << "the allocator gave it back by itself";
  LookAgain();
  EXPECT_TRUE(HoldsNothingMore());
}

}  // namespace
}  // namespace pawsight
