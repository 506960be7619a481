// The notifier's decisions over time, on a clock that the test moves: an outbox in memory, receivers that do as told.
#include "notify/notifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <map>
#include <thread>

#include "base/mutex.h"

namespace pawsight::notify {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = Outcome::Kind;

const ReceiverKey kFirst{"own_1", "rcv_1"};
const ReceiverKey kSecond{"own_1", "rcv_2"};

OutboxRow Row(int64_t id, const std::string& alert, Time due) {
  OutboxRow row;
  row.id = id;
  row.message.id = "evt_" + std::to_string(id);
  row.message.type = MessageType::kFired;
  row.message.alert = alert;
  row.due = due;
  return row;
}

/// An outbox without a disk. Thread-safe.
class MemoryOutbox : public Outbox {
 public:
  void Add(const ReceiverKey& key, OutboxRow row) {
    MutexLock lock(mu_);
    rows_[key][row.id] = std::move(row);
  }
  /// Rows made when asked for: as many as the test says, without the memory.
  void AddEndless(const ReceiverKey& key, int64_t count) {
    MutexLock lock(mu_);
    endless_[key] = count;
  }
  Result<std::vector<ReceiverKey>> Pending(const ReceiverKey& after, int limit) override {
    MutexLock lock(mu_);
    std::vector<ReceiverKey> keys;
    for (const auto& [key, rows] : rows_) {
      if (key > after && !rows.empty() && off_.count(key) == 0 && keys.size() < static_cast<size_t>(limit))
        keys.push_back(key);
    }
    return keys;
  }
  Result<OutboxPage> Take(const ReceiverKey& key, int limit) override {
    MutexLock lock(mu_);
    OutboxPage page;
    if (broken_) return Unavailable("the disk");
    auto& rows = rows_[key];
    while (static_cast<int>(rows.size()) < limit && endless_[key] > 0) {
      const int64_t id = 1000000 - endless_[key]--;
      rows[id] = Row(id, "", Time{});
    }
    for (const auto& [id, row] : rows) {
      if (static_cast<int>(page.rows.size()) == limit) break;
      page.rows.push_back(row);
    }
    most_taken_ = std::max(most_taken_, page.rows.size());
    page.more = static_cast<int>(page.rows.size()) == limit;
    return page;
  }
  Result<Json> Document(const ReceiverKey& key) override {
    MutexLock lock(mu_);
    if (off_.count(key) != 0) return Status(StatusCode::kFailedPrecondition, "off");
    return Json::Parse(documents_.count(key) != 0 ? documents_[key] : R"({"kind":"ntfy","topic":"paws"})");
  }
  Result<std::shared_ptr<const Picture>> LoadPicture(const ReceiverKey&, const std::string&) override {
    return NotFound("none");
  }
  void Delivered(const ReceiverKey& key, int64_t id, Done done) override {
    Settle(key, id, "delivered", std::move(done));
  }
  void Failed(const ReceiverKey& key, int64_t id, Time, const std::string&, Done done) override {
    {
      MutexLock lock(mu_);
      if (const auto at = rows_[key].find(id); at != rows_[key].end()) ++at->second.attempts;
    }
    done(Ok());
  }
  void Dead(const ReceiverKey& key, int64_t id, const std::string& error, Done done) override {
    Settle(key, id, "dead: " + error, std::move(done));
  }
  void SwitchOff(const ReceiverKey& key, const std::string& reason, Done done) override {
    {
      MutexLock lock(mu_);
      off_[key] = reason;
      changed_.NotifyAll();
    }
    done(Ok());
  }

