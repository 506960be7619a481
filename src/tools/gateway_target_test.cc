#include "tools/gateway_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

TEST(FreeCameras, NoneHasTwoFramesUnderWayUntilAllHaveOne) {
  FreeCameras cameras(3);
  std::set<size_t> taken;
  for (int n = 0; n < 3; ++n) taken.insert(cameras.Take());
  EXPECT_EQ(taken.size(), 3U);
  const size_t fourth = cameras.Take(), fifth = cameras.Take();
  EXPECT_NE(fourth, fifth) << "in turns";
  cameras.GiveBack(fourth);
  EXPECT_NE(cameras.Take(), fourth) << "it still has the frame before";
}

TEST(FreeCameras, TheOneThatWasFreeLongestIsNext) {
  FreeCameras cameras(2);
  const size_t first = cameras.Take();
  cameras.GiveBack(first);
  EXPECT_NE(cameras.Take(), first);
  EXPECT_EQ(cameras.Take(), first);
}

}  // namespace
}  // namespace pawsight::tools
