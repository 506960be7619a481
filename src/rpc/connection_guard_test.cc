#include "rpc/connection_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
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
  std::vector<GuardedConnection> all(1000, Sent(60'000, 0));
  for (size_t i = 0; i < all.size(); ++i) all[i].peer = "127.0.0.1:" + std::to_string(i);
  SteadyWatch watch;
  for (int look = 0; look < SteadyWatch::kLooks; ++look) {
    all[3].accounted = look == 4 ? 60'000 : 0;  // between two calls
    all[5].accounted = 55'000;                  // less than the floor, all the time
    EXPECT_EQ(watch.looking(), look > 0);
    const std::vector<size_t> chosen = watch.Look(all, limit);
    if (look + 1 < SteadyWatch::kLooks) {
      EXPECT_THAT(chosen, IsEmpty());
      continue;
    }
    EXPECT_EQ(chosen.size(), 998U);
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

// A new decoy every second, as the last one is cut, which alone would be chosen each time.
TEST(ConnectionsToCutNow, OneThatSendsMuchDoesNotHideTheManyThatSendALittle) {
  const size_t limit = 64U << 20U;
  std::vector<GuardedConnection> all(300, Sent(20'000, 0));
  for (size_t i = 0; i < all.size(); ++i) all[i].peer = "127.0.0.1:" + std::to_string(i);
  SteadyWatch watch;
  for (int look = 0; look < SteadyWatch::kLooks; ++look) {
    all.push_back({.peer = "127.0.0.2:" + std::to_string(look), .socket = 1, .received = 50U << 20U, .accounted = 0});
    const std::vector<size_t> chosen =
        ConnectionsToCutNow(all, look == 0 || look + 1 == SteadyWatch::kLooks, watch, limit);
    all.pop_back();
    if (look == 0) {
      EXPECT_THAT(chosen, ElementsAre(300)) << "the decoy";
    } else if (look + 1 < SteadyWatch::kLooks) {
      EXPECT_THAT(chosen, IsEmpty());
    } else {
      EXPECT_EQ(chosen.size(), 301U) << "all of them";
    }
  }
}

TEST(ConnectionsToCutNow, WhoIsTheWorstAndSteadyIsChosenOnce) {
  SteadyWatch watch;
  const std::vector<GuardedConnection> all(1, Sent(50U << 20U, 0));
  for (int look = 0; look < SteadyWatch::kLooks; ++look) {
    EXPECT_THAT(ConnectionsToCutNow(all, true, watch, 1U << 20U), ElementsAre(0));
  }
}

TEST(ConnectionGuard, CallsThatEndAccountForMoreThanTheySent) {
  // A small call's headers and frames are some 200 bytes, 60 from the second one on; a large one's frames 9 in 16384.
  EXPECT_GT(AccountFor(0), 300U);
  EXPECT_GT(AccountFor(30'000), 30'000 + 300 + 9 * 2U);
  EXPECT_GT(AccountFor(32U << 20U), (32U << 20U) + 2048 * 9U);
}

/// A listener whose clients are taken one by one.
class Accepted {
 public:
  Accepted() : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0 && listen(listener_, 8) == 0);
    CHECK(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
  }
  ~Accepted() {
    for (const int socket : sockets_) close(socket);
    close(listener_);
  }
  Accepted(const Accepted&) = delete;
  Accepted& operator=(const Accepted&) = delete;
  int port() const { return port_; }
  int Take() {
    sockets_.push_back(accept(listener_, nullptr, nullptr));
    return sockets_.back();
  }

 private:
  const int listener_;
  int port_ = 0;
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
  guard.Start(server.port());
  const std::vector<char> held(256U << 20U, 1);
  EXPECT_EQ(bad.ReadAll(), "") << "reset";
  EXPECT_EQ(guard.num_cut(), 1U);
  ASSERT_EQ(send(to_good, "y", 1, MSG_NOSIGNAL), 1);
  EXPECT_EQ(good.ReadBytes(1), "y");
  EXPECT_EQ(held.back(), 1);
}

}  // namespace
}  // namespace pawsight::rpc
