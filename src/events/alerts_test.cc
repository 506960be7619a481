// What frames write and what is delivered of it.
#include "events/ids.h"
#include "events/testing.h"

namespace pawsight::events {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class AlertsTest : public StoreTest {
 protected:
  AlertsTest() {
    options_.clock = &clock_;
    store_ = Open(options_);
    Write(home_.Rows());
  }
  Receipt Write(WriteBatch batch) {
    Result<Receipt> receipt = store_->Write(std::move(batch));
    EXPECT_TRUE(receipt.ok()) << receipt.status().ToString();
    return receipt.ok() ? std::move(*receipt) : Receipt(64);
  }
  std::vector<Delivery> Due() { return store_->DueDeliveries(home_.owner, home_.receiver, clock_.Now(), 100).value(); }

  ManualClock clock_{Time(hours(24 * 365 * 50))};
  StoreOptions options_;
  std::unique_ptr<Store> store_;
  const Home home_{"mine"};
};

TEST_F(AlertsTest, AChangeIsWrittenWithItsStateItsEventAndItsDelivery) {
  const Receipt receipt = Write(home_.Fires());
  store_.reset();
  store_ = Open(options_);
  const std::vector<AlertState> states = store_->ListAlertStates(home_.owner).value();
  ASSERT_THAT(states, SizeIs(1));
  EXPECT_EQ(states[0].document, "firing");
  const Alert alert = store_->Get<Alert>(home_.owner, home_.alert).value();
  EXPECT_EQ(alert.camera, home_.camera);
  EXPECT_EQ(alert.fired, Time(seconds(1000)));
  EXPECT_FALSE(alert.resolved.has_value());
  const Event event = store_->GetEvent(home_.owner, receipt[2].id).value();
  EXPECT_EQ(event.sequence, receipt[2].number);
  EXPECT_EQ(event.alert, home_.alert);
  EXPECT_TRUE(IsId("evt_", event.id));
  const std::vector<Delivery> due = Due();
  ASSERT_THAT(due, SizeIs(1));
  EXPECT_EQ(due[0].event.id, event.id);
  EXPECT_EQ(due[0].event.detail.Dump(), event.detail.Dump());
  EXPECT_EQ(due[0].attempts, 0);
  EXPECT_EQ(store_->Get<Picture>(home_.owner, home_.picture).value().bytes.size(), 3000U);
}

TEST_F(AlertsTest, AnAlertIsOneEpisode) {
  Write(home_.Fires());
  Alert alert = store_->Get<Alert>(home_.owner, home_.alert).value();
  alert.resolved = Time(seconds(2000));
  alert.document = "over";
  Write(BatchOf(Put<Alert>{alert}));
  EXPECT_THAT(store_->ListAlerts(home_.owner, {.open_only = true}).value(), IsEmpty());
  const std::vector<Alert> all = store_->List<Alert>(home_.owner).value();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].resolved, Time(seconds(2000)));
  EXPECT_EQ(all[0].fired, Time(seconds(1000))) << "as it was at first";
}

TEST_F(AlertsTest, AlertsAreFilteredByCameraRuleAndOpenness) {
  for (int i = 0; i < 12; ++i) {
    Write(BatchOf(Put<Alert>{{.owner = home_.owner,
                              .id = "alr_" + std::to_string(100 + i),
                              .camera = i % 2 == 0 ? "cam_a" : "cam_b",
                              .rule = i % 3 == 0 ? "rul_a" : "rul_b",
                              .resolved = i % 4 == 0 ? std::optional<Time>(Time{}) : std::nullopt}}));
  }
  const auto count = [this](const AlertFilter& filter) {
    return store_->ListAlerts(home_.owner, filter).value().size();
  };
  EXPECT_EQ(count({}), 12U);
  EXPECT_EQ(count({.camera = "cam_a"}), 6U);
  EXPECT_EQ(count({.rule = "rul_a"}), 4U);
  EXPECT_EQ(count({.camera = "cam_a", .rule = "rul_a"}), 2U);
  EXPECT_EQ(count({.open_only = true}), 9U);
  EXPECT_EQ(count({.camera = "cam_a", .open_only = true}), 3U);
  EXPECT_EQ(count({.camera = "cam_a", .rule = "rul_b", .open_only = true}), 2U);
  EXPECT_EQ(count({.camera = "' OR 1=1 --"}), 0U);
  const std::vector<Alert> newest =
      store_->ListAlerts(home_.owner, {.camera = "cam_a"}, {.after = "alr_108", .limit = 2, .newest_first = true})
          .value();
  ASSERT_THAT(newest, SizeIs(2));
  EXPECT_EQ(newest[0].id, "alr_106");
}

