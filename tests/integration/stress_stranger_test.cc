// `pawsight stress` in the hands of somebody who does not know it, or in bad luck: each error names what is wrong and
// what to do, and what was measured by then is kept.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "program.h"
#include "running_worker.h"

namespace pawsight::integration {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// What was measured is told; what it comes to, and whether a frame was answered in time, is the machine's speed.
auto TellsTheAdvice() {
  return AnyOf(HasSubstr("advice, one instance"), HasSubstr("the nearest, one instance"),
               HasSubstr("there is no advice"));
}

std::string UrlOf(const RunningWorker& worker) { return "http://127.0.0.1:" + std::to_string(worker.http_port()); }

void AwaitTrue(const std::function<bool()>& happened) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::minutes(4);
  while (!happened()) {
    ASSERT_LT(std::chrono::steady_clock::now(), limit) << "it never happened";
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

/// The cells that a run has kept in `out` so far.
int64_t CellsIn(const std::string& out) {
  const auto text = ReadTextFile(out + "/cells.jsonl", 1U << 24U);
  return text.ok() ? std::ranges::count(*text, '\n') - 1 : -1;
}

/// Of `target`, so many cells that it is still measuring whenever a test has looked.
std::vector<std::string> LongRun(const std::string& target, const std::string& out) {
  std::string clients = "client=1";
  for (int n = 2; n <= 64; ++n) clients += "," + std::to_string(n);
  return {"stress", target,      "--grid", "server=1 " + clients, "--duration", "1s", "--warmup", "0s", "--slo",
          "p99=9s", "--timeout", "60s",    "--no-check",          "--out",      out};
}

void ExpectKept(const Ended& ended, const std::string& out) {
  EXPECT_THAT(ended.err, HasSubstr("the same command goes on"));
  EXPECT_THAT(ended.out, TellsTheAdvice()) << ended.err;
  const auto result = Json::Parse(ReadTextFile(out + "/result.json", 1U << 24U).value());
  ASSERT_TRUE(result.ok());
  EXPECT_FALSE(result->Find("complete")->as_bool());
  EXPECT_EQ(static_cast<int64_t>(result->Find("cells")->as_array().size()), CellsIn(out));
  for (const Json& cell : result->Find("cells")->as_array()) {
    for (const auto& [reason, count] : cell.Find("failed")->as_object()) {
      EXPECT_THAT(reason, Not(HasSubstr("connect"))) << "a cell of a server that has gone is none";
    }
  }
  EXPECT_THAT(ReadTextFile(out + "/report.html", 1U << 24U).value(), HasSubstr("Stopped before its end"));
}

TEST(StressStranger, TheHelpIsThere) {
  const Ended help = RunProgram({"stress", "--help"});
  EXPECT_EQ(help.code, 0);
  for (const char* word : {"Examples:", "--grid", "--open-loop", "--slo", "Exit codes:", "docs/capacity.md"}) {
    EXPECT_THAT(help.out, HasSubstr(word));
  }
}

TEST(StressStranger, ANumberThatCannotBeIsNamedWithWhatIsWanted) {
  const TempFolder folder;
  WriteText(folder.Path("empty"), "");
  WriteText(folder.Path("late"), "7200\n");
  WriteText(folder.Path("words"), "soon\n");
  WriteText(folder.Path("list.yaml"), "- a\n- b\n");
  const struct {
    std::vector<std::string> flags;
    std::string want;
  } kWrong[] = {
      {{"--grid", "server=0"}, "--grid: server: want 1..256"},
      {{"--grid", "client=-1"}, "--grid: client: want 1..4096"},
      {{"--grid", "client=100000000000000000000"}, "--grid: client"},
      {{"--grid", "client="}, "--grid: client: want 1 to 64 numbers"},
      {{"--grid", "client=1,,2"}, "--grid: client"},
      {{"--grid", "clients=1"}, "--grid: want server=1,2 client=1,2,4"},
      {{"--slo", "p99=0"}, "--slo: want a time above 0"},
      {{"--slo", "p99=-3ms"}, "--slo"},
      {{"--slo", "p98=3ms"}, "--slo: want p50="},
      {{"--duration", "0"}, "--duration: want 100ms to 1h"},
      {{"--duration", "-5s"}, "--duration"},
      {{"--duration", "99h"}, "--duration: want"},
      {{"--duration", "10"}, "--duration: want a time with its unit"},
      {{"--warmup", "2h"}, "--warmup: want 0 to 1h"},
      {{"--timeout", "0"}, "--timeout: want 1ms to 1h"},
      {{"--open-loop", "0"}, "--open-loop: want 0.01 to 100000"},
      {{"--open-loop", "-4"}, "--open-loop"},
      {{"--open-loop", "nan"}, "--open-loop"},
      {{"--open-loop", "1e9"}, "--open-loop: want 0.01 to 100000"},
      {{"--open-loop", "100000", "--duration", "10m"}, "want a lower rate or --duration"},
      {{"--arrivals", "often"}, "--arrivals: want constant, poisson, burst, motion or replay"},
      {{"--arrivals", "replay"}, "--replay FILE"},
      {{"--arrivals", "replay", "--replay", folder.Path("late")}, "--replay: no frame is due in the first"},
      {{"--arrivals", "replay", "--replay", folder.Path("words")}, "--replay: line 1"},
      {{"--arrivals", "replay", "--replay", folder.Path("none")}, "--replay: "},
      {{"--questions", folder.Path("empty")}, "--questions: no question"},
      {{"--questions", folder.Path("none")}, "--questions: "},
      {{"--price-per-hour", "0"}, "--price-per-hour: want $"},
      {{"--price-per-hour", "-1"}, "--price-per-hour: want $"},
      {{"--price-per-hour", "nan"}, "--price-per-hour"},
      {{"--price-per-hour", "inf"}, "--price-per-hour: want $"},
      {{"--cameras", "0"}, "--cameras"},
      {{"--cameras", "99999999"}, "--cameras"},
      {{"--server-pid", "0"}, "--server-pid"},
      {{"--server-pid", "1073741823"}, "--server-pid: no such process"},
      {{"--seed", "-1"}, "--seed"},
      {{"--precision", "int4"}, "--precision"},
      {{"--token-file", folder.Path("none")}, "--token-file: "},
      {{"--token-file", folder.Path("empty")}, "--token-file: "},
      {{"--frames", folder.Path("none")}, "--frames: "},
      {{"--apply", folder.Path("none/worker.yaml")}, "--apply: "},
      {{"--apply", folder.Path("list.yaml")}, "--apply: "},
  };
  for (const auto& wrong : kWrong) {
    std::vector<std::string> command = {"stress"};
    command.insert(command.end(), wrong.flags.begin(), wrong.flags.end());
    const Ended ended = RunProgram(command);
    EXPECT_TRUE(ended.code == 2 || ended.code == 3) << ended.code << ": " << wrong.flags[1];
    EXPECT_THAT(ended.err, HasSubstr(wrong.want));
  }
}

TEST(StressStranger, ATargetThatIsNoneIsNamed) {
  const auto error = [](const std::string& target, int code) {
    const Ended ended = RunProgram({"stress", target, "--grid", "server=1 client=1", "--duration", "100ms"});
    EXPECT_EQ(ended.code, code) << target << ": " << ended.err;
    return ended.err;
  };
  EXPECT_THAT(error("http://127.0.0.1:1", 4), HasSubstr("http://127.0.0.1:1: cannot connect"));
  EXPECT_THAT(error("grpc://127.0.0.1:1", 4), HasSubstr("grpc://127.0.0.1:1"));
  EXPECT_THAT(error("ftp://127.0.0.1", 2), HasSubstr("ftp://127.0.0.1"));
  EXPECT_THAT(error("no-such-model", 3), HasSubstr("no-such-model: neither an address nor a model directory"));
  const RunningWorker worker(std::vector<std::string>{});
  EXPECT_THAT(error("http://127.0.0.1:" + std::to_string(worker.metrics_port()), 3),
              HasSubstr("neither an inference server"));
}

TEST(StressStranger, AModelThatIsBrokenIsNamedAsTheWorkerNamesIt) {
  const TempFolder folder;
  std::filesystem::create_directory(folder.Path("model"));
  WriteText(folder.Path("model/config.json"), "{");
  const Ended ended =
      RunProgram({"stress", folder.Path("model"), "--grid", "server=1 client=1", "--duration", "100ms"});
  EXPECT_EQ(ended.code, 3);
  EXPECT_THAT(ended.err, HasSubstr("config.json"));
}

TEST(StressStranger, ATokenThatIsMissingOrWrongIsSaidBeforeAnythingIsMeasured) {
  const TempFolder folder;
  WriteText(folder.Path("token"), "s3cret");
  WriteText(folder.Path("wrong"), "another");
  const RunningWorker worker({"--token-file", folder.Path("token")});
  std::vector<std::string> command = {"stress",     UrlOf(worker), "--grid", "client=1",
                                      "--duration", "100ms",       "--slo",  "p99=9s"};
  const Ended untold = RunProgram(command);
  EXPECT_EQ(untold.code, 3);
  EXPECT_THAT(untold.err, HasSubstr("--token-file"));
  EXPECT_EQ(untold.out, "") << "no table";
  command.insert(command.end(), {"--token-file", folder.Path("wrong")});
  EXPECT_THAT(RunProgram(command).err, HasSubstr("--token-file"));
  command.back() = folder.Path("token");
  const Ended taken = RunProgram(command);
  EXPECT_THAT(taken.err, Not(HasSubstr("--token-file")));
  EXPECT_THAT(taken.out, TellsTheAdvice()) << taken.err;
}

TEST(StressStranger, AnOutThatIsAFileAndOneThatAnotherRunWritesToAreRefused) {
  const TempFolder folder;
  WriteText(folder.Path("file"), "mine");
  const RunningWorker worker(std::vector<std::string>{});
  const Ended file = RunProgram(LongRun(UrlOf(worker), folder.Path("file")));
  EXPECT_EQ(file.code, 2);
  EXPECT_THAT(file.err, HasSubstr("file: is a file; name a folder"));
  EXPECT_EQ(ReadTextFile(folder.Path("file"), 100).value(), "mine");

  RunningProgram first(LongRun(UrlOf(worker), folder.Path("out")));
  AwaitTrue([&] { return CellsIn(folder.Path("out")) >= 0; });
  const Ended second = RunProgram(LongRun(UrlOf(worker), folder.Path("out")));
  EXPECT_EQ(second.code, 3);
  EXPECT_THAT(second.err, HasSubstr("a run that has not ended writes there"));
  first.Signal(SIGINT);
  EXPECT_EQ(first.Wait().code, 130);
}

TEST(StressStranger, AServerThatGoesAwayEndsTheRunAndWhatWasMeasuredIsKept) {
  const TempFolder folder;
  RunningWorker worker(std::vector<std::string>{});
  RunningProgram stress(LongRun(UrlOf(worker), folder.Path("out")));
  AwaitTrue([&] { return CellsIn(folder.Path("out")) >= 1; });
  worker.program().Signal(SIGKILL);
  const Ended ended = stress.Wait();
  EXPECT_EQ(ended.code, 4) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("does not answer any more"));
  ExpectKept(ended, folder.Path("out"));
}

/// The worker that a run has started, once there is one; 0 before.
int WorkerOf(int pid) {
  const std::string id = std::to_string(pid);
  std::ifstream children("/proc/" + id + "/task/" + id + "/children");
  for (int child = 0; children >> child;) {
    std::string name;
    std::ifstream("/proc/" + std::to_string(child) + "/comm") >> name;
    if (name == "pawsight") return child;  // and not the guard beside it
  }
  return 0;
}

/// Whether there is such a process that has not ended; of one that nobody has asked about since it ended, no.
bool Lives(int pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string id, name, state;
  return static_cast<bool>(stat >> id >> name >> state) && state != "Z" && state != "X";
}

TEST(StressStranger, ARunThatIsKilledLeavesNoWorker) {
  const TempFolder folder;
  RunningProgram stress(LongRun("pawsight-mini", folder.Path("out")));
  AwaitTrue([&] { return CellsIn(folder.Path("out")) >= 1; });
  const int worker = WorkerOf(stress.pid());
  ASSERT_GT(worker, 0);
  stress.Signal(SIGKILL);
  EXPECT_EQ(stress.Wait().code, 128 + SIGKILL);
  AwaitTrue([&] { return !Lives(worker); });
}

TEST(StressStranger, AWorkerOfItsOwnThatDiesEndsTheRunAtOnceAndTheNextGoesOn) {
  const TempFolder folder;
  RunningProgram stress(LongRun("pawsight-mini", folder.Path("out")));
  AwaitTrue([&] { return CellsIn(folder.Path("out")) >= 1; });
  const int worker = WorkerOf(stress.pid());
  ASSERT_GT(worker, 0);
  kill(worker, SIGKILL);
  const Ended ended = stress.Wait();
  EXPECT_EQ(ended.code, 4) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("the worker that was started has ended"));
  ExpectKept(ended, folder.Path("out"));

