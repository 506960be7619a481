#include "tools/stress_result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pawsight::tools {
namespace {

using ::testing::HasSubstr;

StressResult Example() {
  StressCell cell;
  cell.server = 2;
  cell.clients = 8;
  cell.seconds = 10;
  cell.offered = 120;
  cell.answered = 100;
  cell.answers = 300;
  cell.refused = {{"queue_full", 15}, {"shedding", 3}};
  cell.failed = {{"deadline_exceeded", 2}};
  cell.frames_per_s = 10;
  cell.answers_per_s = 30;
  cell.latency = {.count = 100, .mean_ms = 21.5, .p50 = {20, 19, 21}, .p99 = {80, 70, 95}, .max_ms = 99};
  cell.server_times = ServerTimes{.queue_ms = 3.5, .compute_ms = 16};
  cell.server_cores = 1.75;
  cell.client_cores = 0.1;
  cell.gate_limited = true;
  cell.unseen = {{"dropped", 4}};
  StressCell check = cell;
  check.role = CellRole::kCheckOverload;
  check.clients = 0;
  check.rate_per_s = 20.5;
  check.arrivals = "poisson";
  check.server_times.reset();
  check.server_cores.reset();
  StressResult result;
  result.made_at = "2026-01-31T08:15:30.000Z";
  result.version = "0.1.0";
  result.target = {"model", "pawsight-mini", "http", "int8"};
  result.load = {"scenes", 64, 41234.5, 3, 2, 10, 7, 512};
  result.machine = {"a processor", 2};
  result.slo = {0.99, 150};
  result.price_per_hour = 0.34;
  result.complete = true;
  result.cells = {cell, check};
  result.laws = {{2, 11, 0.05, 0.001, 0.99, 30.8, 95}};
  result.recommendation = Recommendation{.server = 2, .cap = 8, .frames_per_s = 10, .why = "because"};
  result.recommendation->cap_holds = true;
  return result;
}

TEST(StressResult, WrittenAndReadItIsTheSame) {
  const Json json = ResultToJson(Example());
  const auto again = ResultFromJson(*Json::Parse(json.Dump()));
  ASSERT_TRUE(again.ok()) << again.status().ToString();
  EXPECT_EQ(ResultToJson(*again).Dump(), json.Dump());
  EXPECT_TRUE(again->cells[0].gate_limited);
  EXPECT_EQ(again->load.cameras, 512);
  EXPECT_EQ(again->cells[0].num_refused(), 18);
  EXPECT_EQ(again->cells[0].num_failed(), 2);
  EXPECT_EQ(again->cells[0].num_unseen(), 4);
  EXPECT_EQ(again->cells[1].role, CellRole::kCheckOverload);
  EXPECT_FALSE(again->cells[1].server_times.has_value());
  EXPECT_FALSE(again->recommendation->overload_holds.has_value());
}

TEST(StressResult, WhatIsWrongIsNamed) {
  const auto with = [](const char* key, Json value) {
    Json json = ResultToJson(Example());
    json.Set(key, std::move(value));
    return ResultFromJson(json).status().ToString();
  };
  EXPECT_THAT(with("format", "other"), HasSubstr("format"));
  EXPECT_THAT(with("format_version", 2), HasSubstr("newer pawsight"));
  EXPECT_THAT(with("machine", Json::Object{{"processor", "p"}, {"cores", -1}}), HasSubstr("machine: cores"));
  EXPECT_THAT(with("slo", 3), HasSubstr("slo: want an object"));
  EXPECT_THAT(with("cells", Json::Array{Json::Object{{"role", "grid"}}}), HasSubstr("cells[0]: server"));
  Json cell = CellToJson(Example().cells[0]);
  cell.Set("role", "other");
  EXPECT_THAT(CellFromJson(cell).status().ToString(), HasSubstr("role: want grid"));
  cell.Set("refused", Json::Object{{"queue_full", -1}});
  EXPECT_THAT(CellFromJson(cell).status().ToString(), HasSubstr("refused.queue_full"));
}

}  // namespace
}  // namespace pawsight::tools
