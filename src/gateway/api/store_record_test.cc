// Alerts on their way to the store, and the pictures that some of them wait for.
#include "gateway/api/store_record.h"

#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <mutex>
#include <thread>

#include "events/ids.h"
#include "gateway/api/testing.h"

namespace pawsight::gateway::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

/// Makes a picture of one byte once it is let, and says when it has begun.
class HeldMaker {
 public:
  PictureStation::Make Make() {
    return [this](std::span<const uint8_t>) -> Result<std::vector<uint8_t>> {
      if (num_begun_.fetch_add(1) == 0) begun_.set_value();
      released_.wait();
      return std::vector<uint8_t>{0xFF};
    };
  }
  void AwaitBegun() { begun_.get_future().wait(); }
  void Release() { release_.set_value(); }

 private:
  std::atomic<int> num_begun_{0};
  std::promise<void> begun_, release_;
  const std::shared_future<void> released_ = release_.get_future().share();
};

class StoreRecordTest : public ApiTest {
 protected:
  StoreRecordTest() : home_(MakeHome("home")) {
    camera_ = Post("/v1/cameras", home_.operator_token, R"({"name":"den","keep_pictures":true})").Text("id");
    rule_ = Post("/v1/rules", home_.operator_token, R"({"question":"Is there a dog?"})").Text("id");
  }
  /// An alert that fires; a new id each.
  RecordEntry Fired() const {
    RecordEntry entry;
    entry.owner = home_.owner;
    entry.camera = camera_;
    entry.rule = rule_;
    AlertNotice notice;
    notice.id = events::NewId("alr_", clock_.Now());
    notice.owner = home_.owner;
    notice.camera = camera_;
    notice.rule = rule_;
    notice.change = AlertChange::kFired;
    notice.time = notice.since = clock_.Now();
    entry.notice = notice;
    const std::string jpeg = Jpeg();
    entry.picture = std::make_shared<const std::vector<uint8_t>>(jpeg.begin(), jpeg.end());
    return entry;
  }
  bool HasPicture(const RecordEntry& entry) const {
    return store_->Get<events::Picture>(home_.owner, PictureIdOf(entry.notice->id)).ok();
  }
  std::vector<events::Alert> Alerts() const { return store_->ListAlerts(home_.owner, {}).value(); }

  const Home home_;
  std::string camera_, rule_;
};

TEST_F(StoreRecordTest, WhoJudgesDoesNotWaitForThePictureAndTheAlertDoes) {
  HeldMaker maker;
  StoreRecord record(*store_, clock_, std::chrono::hours(1), maker.Make());
  record.SetRegistry(*registry_);
  const RecordEntry entry = Fired();
  std::promise<Status> told;
  record.Write({entry}, [&](const Result<std::vector<std::string>>& events) { told.set_value(events.status()); });
  maker.AwaitBegun();  // Write came back, and the picture is not made
  EXPECT_THAT(Alerts(), SizeIs(0)) << "an alert is written with its picture";
  maker.Release();
  EXPECT_TRUE(told.get_future().get().ok());
  EXPECT_THAT(Alerts(), SizeIs(1));
  EXPECT_TRUE(HasPicture(entry));
  EXPECT_EQ(record.pictures().made, 1U);
}

TEST_F(StoreRecordTest, WhenTooManyPicturesWaitAnAlertIsWrittenWithoutOne) {
  HeldMaker maker;
  StoreRecord record(*store_, clock_, std::chrono::hours(1), maker.Make());
  record.SetRegistry(*registry_);
  const auto num_told = std::make_shared<std::atomic<int>>(0);  // the store's writer has it last
  const auto write = [&](const RecordEntry& entry) {
    record.Write({entry}, [num_told](const Result<std::vector<std::string>>& events) {
      EXPECT_TRUE(events.ok()) << events.status().ToString();
      ++*num_told;
      num_told->notify_all();
    });
  };
  write(Fired());
  maker.AwaitBegun();
  for (size_t i = 0; i < PictureStation::kMaxWaiting; ++i) write(Fired());
  EXPECT_EQ(record.pictures().waiting, PictureStation::kMaxWaiting);
  const RecordEntry late = Fired();
  write(late);
  num_told->wait(0);
  EXPECT_THAT(Alerts(), SizeIs(1));
  EXPECT_FALSE(HasPicture(late));
  EXPECT_EQ(record.pictures().refused, 1U);
  maker.Release();
  const int all = static_cast<int>(PictureStation::kMaxWaiting) + 2;
  for (int told = *num_told; told < all; told = *num_told) num_told->wait(told);
  EXPECT_THAT(Alerts(), SizeIs(all));
}

TEST_F(StoreRecordTest, AFrameThatIsNoImageLeavesItsAlertWithoutAPicture) {
  StoreRecord record(*store_, clock_, std::chrono::hours(1));
  record.SetRegistry(*registry_);
  RecordEntry entry = Fired();
  entry.picture = std::make_shared<const std::vector<uint8_t>>(100, uint8_t{7});
  std::promise<Status> told;
  record.Write({entry}, [&](const Result<std::vector<std::string>>& events) { told.set_value(events.status()); });
  EXPECT_TRUE(told.get_future().get().ok());
  EXPECT_THAT(Alerts(), SizeIs(1));
  EXPECT_FALSE(HasPicture(entry));
  EXPECT_EQ(record.pictures().unfit, 1U);
}