TEST_F(AlertsTest, WhatWasDeletedMeanwhileDoesNotHoldUpTheRest) {
  Write(BatchOf(Delete<Rule>{home_.owner, home_.rule}, Delete<Receiver>{home_.owner, home_.receiver}));
  const Receipt receipt = Write(home_.Fires());
  EXPECT_EQ(receipt[0].number, 0) << "the state of a rule that is not there";
  EXPECT_TRUE(store_->Get<Alert>(home_.owner, home_.alert).ok());
  EXPECT_THAT(store_->ListEvents(home_.owner, {}, 0, 10).value(), SizeIs(1));
  EXPECT_THAT(Due(), IsEmpty());
  EXPECT_EQ(store_->Write(BatchOf(AddEvent{{.owner = "own_nobody", .type = "alert.fired"}, {}})).status().reason(),
            "not_found");
}

TEST_F(AlertsTest, ADeletedCameraTakesItsStatesAndPicturesAndLeavesItsAlerts) {
  Write(home_.Fires());
  Write(BatchOf(Put<Snooze>{{.owner = home_.owner, .camera = home_.camera, .until = Time::max()}}));
  Write(BatchOf(Delete<Camera>{home_.owner, home_.camera}));
  EXPECT_THAT(store_->ListAlertStates(home_.owner).value(), IsEmpty());
  EXPECT_THAT(store_->ListSnoozes(home_.owner).value(), IsEmpty());
  EXPECT_EQ(store_->Get<Picture>(home_.owner, home_.picture).status().reason(), "not_found") << "at once";
  EXPECT_TRUE(store_->Get<Alert>(home_.owner, home_.alert).ok());
  ASSERT_TRUE(store_->Sweep().ok());
  EXPECT_THAT(QuerySql("SELECT id FROM pictures"), IsEmpty()) << "and soon from the file";
  EXPECT_THAT(QuerySql("SELECT id FROM removals"), IsEmpty());
}

