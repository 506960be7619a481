#include "tools/stress_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tools/recommendation.h"
#include "tools/stress_table.h"

namespace pawsight::tools {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

StressResult Example() {
  StressResult result;
  result.target = {"worker", "<http://a>", "http", ""};
  for (const int clients : {1, 2, 4}) {
    StressCell cell;
    cell.clients = clients;
    cell.answered = cell.offered = 100;
    cell.frames_per_s = 10.0 * clients;
    cell.latency.count = 100;
    cell.latency.p99.ms = 40.0 * clients;
    result.cells.push_back(cell);
  }
  result.laws = FitLaws(result.cells);
  result.recommendation = Recommend(result.cells, result.slo, 0.5, 1);
  return result;
}

TEST(StressReport, HasTheKneeTheObjectiveAndNothingFromOutside) {
  StressResult result = Example();
  result.price_per_hour = 0.5;
  const std::string page = StressReport(result);
  EXPECT_THAT(page, HasSubstr("class=mark"));
  EXPECT_THAT(page, HasSubstr("objective: p99"));
  EXPECT_THAT(page, HasSubstr("Price of a million frames"));
  EXPECT_THAT(page, HasSubstr("&lt;http://a&gt;"));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("src=")));
  EXPECT_THAT(page, Not(HasSubstr("nan")));
}

TEST(StressReport, ARefusedFrameAndAFailedOneAreToldApartWithTheServersReasons) {
  StressResult result = Example();
  EXPECT_THAT(StressReport(result), Not(HasSubstr("without an answer"))) << "all were answered";
  StressCell open;
  open.role = CellRole::kOpen;
  open.arrivals = "poisson";
  open.rate_per_s = 300;
  open.refused["replaced"] = 1258;
  open.failed["<not_told>"] = 72;
  result.cells.push_back(open);
  const std::string page = StressReport(result);
  EXPECT_THAT(page, HasSubstr("<td>open loop<td>poisson 300/s<td>refused<td>replaced<td>1258"));
  EXPECT_THAT(page, HasSubstr("<td>open loop<td>poisson 300/s<td>failed<td>&lt;not_told&gt;<td>72"));
}

TEST(StressReport, AServerWhoseThreadsAreNotOursIsNamedByItsClients) {
  StressResult result = Example();
  EXPECT_THAT(StressReport(result), HasSubstr("Latency by clients at once"));
  EXPECT_THAT(StressReport(result), Not(HasSubstr("--1")));
  result.cells.front().server = 2;
  EXPECT_THAT(StressReport(result), HasSubstr("server threads - clients"));
}

TEST(StressReport, AnEmptyResultIsAPageToo) {
  EXPECT_THAT(StressReport({}), HasSubstr("Nothing was answered"));
  EXPECT_THAT(Advice({}), HasSubstr("no advice"));
}

TEST(StressReport, ACellThatTheChangeGateLimitedIsMarkedAndInNoChartAndTheRemedyIsNamed) {
  StressResult result = Example();
  result.load.cameras = 512;
  StressCell limited = result.cells.back();
  limited.clients = 777;
  limited.gate_limited = true;
  limited.gated["not_due"] = 5;
  result.cells.push_back(limited);
  const std::string page = StressReport(result);
  EXPECT_THAT(page, HasSubstr("5 <span class=bad>limited</span>"));
  EXPECT_THAT(page, HasSubstr("in 1 of 4 cells"));
  EXPECT_THAT(page, Not(HasSubstr(">777<"))) << "no chart";
  EXPECT_THAT(CellRow(limited), HasSubstr(" gate! gated: not_due 5\n"));
  EXPECT_THAT(Advice(result), HasSubstr("more --cameras"));
  EXPECT_THAT(CellsCsv(result), HasSubstr(",0,1\n"));
  EXPECT_EQ(GateText(Example()), "");

  result.recommendation->cap_holds = true;
  limited.role = CellRole::kCheckOverload;
  result.cells.push_back(limited);
  EXPECT_THAT(Advice(result), HasSubstr("check at the cap     holds\n  check at twice that  SAYS NOTHING (gate!)"));
  EXPECT_THAT(StressReport(result), HasSubstr("says nothing"));

  result.recommendation.reset();
  EXPECT_THAT(Advice(result), HasSubstr("--wait\nso there is no advice"));
  EXPECT_THAT(StressReport(result), Not(HasSubstr("Nothing was answered")));
}

TEST(StressTable, ACellIsALineAndASaturatedClientIsSaid) {
  StressResult result = Example();
  result.cells[0].client_saturated = true;
  result.cells[0].refused["queue_full"] = 3;
  EXPECT_THAT(CellRow(result.cells[0]), HasSubstr("client! queue_full 3\n"));
  const std::string csv = CellsCsv(result);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 4);
  const auto commas = [](const std::string& text) { return std::count(text.begin(), text.end(), ','); };
  const size_t first = csv.find('\n') + 1;
  EXPECT_EQ(commas(csv.substr(0, first)), commas(csv.substr(first, csv.find('\n', first) - first)));
}

}  // namespace
}  // namespace pawsight::tools
