#include "tools/server_view.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace pawsight::tools {
namespace {

TEST(ServerView, ALoadIsSaturatedThatHasNoTimeLeftOrSendsLate) {
  EXPECT_FALSE(ClientSaturated(0.5, 0, 20));
  EXPECT_TRUE(ClientSaturated(0.9, 0, 20)) << "its one thread has hardly any time left";
  EXPECT_FALSE(ClientSaturated(0.5, 4, 2)) << "late by a few milliseconds is any machine";
  EXPECT_FALSE(ClientSaturated(0.5, 24, 100));
  EXPECT_TRUE(ClientSaturated(0.5, 26, 100)) << "late by more than a quarter of the latency";
}

constexpr const char* kStats = R"({"model_stats":[{"inference_stats":{"queue":{"count":10,"ns":50000000},
    "compute_input":{"count":10,"ns":10000000},"compute_infer":{"count":10,"ns":200000000},
    "compute_output":{"count":10,"ns":0}}}]})";

TEST(ServerView, TheTimesOfAFrameAreMeansOfWhatWasBetween) {
  const auto after = ParseModelTimes(kStats);
  ASSERT_TRUE(after.ok()) << after.status().message();
  const auto times = TimesBetween({}, *after);
  ASSERT_TRUE(times.has_value());
  EXPECT_DOUBLE_EQ(times->queue_ms, 5);
  EXPECT_DOUBLE_EQ(times->compute_ms, 21) << "its three parts together";
  EXPECT_FALSE(TimesBetween(*after, *after).has_value()) << "none were between";
  EXPECT_FALSE(TimesBetween(*after, {}).has_value()) << "the server was started anew";
  EXPECT_FALSE(ParseModelTimes("{}").ok());
  EXPECT_FALSE(ParseModelTimes(R"({"model_stats":[]})").ok());
}

TEST(ServerView, OfThisProcessAndThisMachineTheSystemTells) {
  const double before = ProcessCpuSeconds(0);
  volatile uint64_t work = 0;
  while (ProcessCpuSeconds(0) < before + 0.02) work = work + 1;
  EXPECT_NEAR(ProcessCpuSeconds(getpid()), ProcessCpuSeconds(0), 1) << "the other way to ask";
  EXPECT_EQ(ProcessCpuSeconds(1 << 30), 0) << "nobody";
  const MachineTime machine = ReadMachineTime();
  EXPECT_GT(machine.all, 0);
  EXPECT_LE(machine.busy, machine.all);
  EXPECT_FALSE(ProcessorName().empty());
}

}  // namespace
}  // namespace pawsight::tools