  const std::string measured = std::to_string(CellsIn(folder.Path("out")));
  const Ended again = RunProgram(LongRun("pawsight-mini", folder.Path("out")), "cells of this plan");
  EXPECT_EQ(again.code, 130) << again.err;
  EXPECT_THAT(again.err, HasSubstr("going on; " + measured + " cells of this plan are measured already"));
  const auto result = Json::Parse(ReadTextFile(folder.Path("out/result.json"), 1U << 24U).value());
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(static_cast<int64_t>(result->Find("cells")->as_array().size()), CellsIn(folder.Path("out")))
      << "whenever it is stopped, what is kept is in the report";
}

TEST(StressStranger, WhatCannotBeWrittenIsToldAllTheSame) {
  const TempFolder folder;
  const RunningWorker worker(std::vector<std::string>{});
  RunningProgram stress(LongRun(UrlOf(worker), folder.Path("out")));
  AwaitTrue([&] { return CellsIn(folder.Path("out")) >= 1; });
  AwaitTrue([&] {  // a disk that is gone; a file may come while it goes
    std::error_code error;
    std::filesystem::remove_all(folder.Path("out"), error);
    return !std::filesystem::exists(folder.Path("out"), error);
  });
  const Ended ended = stress.Wait();
  EXPECT_EQ(ended.code, 3) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("--out: "));
  EXPECT_THAT(ended.out, TellsTheAdvice());
}

}  // namespace
}  // namespace pawsight::integration
