#include "net/child_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

namespace pawsight::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string ReadAll(ChildProcess& child) {
  std::string all;
  std::vector<uint8_t> chunk(1000);
  while (true) {
    const Result<size_t> got = child.Read(chunk, seconds(20), {});
    if (!got.ok() || *got == 0) return all;
    all.append(chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(*got));
  }
}

TEST(ChildProcessTest, ItsOutputAndItsLastErrorAreRead) {
  auto child =
      ChildProcess::Start({"sh", "-c", "echo one; echo first >&2; printf 'last\\tline\\n' >&2; echo two; exit 7"})
          .value();
  EXPECT_EQ(ReadAll(*child), "one\ntwo\n");
  EXPECT_EQ(child->Wait(), 7);
  EXPECT_EQ(child->LastError(), "last line");
  EXPECT_EQ(child->ErrorTail(), "first\nlast\tline\n");
}

TEST(ChildProcessTest, AFloodOfErrorsNeitherBlocksItNorIsKept) {
  auto child = ChildProcess::Start(
                   {"sh", "-c", "i=0; while [ $i -lt 20000 ]; do echo error $i >&2; i=$((i+1)); done; echo done"})
                   .value();
  EXPECT_EQ(ReadAll(*child), "done\n");
  EXPECT_EQ(child->LastError(), "error 19999");
}

TEST(ChildProcessTest, AMissingProgramIsNotFound) {
  const Status status = ChildProcess::Start({"no-such-program-anywhere"}).status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
}

TEST(ChildProcessTest, ASilentChildIsNoticedAndDiesWithItsOwner) {
  auto child = ChildProcess::Start({"sh", "-c", "echo $$; exec sleep 1000"}).value();
  std::vector<uint8_t> chunk(100);
  const size_t got = child->Read(chunk, seconds(20), {}).value();
  const pid_t pid = std::stoi(std::string(chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(got)));
  EXPECT_EQ(child->Read(chunk, milliseconds(50), {}).status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(kill(pid, 0), 0);
  child.reset();
  EXPECT_NE(kill(pid, 0), 0);
}

TEST(ChildProcessTest, AStopRequestEndsReading) {
  auto child = ChildProcess::Start({"sleep", "1000"}).value();
  std::stop_source stop;
  stop.request_stop();
  std::vector<uint8_t> chunk(100);
  EXPECT_EQ(child->Read(chunk, seconds(20), stop.get_token()).status().code(), StatusCode::kCancelled);
}

TEST(ChildProcessTest, ItGetsNoDescriptorOfOurs) {
  int fds[2];
  ASSERT_EQ(pipe(fds), 0);  // without close-on-exec, as libraries leave them
  auto child = ChildProcess::Start({"sh", "-c", "ls /proc/self/fd | wc -l"}).value();
  EXPECT_EQ(std::stoi(ReadAll(*child)), 4) << "input, output, errors, and the listing itself";
  close(fds[0]);
  close(fds[1]);
}

}  // namespace
}  // namespace pawsight::net
