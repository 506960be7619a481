// What people make and change: by version, within their owner.
#include <map>

#include "base/rng.h"
#include "events/testing.h"

namespace pawsight::events {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RowsTest : public StoreTest {
 protected:
  RowsTest() {
    options_.clock = &clock_;
    store_ = Open(options_);
    Write(mine_.Rows());
    Write(other_.Rows());
  }
  void Write(WriteBatch batch) {
    const Result<Receipt> receipt = store_->Write(std::move(batch));
    ASSERT_TRUE(receipt.ok()) << receipt.status().ToString();
  }
  Status Refusal(WriteBatch batch) { return store_->Write(std::move(batch)).status(); }

  ManualClock clock_{Time(hours(24 * 365 * 50))};
  StoreOptions options_;
  std::unique_ptr<Store> store_;
  const Home mine_{"mine"};
  const Home other_{"other"};
};

TEST_F(RowsTest, ComeBackAsTheyWerePutAfterReopening) {
  store_.reset();
  store_ = Open(options_);
  const Owner owner = store_->GetOwner(mine_.owner).value();
  EXPECT_EQ(owner.name, "home of own_mine");
  EXPECT_EQ(owner.version, 1);
  EXPECT_EQ(owner.created, clock_.Now());
  const Camera camera = store_->Get<Camera>(mine_.owner, mine_.camera).value();
  EXPECT_EQ(camera.owner, mine_.owner);
  EXPECT_EQ(camera.device, mine_.device);
  EXPECT_EQ(camera.name, "den");
  EXPECT_THAT(camera.labels, ElementsAre("indoor", "dog's \"own\""));
  EXPECT_EQ(camera.source, "rtsp://user:pass@10.0.0.9/1");
  EXPECT_EQ(camera.zone, "Europe/Berlin");
  EXPECT_TRUE(camera.enabled);
  EXPECT_TRUE(camera.keep_pictures);
  EXPECT_EQ(camera.document, "{\"gate\":1}");
  EXPECT_EQ(store_->Get<Device>(mine_.owner, mine_.device).value().name, "box");
  EXPECT_THAT(store_->Get<Rule>(mine_.owner, mine_.rule).value().document, HasSubstr("couch"));
  const Receiver receiver = store_->Get<Receiver>(mine_.owner, mine_.receiver).value();
  EXPECT_EQ(receiver.kind, "webhook");
  EXPECT_TRUE(receiver.active);
  EXPECT_FALSE(receiver.secret.has_value()) << "no read gives it by the way";
  EXPECT_EQ(store_->ReceiverSecret(mine_.owner, mine_.receiver).value(), "s3cret-own_mine");
}

TEST_F(RowsTest, AChangeNeedsTheVersionThatWasRead) {
  Rule rule = store_->Get<Rule>(mine_.owner, mine_.rule).value();
  rule.document = "first";
  const Receipt receipt = store_->Write(BatchOf(Put<Rule>{rule})).value();
  EXPECT_EQ(receipt[0].number, 2) << "the new version";
  rule.document = "second, made from what the first has replaced";
  const Status status = Refusal(BatchOf(Put<Rule>{rule}));
  EXPECT_EQ(status.code(), StatusCode::kAborted);
  EXPECT_EQ(status.reason(), "conflict");
  EXPECT_THAT(status.message(), HasSubstr("version 2"));
  EXPECT_EQ(store_->Get<Rule>(mine_.owner, mine_.rule).value().document, "first");
  EXPECT_EQ(Refusal(BatchOf(Delete<Rule>{mine_.owner, mine_.rule, 1})).reason(), "conflict");
  Write(BatchOf(Delete<Rule>{mine_.owner, mine_.rule, 2}));
  EXPECT_EQ(Refusal(BatchOf(Delete<Rule>{mine_.owner, mine_.rule})).reason(), "not_found");
  rule.version = 2;
  EXPECT_EQ(Refusal(BatchOf(Put<Rule>{rule})).code(), StatusCode::kNotFound);
}

TEST_F(RowsTest, WhatNeedsAReceiverThatIsGoneIsNotWritten) {
  Rule rule = store_->Get<Rule>(mine_.owner, mine_.rule).value();
  rule.document = "tells " + mine_.receiver;
  const WriteBatch batch = BatchOf(Put<Rule>{rule}, Need<Receiver>{mine_.owner, mine_.receiver});
  const Receipt receipt = store_->Write(batch).value();
  EXPECT_EQ(receipt[0].number, 2);
  EXPECT_EQ(receipt[1].number, 0);
  rule.version = 2;
  rule.document = "tells another's";
  EXPECT_EQ(Refusal(BatchOf(Put<Rule>{rule}, Need<Receiver>{mine_.owner, other_.receiver})).reason(), "needed");
  Write(BatchOf(Delete<Receiver>{mine_.owner, mine_.receiver}));
  const Status refused = Refusal(BatchOf(Put<Rule>{rule}, Need<Receiver>{mine_.owner, mine_.receiver}));
  EXPECT_EQ(refused.code(), StatusCode::kNotFound);
  EXPECT_EQ(refused.reason(), "needed");
  EXPECT_EQ(store_->Get<Rule>(mine_.owner, mine_.rule).value().document, "tells " + mine_.receiver);
}

TEST_F(RowsTest, AnIdIsTakenOnceWhoeverHasIt) {
  EXPECT_EQ(Refusal(BatchOf(Put<Rule>{{.owner = mine_.owner, .id = mine_.rule}})).reason(), "exists");
  const Status status = Refusal(BatchOf(Put<Camera>{{.owner = mine_.owner, .id = other_.camera}}));
  EXPECT_EQ(status.code(), StatusCode::kAlreadyExists) << "one id, one mailbox: never two owners' frames in it";
  EXPECT_EQ(Refusal(BatchOf(Put<Credential>{{.id = "crd_new", .role = Role::kAdmin, .hash = mine_.Hash()}})).reason(),
            "exists");
}

TEST_F(RowsTest, NothingOfAnotherOwnerIsReached) {
  const std::string& me = mine_.owner;
  EXPECT_EQ(store_->Get<Camera>(me, other_.camera).status().reason(), "not_found");
  EXPECT_EQ(store_->Get<Rule>(me, other_.rule).status().reason(), "not_found");
  EXPECT_EQ(store_->Get<Credential>(me, other_.credential).status().reason(), "not_found");
  EXPECT_EQ(store_->ReceiverSecret(me, other_.receiver).status().reason(), "not_found");
  EXPECT_THAT(store_->List<Camera>(me).value(), SizeIs(1));
  EXPECT_THAT(store_->List<Receiver>(me).value(), SizeIs(1));
  EXPECT_EQ(Refusal(BatchOf(Delete<Camera>{me, other_.camera})).reason(), "not_found");
  EXPECT_EQ(Refusal(BatchOf(Revoke{me, other_.credential})).reason(), "not_found");
  EXPECT_EQ(Refusal(BatchOf(Put<Rule>{{.owner = me, .id = other_.rule, .version = 1}})).reason(), "not_found");
  EXPECT_EQ(Refusal(BatchOf(Put<Camera>{{.owner = me, .id = "cam_new", .device = other_.device}})).reason(),
            "not_found")
      << "a reference cannot leave its owner either";
  EXPECT_EQ(store_->Write(BatchOf(Put<AlertState>{{.owner = me, .camera = other_.camera, .rule = mine_.rule}}))
                .value()[0]
                .number,
            0);
  Write(mine_.Fires());
  const Event event = store_->ListEvents(me, {}, 0, 1).value()[0];
  EXPECT_EQ(store_->GetEvent(other_.owner, event.id).status().reason(), "not_found");
  EXPECT_EQ(store_->GetDelivery(other_.owner, 1).status().reason(), "not_found");
  EXPECT_EQ(store_->Write(BatchOf(Delivered{other_.owner, 1})).value()[0].number, 0);
  EXPECT_EQ(store_->GetDelivery(me, 1).value().state, DeliveryState::kPending);
}

TEST_F(RowsTest, ADeviceGoesWithItsCredentialsAndItsCamerasStay) {
  std::array<uint8_t, 32> hash{1, 2, 3};
  Write(BatchOf(Put<Credential>{
      {.id = "crd_dev", .owner = mine_.owner, .role = Role::kDevice, .device = mine_.device, .hash = hash}}));
  EXPECT_EQ(store_->FindCredential(hash).value().device, mine_.device);
  Write(BatchOf(Delete<Device>{mine_.owner, mine_.device, 1}));
  EXPECT_EQ(store_->FindCredential(hash).status().reason(), "not_found");
  const Camera camera = store_->Get<Camera>(mine_.owner, mine_.camera).value();
  EXPECT_EQ(camera.device, "");
  EXPECT_EQ(camera.version, 2);
}

TEST_F(RowsTest, CredentialsAreFoundByHashAndRevokedOnce) {
  Credential found = store_->FindCredential(mine_.Hash()).value();
  EXPECT_EQ(found.owner, mine_.owner);
  EXPECT_EQ(found.role, Role::kOperator);
  EXPECT_TRUE(IsUsable(found, clock_.Now()));
  const Time revoked = clock_.Now();
  Write(BatchOf(Revoke{mine_.owner, mine_.credential}));
  clock_.Advance(hours(1));
  Write(BatchOf(Revoke{mine_.owner, mine_.credential}));
  found = store_->FindCredential(mine_.Hash()).value();
  EXPECT_EQ(found.revoked, revoked);
  EXPECT_FALSE(IsUsable(found, clock_.Now()));
  found.revoked.reset();
  found.expires = clock_.Now();
  EXPECT_FALSE(IsUsable(found, clock_.Now())) << "expired from that moment on";
}

TEST_F(RowsTest, ARoleMustFitItsOwnerAndDevice) {
  const auto refused = [this](Credential credential) {
    credential.id = "crd_x";
    return Refusal(BatchOf(Put<Credential>{credential})).code() == StatusCode::kInvalidArgument;
  };
  EXPECT_TRUE(refused({.owner = mine_.owner, .role = Role::kAdmin}));
  EXPECT_TRUE(refused({.role = Role::kOperator}));
  EXPECT_TRUE(refused({.owner = mine_.owner, .role = Role::kDevice}));
  EXPECT_TRUE(refused({.owner = mine_.owner, .role = Role::kViewer, .device = mine_.device}));
  Write(BatchOf(Put<Credential>{{.id = "crd_admin", .role = Role::kAdmin, .hash = {9}}}));
  EXPECT_THAT(store_->List<Credential>("").value(), SizeIs(1)) << "admins' are those without an owner";
  EXPECT_TRUE(store_->Get<Credential>("", "crd_admin").ok());
  Write(BatchOf(Revoke{"", "crd_admin"}, Delete<Credential>{"", "crd_admin"}));
}

TEST_F(RowsTest, AReceiverKeepsItsSecretUnlessItIsGivenANewOne) {
  Receiver receiver = store_->Get<Receiver>(mine_.owner, mine_.receiver).value();
  receiver.name = "renamed";
  Write(BatchOf(Put<Receiver>{receiver}));
  EXPECT_EQ(store_->ReceiverSecret(mine_.owner, mine_.receiver).value(), "s3cret-own_mine");
  receiver = store_->Get<Receiver>(mine_.owner, mine_.receiver).value();
  receiver.secret = "";
  Write(BatchOf(Put<Receiver>{receiver}));
  EXPECT_EQ(store_->ReceiverSecret(mine_.owner, mine_.receiver).value(), "");
  Write(BatchOf(SetReceiverActive{mine_.owner, mine_.receiver, false, "410 Gone"}));
  receiver = store_->Get<Receiver>(mine_.owner, mine_.receiver).value();
  EXPECT_FALSE(receiver.active);
  EXPECT_EQ(receiver.reason, "410 Gone");
  EXPECT_EQ(receiver.version, 4);
}

TEST_F(RowsTest, SnoozesAreReplacedAndEnd) {
  const Time until = clock_.Now() + hours(1);
  Write(BatchOf(Put<Snooze>{{.owner = mine_.owner, .rule = mine_.rule, .until = until, .who = "crd_mine"}},
                Put<Snooze>{{.owner = mine_.owner, .until = until + hours(1)}}));
  Write(BatchOf(Put<Snooze>{{.owner = mine_.owner, .rule = mine_.rule, .until = until + seconds(1)}}));
  const std::vector<Snooze> snoozes = store_->ListSnoozes(mine_.owner).value();
  ASSERT_THAT(snoozes, SizeIs(2));
  EXPECT_EQ(snoozes[1].until, until + seconds(1));
  clock_.Advance(hours(1) + seconds(1));
  EXPECT_THAT(store_->ListSnoozes(mine_.owner).value(), SizeIs(1));
  Write(BatchOf(DeleteSnooze{mine_.owner, "", ""}));
  EXPECT_EQ(Refusal(BatchOf(DeleteSnooze{mine_.owner, "", ""})).reason(), "not_found");
  EXPECT_THAT(store_->ListSnoozes(mine_.owner).value(), IsEmpty());
}

TEST_F(RowsTest, ASettingLeavesWhatWasBeforeInTheAudit) {
  Write(BatchOf(Put<Setting>{{.name = "routing", .document = "a", .who = "crd_1"}}));
  EXPECT_EQ(Refusal(BatchOf(Put<Setting>{{.name = "routing", .document = "x"}})).reason(), "exists");
  clock_.Advance(seconds(5));
  Write(BatchOf(Put<Setting>{{.name = "routing", .document = "b", .version = 1, .who = "crd_2"}}));
  EXPECT_EQ(Refusal(BatchOf(Put<Setting>{{.name = "routing", .document = "c", .version = 1}})).reason(), "conflict");
  EXPECT_EQ(Refusal(BatchOf(Put<Setting>{{.name = "none", .document = "c", .version = 1}})).reason(), "not_found");
  const Setting setting = store_->GetSetting("routing").value();
  EXPECT_EQ(setting.document, "b");
  EXPECT_EQ(setting.version, 2);
  EXPECT_EQ(setting.who, "crd_2");
  const std::vector<AuditEntry> audit = store_->ListAudit("", 0, 10).value();
  ASSERT_THAT(audit, SizeIs(2)) << "refused changes leave nothing";
  EXPECT_EQ(audit[0].who, "crd_2");
  EXPECT_EQ(audit[0].object, "routing");
  EXPECT_EQ(audit[0].before, "a");
  EXPECT_EQ(audit[0].after, "b");
  EXPECT_EQ(audit[0].time - audit[1].time, seconds(5));
  EXPECT_THAT(store_->ListAudit("", audit[0].id, 10).value(), SizeIs(1));
}

TEST_F(RowsTest, ListsPageInBothDirectionsAndAreCapped) {
  WriteBatch batch;
  for (int i = 0; i < 1020; ++i) {
    char id[32];
    std::snprintf(id, sizeof id, "rul_%04d", i);
    batch.push_back(Put<Rule>{{.owner = mine_.owner, .id = id}});
  }
  Write(batch);
  EXPECT_THAT(store_->List<Rule>(mine_.owner, {.limit = 1000000000}).value(), SizeIs(kMaxListed));
  EXPECT_EQ(store_->List<Rule>(mine_.owner, {.limit = 0}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(store_->List<Rule>(mine_.owner, {.after = "rul_0004", .limit = 1}).value()[0].id, "rul_0005");
  EXPECT_EQ(store_->List<Rule>(mine_.owner, {.limit = 1, .newest_first = true}).value()[0].id, mine_.rule);
  EXPECT_EQ(store_->List<Rule>(mine_.owner, {.after = "rul_0004", .limit = 1, .newest_first = true}).value()[0].id,
            "rul_0003");
}

TEST_F(RowsTest, TextIsKeptAsItIsWhateverItSays) {
  const std::string hostile = std::string("'); DROP TABLE rules; --\0 %_\xff", 29);
  Write(BatchOf(Put<Rule>{{.owner = mine_.owner, .id = "rul_' OR ''='", .document = hostile}}));
  EXPECT_EQ(store_->Get<Rule>(mine_.owner, "rul_' OR ''='").value().document, hostile);
  EXPECT_EQ(store_->Get<Rule>("' OR ''='", mine_.rule).status().reason(), "not_found");
}

TEST_F(RowsTest, WhatIsTooLargeIsRefusedAtTheDoor) {
  const auto reason = [this](const events::Write& write) {
    const Status status = Refusal({write});
    return status.code() == StatusCode::kInvalidArgument ? status.reason() : status.ToString();
  };
  const std::string large(kMaxDocumentBytes + 1, 'x');
  EXPECT_EQ(reason(Put<Rule>{{.owner = mine_.owner, .id = "r", .document = large}}), "too_large");
  EXPECT_EQ(reason(Put<Owner>{{.id = "o", .name = large}}), "too_large");
  EXPECT_EQ(reason(Put<Owner>{{.id = std::string(65, 'x')}}), "too_large");
  EXPECT_EQ(reason(Put<Owner>{{.id = ""}}), "");
  EXPECT_EQ(reason(Put<Camera>{{.owner = mine_.owner, .id = "c", .labels = std::vector<std::string>(65, "l")}}),
            "too_large");
  EXPECT_EQ(reason(AddEvent{mine_.FiredEvent(), std::vector<std::string>(65, "r")}), "too_large");
  EXPECT_EQ(reason(Put<Picture>{{.owner = mine_.owner,
                                 .id = "p",
                                 .camera = mine_.camera,
                                 .content_type = "image/jpeg",
                                 .bytes = std::vector<uint8_t>(kMaxPictureBytes + 1)}}),
            "too_large");
  EXPECT_EQ(Refusal(WriteBatch(kMaxBatchWrites + 1, Audit{{.action = "a"}})).reason(), "too_large");
  EXPECT_EQ(Refusal(WriteBatch(kMaxBatchWrites, Audit{{.action = "a", .before = std::string(9000, 'x')}})).reason(),
            "too_large");
  EXPECT_EQ(Refusal({}).code(), StatusCode::kInvalidArgument);
}

/// Random writes and reads of two owners, against a map: what an owner does shows to that owner and to no other.
TEST_F(RowsTest, TwoOwnersNeverSeeEachOthersRows) {
  Rng rng(7);
  std::map<std::pair<std::string, std::string>, std::string> model;  // (owner, id) to document
  const std::vector<std::string> owners = {mine_.owner, other_.owner};
  for (int i = 0; i < 400; ++i) {
    const std::string& owner = owners[static_cast<size_t>(rng.Below(2))];
    // Ids that the other may have, too: refused then, and nothing of it changes.
    const std::string id = "rul_" + std::to_string(rng.Below(12));
    const std::string document = std::to_string(i);
    const auto key = std::pair(owner, id);
    const auto others = std::pair(owner == owners[0] ? owners[1] : owners[0], id);
    const Result<Rule> there = store_->Get<Rule>(owner, id);
    ASSERT_EQ(there.ok(), model.count(key) != 0) << i;
    ASSERT_EQ(there.ok() ? there->document : "", there.ok() ? model[key] : "") << i;
    if (rng.Chance(0.4)) {
      const Status deleted = Refusal(BatchOf(Delete<Rule>{owner, id}));
      ASSERT_EQ(deleted.ok(), model.erase(key) != 0) << i;
    } else {
      const int64_t version = there.ok() ? there->version : 0;
      const Status put =
          Refusal(BatchOf(Put<Rule>{{.owner = owner, .id = id, .document = document, .version = version}}));
      ASSERT_EQ(put.ok(), model.count(others) == 0) << i << " " << put.ToString();
      if (put.ok()) model[key] = document;
    }
  }
  for (const std::string& owner : owners) {
    size_t own = 0;
    for (const auto& [key, document] : model) own += key.first == owner ? 1 : 0;
    EXPECT_THAT(store_->List<Rule>(owner).value(), SizeIs(own + 1)) << "and the one of its Home";
  }
}

}  // namespace
}  // namespace pawsight::events
