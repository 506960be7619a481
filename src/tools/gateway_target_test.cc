#include "tools/gateway_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

namespace pawsight::tools {
namespace {

TEST(GatewayTarget, AServerIsKnownByWhatItDoesNotKnow) {
  EXPECT_EQ(KindOf(200, 0).value(), ServerKind::kInference);
  EXPECT_EQ(KindOf(503, 0).value(), ServerKind::kInference) << "not live is an inference server as well";
  EXPECT_EQ(KindOf(404, 200).value(), ServerKind::kGateway);
  EXPECT_EQ(KindOf(404, 401).value(), ServerKind::kGateway) << "with another token";
  EXPECT_EQ(KindOf(404, 404).status().code(), StatusCode::kFailedPrecondition);
}

TEST(GatewayTarget, AFrameThatWasNotAskedForWantOfRoomIsRefusedAndAllElseFailed) {
  const auto outcome = [](int status, const std::string& code) {
    const CallOutcome seen = FrameOutcome({status, {}, R"({"code":")" + code + R"(","detail":"why"})"});
    return seen.reason + (seen.refused ? " refused" : " failed");
  };
  EXPECT_EQ(outcome(409, "replaced"), "replaced refused");
  EXPECT_EQ(outcome(429, "backends_full"), "backends_full refused");
  EXPECT_EQ(outcome(503, "owner_full"), "owner_full refused");
  EXPECT_EQ(outcome(504, "deadline"), "deadline refused");
  EXPECT_EQ(outcome(503, "backend_failed"), "backend_failed failed");
  EXPECT_EQ(outcome(504, "backend_late"), "backend_late failed");
  EXPECT_EQ(FrameOutcome({502, {}, "<html>"}).reason, "http_502");
  EXPECT_EQ(FrameOutcome({200, {}, "{}"}).reason, "");
}

TEST(GatewayTarget, ACamerasNextFrameShowsAnotherPictureAndInTimeAllOfThem) {
  for (const int64_t count : {2, 3, 4, 8, 9, 12, 32, 100, 1000}) {
    FreeCameras cameras(64);  // a multiple of most
    std::map<size_t, int64_t> last;
    std::set<int64_t> shown;
    for (int64_t frame = 0; frame < 64 * count; ++frame) {
      const FreeCameras::Turn turn = cameras.Take();
      const int64_t picture = PictureOf(turn, count);
      ASSERT_TRUE(picture >= 0 && picture < count);
      if (last.contains(turn.camera)) {
        ASSERT_NE(picture, last[turn.camera]) << count;
      }
      if (turn.camera == 0) shown.insert(picture);
      last[turn.camera] = picture;
      cameras.GiveBack(turn.camera);
    }
    EXPECT_EQ(static_cast<int64_t>(shown.size()), count);
  }
  EXPECT_EQ(PictureOf({3, 7}, 1), 0);
  EXPECT_GT(PictureOf({0, 1}, 32), 8) << "of another room";
}

TEST(FreeCameras, NoneHasTwoFramesUnderWayUntilAllHaveOne) {
  FreeCameras cameras(3);
  std::set<size_t> taken;
  for (int n = 0; n < 3; ++n) taken.insert(cameras.Take().camera);
  EXPECT_EQ(taken.size(), 3U);
  const size_t fourth = cameras.Take().camera, fifth = cameras.Take().camera;
  EXPECT_NE(fourth, fifth) << "in turns";
  cameras.GiveBack(fourth);
  EXPECT_NE(cameras.Take().camera, fourth) << "it still has the frame before";
}

TEST(FreeCameras, MoreOfThemComeAfterThoseThatAreFree) {
  FreeCameras cameras(1);
  cameras.Add(2);
  EXPECT_EQ(cameras.Take().camera, 0U);
  EXPECT_EQ(cameras.Take().camera, 1U);
  EXPECT_EQ(cameras.Take().camera, 2U);
}

TEST(FreeCameras, TheOneThatWasFreeLongestIsNext) {
  FreeCameras cameras(2);
  const size_t first = cameras.Take().camera;
  cameras.GiveBack(first);
  EXPECT_NE(cameras.Take().camera, first);
  EXPECT_EQ(cameras.Take().camera, first);
}

}  // namespace
}  // namespace pawsight::tools
