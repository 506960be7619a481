#include "tools/server_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "base/files.h"

namespace pawsight::tools {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

std::vector<std::string> Shell(const std::string& script) { return {"sh", "-c", script}; }

TEST(ServerProcess, TheLineOfItsStartIsFoundAmongAllThatItSaid) {
  const std::string said = "info packed in 3 s\ninfo worker_started listens=\"http://a:1 grpc://b:2\"\ninfo more\nhalf";
  EXPECT_EQ(LineOf(said, " worker_started "), "info worker_started listens=\"http://a:1 grpc://b:2\"");
  EXPECT_EQ(LineOf(said, "packed"), "info packed in 3 s");
  EXPECT_EQ(LineOf(said, "half"), "") << "its end has not come";
  EXPECT_EQ(LineOf(said, "gateway_started"), "");
  EXPECT_EQ(WordAfter("listens=\"http://a:1 grpc://b:2\"", "http://"), "a:1");
  EXPECT_EQ(WordAfter("listens=\"http://a:1 grpc://b:2\"", "grpc://"), "b:2");
  EXPECT_EQ(WordAfter("listens=http://a:1", "http://"), "a:1");
  EXPECT_EQ(WordAfter("listens=http://a:1", "grpc://"), "");
}

TEST(ServerProcess, ItHasStartedOnceItSaysSoHoweverMuchItSaysAroundThat) {
  auto server =
      ServerProcess::Start(Shell("echo before >&2; echo server_started at=x >&2; echo behind >&2; exec sleep 600"),
                           "server_started", seconds(600), {});
  ASSERT_TRUE(server.ok()) << server.status().ToString();
  EXPECT_EQ((*server)->start_line(), "server_started at=x");
  const int pid = (*server)->pid();
  EXPECT_EQ(kill(pid, 0), 0);
  server->reset();
  EXPECT_EQ(kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH) << "it goes with its object";
}

TEST(ServerProcess, WhatItSaysLaterIsReadSoThatItNeverWaits) {
  const std::string go = ::testing::TempDir() + "/server_process_test." + std::to_string(getpid());
  auto server = ServerProcess::Start(Shell("echo started >&2; until [ -e " + go +
                                           " ]; do sleep 0.01; done; i=0; while [ $i -lt 20000 ]; do echo line $i >&2; "
                                           "i=$((i+1)); done; exec sleep 600"),
                                     "started", seconds(600), {});
  ASSERT_TRUE(server.ok());
  ASSERT_TRUE(WriteFileAtomically(go, "go").ok());
  while ((*server)->LastWords() != "line 19999") {  // a pipe holds a fraction of it
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  unlink(go.c_str());
}

TEST(ServerProcess, OneThatEndsOrDoesNotBeginSaysItsLastWords) {
  const auto ended = ServerProcess::Start(Shell("echo no such model >&2; exit 3"), "started", seconds(600), {});
  EXPECT_EQ(ended.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(ended.status().message(), HasSubstr("no such model"));
  const auto silent = ServerProcess::Start(Shell("exec sleep 600"), "started", seconds(0), {});
  EXPECT_EQ(silent.status().code(), StatusCode::kDeadlineExceeded);
  std::stop_source stop;
  stop.request_stop();
  const auto stopped = ServerProcess::Start(Shell("exec sleep 600"), "started", seconds(600), stop.get_token());
  EXPECT_EQ(stopped.status().code(), StatusCode::kCancelled);
  EXPECT_EQ(ServerProcess::Start({"no-such-program-here"}, "started", seconds(1), {}).status().code(),
            StatusCode::kNotFound);
}

}  // namespace
}  // namespace pawsight::tools