TEST(PictureStationTest, WhatWaitsWhenItIsStoppedIsMadeAndNoMoreIsTaken) {
  HeldMaker maker;
  std::vector<bool> told;  // the station's thread's, until that has ended
  PictureStation station(maker.Make());
  const auto frame = std::make_shared<const std::vector<uint8_t>>(1, uint8_t{1});
  const auto offer = [&] {
    PictureStation::Done done = [&](const Result<std::vector<uint8_t>>& picture) { told.push_back(picture.ok()); };
    return station.Offer("own_a", frame, done).ok();
  };
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(offer());
  maker.AwaitBegun();
  maker.Release();
  station.Stop();
  EXPECT_THAT(told, ElementsAre(true, true, true));
  EXPECT_FALSE(offer());
  station.Stop();
  EXPECT_EQ(station.counts().made, 3U);
}

TEST(PictureStationTest, AFrameLargerThanAllThatMayWaitIsToldSo) {
  HeldMaker maker;
  PictureStation station(maker.Make());
  PictureStation::Done done = [](const Result<std::vector<uint8_t>>&) { ADD_FAILURE() << "it was not taken"; };
  const auto large = std::make_shared<const std::vector<uint8_t>>(PictureStation::kMaxWaitingBytes + 1);
  EXPECT_EQ(station.Offer("own_a", large, done).reason(), "image_too_large");
  EXPECT_EQ(station.counts().refused, 1U);
  station.Stop();
  EXPECT_EQ(station.Offer("own_a", std::make_shared<const std::vector<uint8_t>>(1), done).reason(), "draining");
}

/// A station that has begun one picture and may make the others when told; who was told what, in order.
class FairPicturesTest : public ::testing::Test {
 protected:
  FairPicturesTest() {
    EXPECT_TRUE(Offer("own_first"));
    maker_.AwaitBegun();
  }
  bool Offer(const std::string& owner) {
    PictureStation::Done done = [this, owner](const Result<std::vector<uint8_t>>& picture) {
      const std::lock_guard<std::mutex> lock(mu_);
      told_.push_back((picture.ok() ? "made " : "none ") + owner);
    };
    return station_.Offer(owner, frame_, done).ok();
  }
  std::vector<std::string> Told() {
    const std::lock_guard<std::mutex> lock(mu_);
    return told_;
  }

  const PictureStation::Frame frame_ = std::make_shared<const std::vector<uint8_t>>(1, uint8_t{1});
  HeldMaker maker_;
  std::mutex mu_;
  std::vector<std::string> told_;
  PictureStation station_{maker_.Make()};
};

TEST_F(FairPicturesTest, AnOwnerWithEveryPlaceGivesOneToANewcomerAndIsToldSo) {
  for (size_t i = 0; i < PictureStation::kMaxWaiting; ++i) EXPECT_TRUE(Offer("own_a"));
  EXPECT_FALSE(Offer("own_a")) << "its own do not push each other out";
  EXPECT_THAT(Told(), SizeIs(0));
  EXPECT_TRUE(Offer("own_b"));
  EXPECT_THAT(Told(), ElementsAre("none own_a"));
  EXPECT_EQ(station_.counts().waiting, PictureStation::kMaxWaiting);
  EXPECT_EQ(station_.counts().refused, 2U);
  maker_.Release();
}

TEST_F(FairPicturesTest, WhenItIsStoppedWhoGaveWayHasBeenTold) {
  std::promise<void> begun, let;
  std::atomic<bool> told = false;
  PictureStation::Done slow = [&](const Result<std::vector<uint8_t>>&) {
    begun.set_value();
    let.get_future().wait();
    told = true;
  };
  for (size_t i = 0; i + 1 < PictureStation::kMaxWaiting; ++i) EXPECT_TRUE(Offer("own_a"));
  ASSERT_TRUE(station_.Offer("own_a", frame_, slow).ok());  // its newest, so the first to give way
  std::thread other([&] { EXPECT_TRUE(Offer("own_b")); });
  begun.get_future().wait();
  maker_.Release();
  std::thread later([&] { let.set_value(); });
  station_.Stop();
  EXPECT_TRUE(told);
  other.join();
  later.join();
}

TEST_F(FairPicturesTest, OwnersThatAllWantManyHaveEqualSharesAndTakeTurns) {
  for (int round = 0; round < 20; ++round) {
    for (const char* owner : {"own_a", "own_a", "own_a", "own_b", "own_c", "own_d"}) (void)Offer(owner);  // or not
  }
  maker_.Release();
  station_.Stop();
  std::vector<std::string> made;
  for (const std::string& told : Told()) {
    if (told.starts_with("made")) made.push_back(told.substr(5));
  }
  EXPECT_THAT(made, ElementsAre("own_first", "own_a", "own_b", "own_c", "own_d", "own_a", "own_b", "own_c", "own_d"));
}

}  // namespace
}  // namespace pawsight::gateway::testing
