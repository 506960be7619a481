// A process is killed at any moment, a disk becomes full: what was acknowledged is there, nothing is half there.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <iostream>
#include <thread>

#include "base/rng.h"
#include "events/testing.h"

namespace pawsight::events {
namespace {

using ::testing::SizeIs;

/// Writes numbered alerts from `next` on, hundreds on their way at a time, until killed. Each acknowledged number goes
/// into `fd`. Runs in a child.
[[noreturn]] void WriteUntilKilled(const std::string& path, const Home& home, int64_t next, int fd) {
  Result<std::unique_ptr<Store>> store = Store::Open(path);
  if (!store.ok()) _exit(1);
  std::atomic<int64_t> on_their_way = 0;
  while (true) {
    while (on_their_way > 300) std::this_thread::yield();
    ++on_their_way;
    const int64_t n = next++;
    (*store)->Submit(NumberedAlert(home, n), [fd, n, &on_their_way](const Result<Receipt>& receipt) {
      if (!receipt.ok() || write(fd, &n, sizeof n) != sizeof n) _exit(1);
      --on_their_way;
    });
  }
}

/// PAWSIGHT_CRASH_RUNS=100 for a soak.
int NumRuns() {
  const char* asked = getenv("PAWSIGHT_CRASH_RUNS");
  return asked == nullptr ? 8 : atoi(asked);
}

class CrashTest : public StoreTest {};

TEST_F(CrashTest, WhatWasAcknowledgedSurvivesKillMinusNineAtAnyMoment) {
  const Home home("mine");
  ASSERT_TRUE(Open()->Write(home.Rows()).ok());
  Rng rng(getenv("PAWSIGHT_CRASH_RUNS") == nullptr ? 1 : static_cast<uint64_t>(getpid()));
  int64_t count = 0;
  int64_t most_unacknowledged = 0;
  for (int run = 0; run < NumRuns(); ++run) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) WriteUntilKilled(path_, home, count + 1, ends[1]);
    close(ends[1]);
    // Some acknowledgements, then some microseconds: anywhere in a group, its commit, a checkpoint, the opening.
    int64_t acknowledged = count;
    const auto next = [&] { return read(ends[0], &acknowledged, sizeof acknowledged) == ssize_t{sizeof acknowledged}; };
    for (int skip = rng.Below(600); skip > 0; --skip) ASSERT_TRUE(next());
    usleep(static_cast<useconds_t>(rng.Below(4000)));
    kill(child, SIGKILL);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
    while (next()) {
    }
    close(ends[0]);
    auto store = Open();
    ASSERT_NE(store, nullptr);
    count = ExpectWhole(*store, home, acknowledged);
    ASSERT_FALSE(HasFailure()) << "run " << run;
    most_unacknowledged = std::max(most_unacknowledged, count - acknowledged);
  }
  std::cout << NumRuns() << " kills, " << count << " alerts, none lost; at most " << most_unacknowledged
            << " were there that nobody had been told of\n";
}

/// A disk of `size`, for as long as this lives.
class SmallDisk {
 public:
  SmallDisk(std::string where, const char* size) : where_(std::move(where)) {
    std::filesystem::create_directory(where_);
    mounted_ = mount("tmpfs", where_.c_str(), "tmpfs", 0, (std::string("size=") + size).c_str()) == 0;
  }
  ~SmallDisk() {
    if (mounted_) umount2(where_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  std::string Reason() const { return std::string("cannot mount a small disk here: ") + strerror(errno); }

 private:
  std::string where_;
  bool mounted_ = false;
};

TEST_F(CrashTest, AFullDiskRefusesKeepsWhatItAcknowledgedAndRecoversByItself) {
  const SmallDisk disk(directory_ + "/disk", "4m");
  if (!disk.mounted()) GTEST_SKIP() << disk.Reason() << "; max_bytes stands in for it in store_test";
  path_ = directory_ + "/disk/events.sqlite";
  const std::string ballast = directory_ + "/disk/ballast";
  std::ofstream(ballast) << std::string(2 << 20, 'x');
  const Home home("mine");
  auto store = Open();
  ASSERT_NE(store, nullptr);
  ASSERT_TRUE(store->Write(home.Rows()).ok());
  int64_t acknowledged = 0;
  Status refused;
  while (acknowledged < 100000) {
    refused = store->Write(NumberedAlert(home, acknowledged + 1)).status();
    if (!refused.ok()) break;
    ++acknowledged;
  }
  EXPECT_EQ(refused.code(), StatusCode::kResourceExhausted) << refused.ToString();
  EXPECT_EQ(refused.reason(), "disk_full");
  EXPECT_EQ(store->Stats().writable.reason(), "disk_full");
  EXPECT_GT(acknowledged, 10);
  EXPECT_EQ(ExpectWhole(*store, home, acknowledged), acknowledged) << "readable, and the refused is not there";
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(store->Write(NumberedAlert(home, acknowledged + 1)).ok());

  std::filesystem::remove(ballast);
  for (int i = 0; i < 50; ++i) {
    const Status status = store->Write(NumberedAlert(home, ++acknowledged)).status();
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  EXPECT_TRUE(store->Stats().writable.ok());
  store.reset();
  store = Open();
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(ExpectWhole(*store, home, acknowledged), acknowledged);
}

TEST_F(CrashTest, AProcessMayEndWhileTheDiskIsFull) {
  const SmallDisk disk(directory_ + "/disk", "2m");
  if (!disk.mounted()) GTEST_SKIP() << disk.Reason();
  path_ = directory_ + "/disk/events.sqlite";
  const Home home("mine");
  ASSERT_TRUE(Open()->Write(home.Rows()).ok());
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) WriteUntilKilled(path_, home, 1, ends[1]);  // ends at its first refusal
  close(ends[1]);
  int64_t acknowledged = 0;
  while (read(ends[0], &acknowledged, sizeof acknowledged) == ssize_t{sizeof acknowledged}) {
  }
  close(ends[0]);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_GT(acknowledged, 10);
  auto store = Open();
  ASSERT_NE(store, nullptr) << "a full disk can be opened";
  ExpectWhole(*store, home, acknowledged);
}

}  // namespace
}  // namespace pawsight::events
