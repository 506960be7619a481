// How batches become commits: together, each on its own, in order, bounded.
#include "events/writer.h"

#include <array>
#include <atomic>
#include <future>
#include <thread>

#include "events/testing.h"

namespace pawsight::events {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::SizeIs;

class WriterTest : public StoreTest {
 protected:
  WriterTest() { home_rows_ = home_.Rows(); }

  /// Keeps the writer busy in a callback until Release: what is submitted meanwhile is one group.
  void Hold(Store& store) {
    std::promise<void> held;
    store.Submit(BatchOf(Audit{{.action = "hold"}}), [this, &held](const Result<Receipt>& receipt) {
      EXPECT_TRUE(receipt.ok()) << receipt.status().ToString();
      held.set_value();
      release_.get_future().wait();
    });
    held.get_future().wait();
  }
  void Release() { release_.set_value(); }
  static WriteBatch RuleNamed(const std::string& owner, const std::string& id) {
    return BatchOf(Put<Rule>{{.owner = owner, .id = id}});
  }

  const Home home_{"a"};
  WriteBatch home_rows_;
  std::promise<void> release_;
};

TEST_F(WriterTest, BatchesThatWaitAreCommittedTogetherInOrder) {
  auto store = Open();
  ASSERT_TRUE(store->Write(home_rows_).ok());
  Hold(*store);
  const StoreStats before = store->Stats();
  std::vector<int64_t> sequences;  // the writer thread's, until the store is closed
  for (int i = 0; i < 100; ++i) {
    store->Submit(BatchOf(AddEvent{home_.FiredEvent(), {}}), [&sequences](const Result<Receipt>& receipt) {
      ASSERT_TRUE(receipt.ok()) << receipt.status().ToString();
      sequences.push_back((*receipt)[0].number);
    });
  }
  EXPECT_EQ(store->Stats().queue_length, 100U);
  EXPECT_GT(store->Stats().queue_bytes, 0U);
  Release();
  ASSERT_TRUE(store->Write(RuleNamed(home_.owner, "rul_last")).ok());
  const StoreStats after = store->Stats();
  EXPECT_EQ(after.num_batches - before.num_batches, 101U);
  EXPECT_LE(after.num_commits - before.num_commits, 2U);
  store.reset();
  ASSERT_THAT(sequences, SizeIs(100));
  for (size_t i = 0; i < 100; ++i) EXPECT_EQ(sequences[i], static_cast<int64_t>(i) + 1);
}

TEST_F(WriterTest, ABatchThatFailsTakesNoOtherWithItAndLeavesNothing) {
  auto store = Open();
  ASSERT_TRUE(store->Write(home_rows_).ok());
  Hold(*store);
  std::vector<std::string> outcomes(5);
  const auto submit = [&](size_t i, WriteBatch batch) {
    store->Submit(std::move(batch), [&outcomes, i](const Result<Receipt>& receipt) {
      outcomes[i] = receipt.ok() ? "ok" : receipt.status().reason();
    });
  };
  submit(0, RuleNamed(home_.owner, "rul_0"));
  submit(1,
         BatchOf(Put<Rule>{{.owner = home_.owner, .id = "rul_half"}}, Put<Rule>{{.owner = "own_none", .id = "rul_x"}}));
  submit(2, RuleNamed(home_.owner, "rul_0"));
  submit(3, BatchOf(AddEvent{home_.FiredEvent(), {home_.receiver}},
                    Put<Rule>{{.owner = home_.owner, .id = "r", .version = 9}}));
  submit(4, RuleNamed(home_.owner, "rul_4"));
  Release();
  store.reset();
  EXPECT_THAT(outcomes, ElementsAre("ok", "not_found", "exists", "not_found", "ok"));
  store = Open();
  EXPECT_TRUE(store->Get<Rule>(home_.owner, "rul_4").ok());
  EXPECT_EQ(store->Get<Rule>(home_.owner, "rul_half").status().reason(), "not_found");
  EXPECT_THAT(store->ListEvents(home_.owner, {}, 0, 10).value(), SizeIs(0));
  EXPECT_THAT(store->ListPendingReceivers("", "", 10).value(), SizeIs(0));
}

TEST_F(WriterTest, TheMessageNamesTheWriteThatFailed) {
  auto store = Open();
  const Status status =
      store->Write(BatchOf(Audit{{.action = "a"}}, Put<Rule>{{.owner = "own_none", .id = "r"}})).status();
  EXPECT_THAT(status.message(), ::testing::StartsWith("write 2: "));
}

TEST_F(WriterTest, AFullQueueSaysNoAndGoesOnLater) {
  auto store = Open({.queue_limit = 3});
  ASSERT_TRUE(store->Write(home_rows_).ok());
  Hold(*store);
  std::atomic<int> num_ok = 0;
  for (int i = 0; i < 3; ++i) {
    store->Submit(RuleNamed(home_.owner, "rul_" + std::to_string(i)),
                  [&](const Result<Receipt>& receipt) { num_ok += receipt.ok() ? 1 : 0; });
  }
  Status refused;
  store->Submit(RuleNamed(home_.owner, "rul_3"), [&](const Result<Receipt>& receipt) { refused = receipt.status(); });
  EXPECT_EQ(refused.code(), StatusCode::kResourceExhausted) << "told at once, before Submit returns";
  EXPECT_EQ(refused.reason(), "queue_full");
  EXPECT_EQ(store->Stats().num_refused, 1U);
  Release();
  while (num_ok < 3) std::this_thread::yield();
  EXPECT_TRUE(store->Write(RuleNamed(home_.owner, "rul_3")).ok());
}

TEST_F(WriterTest, TheQueueIsBoundedInBytesToo) {
  auto store = Open({.queue_bytes = 100000});
  ASSERT_TRUE(store->Write(home_rows_).ok());
  Hold(*store);
  std::vector<std::string> reasons;
  for (int i = 0; i < 3; ++i) {
    store->Submit(BatchOf(Put<Rule>{
                      {.owner = home_.owner, .id = "rul_" + std::to_string(i), .document = std::string(40000, 'x')}}),
                  [&](const Result<Receipt>& receipt) {
                    if (!receipt.ok()) reasons.push_back(receipt.status().reason());
                  });
  }
  EXPECT_THAT(reasons, ElementsAre("queue_full"));
  Release();
  store.reset();
}

TEST_F(WriterTest, ACallbackMaySubmitAndClosingFinishesWhatWasTaken) {
  auto store = Open();
  ASSERT_TRUE(store->Write(home_rows_).ok());
  std::atomic<int> num_done = 0;
  Store* const raw = store.get();
  for (int i = 0; i < 20; ++i) {
    store->Submit(RuleNamed(home_.owner, "rul_" + std::to_string(i)), [&, raw, i](const Result<Receipt>& receipt) {
      EXPECT_TRUE(receipt.ok());
      ++num_done;
      // May come too late for a store that is closing; told so then.
      raw->Submit(RuleNamed(home_.owner, "rul_b" + std::to_string(i)), [&](const Result<Receipt>& second) {
        EXPECT_TRUE(second.ok() || second.status().reason() == "closing") << second.status().ToString();
        ++num_done;
      });
    });
  }
  store.reset();
  EXPECT_EQ(num_done, 40);
}

TEST_F(WriterTest, ReadsDoNotWaitForTheWriter) {
  auto store = Open();
  ASSERT_TRUE(store->Write(home_rows_).ok());
  Hold(*store);
  EXPECT_TRUE(store->Get<Camera>(home_.owner, home_.camera).ok());
  Release();
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE; DELETE FROM alerts", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_TRUE(store->Get<Camera>(home_.owner, home_.camera).ok()) << "nor for another process that writes";
  sqlite3_close(other);
}

TEST_F(WriterTest, ManyThreadsWriteAndRead) {
  auto store = Open({.num_readers = 3});
  ASSERT_TRUE(store->Write(home_rows_).ok());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&store, t, this] {
      for (int n = 0; n < 50; ++n) {
        const std::string id = "rul_" + std::to_string(t) + "_" + std::to_string(n);
        ASSERT_TRUE(store->Write(RuleNamed(home_.owner, id)).ok());
        ASSERT_TRUE(store->Get<Rule>(home_.owner, id).ok()) << "what was acknowledged is seen";
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(store->List<Rule>(home_.owner, {.limit = 1000}).value(), SizeIs(201));
}

TEST_F(WriterTest, AFileThatWasDeletedIsNoticedAndNothingIsAcknowledged) {
  ManualClock clock;
  auto store = Open({.clock = &clock});
  ASSERT_TRUE(store->Write(home_rows_).ok());
  std::filesystem::rename(path_, path_ + ".away");
  const Status status = store->Write(RuleNamed(home_.owner, "rul_1")).status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable) << status.ToString();
  EXPECT_EQ(status.reason(), "file_gone");
  EXPECT_EQ(store->Stats().writable.reason(), "file_gone");
  std::filesystem::rename(path_ + ".away", path_);
  EXPECT_TRUE(store->Write(RuleNamed(home_.owner, "rul_1")).ok()) << "put back: goes on by itself";
  EXPECT_TRUE(store->Stats().writable.ok());

  // Without a write it is noticed within five seconds.
  std::filesystem::rename(path_, path_ + ".away");
  while (store->Stats().writable.ok()) {
    clock.Advance(seconds(5));
    std::this_thread::yield();
  }
  EXPECT_EQ(store->Stats().writable.reason(), "file_gone");
  std::filesystem::rename(path_ + ".away", path_);
}

TEST_F(WriterTest, AClosedStoreHasWrittenAndToldAllThatItTookAndTakesNoMore) {
  auto store = Open();
  ASSERT_TRUE(store->Write(home_rows_).ok());
  Hold(*store);
  int num_told = 0;  // the writer thread's, until the store is closed
  Status late;
  for (int i = 0; i < 20; ++i) {
    store->Submit(RuleNamed(home_.owner, "rul_" + std::to_string(i)), [&](const Result<Receipt>& receipt) {
      num_told += receipt.ok() ? 1 : 0;
      store->Submit(RuleNamed(home_.owner, "rul_late"), [&](const Result<Receipt>& more) { late = more.status(); });
    });
  }
  std::thread closer([&] { store->Close(); });
  std::atomic<bool> closing = false;
  while (!closing) {
    store->Submit(BatchOf(Audit{{.action = "a"}}), [&closing](const Result<Receipt>& receipt) {
      if (receipt.status().reason() == "closing") closing = true;
    });
    std::this_thread::yield();
  }
  Release();
  closer.join();
  EXPECT_EQ(num_told, 20);
  EXPECT_EQ(late.reason(), "closing") << "what a callback submits is told, too";
  EXPECT_EQ(store->Write(RuleNamed(home_.owner, "rul_after")).status().reason(), "closing");
  store->Close();
  EXPECT_TRUE(store->Get<Rule>(home_.owner, "rul_19").ok()) << "reads go on";
  store.reset();
  store = Open();
  EXPECT_TRUE(store->Get<Rule>(home_.owner, "rul_19").ok());
  EXPECT_FALSE(store->Get<Rule>(home_.owner, "rul_after").ok());
  EXPECT_FALSE(store->Get<Rule>(home_.owner, "rul_late").ok());
}

TEST_F(WriterTest, ThreadsThatWriteWhileItClosesAreEachToldOnceAndWhatWasAcknowledgedIsThere) {
  auto store = Open();
  ASSERT_TRUE(store->Write(home_rows_).ok());
  constexpr int kThreads = 4;
  std::array<std::vector<std::string>, kThreads> acknowledged;
  std::atomic<int> num_begun = 0, num_told = 0, num_submitted = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      bool closing = false;
      for (int i = 0; !closing; ++i) {
        const std::string id = "rul_" + std::to_string(t) + "_" + std::to_string(i);
        ++num_submitted;
        const Status written = store->Write(RuleNamed(home_.owner, id)).status();
        ++num_told;
        if (written.ok()) acknowledged[static_cast<size_t>(t)].push_back(id);
        closing = written.reason() == "closing";
        ++num_begun;
      }
    });
  }
  while (num_begun < 20) std::this_thread::yield();
  std::thread other([&] { store->Close(); });
  store->Close();
  other.join();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(num_told, num_submitted);
  store.reset();
  store = Open();
  for (const auto& ids : acknowledged) {
    for (const std::string& id : ids) EXPECT_TRUE(store->Get<Rule>(home_.owner, id).ok()) << id;
  }
}

}  // namespace
}  // namespace pawsight::events
