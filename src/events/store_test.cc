#include "events/store.h"

#include <fstream>
#include <thread>

#include "events/testing.h"

namespace pawsight::events {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::SizeIs;

TEST_F(StoreTest, AnEventComesBackAsItWasStoredAfterReopening) {
  Event first;
  {
    auto store = Open();
    first = store->Append(Alerted(1)).value();
    EXPECT_EQ(first.sequence, 1);
    EXPECT_THAT(first.id, ::testing::StartsWith("evt_"));
  }
  auto store = Open();
  const std::vector<Event> events = store->List(0, 10).value();
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].id, first.id) << "ids are stable";
  EXPECT_EQ(events[0].time, Time(seconds(1001)));
  EXPECT_EQ(events[0].type, "alert.fired");
  EXPECT_EQ(events[0].camera, "den");
  EXPECT_EQ(events[0].rule, "rule-1");
  EXPECT_EQ(events[0].detail.Dump(), Alerted(1).detail.Dump());
}

TEST_F(StoreTest, ListPagesThroughInTheOrderOfCommitWhateverTheClockSays) {
  auto store = Open();
  for (const int n : {5, 1, 9, 3}) ASSERT_TRUE(store->Append(Alerted(n)).ok());
  const std::vector<Event> page = store->List(1, 2).value();
  ASSERT_THAT(page, SizeIs(2));
  EXPECT_EQ(page[0].rule, "rule-1");
  EXPECT_EQ(page[1].rule, "rule-9");
  EXPECT_THAT(store->List(page[1].sequence, 1000000000).value(), SizeIs(1));
  EXPECT_THAT(store->List(4, 1).value(), SizeIs(0));
  const std::vector<Event> newest = store->ListNewest(2).value();
  EXPECT_EQ(newest[0].rule, "rule-9");
  EXPECT_EQ(newest[1].rule, "rule-3");
  EXPECT_EQ(store->List(0, 0).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(StoreTest, TwoStoresGiveDifferentIds) {
  const std::string here = Open()->Append(Alerted(1)).value().id;
  path_ = directory_ + "/other.sqlite";
  EXPECT_NE(Open()->Append(Alerted(1)).value().id, here);
}

TEST_F(StoreTest, BadEventsAreRefusedAndNothingIsStored) {
  auto store = Open();
  Event no_type = Alerted(1);
  no_type.type.clear();
  EXPECT_EQ(store->Append(no_type).status().code(), StatusCode::kInvalidArgument);
  Event large = Alerted(1);
  large.detail.Set("x", std::string(kMaxDetailBytes, 'x'));
  EXPECT_EQ(store->Append(large).status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(store->List(0, 10).value(), SizeIs(0));
}

TEST_F(StoreTest, SqlInAnEventIsText) {
  auto store = Open();
  Event event = Alerted(1);
  event.rule = "'); DROP TABLE events; --";
  ASSERT_TRUE(store->Append(event).ok());
  EXPECT_EQ(store->List(0, 1).value()[0].rule, event.rule);
}

TEST_F(StoreTest, AFullDiskRefusesTheEventKeepsTheOldOnesAndRecovers) {
  auto store = Open({.max_bytes = 256 << 10});
  Event event = Alerted(1);
  event.detail.Set("x", std::string(3000, 'x'));
  int acknowledged = 0;
  Status status;
  while (acknowledged < 100) {
    const Result<Event> stored = store->Append(event);
    status = stored.status();
    if (!stored.ok()) break;
    ++acknowledged;
  }
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted) << status.ToString();
  EXPECT_EQ(status.reason(), "disk_full");
  EXPECT_GT(acknowledged, 2);
  EXPECT_THAT(store->List(0, 1000).value(), SizeIs(acknowledged)) << "still readable";
  store.reset();
  store = Open();
  EXPECT_THAT(store->List(0, 1000).value(), SizeIs(acknowledged))
      << "nothing acknowledged was lost, nothing half stored";
  EXPECT_TRUE(store->Append(event).ok()) << "goes on once there is room";
}

TEST_F(StoreTest, AnotherProcessHoldingTheFileIsWaitedForAndThenReported) {
  auto store = Open({.lock_wait = milliseconds(50)});
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  const Result<Event> stored = store->Append(Alerted(1));
  EXPECT_EQ(stored.status().code(), StatusCode::kUnavailable) << stored.status().ToString();
  EXPECT_EQ(stored.status().reason(), "locked");
  ASSERT_EQ(sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  EXPECT_TRUE(store->Append(Alerted(2)).ok());
}

TEST_F(StoreTest, AFileThatIsNoStoreIsDataLossAndIsLeftAlone) {
  std::ofstream(path_) << std::string(8192, 'x');
  EXPECT_EQ(Store::Open(path_).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(std::filesystem::file_size(path_), 8192U);
}

TEST_F(StoreTest, ADamagedPageIsDataLoss) {
  {
    auto store = Open();
    for (int n = 0; n < 200; ++n) ASSERT_TRUE(store->Append(Alerted(n)).ok());
  }
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  for (int at = 4096; at + 64 < static_cast<int>(std::filesystem::file_size(path_)); at += 4096) {
    file.seekp(at);
    file << std::string(64, '\xee');
  }
  file.close();
  const Status status = Store::Open(path_).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss) << status.ToString();
  EXPECT_EQ(status.reason(), "corrupt");
}

TEST_F(StoreTest, AMissingDirectoryIsUnavailable) {
  EXPECT_EQ(Store::Open(directory_ + "/no/such/events.sqlite").status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(Store::Open(directory_).status().code(), StatusCode::kUnavailable);
}

TEST_F(StoreTest, ThreadsAppendTogether) {
  auto store = Open();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&store] {
      for (int n = 0; n < 25; ++n) EXPECT_TRUE(store->Append(Alerted(n)).ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store->List(0, 1000).value().back().sequence, 100);
}

}  // namespace
}  // namespace pawsight::events
