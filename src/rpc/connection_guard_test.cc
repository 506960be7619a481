#include "rpc/connection_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "base/allocator_testing.h"
#include "net/testing.h"

namespace pawsight::rpc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

GuardedConnection Sent(uint64_t received, uint64_t accounted) {
  return {.peer = "127.0.0.1:1", .socket = 1, .received = received, .accounted = accounted};
}

TEST(ConnectionGuard, ThoseAreCutThatHaveSentTheMostThatEndedInNothing) {
  const uint64_t mb = 1U << 20U;
  const std::vector<GuardedConnection> connections = {Sent(900 * mb, 910 * mb), Sent(3 * mb, 0), Sent(5 * mb, 1 * mb),
                                                      Sent(50 * mb, 49 * mb)};
  EXPECT_THAT(ConnectionsToCut(connections), ElementsAre(1, 2)) << "half of the worst, or more";
}

TEST(ConnectionGuard, ManySmallOnesAreAllCut) {
  const std::vector<GuardedConnection> connections(200, Sent(kLeastUnaccounted, 0));
  EXPECT_EQ(ConnectionsToCut(connections).size(), 200U);
}

TEST(ConnectionGuard, WhoHasLittleUnderWayIsNotCut) {
  EXPECT_THAT(ConnectionsToCut({}), IsEmpty());
  const std::vector<GuardedConnection> good = {Sent(100, 0), Sent(kLeastUnaccounted - 1, 0),
                                               Sent(1U << 30U, 2U << 30U)};
  EXPECT_THAT(ConnectionsToCut(good), IsEmpty());
}

TEST(SharedFloor, TogetherThoseBelowItHoldNoMoreThanTheLimit) {
  const size_t limit = 1U << 30U;
  for (const size_t connections : {1U, 100U, 150U, 1000U, 9000U}) {
    EXPECT_LE(SharedFloor(limit, connections), kLeastUnaccounted);
    EXPECT_LE(SharedFloor(limit, connections) * kHeldForOne * connections, limit) << connections;
  }
  EXPECT_EQ(SharedFloor(limit, 0), kLeastUnaccounted);
  EXPECT_EQ(SharedFloor(limit, 1'000'000), kLeastShared) << "who has sent next to nothing stays";
}