TEST_F(AlertsTest, ADeliveryFailsIsTriedAgainDiesAndIsRevived) {
  Write(home_.Fires());
  const int64_t id = Due()[0].id;
  Write(BatchOf(DeliveryFailed{home_.owner, id, "connection refused", clock_.Now() + seconds(5)}));
  EXPECT_THAT(Due(), IsEmpty());
  clock_.Advance(seconds(5));
  ASSERT_THAT(Due(), SizeIs(1));
  EXPECT_EQ(Due()[0].attempts, 1);
  EXPECT_EQ(Due()[0].error, "connection refused");
  Write(BatchOf(DeliveryDead{home_.owner, id, "410 Gone"}));
  EXPECT_THAT(Due(), IsEmpty());
  const std::vector<Delivery> dead = store_->ListDeliveries(home_.owner, {.dead_only = true}, 0, 10).value();
  ASSERT_THAT(dead, SizeIs(1));
  EXPECT_EQ(dead[0].error, "410 Gone");
  EXPECT_EQ(dead[0].finished, clock_.Now());
  Write(BatchOf(RetryDelivery{home_.owner, id}));
  ASSERT_THAT(Due(), SizeIs(1));
  EXPECT_EQ(Due()[0].attempts, 0);
  EXPECT_EQ(store_->Write(BatchOf(RetryDelivery{home_.owner, id})).status().reason(), "not_found") << "it is not dead";
  EXPECT_EQ(Write(BatchOf(Delivered{home_.owner, id}))[0].number, 1);
  EXPECT_EQ(Write(BatchOf(Delivered{home_.owner, id}))[0].number, 0) << "twice is once";
  EXPECT_EQ(Write(BatchOf(DeliveryFailed{home_.owner, id, "late", {}}))[0].number, 0) << "delivered stays delivered";
  EXPECT_EQ(store_->GetDelivery(home_.owner, id).value().state, DeliveryState::kDelivered);
  EXPECT_EQ(store_->ListDeliveries(home_.owner, {}, 0, 10).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(AlertsTest, EachReceiverHasItsOwnQueueAndTheListenerHearsOfIt) {
  std::vector<std::vector<std::string>> heard;  // written by the writer thread, read after a Write has returned
  Mutex mu;
  store_->SetPendingListener([&](std::span<const PendingReceiver> pending) {
    MutexLock lock(mu);
    heard.emplace_back();
    for (const PendingReceiver& one : pending) heard.back().push_back(one.receiver);
  });
  WriteBatch receivers;
  for (const char* id : {"rcv_a", "rcv_b", "rcv_c"}) {
    receivers.push_back(Put<Receiver>{{.owner = home_.owner, .id = id, .kind = "ntfy"}});
  }
  Write(receivers);
  Write(BatchOf(SetReceiverActive{home_.owner, "rcv_c", false, "off"}));
  Write(BatchOf(AddEvent{home_.FiredEvent(), {"rcv_a", "rcv_b", "rcv_c", "rcv_a", "rcv_none"}}));
  clock_.Advance(milliseconds(10));
  Write(BatchOf(AddEvent{home_.FiredEvent(), {"rcv_b"}}));
  const auto pending = [this](const std::string& owner, const std::string& receiver, int limit) {
    std::vector<std::string> found;
    const auto listed = store_->ListPendingReceivers(owner, receiver, limit);
    for (const PendingReceiver& one : listed.value()) found.push_back(one.receiver);
    return found;
  };
  EXPECT_THAT(pending("", "", 10), ElementsAre("rcv_a", "rcv_b")) << "once each, the inactive and the unknown left out";
  EXPECT_THAT(pending(home_.owner, "rcv_a", 10), ElementsAre("rcv_b"));
  EXPECT_THAT(pending("", "", 1), ElementsAre("rcv_a"));
  EXPECT_THAT(store_->DueDeliveries(home_.owner, "rcv_b", clock_.Now(), 10).value(), SizeIs(2));
  EXPECT_THAT(store_->DueDeliveries(home_.owner, "rcv_b", clock_.Now() - milliseconds(1), 10).value(), SizeIs(1));
  // Closing calls what is left to call; the listener is called after `done`.
  store_.reset();
  MutexLock lock(mu);
  EXPECT_THAT(heard, ElementsAre(ElementsAre("rcv_a", "rcv_b"), ElementsAre("rcv_b")));
}

TEST_F(AlertsTest, ADeletedReceiversDeliveriesAreNotDeliveredAndGo) {
  Write(home_.Fires());
  Write(BatchOf(Delete<Receiver>{home_.owner, home_.receiver}));
  EXPECT_THAT(store_->ListPendingReceivers("", "", 10).value(), IsEmpty());
  ASSERT_TRUE(store_->Sweep().ok());
  EXPECT_THAT(QuerySql("SELECT id FROM outbox"), IsEmpty());
}

TEST_F(AlertsTest, APictureIsKeptOnlyWhereTheOwnerOptedIn) {
  Camera camera = store_->Get<Camera>(home_.owner, home_.camera).value();
  camera.keep_pictures = false;
  Write(BatchOf(Put<Camera>{camera}));
  EXPECT_EQ(Write(home_.Fires())[3].number, 0);
  EXPECT_EQ(store_->Get<Picture>(home_.owner, home_.picture).status().reason(), "not_found");
}

TEST_F(AlertsTest, AStatesPageContinuesAfterAPair) {
  for (const char* rule : {"rul_1", "rul_2", "rul_3"}) {
    Write(BatchOf(Put<Rule>{{.owner = home_.owner, .id = rule}},
                  Put<AlertState>{{.owner = home_.owner, .camera = home_.camera, .rule = rule, .document = rule}}));
  }
  const std::vector<AlertState> first = store_->ListAlertStates(home_.owner, "", "", 2).value();
  ASSERT_THAT(first, SizeIs(2));
  const std::vector<AlertState> rest = store_->ListAlertStates(home_.owner, first[1].camera, first[1].rule).value();
  ASSERT_THAT(rest, SizeIs(1));
  EXPECT_EQ(rest[0].document, "rul_3");
}

TEST_F(AlertsTest, ClocksThatJumpChangeNoOrder) {
  clock_.Advance(-hours(24 * 365 * 20));
  Event past = home_.FiredEvent();
  past.time = Time(-hours(1));
  const Receipt first = Write(BatchOf(AddEvent{past, {}}));
  clock_.Advance(hours(24 * 365 * 30));
  const Receipt second = Write(BatchOf(AddEvent{home_.FiredEvent(), {}}));
  EXPECT_LT(first[0].number, second[0].number);
  EXPECT_LT(first[0].id, second[0].id) << "ids are in the order of sequences";
  EXPECT_EQ(store_->ListEventsBackwards(home_.owner, {}, 0, 1).value()[0].id, second[0].id);
  EXPECT_EQ(store_->ListEvents(home_.owner, {.camera = home_.camera}, 0, 1).value()[0].time, Time(-hours(1)));
}

TEST_F(AlertsTest, AnEventsIdIsNotGuessedFromItsSequence) {
  const Receipt receipt = Write(home_.Fires());
  std::string forged = receipt[2].id;
  forged.back() = forged.back() == '0' ? '1' : '0';
  EXPECT_EQ(store_->GetEvent(home_.owner, forged).status().reason(), "not_found");
  EXPECT_EQ(store_->GetEvent(home_.owner, "nonsense").status().reason(), "not_found");
}

}  // namespace
}  // namespace pawsight::events
