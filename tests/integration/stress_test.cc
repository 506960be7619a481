// `pawsight stress` from outside: workers started, a cell measured, files written, a second start that goes on.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "program.h"

namespace pawsight::integration {
namespace {

using ::testing::HasSubstr;

TEST(Stress, MeasuresAModelAndASecondStartGoesOn) {
  const TempFolder folder;
  const std::vector<std::string> command = {"stress",
                                            "--grid",
                                            "server=1 client=1,2",
                                            "--duration",
                                            "1s",
                                            "--warmup",
                                            "100ms",
                                            "--slo",
                                            "p99=9s",
                                            "--out",
                                            folder.Path("out"),
                                            "--json",
                                            "--apply",
                                            folder.Path("worker.yaml"),
                                            "--price-per-hour",
                                            "0.5"};
  const Ended first = RunProgram(command);
  ASSERT_EQ(first.code, 0) << first.err;
  const auto result = Json::Parse(first.out);
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result->Find("complete")->as_bool());
  EXPECT_EQ(result->Find("cells")->as_array().size(), 4U);  // two of the grid, two checks
  for (const Json& cell : result->Find("cells")->as_array()) {
    EXPECT_GT(cell.Find("answered")->as_integer(), 0);
    EXPECT_TRUE(cell.Find("failed")->as_object().empty()) << cell.Dump();
    EXPECT_GT(cell.Find("latency")->Find("p50")->Find("ms")->as_number(), 0);
    EXPECT_GT(cell.Find("server_times")->Find("compute_ms")->as_number(), 0);
  }
  EXPECT_THAT(ReadTextFile(folder.Path("worker.yaml"), 1000).value(), HasSubstr("request-limit: "));
  EXPECT_THAT(ReadTextFile(folder.Path("out/report.html"), 1U << 20U).value(), HasSubstr("</html>"));

  const Ended second = RunProgram(command);
  EXPECT_EQ(second.code, 0);
  EXPECT_THAT(second.err, HasSubstr("4 cells of this plan are measured already"));
  EXPECT_EQ(Json::Parse(second.out)->Find("cells")->as_array()[1].Dump(), result->Find("cells")->as_array()[1].Dump());

  const std::string settings = ReadTextFile(folder.Path("worker.yaml"), 1000).value();
  std::vector<std::string> strict = command;
  std::replace(strict.begin(), strict.end(), std::string("p99=9s"), std::string("p99=1ms"));
  const Ended missed = RunProgram(strict);
  EXPECT_EQ(missed.code, 1);
  EXPECT_THAT(missed.err, HasSubstr("worker.yaml is as it was"));
  EXPECT_EQ(ReadTextFile(folder.Path("worker.yaml"), 1000).value(), settings) << "what does not hold is not applied";

  WriteText(folder.Path("questions"), "Is it raining?\nIs it day?\nIs it late?\n");
  std::vector<std::string> other = command;
  other.insert(other.end(), {"--questions", folder.Path("questions")});
  EXPECT_NE(RunProgram(other).code, 0) << "other questions are another plan";
}

TEST(Stress, WhatIsNotThereIsUnreachableAndWrongFlagsAreUsage) {
  EXPECT_EQ(RunProgram({"stress", "http://127.0.0.1:1", "--grid", "client=1"}).code, 4);
  EXPECT_EQ(RunProgram({"stress", "--grid", "clients=1"}).code, 2);
  EXPECT_EQ(RunProgram({"stress", "--slo", "p99=fast"}).code, 2);
  EXPECT_EQ(RunProgram({"stress", "--arrivals", "replay"}).code, 2);
}

}  // namespace
}  // namespace pawsight::integration