  void SetDocument(const ReceiverKey& key, const std::string& text) {
    MutexLock lock(mu_);
    documents_[key] = text;
  }
  void Break(bool broken) {
    MutexLock lock(mu_);
    broken_ = broken;
  }
  /// Waits until the message is settled; how.
  std::string WaitFor(int64_t id) {
    MutexLock lock(mu_);
    while (settled_.count(id) == 0) changed_.WaitFor(mu_, milliseconds(100));
    return settled_[id];
  }
  bool is_settled(int64_t id) {
    MutexLock lock(mu_);
    return settled_.count(id) != 0;
  }
  std::string WaitForOff(const ReceiverKey& key) {
    MutexLock lock(mu_);
    while (off_.count(key) == 0) changed_.WaitFor(mu_, milliseconds(100));
    return off_[key];
  }
  size_t most_taken() {
    MutexLock lock(mu_);
    return most_taken_;
  }
  size_t num_settled() {
    MutexLock lock(mu_);
    return settled_.size();
  }

 private:
  void Settle(const ReceiverKey& key, int64_t id, const std::string& how, Done done) {
    bool broken = false;
    {
      MutexLock lock(mu_);
      broken = broken_;
      if (!broken) {
        rows_[key].erase(id);
        settled_[id] = how;
        changed_.NotifyAll();
      }
    }
    done(broken ? Unavailable("the disk") : Ok());
  }
  Mutex mu_;
  CondVar changed_;
  std::map<ReceiverKey, std::map<int64_t, OutboxRow>> rows_ GUARDED_BY(mu_);
  std::map<ReceiverKey, int64_t> endless_ GUARDED_BY(mu_);
  std::map<ReceiverKey, std::string> documents_ GUARDED_BY(mu_), off_ GUARDED_BY(mu_);
  std::map<int64_t, std::string> settled_ GUARDED_BY(mu_);
  size_t most_taken_ GUARDED_BY(mu_) = 0;
  bool broken_ GUARDED_BY(mu_) = false;
};

/// What all receivers of a test do: keep what they are given until the test answers. Thread-safe.
class Script {
 public:
  struct Attempt {
    ReceiverKey key;
    std::string id;
    Receiver::Done done;
  };
  void Put(Attempt attempt) {
    Outcome outcome;
    {
      MutexLock lock(mu_);
      sent_.push_back(attempt.id);
      changed_.NotifyAll();
      const auto always = always_.find(attempt.key);
      if (always == always_.end()) {
        open_.push_back(std::move(attempt));
        return;
      }
      outcome = always->second;
    }
    attempt.done(outcome);
  }
  void Always(const ReceiverKey& key, Outcome outcome) {
    MutexLock lock(mu_);
    always_[key] = std::move(outcome);
  }
  /// Waits for the next attempt that is not answered.
  Attempt Next() {
    MutexLock lock(mu_);
    while (open_.empty()) changed_.WaitFor(mu_, milliseconds(100));
    Attempt attempt = std::move(open_.front());
    open_.pop_front();
    return attempt;
  }
  size_t num_open() {
    MutexLock lock(mu_);
    return open_.size();
  }
  std::vector<std::string> sent() {
    MutexLock lock(mu_);
    return sent_;
  }

 private:
  Mutex mu_;
  CondVar changed_;
  std::deque<Attempt> open_ GUARDED_BY(mu_);
  std::map<ReceiverKey, Outcome> always_ GUARDED_BY(mu_);
  std::vector<std::string> sent_ GUARDED_BY(mu_);
};

class ScriptedReceiver : public Receiver {
 public:
  ScriptedReceiver(ReceiverKey key, Script& script) : key_(std::move(key)), script_(script) {}
  void Deliver(std::shared_ptr<const Message> message, Done done) override {
    script_.Put({key_, message->id, std::move(done)});
  }

