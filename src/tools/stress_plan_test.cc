#include "tools/stress_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tools/testing.h"

namespace pawsight::tools {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(StressPlan, AGridIsReadInEitherOrder) {
  const Grid usual{{1}, {1, 2}};
  const auto grid = ParseGrid("client=8,1,8 server=2", usual);
  ASSERT_TRUE(grid.ok());
  EXPECT_THAT(grid->server, ElementsAre(2));
  EXPECT_THAT(grid->clients, ElementsAre(1, 8));
  EXPECT_THAT(ParseGrid("server=4", usual)->clients, ElementsAre(1, 2));
  EXPECT_THAT(ParseGrid("server=0", usual).status().ToString(), HasSubstr("server: want 1..256"));
  EXPECT_FALSE(ParseGrid("clients=1", usual).ok());
  EXPECT_EQ(PlanCells(*grid, {5.5}).size(), 3U);
}

TEST(StressPlan, AnObjectiveIsAPercentileAndATime) {
  EXPECT_EQ(ParseSlo("p99.9=1.5s")->quantile, 0.999);
  EXPECT_EQ(ParseSlo("p99=150ms")->latency_ms, 150);
  EXPECT_FALSE(ParseSlo("p98=150ms").ok());
  EXPECT_FALSE(ParseSlo("p99=0").ok());
}

TEST(StressPlan, WhatWasMeasuredIsFoundAgainAndAHalfLineIsPassedOver) {
  const testing::ScratchFolder scratch;
  const std::string path = scratch.Path("cells.jsonl");
  StressCell cell;
  cell.server = 2;
  cell.clients = 4;
  {
    auto log = CellLog::Open(path, "a plan");
    ASSERT_TRUE(log.ok());
    ASSERT_TRUE(log->Append(cell).ok());
  }
  std::ofstream(path, std::ios::app) << R"({"role":"gri)";
  auto log = CellLog::Open(path, "a plan");
  ASSERT_TRUE(log.ok());
  EXPECT_EQ(log->found().size(), 1U);
  EXPECT_NE(log->Find({CellRole::kGrid, 2, 4, 0}), nullptr);
  EXPECT_EQ(log->Find({CellRole::kGrid, 2, 8, 0}), nullptr);
  EXPECT_EQ(CellLog::Open(path, "another").status().code(), StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace pawsight::tools
