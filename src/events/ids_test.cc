#include "events/ids.h"

#include <gtest/gtest.h>

#include <set>

#include "events/rows.h"

namespace pawsight::events {
namespace {

TEST(Ids, AreInTheOrderOfTheirMaking) {
  std::string last;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = NewId("cam_", Time(std::chrono::milliseconds(1700000000000 + i)));
    EXPECT_TRUE(IsId("cam_", id)) << id;
    EXPECT_GT(id, last);
    last = id;
  }
}

TEST(Ids, OfOneMillisecondDiffer) {
  std::set<std::string> made;
  for (int i = 0; i < 10000; ++i) made.insert(NewId("alr_", Time{}));
  EXPECT_EQ(made.size(), 10000U);
}

TEST(Ids, HoldAllTheirBits) {
  constexpr uint64_t kHigh = 0xFEDCBA987654;
  EXPECT_EQ(HighOfId("evt_", MakeId("evt_", kHigh, 0)), kHigh);
  EXPECT_EQ(HighOfId("evt_", MakeId("evt_", kHigh, ~0ULL)), kHigh) << "the low bits do not reach into the high ones";
  EXPECT_NE(MakeId("evt_", 1, 1ULL << 51U), MakeId("evt_", 1, 0)) << "all 52 low bits count";
  EXPECT_EQ(MakeId("evt_", 1, 1ULL << 52U), MakeId("evt_", 1, 0));
  EXPECT_EQ(MakeId("own_", 0, 0), kLocalOwner);
}

TEST(Ids, WhatIsNoneIsSeen) {
  const std::string id = NewId("cam_", Time{});
  EXPECT_FALSE(IsId("rul_", id));
  EXPECT_FALSE(IsId("cam_", id + "0"));
  EXPECT_FALSE(IsId("cam_", id.substr(0, 23)));
  EXPECT_FALSE(IsId("cam_", id.substr(0, 23) + "u")) << "not in the alphabet";
  EXPECT_FALSE(IsId("cam_", "cam_' OR 1=1; --zzzzz"));
}

}  // namespace
}  // namespace pawsight::events
