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

TEST(ViolationLinesTest, ACredentialHasSomeAtOnceAndThenFewAndHidesNoOther) {
  ViolationLines lines;
  nanoseconds now = seconds(1000);
  int given = 0;
  for (int i = 0; i < 1000; ++i) given += lines.Admit("crd_busy", now) ? 1 : 0;
  EXPECT_EQ(given, static_cast<int>(ViolationLines::kOfOne.burst));
  EXPECT_EQ(lines.Admit("crd_other", now), static_cast<uint64_t>(1000 - given));
  for (int i = 0; i < 1000; ++i, now += seconds(1)) given += lines.Admit("crd_busy", now) ? 1 : 0;
  EXPECT_NEAR(given, 124, 2);
}

TEST(ViolationLinesTest, ManyCredentialsHaveNoMoreThanTheInstallationTakes) {
  ViolationLines lines;
  int given = 0;
  for (int i = 0; i < 10'000; ++i) given += lines.Admit("crd_" + std::to_string(i), seconds(1)) ? 1 : 0;
  EXPECT_EQ(given, static_cast<int>(ViolationLines::kOfAll.burst));
}

TEST(ViolationDoorTest, ATryIsRefusedWhenTooManyOfItsCredentialOrOfAllWait) {
  ViolationDoor door;
  const auto put = [&](const std::string& who) { return door.Put({who, "own_a", "", {"cam_x"}, false, "/"}); };
  for (size_t i = 0; i < ViolationDoor::kMaxWaitingOfOne; ++i) EXPECT_TRUE(put("crd_busy"));
  EXPECT_FALSE(put("crd_busy"));
  EXPECT_TRUE(put("crd_other"));
  int taken = 0;
  for (int i = 0; i < 1000; ++i) taken += put("crd_" + std::to_string(i)) ? 1 : 0;
  EXPECT_EQ(static_cast<size_t>(taken), ViolationDoor::kMaxWaiting - ViolationDoor::kMaxWaitingOfOne - 1);
}

class ViolationsTest : public ApiTest {
 protected:
  /// The installation's lines of tries, the oldest first, once there are so many.
  std::vector<Json> Lines(size_t wanted) const {
    while (true) {
      std::vector<Json> lines;
      const Came came = Get("/v1/audit?limit=1000", admin_);
      for (const Json& entry : came.json.Find("items")->as_array()) {
        if (entry.GetString("action").value() == "tenant_violation") lines.insert(lines.begin(), entry);
      }
      if (lines.size() >= wanted) return lines;
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
    const Violations violations(*store_, clock_, door, [&](const ForeignTry&) { ++found; });
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
  const ManualClock stands{Time(seconds(1'700'000'000))};  // no rate lets one more through
  {
    const Violations violations(*store_, stands, door, [](const ForeignTry&) {});
    for (int i = 0; i < 20'000; ++i) {
      (void)door->Put({"crd_" + std::to_string(i % 3), "own_x", "", {home.camera}, false, "/"});
    }
    const uint64_t batches = store_->Stats().num_batches;
    EXPECT_EQ(Post("/v1/devices", home.operator_token, R"({"name":"porch"})").status, 201);
    EXPECT_LE(store_->Stats().queue_length, 2U);
    EXPECT_GT(store_->Stats().num_batches, batches);
  }
  EXPECT_LE(Lines(1).size(), 3 * static_cast<size_t>(ViolationLines::kOfOne.burst));
}

}  // namespace
}  // namespace pawsight::gateway::testing
