#include "gateway/api/violations.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "events/ids.h"
#include "gateway/api/testing.h"

namespace pawsight::gateway::testing {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(ViolationLinesTest, AnOwnerHasSomeAtOnceAndThenFewAndHidesNoOther) {
  ViolationLines lines;
  nanoseconds now = seconds(1000);
  int given = 0;
  for (int i = 0; i < 1000; ++i) given += lines.Admit("own_busy", now) ? 1 : 0;
  EXPECT_EQ(given, static_cast<int>(ViolationLines::kOfOne.burst));
  EXPECT_EQ(lines.Admit("own_other", now), static_cast<uint64_t>(1000 - given));
  for (int i = 0; i < 1000; ++i, now += seconds(1)) given += lines.Admit("own_busy", now) ? 1 : 0;
  EXPECT_NEAR(given, 124, 2);
}

TEST(ViolationLinesTest, ManyOwnersHaveNoMoreThanTheInstallationTakes) {
  ViolationLines lines;
  int given = 0;
  for (int i = 0; i < 10'000; ++i) given += lines.Admit("own_" + std::to_string(i), seconds(1)) ? 1 : 0;
  EXPECT_EQ(given, static_cast<int>(ViolationLines::kOfAll.burst));
}

TEST(ViolationDoorTest, ATryIsRefusedWhenTooManyOfItsOwnerOrOfAllWait) {
  ViolationDoor door;
  int tokens = 0;  // of one owner, as many as it likes
  const auto put = [&](const std::string& who) {
    return door.Put({"crd_" + std::to_string(++tokens), who, "", {"cam_x"}, false, "/"});
  };
  for (size_t i = 0; i < ViolationDoor::kMaxWaitingOfOne; ++i) EXPECT_TRUE(put("own_busy"));
  EXPECT_FALSE(put("own_busy"));
  EXPECT_TRUE(put("own_other"));
  int taken = 0;
  for (int i = 0; i < 1000; ++i) taken += put("own_" + std::to_string(i)) ? 1 : 0;
  EXPECT_EQ(static_cast<size_t>(taken), ViolationDoor::kMaxWaiting - ViolationDoor::kMaxWaitingOfOne - 1);
}

class ViolationsTest : public ApiTest {
 protected:
  /// The installation's lines of tries, the oldest first, once there are so many.
  std::vector<Json> Lines(size_t wanted) const {
    const auto give_up = std::chrono::steady_clock::now() + seconds(20);
    while (true) {
      std::vector<Json> lines;
      const Came came = Get("/v1/audit?limit=1000", admin_);
      for (const Json& entry : came.json.Find("items")->as_array()) {
        if (entry.GetString("action").value() == "tenant_violation") lines.insert(lines.begin(), entry);
      }
      if (lines.size() >= wanted || std::chrono::steady_clock::now() > give_up) return lines;
    }
  }
};

TEST_F(ViolationsTest, AnAdminReadsWhoTriedWhatOfWhichOwner) {
  const Home home = MakeHome("home"), other = MakeHome("other");
  const std::string who = Get("/v1/me", other.operator_token).Text("credential");
  EXPECT_EQ(Get("/v1/cameras/" + home.camera, other.operator_token).status, 404);
  EXPECT_EQ(Call("DELETE", "/v1/devices/" + home.device, other.operator_token).status, 404) << "told by the writer";
  EXPECT_EQ(Get("/v1/rules?owner=" + home.owner, other.operator_token).status, 403);
  EXPECT_EQ(Call("POST", "/v1/cameras/" + home.camera + "/frames", other.device_token, Jpeg()).status, 404);
  const std::vector<Json> lines = Lines(4);
  const std::vector<std::string> objects = {home.camera, home.device, home.owner, home.camera};
  ASSERT_EQ(lines.size(), objects.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i].GetString("object").value(), objects[i]);
    EXPECT_EQ(lines[i].Find("after")->GetString("owner").value(), other.owner);
    EXPECT_EQ(lines[i].GetString("who").value() == who, i < 3);
  }
  EXPECT_EQ(lines[3].Find("after")->GetString("device").value(), other.device);
  EXPECT_EQ(Get("/v1/audit", other.operator_token).status, 403);
}

TEST_F(ViolationsTest, ATryIsSeenWhicheverThreadAnswersIt) {
  const Home home = MakeHome("home");
  const auto door = std::make_shared<ViolationDoor>();
  std::atomic<int> found{0};
  const std::string nobody = events::NewId("cam_", clock_.Now());
  {
    Violations violations(*store_, clock_, door, [&](const ForeignTry&) { ++found; });
    std::thread elsewhere([&] {
      EXPECT_TRUE(door->Put({"crd_x", "own_x", "", {nobody}, false, "/"}));
      EXPECT_TRUE(door->Put({"crd_x", "own_x", "", {nobody, home.camera}, false, "/"}));
      EXPECT_TRUE(door->Put({"crd_x", home.owner, "", {home.camera}, false, "/"}));
    });
    elsewhere.join();
  }
  EXPECT_EQ(found, 1) << "one that nobody has, and its own, are none";
  EXPECT_FALSE(door->Put({"crd_x", "own_x", "", {home.camera}, false, "/"})) << "nobody looks any more";
  EXPECT_EQ(Lines(1).size(), 1U);
}

TEST_F(ViolationsTest, AFloodOfTriesIsFewLinesAndTheStoreWritesAllTheWhile) {
  const Home home = MakeHome("home");
  const auto door = std::make_shared<ViolationDoor>();
  ManualClock clock{Time(seconds(1'700'000'000))};
  {
    Violations violations(*store_, clock, door, [](const ForeignTry&) {});
    for (int round = 0; round < 50; ++round) {
      for (int i = 0; i < 400; ++i) {
        (void)door->Put({"crd_x", "own_" + std::to_string(i % 3), "", {home.camera}, false, "/"});
      }
      EXPECT_LE(store_->Stats().queue_length, 1U) << "a batch of lines at a time";
      clock.Advance(std::chrono::milliseconds(100));
    }
    EXPECT_EQ(Post("/v1/devices", home.operator_token, R"({"name":"porch"})").status, 201);
  }
  EXPECT_LE(Lines(1).size(), 3 * static_cast<size_t>(ViolationLines::kOfOne.burst + 1));
}

TEST_F(ViolationsTest, AnOwnerThatIsNamedAtLengthSpoilsNoLineOfOthers) {
  const Home home = MakeHome("home"), other = MakeHome("other");
  EXPECT_EQ(Get("/v1/rules?owner=own_" + std::string(600, 'x'), other.operator_token).status, 403);
  EXPECT_EQ(Get("/v1/cameras/" + home.camera, other.operator_token).status, 404);
  const std::vector<Json> lines = Lines(2);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].GetString("object").value().size(), 64U);
  EXPECT_EQ(lines[1].GetString("object").value(), home.camera);
}

}  // namespace
}  // namespace pawsight::gateway::testing
