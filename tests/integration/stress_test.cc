// `pawsight stress` from outside: workers started, a cell measured, files written, a second start that goes on.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "program.h"
#include "running_worker.h"

namespace pawsight::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// A gateway with the small model in its own process.
class Gateway {
 public:
  Gateway() : program_({"gateway", "--listen", "127.0.0.1:0", "--data", folder_.Path("data")}) {
    constexpr std::string_view kListens = "listens=http://127.0.0.1:";
    const std::string said = program_.WaitUntilSaid("gateway_ready");
    const size_t at = said.find(kListens);
    port_ = at == std::string::npos ? 0 : std::atoi(said.c_str() + at + kListens.size());
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::string token_file() const { return folder_.Path("data/admin.token"); }
  /// The names of its owners.
  std::string Owners() const { return Call("GET /v1/owners", ""); }
  void MakeOwner(const std::string& name) const { (void)Call("POST /v1/owners", R"({"name":")" + name + R"("})"); }
  /// How many owners of loads there are.
  size_t Loads() const {
    const std::string owners = Owners();
    size_t count = 0;
    for (size_t at = 0; (at = owners.find("pawsight stress", at)) != std::string::npos; ++at) ++count;
    return count;
  }

 private:
  std::string Call(const std::string& what, const std::string& body) const {
    const std::string token = ReadTextFile(token_file(), 1000).value();
    return RunningWorker::Exchange(
               port_, what + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer " +
                          token.substr(0, token.find('\n')) + "\r\nContent-Length: " + std::to_string(body.size()) +
                          "\r\n\r\n" + body)
        .body;
  }

  TempFolder folder_;
  RunningProgram program_;
  int port_ = 0;
};

/// What `out` names is a result of exactly the cells that it goes on from.
void ExpectOneTruth(const std::string& out) {
  const Json result = Json::Parse(ReadTextFile(out + "/result.json", 1U << 20U).value()).value();
  const std::string log = ReadTextFile(out + "/cells.jsonl", 1U << 20U).value();
  EXPECT_EQ(static_cast<int64_t>(result.Find("cells")->as_array().size()), std::ranges::count(log, '\n') - 1) << log;
}

/// Numbers to their last bits but one: reading a number back may move that.
bool IsTheSame(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) return std::abs(a.as_number() - b.as_number()) <= 1e-12 * std::abs(a.as_number());
  if (!a.is_object() || !b.is_object()) return a.Dump() == b.Dump();
  const auto same = [](const auto& x, const auto& y) { return x.first == y.first && IsTheSame(x.second, y.second); };
  return std::ranges::equal(a.as_object(), b.as_object(), same);
}

