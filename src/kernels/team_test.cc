#include "kernels/team.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

namespace pawsight::kernels {
namespace {

std::chrono::nanoseconds ProcessorTime() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

TEST(Team, EveryMemberRunsTheWorkOnceOnItsOwnThread) {
  for (int size : {1, 2, 5}) {
    Team team(size);
    EXPECT_EQ(team.size(), size);
    std::vector<std::thread::id> threads(static_cast<size_t>(size));
    std::vector<int> calls(static_cast<size_t>(size));
    team.Run([&](int member) {
      threads[static_cast<size_t>(member)] = std::this_thread::get_id();
      ++calls[static_cast<size_t>(member)];
    });
    EXPECT_EQ(threads[0], std::this_thread::get_id()) << "the caller is member 0";
    for (int member = 0; member < size; ++member) {
      EXPECT_EQ(calls[static_cast<size_t>(member)], 1);
      for (int other = 0; other < member; ++other) {
        EXPECT_NE(threads[static_cast<size_t>(member)], threads[static_cast<size_t>(other)]);
      }
    }
  }
}

TEST(Team, TenThousandQuickRunsFinishAndTheirWritesAreSeen) {
  Team team(4);
  std::vector<int> counts(4);  // plain integers: only the team orders what members write and the caller reads
  for (int run = 1; run <= 10000; ++run) {
    team.Run([&](int member) { ++counts[static_cast<size_t>(member)]; });
    ASSERT_EQ(counts, std::vector<int>(4, run));
  }
}

TEST(Team, AMemberThatFellAsleepIsWokenByTheNextRun) {
  Team team(3);
  std::atomic<int> calls = 0;
  for (int run = 0; run < 20; ++run) {
    team.Run([&](int) { ++calls; });
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // far beyond the spin; no outcome depends on it
  }
  EXPECT_EQ(calls, 60);
}

TEST(Team, TheCallerWaitsForASlowMember) {
  Team team(2);
  bool done = false;
  team.Run([&](int member) {
    if (member == 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    done = true;
  });
  EXPECT_TRUE(done);
}

TEST(Team, AnIdleTeamUsesNoProcessorTime) {
  Team team(4);
  team.Run([](int) {});
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const std::chrono::nanoseconds before = ProcessorTime();
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_LT(ProcessorTime() - before, std::chrono::milliseconds(20));
}

TEST(Team, ForEachHandsOutEveryItemOnce) {
  for (int size : {1, 2, 3}) {
    Team team(size);
    for (int num_items : {0, 1, 2, 7, 1000}) {
      std::vector<int> calls(static_cast<size_t>(num_items));
      std::atomic<bool> strange_member = false;
      team.ForEach(num_items, [&](int item, int member) {
        ++calls[static_cast<size_t>(item)];
        if (member < 0 || member >= size) strange_member = true;
      });
      EXPECT_EQ(calls, std::vector<int>(static_cast<size_t>(num_items), 1));
      EXPECT_FALSE(strange_member);
    }
  }
}

TEST(Team, ForEachKeepsFreeMembersBusyWhileOneIsSlow) {
  Team team(2);
  std::atomic<int> others = 0;
  // Item 0 returns only when all the others are done: they must go to the member that is free.
  team.ForEach(100, [&](int item, int) {
    if (item != 0) {
      ++others;
      return;
    }
    while (others < 99) std::this_thread::yield();
  });
  EXPECT_EQ(others, 99);
}

TEST(Team, ItsThreadsAreNamed) {
  Team team(2);
  char name[16] = {};
  team.Run([&](int member) {
    if (member == 1) pthread_getname_np(pthread_self(), name, sizeof(name));
  });
  EXPECT_EQ(std::string(name), "team");
}

}  // namespace
}  // namespace pawsight::kernels
