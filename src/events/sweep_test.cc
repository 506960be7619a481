// What goes: by age, with what it hung on, with its owner.
#include "events/sweep.h"

#include <fstream>
#include <thread>

#include "events/testing.h"

namespace pawsight::events {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SweepTest : public StoreTest {
 protected:
  SweepTest() {
    options_.clock = &clock_;
    options_.retention = {.events = hours(100), .alerts = hours(50), .deliveries = hours(10), .audit = hours(200)};
  }
  void Write(Store& store, WriteBatch batch) {
    const Result<Receipt> receipt = store.Write(std::move(batch));
    ASSERT_TRUE(receipt.ok()) << receipt.status().ToString();
  }
  std::vector<std::string> Tables() {
    return QuerySql("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
  }
  bool FilesHold(const std::string& text) {
    for (const auto& file : std::filesystem::directory_iterator(directory_)) {
      std::ifstream in(file.path(), std::ios::binary);
      const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
      if (bytes.find(text) != std::string::npos) return true;
    }
    return false;
  }

  ManualClock clock_{Time(hours(24 * 365 * 50))};
  StoreOptions options_;
  const Home home_{"mine"};
  const Home other_{"other"};
};

TEST_F(SweepTest, WhatIsFinishedGoesWhenItsTimeIsOverAndNothingElse) {
  auto store = Open(options_);
  Write(*store, home_.Rows());
  Write(*store, home_.Fires());
  Write(*store,
        BatchOf(Put<Alert>{{.owner = home_.owner, .id = "alr_over", .camera = "c", .rule = "r", .resolved = Time{}}},
                AddEvent{home_.FiredEvent(), {home_.receiver}}, Delivered{home_.owner, 2}, Audit{{.action = "a"}},
                Put<Snooze>{{.owner = home_.owner, .until = clock_.Now() + hours(1)}}));
  // Each Advance also wakes the writer's own sweeping; what is left counts, not who removed it.
  const auto left = [&](std::chrono::hours by) {
    clock_.Advance(by);
    EXPECT_TRUE(store->Sweep().ok());
    std::vector<std::string> counts;
    for (const char* table : {"outbox", "snoozes", "alerts", "events", "audit", "pictures"}) {
      counts.push_back(std::string(table) + " " + QuerySql(std::string("SELECT count(*) FROM ") + table)[0]);
    }
    return counts;
  };
  EXPECT_THAT(left(hours(0)), ElementsAre("outbox 2", "snoozes 1", "alerts 2", "events 2", "audit 1", "pictures 1"));
  EXPECT_THAT(left(hours(11)), ElementsAre("outbox 1", "snoozes 0", "alerts 2", "events 2", "audit 1", "pictures 1"));
  EXPECT_EQ(store->GetDelivery(home_.owner, 1).value().state, DeliveryState::kPending);
  EXPECT_THAT(left(hours(40)), ElementsAre("outbox 1", "snoozes 0", "alerts 1", "events 2", "audit 1", "pictures 1"));
  EXPECT_TRUE(store->Get<Alert>(home_.owner, home_.alert).ok()) << "an open one stays";
  EXPECT_THAT(left(hours(50)), ElementsAre("outbox 1", "snoozes 0", "alerts 1", "events 0", "audit 1", "pictures 1"));
  const Delivery late = store->GetDelivery(home_.owner, 1).value();
  EXPECT_EQ(late.event.sequence, 0) << "nothing is left to deliver, and it says so";
  EXPECT_EQ(late.owner, home_.owner);
  EXPECT_THAT(left(hours(100)), ElementsAre("outbox 1", "snoozes 0", "alerts 1", "events 0", "audit 0", "pictures 1"));
  EXPECT_THAT(left(hours(24 * 365 * 160)),
              ElementsAre("outbox 1", "snoozes 0", "alerts 1", "events 0", "audit 0", "pictures 0"));
}

TEST_F(SweepTest, NoRetentionKeepsEverything) {
  options_.retention = {};
  auto store = Open(options_);
  Write(*store, home_.Rows());
  Write(*store, home_.Fires());
  clock_.Advance(hours(24 * 365));
  EXPECT_EQ(store->Sweep().value(), 0);
}

TEST_F(SweepTest, ItGoesByItselfInSmallSteps) {
  auto store = Open(options_);
  Write(*store, home_.Rows());
  for (int i = 0; i < 5; ++i) Write(*store, WriteBatch(100, AddEvent{home_.FiredEvent(), {}}));
  clock_.Advance(hours(101));
  int64_t most = 0;
  int64_t left = 500;
  while (left > 0) {
    clock_.Advance(seconds(60));
    const std::vector<Event> events = store->ListEvents(home_.owner, {}, 0, 1000).value();
    most = std::max(most, left - static_cast<int64_t>(events.size()));
    left = static_cast<int64_t>(events.size());
    std::this_thread::yield();
  }
  EXPECT_GE(most, 1);
  Write(*store, BatchOf(AddEvent{home_.FiredEvent(), {}}));
  EXPECT_EQ(store->ListEvents(home_.owner, {}, 0, 1).value()[0].sequence, 501) << "numbers are never used twice";
}

TEST_F(SweepTest, AnErasedOwnerIsInNoTableAndOthersAreWhole) {
  auto store = Open(options_);
  for (const Home& home : {home_, other_}) {
    Write(*store, home.Rows());
    Write(*store, home.Fires());
    Write(*store, BatchOf(Put<Snooze>{{.owner = home.owner, .until = Time::max()}},
                          Audit{{.owner = home.owner, .action = "camera.put"}}));
    RunSql("INSERT INTO removals VALUES ('" + home.owner + "', 1, 'cam_gone')");  // the writer does not hear of it
  }
  const auto owners_of = [this](const std::string& table) {
    return QuerySql("SELECT DISTINCT " + std::string(table == "owners" ? "id" : "owner") + " FROM " + table +
                    " WHERE " + (table == "owners" ? "id" : "owner") + " IN ('own_mine', 'own_other') ORDER BY 1");
  };
  const std::vector<std::string> tables = Tables();
  ASSERT_THAT(tables, SizeIs(::testing::Ge(16U)));
  int owned = 0;
  for (const std::string& table : tables) {
    if (table == "store" || table == "settings") continue;  // the installation's; the schema's test knows them too
    ++owned;
    EXPECT_THAT(owners_of(table), ElementsAre("own_mine", "own_other"))
        << table << ": a new table? Put a row of both homes into it above, and its erasing into sweep.cc";
  }
  ASSERT_GE(owned, 14);

  Write(*store, BatchOf(EraseOwner{home_.owner}));
  EXPECT_EQ(store->GetOwner(home_.owner).status().reason(), "not_found") << "at once";
  EXPECT_THAT(store->ListOwners().value(), SizeIs(2)) << "the other and this machine's";
  EXPECT_EQ(store->FindCredential(home_.Hash()).status().reason(), "not_found");
  EXPECT_EQ(store->Write(BatchOf(Put<Rule>{{.owner = home_.owner, .id = "rul_late"}})).status().reason(), "not_found")
      << "what was on its way makes nothing new";
  EXPECT_EQ(store->Write(home_.Fires()).status().reason(), "not_found");
  store.reset();
  store = Open(options_);  // a restart in between
  ASSERT_TRUE(store->Sweep().ok());
  EXPECT_TRUE(store->IsErased(home_.owner).value());
  for (const std::string& table : tables) {
    if (table == "store" || table == "settings") continue;
    EXPECT_THAT(owners_of(table), ::testing::Not(::testing::Contains("own_mine"))) << table;
    EXPECT_TRUE(table == "removals" || owners_of(table) == std::vector<std::string>{"own_other"}) << table;
  }
  EXPECT_TRUE(store->Get<Alert>(other_.owner, other_.alert).ok());
  EXPECT_EQ(store->Write(BatchOf(EraseOwner{home_.owner})).status().reason(), "not_found");
  EXPECT_EQ(store->Write(BatchOf(EraseOwner{std::string(kLocalOwner)})).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(SweepTest, WhatWasErasedIsNotInTheFilesEither) {
  auto store = Open(options_);
  Write(*store, home_.Rows());
  Write(*store, home_.Fires());
  EXPECT_TRUE(FilesHold("s3cret-own_mine"));
  Write(*store, BatchOf(EraseOwner{home_.owner}));
  ASSERT_TRUE(store->Sweep().ok());
  EXPECT_FALSE(FilesHold("s3cret-own_mine"));
  EXPECT_FALSE(FilesHold("couch")) << "its rule's question";
  EXPECT_FALSE(FilesHold(std::string(2000, '\xA5'))) << "its picture";
  EXPECT_FALSE(FilesHold("own_mine"));
}

TEST_F(SweepTest, AReplacedSecretIsWipedFromTheFile) {
  {
    auto store = Open(options_);
    Write(*store, home_.Rows());
    Receiver receiver = store->Get<Receiver>(home_.owner, home_.receiver).value();
    receiver.secret = "another";
    Write(*store, BatchOf(Put<Receiver>{receiver}));
  }
  EXPECT_FALSE(FilesHold("s3cret-own_mine")) << "once the log has been folded in";
  EXPECT_TRUE(FilesHold("another"));
}

TEST_F(SweepTest, TheFileShrinksWhenMuchOfItIsEmpty) {
  auto store = Open(options_);
  Write(*store, home_.Rows());
  Event large = home_.FiredEvent();
  large.detail.Set("x", std::string(60000, 'x'));
  for (int i = 0; i < 5; ++i) Write(*store, WriteBatch(100, AddEvent{large, {}}));
  const auto pages = [this] { return std::stoi(QuerySql("PRAGMA page_count")[0]); };
  const int before = pages();
  ASSERT_GT(before, 5000);
  clock_.Advance(hours(101));
  ASSERT_TRUE(store->Sweep().ok());
  EXPECT_LT(pages(), before / 4);
  store.reset();
  EXPECT_LT(static_cast<int64_t>(std::filesystem::file_size(path_)), before / 4 * 4096LL);
}

}  // namespace
}  // namespace pawsight::events