TEST(Stress, MeasuresAModelAndASecondStartGoesOn) {
  const TempFolder folder;
  const std::vector<std::string> command = {"stress",
                                            "--grid",
                                            "server=1 client=1,2",
                                            "--timeout",
                                            "60s",
                                            "--duration",
                                            "2s",
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

  ExpectOneTruth(folder.Path("out"));
  EXPECT_TRUE(result->Find("recommendation")->Find("cap_set")->as_bool());

  const Ended second = RunProgram(command);
  EXPECT_EQ(second.code, 0);
  EXPECT_THAT(second.err, HasSubstr("4 cells of this plan are measured already"));
  EXPECT_TRUE(IsTheSame(Json::Parse(second.out)->Find("cells")->as_array()[1], result->Find("cells")->as_array()[1]))
      << second.out;

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

TEST(Stress, AGatewayIsToldByAskingAndLeftAsItWas) {
  const Gateway gateway;
  const TempFolder folder;
  const Ended untold = RunProgram({"stress", gateway.url(), "--grid", "client=1"});
  EXPECT_EQ(untold.code, 3);
  EXPECT_THAT(untold.err, HasSubstr("--token-file"));

  const Ended refused = RunProgram({"stress", gateway.url(), "--token-file", gateway.token_file(), "--grid", "client=1",
                                    "--apply", folder.Path("worker.yaml")});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("is a gateway")) << "its cap is no worker's setting";
  EXPECT_EQ(refused.out, "") << "said before anything is measured";

  const Ended ended = RunProgram({"stress",    gateway.url(), "--token-file", gateway.token_file(),
                                  "--grid",    "client=1,2",  "--open-loop",  "4",
                                  "--cameras", "4",           "--duration",   "4s",
                                  "--timeout", "60s",         "--warmup",     "100ms",
                                  "--slo",     "p99=9s",      "--no-check",   "--json"});
  const auto result = Json::Parse(ended.out);
  ASSERT_TRUE(result.ok()) << ended.err;
  EXPECT_EQ(result->Find("target")->Find("kind")->as_string(), "gateway");
  EXPECT_EQ(result->Find("target")->Find("path")->as_string(), "camera");
  ASSERT_EQ(result->Find("cells")->as_array().size(), 3U);
  for (const Json& cell : result->Find("cells")->as_array()) {
    EXPECT_GT(cell.Find("answered")->as_integer(), 0) << cell.Dump();
    EXPECT_TRUE(cell.Find("failed")->as_object().empty()) << cell.Dump();
    EXPECT_FALSE(cell.Find("outcomes")->as_object().empty()) << cell.Dump();
    EXPECT_GT(cell.Find("server_cores")->as_number(), 0) << "by its metrics";
    EXPECT_GT(cell.Find("server_rss_mb")->as_number(), 1);
  }
  EXPECT_THAT(gateway.Owners(), Not(HasSubstr("stress")));
}

/// One picture, over and over: the gate lets the first one through. Frames are due whatever became of those before, so
/// however slow the machine is there is one that comes when the first has been answered.
TEST(Stress, OfAGatewayTheFramesThatTheGateHoldsBackAreCountedByItsReasonUnlessAnswersAreWaitedFor) {
  const Gateway gateway;
  const TempFolder folder;
  std::filesystem::create_directory(folder.Path("frames"));
  WriteText(folder.Path("frames/room.jpg"), RoomJpeg(3));
  WriteText(folder.Path("questions"), "Is there a person?\n");
  std::vector<std::string> command = {"stress",       gateway.url(),
                                      "--token-file", gateway.token_file(),
                                      "--grid",       "client=1",
                                      "--open-loop",  "4",
                                      "--arrivals",   "constant",
                                      "--cameras",    "1",
                                      "--frames",     folder.Path("frames"),
                                      "--questions",  folder.Path("questions"),
                                      "--duration",   "5s",
                                      "--timeout",    "60s",
                                      "--warmup",     "0s",
                                      "--slo",        "p99=30s",
                                      "--no-check",   "--json",
                                      "--out",        folder.Path("out")};
  const Ended pushed = RunProgram(command);
  const auto result = Json::Parse(pushed.out);
  ASSERT_TRUE(result.ok()) << pushed.err;
  int64_t gated = 0;
  for (const Json& cell : result->Find("cells")->as_array()) {
    EXPECT_TRUE(cell.Find("failed")->as_object().empty()) << cell.Dump();
    int64_t ended = cell.Find("latency")->Find("count")->as_integer();
    for (const char* how : {"gated", "refused"}) {
      for (const auto& [reason, count] : cell.Find(how)->as_object()) ended += count.as_integer();
    }
    EXPECT_EQ(ended, cell.Find("offered")->as_integer()) << cell.Dump();
    const Json& latency = *cell.Find("latency");
    const double answering_ms =
        latency.Find("mean_ms")->as_number() * static_cast<double>(latency.Find("count")->as_integer());
    // Of the five seconds of its one client so much is left for what the gate held back, however slow the machine is.
    if (cell.Find("role")->as_string() == "grid" && answering_ms < 4000) {
      EXPECT_TRUE(cell.Find("gate_limited")->as_bool()) << cell.Dump();
    }
    if (const Json* unchanged = cell.Find("gated")->Find("unchanged"); unchanged != nullptr)
      gated += unchanged->as_integer();
  }
  EXPECT_GT(gated, 0) << pushed.out;
  EXPECT_EQ(result->Find("load")->Find("cameras")->as_integer(), 1);
  EXPECT_THAT(ReadTextFile(folder.Path("out/cells.csv"), 1U << 20U).value(), HasSubstr(",gated,"));
  EXPECT_THAT(ReadTextFile(folder.Path("out/report.html"), 1U << 20U).value(), HasSubstr("<th>gated"));

  command.back() = folder.Path("waited");
  command.push_back("--wait");
  const Ended waited = RunProgram(command);
  const auto all = Json::Parse(waited.out);
  ASSERT_TRUE(all.ok()) << waited.err;
  EXPECT_EQ(all->Find("target")->Find("path")->as_string(), "wait");
  for (const Json& cell : all->Find("cells")->as_array()) {
    EXPECT_TRUE(cell.Find("gated")->as_object().empty()) << cell.Dump();
    EXPECT_GT(cell.Find("latency")->Find("count")->as_integer(), 0) << cell.Dump();
  }
}

TEST(Stress, OfAGatewayTheCheckAtTwiceTheLoadOffersTwiceWhatWasAnsweredToCamerasThatTheGateLetsThrough) {
  const Gateway gateway;
  const Ended ended =
      RunProgram({"stress", gateway.url(), "--token-file", gateway.token_file(), "--grid", "client=1", "--cameras",
                  "256", "--duration", "3s", "--warmup", "100ms", "--timeout", "60s", "--slo", "p99=2s", "--json"});
  const auto result = Json::Parse(ended.out);
  ASSERT_TRUE(result.ok()) << ended.err;
  const Json& advice = *result->Find("recommendation");
  const Json::Array& cells = result->Find("cells")->as_array();
  if (advice.is_null()) {  // a fast machine, whose one client is answered more than 128 times a second
    EXPECT_TRUE(cells.front().Find("gate_limited")->as_bool() || cells.front().Find("offered")->as_integer() == 0)
        << ended.out;
    return;
  }
  ASSERT_EQ(cells.size(), 3U);
  const Json& check = cells.back();
  EXPECT_EQ(check.Find("role")->as_string(), "check_overload");
  EXPECT_NEAR(check.Find("rate_per_s")->as_number(), 2 * advice.Find("frames_per_s")->as_number(), 0.11);
  EXPECT_FALSE(check.Find("gate_limited")->as_bool()) << check.Dump();
  EXPECT_FALSE(advice.Find("overload_holds")->is_null());
}

TEST(Stress, WhatIsInterruptedLeavesTheGatewayAsItWasAndKeepsWholeCells) {
  const Gateway gateway;
  const TempFolder folder;
  const Ended ended = RunProgram(
      {"stress", gateway.url(), "--token-file", gateway.token_file(), "--grid", "client=1,2,3,4,5,6,7,8", "--cameras",
       "8", "--duration", "2s", "--warmup", "0s", "--slo", "p99=9s", "--out", folder.Path("out")},
      "frames/s");  // the heading comes with the first cell
  EXPECT_EQ(ended.code, 130) << ended.err;
  const std::string log = ReadTextFile(folder.Path("out/cells.jsonl"), 1U << 20U).value();
  if (std::ranges::count(log, '\n') == 1) {  // before any cell was whole; else the machine stood still for a while
    EXPECT_FALSE(std::filesystem::exists(folder.Path("out/result.json"))) << "nothing is no result";
  } else {
    ExpectOneTruth(folder.Path("out"));
    EXPECT_THAT(ReadTextFile(folder.Path("out/result.json"), 1U << 20U).value(), HasSubstr(R"("complete":false)"));
  }
  EXPECT_THAT(gateway.Owners(), Not(HasSubstr("stress")));
}

TEST(Stress, WhatAKilledRunLeftIsRemovedByTheNextAndALivingOnesIsNot) {
  const Gateway gateway;
  const std::vector<std::string> long_one = {"stress",     gateway.url(), "--token-file", gateway.token_file(),
                                             "--grid",     "client=1",    "--cameras",    "2",
                                             "--duration", "1h",          "--no-check"};
  RunningProgram living(long_one);
  const auto start = std::chrono::steady_clock::now();
  while (gateway.Loads() < 1 && std::chrono::steady_clock::now() - start < std::chrono::minutes(2)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  ASSERT_EQ(gateway.Loads(), 1U);
  const Ended killed = KillProgram(long_one, [&] { return gateway.Loads() == 2; });
  EXPECT_EQ(killed.code, 137) << killed.err;
  EXPECT_EQ(gateway.Loads(), 2U) << "nobody has come by";

  std::vector<std::string> next = long_one;
  std::replace(next.begin(), next.end(), std::string("1h"), std::string("200ms"));
  next.insert(next.end(), {"--warmup", "0s", "--slo", "p99=9s", "--timeout", "60s"});
  const Ended ended = RunProgram(next);
  EXPECT_THAT(ended.err, HasSubstr("removed what 1 runs that were killed left"));
  EXPECT_EQ(gateway.Loads(), 1U) << "the living one's";
  EXPECT_TRUE(living.Runs());
  living.Signal(SIGINT);
  EXPECT_EQ(living.Wait().code, 130);
  EXPECT_EQ(gateway.Loads(), 0U);
}

TEST(Stress, WhatStandsInOutIsRemovedEvenWhereNobodyCouldTellWhetherItsRunLives) {
  const Gateway gateway;
  const TempFolder folder;
  const std::string run(32, 'a');
  const std::string of_elsewhere = " place=there process=1.1 lease_s=86400";
  const std::string name = "pawsight stress, removed at its end: run=";
  gateway.MakeOwner(name + run + of_elsewhere);
  gateway.MakeOwner(name + std::string(32, 'b') + of_elsewhere);
  gateway.MakeOwner("pawsight stress, a home of that name");
  std::filesystem::create_directory(folder.Path("out"));
  WriteText(folder.Path("out/gateway.run"), run + "\n");
  const Ended ended = RunProgram({"stress", gateway.url(), "--token-file", gateway.token_file(), "--grid", "client=1",
                                  "--cameras", "2", "--duration", "200ms", "--warmup", "0s", "--timeout", "60s",
                                  "--slo", "p99=9s", "--no-check", "--out", folder.Path("out")});
  EXPECT_THAT(ended.err, HasSubstr("removed what 1 runs"));
  EXPECT_THAT(gateway.Owners(), Not(HasSubstr(run)));
  EXPECT_EQ(gateway.Loads(), 2U) << "one may live, and one is a home: " << gateway.Owners();
  EXPECT_EQ(ReadTextFile(folder.Path("out/gateway.run"), 100).value(), "");
}

/// The run that is killed is making its cameras, ten thousand of them, and has not yet looked for what others left.
TEST(Stress, ARunThatIsKilledBeforeItRemovedWhatAnotherLeftForgetsNothingOfIt) {
  const Gateway gateway;
  const TempFolder folder;
  const std::string run(32, 'a');
  gateway.MakeOwner("pawsight stress, removed at its end: run=" + run + " place=there process=1.1 lease_s=86400");
  std::filesystem::create_directory(folder.Path("out"));
  WriteText(folder.Path("out/gateway.run"), run + "\n");
  std::vector<std::string> command = {"stress",
                                      gateway.url(),
                                      "--token-file",
                                      gateway.token_file(),
                                      "--grid",
                                      "client=1",
                                      "--duration",
                                      "200ms",
                                      "--warmup",
                                      "0s",
                                      "--timeout",
                                      "60s",
                                      "--slo",
                                      "p99=9s",
                                      "--no-check",
                                      "--out",
                                      folder.Path("out"),
                                      "--cameras",
                                      "10000"};
  const Ended killed = KillProgram(command, [&] { return gateway.Loads() == 2; });
  EXPECT_EQ(killed.code, 137) << killed.err;
  command.back() = "2";
  const Ended ended = RunProgram(command);
  EXPECT_EQ(gateway.Loads(), 0U) << ended.err << gateway.Owners();
  EXPECT_EQ(ReadTextFile(folder.Path("out/gateway.run"), 100).value(), "");
}

TEST(Stress, OfAnAddressTheServersOwnMetricsTellWhatItTakes) {
  const RunningWorker worker(std::vector<std::string>{});
  const std::string url = "http://127.0.0.1:" + std::to_string(worker.http_port());
  const Ended ended =
      RunProgram({"stress", url, "--metrics", "http://127.0.0.1:" + std::to_string(worker.metrics_port()) + "/metrics",
                  "--grid", "client=1", "--duration", "4s", "--warmup", "100ms", "--slo", "p99=9s", "--json"});
  const auto result = Json::Parse(ended.out);
  ASSERT_TRUE(result.ok()) << ended.err;
  EXPECT_EQ(result->Find("target")->Find("kind")->as_string(), "worker");
  const Json& cell = result->Find("cells")->as_array().front();
  EXPECT_GT(cell.Find("server_cores")->as_number(), 0);
  EXPECT_GT(cell.Find("server_rss_mb")->as_number(), 1);
  ASSERT_NE(result->Find("recommendation"), nullptr) << "nothing was answered";
  EXPECT_FALSE(result->Find("recommendation")->Find("cap_set")->as_bool()) << "it is not ours to set";
}

TEST(Stress, AnOpenLoopComesAsItsPatternSaysAlsoFromAFile) {
  const TempFolder folder;
  const RunningWorker worker(std::vector<std::string>{});
  const std::string url = "http://127.0.0.1:" + std::to_string(worker.http_port());
  WriteText(folder.Path("times"), "0\n0.1\n0.1\n0.75\n0.9\n2\n");  // the last is after the end
  for (const std::string pattern : {"constant", "poisson", "burst", "motion", "replay"}) {
    std::vector<std::string> command = {"stress",     url,      "--grid",     "client=1", "--arrivals", pattern,
                                        "--duration", "1s",     "--warmup",   "0s",       "--timeout",  "60s",
                                        "--slo",      "p99=9s", "--no-check", "--json"};
    const std::vector<std::string> more = pattern == "replay"
                                              ? std::vector<std::string>{"--replay", folder.Path("times")}
                                              : std::vector<std::string>{"--open-loop", "20"};
    command.insert(command.end(), more.begin(), more.end());
    const Ended ended = RunProgram(command);
    const auto result = Json::Parse(ended.out);
    ASSERT_TRUE(result.ok()) << ended.err;
    ASSERT_EQ(result->Find("cells")->as_array().size(), 2U);
    const Json& cell = result->Find("cells")->as_array().back();
    EXPECT_EQ(cell.Find("role")->as_string(), "open");
    EXPECT_EQ(cell.Find("arrivals")->as_string(), pattern);
    int64_t ended_so = cell.Find("latency")->Find("count")->as_integer();
    for (const char* how : {"gated", "refused", "failed", "unseen"}) {
      for (const auto& [reason, count] : cell.Find(how)->as_object()) ended_so += count.as_integer();
    }
    EXPECT_EQ(ended_so, cell.Find("offered")->as_integer()) << cell.Dump();
    if (pattern == "replay") {
      EXPECT_EQ(cell.Find("offered")->as_integer(), 5);
      EXPECT_DOUBLE_EQ(cell.Find("rate_per_s")->as_number(), 5);
    }
    if (pattern == "constant") {
      EXPECT_EQ(cell.Find("offered")->as_integer(), 20);
    }
  }
}

TEST(Stress, WhatIsNotThereIsUnreachableAndWrongFlagsAreUsage) {
  EXPECT_EQ(RunProgram({"stress", "http://127.0.0.1:1", "--grid", "client=1"}).code, 4);
  EXPECT_EQ(RunProgram({"stress", "--grid", "clients=1"}).code, 2);
  EXPECT_EQ(RunProgram({"stress", "--slo", "p99=fast"}).code, 2);
  EXPECT_EQ(RunProgram({"stress", "--arrivals", "replay"}).code, 2);
}

}  // namespace
}  // namespace pawsight::integration