TEST(SteadyWatch, OfManyWhoEachSendALittleThoseAreCutWhoseCallsNeverEnd) {
  const size_t limit = 1U << 30U;
  std::vector<GuardedConnection> all(160, Sent(62'000, 0));
  for (size_t i = 0; i < all.size(); ++i) all[i].peer = "127.0.0.1:" + std::to_string(i);
  SteadyWatch watch;
  for (int look = 0; look < SteadyWatch::kLooks; ++look) {
    all[3].accounted = look == 4 ? 62'000 : 0;  // between two calls
    all[5].accounted = 20'000;                  // less than the floor, all the time
    EXPECT_EQ(watch.looking(), look > 0);
    const std::vector<size_t> chosen = watch.Look(all, limit);
    if (look + 1 < SteadyWatch::kLooks) {
      EXPECT_THAT(chosen, IsEmpty());
      continue;
    }
    EXPECT_EQ(chosen.size(), 158U);
    EXPECT_THAT(chosen, ::testing::Not(::testing::Contains(::testing::AnyOf(3, 5))));
  }
  EXPECT_FALSE(watch.looking()) << "it begins anew";
}

TEST(SteadyWatch, WhoCameLaterIsNotCutForWhatOthersDid) {
  SteadyWatch watch;
  std::vector<GuardedConnection> all(1, Sent(60'000, 0));
  std::vector<size_t> chosen;
  for (int look = 0; look < SteadyWatch::kLooks; ++look) {
    if (look == 1) all.push_back({.peer = "127.0.0.1:2", .socket = 1, .received = 60'000, .accounted = 0});
    chosen = watch.Look(all, 1U << 20U);
  }
  EXPECT_THAT(chosen, ElementsAre(0));
}

TEST(CutPolicy, WhoSendsMuchDoesNotHideManyWhoSendALittle) {
  const size_t limit = 1U << 30U;
  std::vector<GuardedConnection> all(161, Sent(62'000, 0));
  for (size_t i = 0; i < all.size(); ++i) all[i].peer = "127.0.0.1:" + std::to_string(i);
  CutPolicy policy;
  std::chrono::nanoseconds now{0};
  size_t num_decoy = 0;
  size_t num_others = 0;
  for (int look = 0; look < 20; ++look, now += ConnectionGuard::kLook) {
    all[0].received = (1U << 20U) * static_cast<uint64_t>(1 + look);  // comes back as often as it is cut
    for (const size_t chosen : policy.Look(all, limit, now)) ++(chosen == 0 ? num_decoy : num_others);
    EXPECT_FALSE(policy.none_to_cut());
  }
  EXPECT_GE(num_decoy, 2U) << "once a second at least";
  EXPECT_EQ(num_others, 2 * 160U) << "after each ten looks";
}

TEST(CutPolicy, SaysWhenNobodyHasSentWhatIsHeld) {
  const std::vector<GuardedConnection> good(2, Sent(500, 0));
  CutPolicy policy;
  for (int look = 1; look < SteadyWatch::kLooks; ++look) {
    EXPECT_THAT(policy.Look(good, 1U << 30U, std::chrono::seconds(1)), IsEmpty());
    EXPECT_FALSE(policy.none_to_cut()) << "not before all looks are made";
  }
  EXPECT_THAT(policy.Look(good, 1U << 30U, std::chrono::seconds(1)), IsEmpty());
  EXPECT_TRUE(policy.none_to_cut());
}

TEST(ConnectionGuard, CallsThatEndAccountForWhatTheySentAndHardlyMore) {
  // A small call's headers and frames are 60 bytes from the second one on; a large one's frames 9 in 16384.
  EXPECT_EQ(AccountFor(0), 60U);
  EXPECT_GT(AccountFor(32U << 20U), (32U << 20U) + 4096 * 31U) << "frames and TLS's records";
  const uint64_t a_call = 5 + 60;
  const GuardedConnection flood_behind_small_calls = Sent(100'000 * a_call + (10U << 20U), 100'000 * AccountFor(5));
  EXPECT_GE(Unaccounted(flood_behind_small_calls), 10U << 20U);
}

/// A listener whose clients are taken one by one.
class Accepted {
 public:
  Accepted() = default;
  ~Accepted() {
    for (const int socket : sockets_) close(socket);
  }
  Accepted(const Accepted&) = delete;
  Accepted& operator=(const Accepted&) = delete;
  int port() const { return listener_.port(); }
  int Take() {
    sockets_.push_back(listener_.Accept());
    return sockets_.back();
  }

 private:
  net::testing::Listener listener_;
  std::vector<int> sockets_;
};

TEST(ConnectionGuard, BeyondItsLimitTheProcessIsRidOfTheWorstConnectionAndTheOthersStay) {
  if (kOtherAllocator) GTEST_SKIP() << "the guard knows nothing of it";
  const SystemClock clock;
  Accepted server;
  ConnectionGuard guard(32U << 20U, clock);
  net::testing::RawClient bad(server.port());
  const int to_bad = server.Take();
  net::testing::RawClient good(server.port());
  const int to_good = server.Take();
  std::vector<char> taken(100'000);
  for (int n = 0; n < 4; ++n) {  // as much as a buffer of the system takes for sure
    bad.Send(std::string(taken.size(), 'x'));
    ASSERT_EQ(recv(to_bad, taken.data(), taken.size(), MSG_WAITALL), static_cast<ssize_t>(taken.size()));
  }
  good.Send("x");
  const std::vector<char> held(256U << 20U, 1);
  guard.Start(server.port());
  EXPECT_EQ(bad.ReadAll(), "") << "reset";
  EXPECT_EQ(guard.num_cut(), 1U);
  ASSERT_EQ(send(to_good, "y", 1, MSG_NOSIGNAL), 1);
  EXPECT_EQ(good.ReadBytes(1), "y");
  EXPECT_EQ(held.back(), 1);
}

}  // namespace
}  // namespace pawsight::rpc