 private:
  const ReceiverKey key_;
  Script& script_;
};

class NotifierTest : public ::testing::Test {
 protected:
  NotifierTest() { options_.retry.jitter = 0; }
  ~NotifierTest() override {
    stop_ = true;
    if (mover_.joinable()) mover_.join();
  }
  Notifier& Start() {
    notifier_ = std::make_unique<Notifier>(
        outbox_,
        [this](const ReceiverKey& key, const ReceiverConfig&) {
          return std::make_unique<ScriptedReceiver>(key, script_);
        },
        clock_, options_);
    return *notifier_;
  }
  OutboxRow NewRow(int64_t id, const std::string& alert = "") { return Row(id, alert, clock_.Now()); }
  /// From now on time passes by itself, half a minute each real millisecond.
  void LetTimePass() {
    mover_ = std::thread([this] {
      while (!stop_) {
        clock_.Advance(seconds(30));
        std::this_thread::sleep_for(milliseconds(1));
      }
    });
  }
  /// Until the receiver is in trouble, and how.
  Trouble WaitForTrouble(const ReceiverKey& key, int failures) {
    while (true) {
      const auto trouble = notifier_->TroubleOf(key);
      if (trouble.has_value() && trouble->failures >= failures) return *trouble;
      std::this_thread::yield();
    }
  }

