#include "net/process_group.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "net/child_process.h"

namespace pawsight::net {
namespace {

constexpr int kLimitMs = 120'000;  // of what comes at once where nothing is wrong

/// A pipe with a name: whoever has it open for writing is seen to live, whosever child it is.
class Fifo {
 public:
  Fifo() : folder_(::testing::TempDir() + "/process_group_XXXXXX") {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    EXPECT_EQ(mkfifo(path().c_str(), 0600), 0);
    reading_ = open(path().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    EXPECT_GE(reading_, 0);
  }
  ~Fifo() {
    close(reading_);
    unlink(path().c_str());
    rmdir(folder_.c_str());
  }
  Fifo(const Fifo&) = delete;
  Fifo& operator=(const Fifo&) = delete;

  std::string path() const { return folder_ + "/fifo"; }
  /// What is written next; "" once all who had it open have ended; "nothing" when neither comes.
  std::string Next() const {
    pollfd waited{reading_, POLLIN, 0};
    if (poll(&waited, 1, kLimitMs) != 1) return "nothing";
    char bytes[100];
    const ssize_t count = read(reading_, bytes, sizeof bytes);
    return {bytes, bytes + (count > 0 ? count : 0)};
  }

 private:
  std::string folder_;
  int reading_ = -1;
};

/// Holds the fifo open, as does a child of its own; says so, and goes on as the shell says in `end`.
std::vector<std::string> Holding(const Fifo& fifo, const std::string& end) {
  return {"sh", "-c", "exec 3>" + fifo.path() + "; sleep 1000 >/dev/null 2>&1 & echo up >&3; " + end};
}

TEST(ProcessGroup, WhatAKilledProcessHadStartedEndsWithIt) {
  const Fifo fifo;
  int ours[2];
  ASSERT_EQ(pipe2(ours, O_CLOEXEC), 0);
  const pid_t parent = fork();
  ASSERT_GE(parent, 0);
  if (parent == 0) {
    close(ours[1]);
    const auto child = ChildProcess::Start(Holding(fifo, "exec sleep 1000"));
    char unused = 0;
    (void)read(ours[0], &unused, 1);  // until it is killed, or the test is
    _exit(child.ok() ? 0 : 1);
  }
  close(ours[0]);
  EXPECT_EQ(fifo.Next(), "up\n");
  kill(parent, SIGKILL);
  int status = 0;
  ASSERT_EQ(waitpid(parent, &status, 0), parent);
  ASSERT_TRUE(WIFSIGNALED(status)) << "no destructor has run";
  EXPECT_EQ(fifo.Next(), "") << "the child and its own child have ended";
  close(ours[1]);
}

TEST(ProcessGroup, WhatAChildHasLeftBehindEndsWithItsObject) {
  const Fifo fifo;
  auto child = ChildProcess::Start(Holding(fifo, "exit 3")).value();
  EXPECT_EQ(fifo.Next(), "up\n");
  EXPECT_EQ(child->Wait(), 3);
  child.reset();
  EXPECT_EQ(fifo.Next(), "");
}

TEST(ProcessGroup, AChildOutlivesTheThreadThatStartedIt) {
  const Fifo fifo;
  std::unique_ptr<ChildProcess> child;
  std::thread starter([&] {
    child = ChildProcess::Start({"sh", "-c", "read -r line < " + fifo.path() + "; echo $line"}).value();
  });
  starter.join();
  const int writing = open(fifo.path().c_str(), O_WRONLY | O_CLOEXEC);  // the child or we read
  ASSERT_GE(writing, 0);
  std::vector<uint8_t> heard(100);
  // We have the fifo open for reading as well but do not read, so the line is the child's.
  ASSERT_EQ(write(writing, "hello\n", 6), 6);
  const Result<size_t> got = child->Read(heard, std::chrono::milliseconds(kLimitMs), {});
  close(writing);
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(std::string(heard.begin(), heard.begin() + static_cast<std::ptrdiff_t>(*got)), "hello\n");
}

TEST(ProcessGroup, OneThatWasMovedKillsNothing) {
  const Fifo fifo;
  auto started = ProcessGroup::Start();
  ASSERT_TRUE(started.ok());
  const pid_t id = started->id();
  {
    ProcessGroup moved = std::move(*started);
    EXPECT_EQ(moved.id(), id);
    EXPECT_EQ(started->id(), 0);  // NOLINT(bugprone-use-after-move): what a moved one says
    EXPECT_EQ(kill(-id, 0), 0);
  }
  EXPECT_NE(kill(-id, 0), 0);
}

}  // namespace
}  // namespace pawsight::net
