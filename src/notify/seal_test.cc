// Receivers' secrets at rest: sealed, bound to their row, under keys that can be replaced; and a store that had them in
// clear.
#include "notify/seal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/base64.h"
#include "base/files.h"
#include "notify/seal_store.h"
#include "notify/store_outbox.h"

namespace pawsight::notify {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

const ReceiverKey kMine{"own_a", "rcv_1"};
constexpr char kSecret[] = R"({"token":"tk_very-secret-of-mine"})";

TEST(SealTest, WhatIsSealedOpensForItsReceiverAndTellsNothing) {
  const SecretKeys keys = SecretKeys::Make().value();
  const std::string sealed = keys.Seal(kMine, kSecret).value();
  EXPECT_THAT(sealed, StartsWith("sealed.1."));
  EXPECT_THAT(sealed, Not(HasSubstr("secret-of")));
  EXPECT_NE(keys.Seal(kMine, kSecret).value(), sealed) << "equal secrets do not look equal";
  EXPECT_EQ(keys.Open(kMine, sealed).value(), kSecret);
  EXPECT_EQ(keys.Open(kMine, keys.Seal(kMine, "").value()).value(), "");
  for (const ReceiverKey& other : {ReceiverKey{"own_b", "rcv_1"}, ReceiverKey{"own_a", "rcv_2"}}) {
    EXPECT_EQ(keys.Open(other, sealed).status().reason(), "secret_sealed");
  }
}

TEST(SealTest, NoByteOfItCanBeChanged) {
  const SecretKeys keys = SecretKeys::Make().value();
  const std::string sealed = keys.Seal(kMine, kSecret).value();
  for (size_t i = std::string_view("sealed.1.").size(); i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(keys.Open(kMine, changed).status().code(), StatusCode::kDataLoss) << i;
    EXPECT_FALSE(keys.Open(kMine, sealed.substr(0, i)).ok()) << i;
  }
}

TEST(SealTest, ANewKeySealsAndTheOldOneStillOpens) {
  const SecretKeys old = SecretKeys::Make().value();
  const std::string before = old.Seal(kMine, kSecret).value();
  const SecretKeys fresh = SecretKeys::Make().value();
  const SecretKeys both = SecretKeys::Parse("# newest first\n" + fresh.Text() + "\n" + old.Text()).value();
  EXPECT_EQ(both.Open(kMine, before).value(), kSecret);
  EXPECT_TRUE(both.WantsSealing(before));
  EXPECT_TRUE(both.WantsSealing(kSecret));
  const std::string after = both.Seal(kMine, kSecret).value();
  EXPECT_FALSE(both.WantsSealing(after));
  EXPECT_EQ(fresh.Open(kMine, after).value(), kSecret);
  EXPECT_THAT(fresh.Open(kMine, before).status().message(), HasSubstr("which is not there"));
}

TEST(SealTest, AFileThatIsNoneIsRefusedWithoutBeingShown) {
  for (const std::string& text : {std::string(), std::string("# only words\n"), std::string("c2hvcnQ=\n"),
                                  std::string("not base64 at all\n"), std::string(100000, 'A')}) {
    const Status status = SecretKeys::Parse(text).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(status.message(), Not(HasSubstr("c2hvcnQ")));
  }
  std::string many;
  for (int i = 0; i < 17; ++i) many += SecretKeys::Make()->Text();
  EXPECT_FALSE(SecretKeys::Parse(many).ok());
}

TEST(SealTest, WithoutKeysNothingIsSealedAndWithUnusableOnesNothingIsLeftInClear) {
  EXPECT_EQ(SecretKeys().Seal(kMine, kSecret).value(), kSecret);
  const SecretKeys unusable = SecretKeys::Unusable(FailedPrecondition("the file is damaged"));
  EXPECT_FALSE(unusable.Seal(kMine, kSecret).ok());
  EXPECT_EQ(unusable.Open(kMine, kSecret).value(), kSecret);
  EXPECT_FALSE(unusable.Open(kMine, SecretKeys::Make()->Seal(kMine, kSecret).value()).ok());
  EXPECT_FALSE(unusable.WantsSealing(kSecret));
}

class SealStoreTest : public ::testing::Test {
 protected:
  SealStoreTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "pawsight-seal-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    store_ = events::Store::Open(folder_ + "/events.sqlite").value();
    events::Owner owner;
    owner.id = kMine.owner;
    owner.name = "home";
    events::WriteBatch batch{events::Put<events::Owner>{owner}};
    for (int i = 0; i < kReceivers; ++i) {
      events::Receiver receiver;
      receiver.owner = kMine.owner;
      receiver.id = Id(i);
      receiver.kind = "ntfy";
      receiver.name = "phone";
      receiver.document = R"({"kind":"ntfy","topic":"paws"})";
      receiver.secret = kSecret;
      batch.emplace_back(events::Put<events::Receiver>{std::move(receiver)});
    }
    CHECK(store_->Write(std::move(batch)).ok());
  }
  ~SealStoreTest() override {
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  static std::string Id(int i) { return "rcv_" + std::to_string(i); }
  events::Receiver Get(int i) const { return store_->Get<events::Receiver>(kMine.owner, Id(i)).value(); }
  /// Files of the store, its log and what else lies beside it, that have these bytes.
  std::vector<std::string> FilesWith(const std::string& bytes) const {
    std::vector<std::string> found;
    for (const auto& file : std::filesystem::directory_iterator(folder_)) {
      if (ReadTextFile(file.path(), 1U << 30U)->find(bytes) != std::string::npos) found.push_back(file.path());
    }
    return found;
  }

  static constexpr int kReceivers = 600;  // more than a batch
  std::string folder_;
  std::unique_ptr<events::Store> store_;
};

TEST_F(SealStoreTest, SecretsThatLayInClearAreSealedAndTheirBytesGone) {
  ASSERT_THAT(FilesWith("secret-of-mine"), Not(IsEmpty()));
  EXPECT_FALSE(HasSealedSecrets(*store_).value());
  const SecretKeys keys = SecretKeys::Make().value();
  const SealReport report = SealReceivers(*store_, keys).value();
  EXPECT_EQ(report.num_unsealed, static_cast<size_t>(kReceivers));
  EXPECT_EQ(report.num_broken, 0U);
  EXPECT_THAT(FilesWith("secret-of-mine"), IsEmpty()) << "while the store is open, its log too";
  EXPECT_EQ(Get(0).version, 1) << "nobody's change";
  EXPECT_TRUE(HasSealedSecrets(*store_).value());
  EXPECT_EQ(SealReceivers(*store_, keys)->num_unsealed, 0U) << "done once";
  StoreOutbox outbox(*store_, keys);
  EXPECT_EQ(outbox.Document({kMine.owner, Id(7)})->GetString("token").value(), "tk_very-secret-of-mine");
  store_.reset();
  EXPECT_THAT(FilesWith("secret-of-mine"), IsEmpty());
}

TEST_F(SealStoreTest, AnotherKeyMarksReceiversAndTheRightOneMendsThem) {
  const SecretKeys keys = SecretKeys::Make().value(), wrong = SecretKeys::Make().value();
  ASSERT_TRUE(SealReceivers(*store_, keys).ok());
  EXPECT_EQ(SealReceivers(*store_, wrong)->num_broken, static_cast<size_t>(kReceivers));
  EXPECT_THAT(Get(3).reason, HasSubstr("which is not there"));
  EXPECT_TRUE(Get(3).active) << "its messages wait";
  const Status opened = StoreOutbox(*store_, wrong).Document({kMine.owner, Id(3)}).status();
  EXPECT_EQ(opened.code(), StatusCode::kDataLoss) << "trouble of the receiver, not a receiver that is off";
  EXPECT_EQ(SealReceivers(*store_, keys)->num_broken, 0U);
  EXPECT_EQ(Get(3).reason, "");
}

TEST_F(SealStoreTest, ANewKeyTakesOver) {
  const SecretKeys old = SecretKeys::Make().value(), fresh = SecretKeys::Make().value();
  ASSERT_TRUE(SealReceivers(*store_, old).ok());
  const SecretKeys both = SecretKeys::Parse(fresh.Text() + old.Text()).value();
  EXPECT_EQ(SealReceivers(*store_, both)->num_resealed, static_cast<size_t>(kReceivers));
  EXPECT_EQ(SealReceivers(*store_, fresh)->num_broken, 0U) << "the old key is of no use any more";
}

}  // namespace
}  // namespace pawsight::notify
