#include "net/broadcast.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace pawsight::net {
namespace {

TEST(BroadcastTest, AMessageIsWrittenAsAServerSentEvent) {
  EXPECT_EQ(FormatServerSentEvent("alert", "{}"), "event: alert\ndata: {}\n\n");
  EXPECT_EQ(FormatServerSentEvent("alert", "a\nb\r\nc"), "event: alert\ndata: a\ndata: b\ndata: c\n\n");
}

TEST(BroadcastTest, EverySubscriberGetsEveryMessageAndIsWokenOnce) {
  Broadcast broadcast;
  int woken = 0;
  const auto a = broadcast.Subscribe([&] { ++woken; }).value();
  const auto b = broadcast.Subscribe([] {}).value();
  broadcast.Publish("x", "1");
  broadcast.Publish("x", "2");
  EXPECT_EQ(woken, 1) << "the buffer was not empty the second time";
  EXPECT_EQ(broadcast.Take(a, 1000), "event: x\ndata: 1\n\nevent: x\ndata: 2\n\n");
  EXPECT_EQ(broadcast.Take(a, 1000), "");
  EXPECT_EQ(broadcast.Take(b, 1), "event: x\ndata: 1\n\n") << "at least one, whole";
  broadcast.Publish("x", "3");
  EXPECT_EQ(woken, 2);
  broadcast.Unsubscribe(a);
  broadcast.Unsubscribe(b);
}

TEST(BroadcastTest, ASubscriberThatDoesNotReadLosesItsOldestMessagesAndIsTold) {
  Broadcast broadcast({.max_subscribers = 2, .max_buffered_bytes = 60});
  const auto id = broadcast.Subscribe([] {}).value();
  for (int n = 0; n < 10; ++n) broadcast.Publish("x", std::to_string(n));  // 18 bytes each: three fit
  EXPECT_EQ(broadcast.Take(id, 1000),
            "event: dropped\ndata: {\"count\":7}\n\nevent: x\ndata: 7\n\nevent: x\ndata: 8\n\nevent: x\ndata: 9\n\n");
  broadcast.Publish("x", std::string(1000, 'y'));
  EXPECT_EQ(broadcast.Take(id, 1000), "event: dropped\ndata: {\"count\":1}\n\n");
  broadcast.Unsubscribe(id);
}

TEST(BroadcastTest, ThereIsALimitOfSubscribers) {
  Broadcast broadcast({.max_subscribers = 1});
  const auto id = broadcast.Subscribe([] {}).value();
  EXPECT_EQ(broadcast.Subscribe([] {}).status().code(), StatusCode::kResourceExhausted);
  broadcast.Unsubscribe(id);
  broadcast.Unsubscribe(broadcast.Subscribe([] {}).value());
}

TEST(BroadcastTest, ASubscriberGetsWhatItsInterestIsAndNothingElse) {
  Broadcast broadcast;
  const auto all = broadcast.Subscribe([] {}).value();
  const auto home = broadcast.Subscribe([] {}, {.topic = "own_a/", .key = ""}).value();
  const auto camera = broadcast.Subscribe([] {}, {.topic = "own_a/cam_1/", .key = ""}).value();
  broadcast.Publish("x", "1", "own_a/cam_1/");
  broadcast.Publish("x", "2", "own_a/cam_2/");
  broadcast.Publish("x", "3", "own_ab/cam_1/");
  EXPECT_EQ(broadcast.Take(all, 1000), "event: x\ndata: 1\n\nevent: x\ndata: 2\n\nevent: x\ndata: 3\n\n");
  EXPECT_EQ(broadcast.Take(home, 1000), "event: x\ndata: 1\n\nevent: x\ndata: 2\n\n");
  EXPECT_EQ(broadcast.Take(camera, 1000), "event: x\ndata: 1\n\n");
  for (const auto id : {all, home, camera}) broadcast.Unsubscribe(id);
}

TEST(BroadcastTest, OneWhoseEndCameBeforeItIsNotLetIn) {
  Broadcast broadcast;
  bool expired = true;
  const auto admit = [&] { return expired ? Status(StatusCode::kUnauthenticated, "expired") : Ok(); };
  EXPECT_EQ(broadcast.Subscribe([] {}, {.topic = "", .key = "crd_1", .admit = admit}).status().code(),
            StatusCode::kUnauthenticated);
  EXPECT_EQ(broadcast.NumSubscribers(), 0U);
  expired = false;
  broadcast.Unsubscribe(broadcast.Subscribe([] {}, {.topic = "", .key = "crd_1", .admit = admit}).value());
}

TEST(BroadcastTest, OneThatIsEndedIsWokenAndGetsNothingMore) {
  Broadcast broadcast;
  int woken = 0;
  const auto id = broadcast.Subscribe([&] { ++woken; }, {.topic = "", .key = "crd_1"}).value();
  const auto other = broadcast.Subscribe([] {}, {.topic = "", .key = "crd_2"}).value();
  broadcast.Publish("x", "1");
  broadcast.End("crd_1");
  broadcast.End("crd_1");
  broadcast.Publish("x", "2");
  EXPECT_EQ(woken, 2);
  EXPECT_TRUE(broadcast.Ended(id));
  EXPECT_EQ(broadcast.Take(id, 1000), "");
  EXPECT_FALSE(broadcast.Ended(other));
  broadcast.Unsubscribe(id);
  broadcast.Unsubscribe(other);
}

TEST(BroadcastTest, NoWakeRunsAfterUnsubscribe) {
  Broadcast broadcast;
  std::atomic<bool> done{false};
  std::thread publisher([&] {
    while (!done) broadcast.Publish("x", "1");
  });
  for (int round = 0; round < 2000; ++round) {
    auto alive = std::make_unique<std::atomic<int>>(0);
    const auto id = broadcast.Subscribe([target = alive.get()] { ++*target; }).value();
    (void)broadcast.Take(id, 100);  // whatever came
    broadcast.Unsubscribe(id);
  }
  done = true;
  publisher.join();
  EXPECT_EQ(broadcast.NumSubscribers(), 0U);
}

}  // namespace
}  // namespace pawsight::net