  ManualClock clock_{Time(hours(24 * 365 * 50))};
  MemoryOutbox outbox_;
  Script script_;
  NotifierOptions options_;
  std::unique_ptr<Notifier> notifier_;
  std::atomic<bool> stop_ = false;
  std::thread mover_;
};

TEST_F(NotifierTest, WhatWaitsAtTheStartAndWhatComesLaterIsDelivered) {
  outbox_.Add(kFirst, NewRow(1));
  Start();
  script_.Next().done(Delivered());
  EXPECT_EQ(outbox_.WaitFor(1), "delivered");
  outbox_.Add(kSecond, NewRow(2));
  notifier_->Wake(kSecond);
  script_.Next().done(Delivered());
  EXPECT_EQ(outbox_.WaitFor(2), "delivered");
}

TEST_F(NotifierTest, AReceiverThatHangsDelaysNobodyElse) {
  for (int i = 1; i <= 5; ++i) outbox_.Add(kFirst, NewRow(i));
  for (int i = 6; i <= 9; ++i) outbox_.Add(kSecond, NewRow(i));
  script_.Always(kSecond, Delivered());
  Start();
  const Script::Attempt hanging = script_.Next();
  for (int i = 6; i <= 9; ++i) EXPECT_EQ(outbox_.WaitFor(i), "delivered");
  EXPECT_EQ(script_.num_open(), 0U);  // one at a time until it has answered once
  hanging.done(Delivered());
  EXPECT_EQ(outbox_.WaitFor(1), "delivered");
}

TEST_F(NotifierTest, MessagesOfOneAlertGoOneAfterTheOtherAndOfOthersBeside) {
  script_.Always(kFirst, Delivered());
  for (int i = 1; i <= 8; ++i) outbox_.Add(kFirst, NewRow(i));
  Start();
  EXPECT_EQ(outbox_.WaitFor(8), "delivered");  // the window is wide now
  script_.Always(kSecond, Delivered());
  for (const auto& [id, alert] : {std::pair(10, "a"), {11, "a"}, {12, "b"}})
    outbox_.Add({"own_1", "rcv_3"}, NewRow(id, alert));
  notifier_->Wake({"own_1", "rcv_3"});
  Script::Attempt first = script_.Next();
  EXPECT_EQ(first.id, "evt_10");
  first.done(Delivered());
  Script::Attempt second = script_.Next();
  Script::Attempt third = script_.Next();
  EXPECT_THAT((std::vector{second.id, third.id}), ElementsAre("evt_11", "evt_12"));
  second.done(Delivered());
  third.done(Delivered());
}

TEST_F(NotifierTest, AfterAFailureTheOldestIsTriedFirstAndNothingBeforeTheWaitIsOver) {
  for (int i = 1; i <= 3; ++i) outbox_.Add(kFirst, NewRow(i, "a"));
  Start();
  script_.Next().done(Failed("HTTP status 500"));
  const Trouble trouble = WaitForTrouble(kFirst, 1);
  EXPECT_EQ(trouble.until, clock_.Now() + seconds(5));
  EXPECT_EQ(trouble.error, "HTTP status 500");
  notifier_->Wake(kFirst);
  clock_.Advance(milliseconds(4999));
  EXPECT_EQ(script_.num_open(), 0U);
  clock_.Advance(milliseconds(1));
  Script::Attempt again = script_.Next();
  EXPECT_EQ(again.id, "evt_1");
  again.done(Failed("x"));
  EXPECT_EQ(WaitForTrouble(kFirst, 2).until, clock_.Now() + seconds(10));
  clock_.Advance(seconds(10));
  for (int i = 1; i <= 3; ++i) script_.Next().done(Delivered());
  EXPECT_EQ(outbox_.WaitFor(3), "delivered");
  EXPECT_THAT(script_.sent(), ElementsAre("evt_1", "evt_1", "evt_1", "evt_2", "evt_3"));
  EXPECT_FALSE(notifier_->TroubleOf(kFirst).has_value());
}

TEST_F(NotifierTest, AReceiverThatIsDownForADayCostsFewAttemptsAndThenGetsAll) {
  for (int i = 1; i <= 200; ++i) outbox_.Add(kFirst, NewRow(i));
  script_.Always(kFirst, Failed("down"));
  Start();
  WaitForTrouble(kFirst, 1);
  LetTimePass();
  WaitForTrouble(kFirst, 10);  // 5 + 10 + ... + 2560 s
  EXPECT_LT(script_.sent().size(), 20U);
  script_.Always(kFirst, Delivered());
  EXPECT_EQ(outbox_.WaitFor(200), "delivered");
}

TEST_F(NotifierTest, HoweverManyMessagesWaitOnlyAPageOfThemIsTaken) {
  outbox_.AddEndless(kFirst, 20000);
  script_.Always(kFirst, Delivered());
  outbox_.Add(kFirst, NewRow(1));
  Start();
  while (outbox_.num_settled() < 20001) std::this_thread::yield();
  EXPECT_LE(outbox_.most_taken(), 32U + 8U + 256U);
}

TEST_F(NotifierTest, AMessageOlderThanThreeDaysThatFailsIsDeadAndTheNextIsTried) {
  outbox_.Add(kFirst, Row(1, "", clock_.Now() - hours(73)));
  outbox_.Add(kFirst, NewRow(2));
  Start();
  script_.Next().done(Failed("down"));
  EXPECT_EQ(outbox_.WaitFor(1), "dead: down");
  clock_.Advance(seconds(5));
  EXPECT_EQ(script_.Next().id, "evt_2");
}

TEST_F(NotifierTest, AReceiverThatIsDownForDaysLosesTheOldestAndKeepsTheRest) {
  for (int i = 1; i <= 1000; ++i) outbox_.Add(kFirst, Row(i, "", clock_.Now() - hours(73)));
  for (int i = 1001; i <= 1010; ++i) outbox_.Add(kFirst, NewRow(i));
  Start();
  script_.Next().done(Failed("down"));
  EXPECT_EQ(outbox_.WaitFor(1), "dead: down");
  for (int i = 2; i <= 1000; ++i) EXPECT_EQ(outbox_.WaitFor(i), "dead: too old: down");
  EXPECT_EQ(outbox_.num_settled(), 1000U);
  EXPECT_LE(outbox_.most_taken(), 300U);
  clock_.Advance(seconds(5));
  EXPECT_EQ(script_.Next().id, "evt_1001");
}

TEST_F(NotifierTest, AMessageThatIsRefusedAgainAndAgainIsDead) {
  outbox_.Add(kFirst, NewRow(1));
  outbox_.Add(kFirst, NewRow(2));
  script_.Always(kFirst, OutcomeOfHttp(422, {}));
  Start();
  WaitForTrouble(kFirst, 1);
  LetTimePass();
  EXPECT_EQ(outbox_.WaitFor(1), "dead: HTTP status 422");
  EXPECT_EQ(script_.sent()[7], "evt_1");
}

TEST_F(NotifierTest, GoneSwitchesTheReceiverOffAndKeepsItsMessages) {
  outbox_.Add(kFirst, NewRow(1));
  outbox_.Add(kFirst, NewRow(2));
  Start();
  script_.Next().done(OutcomeOfHttp(410, {}));
  EXPECT_EQ(outbox_.WaitForOff(kFirst), "HTTP status 410");
  notifier_->Wake(kFirst);
  clock_.Advance(hours(1));
  outbox_.Add(kSecond, NewRow(3));
  notifier_->Wake(kSecond);
  EXPECT_EQ(script_.Next().id, "evt_3");
  EXPECT_FALSE(outbox_.is_settled(1));
}

TEST_F(NotifierTest, AChangedReceiverIsReadAnewAndTriedAtOnce) {
  outbox_.SetDocument(kFirst, R"({"kind":"ntfy","topic":"no topic"})");
  outbox_.Add(kFirst, NewRow(1));
  Start();
  EXPECT_THAT(WaitForTrouble(kFirst, 1).error, HasSubstr("receiver.topic"));
  EXPECT_EQ(script_.num_open(), 0U);
  outbox_.SetDocument(kFirst, R"({"kind":"ntfy","topic":"paws"})");
  notifier_->Changed(kFirst);
  script_.Next().done(Delivered());
  EXPECT_EQ(outbox_.WaitFor(1), "delivered");
}

TEST_F(NotifierTest, ATestPassesTheQueueAndItsSuccessEndsTheWait) {
  outbox_.Add(kFirst, NewRow(1));
  Start();
  script_.Next().done(Failed("down"));
  WaitForTrouble(kFirst, 1);
  std::atomic<bool> works = false;
  notifier_->SendTest(kFirst, TestMessage("evt_test", "own_1", clock_.Now()),
                      [&](const Outcome& outcome) { works = outcome.kind == Kind::kDelivered; });
  Script::Attempt test = script_.Next();
  EXPECT_EQ(test.id, "evt_test");
  test.done(Delivered());
  EXPECT_TRUE(works);
  EXPECT_EQ(script_.Next().id, "evt_1");
}

TEST_F(NotifierTest, WhatTheOutboxCannotRecordIsRecordedLaterAndNotSentAgain) {
  outbox_.Add(kFirst, NewRow(1));
  Start();
  Script::Attempt attempt = script_.Next();
  outbox_.Break(true);
  attempt.done(Delivered());
  while (notifier_->Stats().num_unsettled == 0) std::this_thread::yield();
  notifier_->Wake(kFirst);
  outbox_.Break(false);
  LetTimePass();
  EXPECT_EQ(outbox_.WaitFor(1), "delivered");
  EXPECT_THAT(script_.sent(), ElementsAre("evt_1"));
}

TEST_F(NotifierTest, AnOwnersHangingReceiversLeaveTheOthersTheirShare) {
  options_.max_running = 10;
  options_.max_running_an_owner = 8;
  for (int i = 0; i < 20; ++i) outbox_.Add({"own_1", "rcv_" + std::to_string(i)}, NewRow(100 + i));
  outbox_.Add({"own_2", "rcv_x"}, NewRow(1));
  script_.Always({"own_2", "rcv_x"}, Delivered());
  Start();
  EXPECT_EQ(outbox_.WaitFor(1), "delivered");
  std::vector<Script::Attempt> attempts;
  for (int i = 0; i < 8; ++i) attempts.push_back(script_.Next());
  EXPECT_EQ(script_.num_open(), 0U);
  attempts[0].done(Delivered());  // its place goes to the next of the owner
  script_.Next();
}

}  // namespace
}  // namespace pawsight::notify
