#include "tools/recommendation.h"

#include <gtest/gtest.h>

namespace pawsight::tools {
namespace {

StressCell Cell(int server, int clients, double per_s, double p99) {
  StressCell cell;
  cell.server = server;
  cell.clients = clients;
  cell.answered = cell.offered = static_cast<int64_t>(per_s * 10);
  cell.frames_per_s = per_s;
  cell.latency.count = cell.answered;
  cell.latency.p99.ms = p99;
  return cell;
}

const Slo kSlo{0.99, 150};

TEST(Recommendation, TheKneeIsTheMostThatKeepsTheObjectiveAndIsWorthIt) {
  const std::vector<StressCell> cells = {Cell(1, 1, 20, 52),  Cell(1, 2, 36, 58),   Cell(1, 4, 52, 80),
                                         Cell(1, 8, 53, 140), Cell(1, 16, 53, 310), Cell(1, 32, 50, 640)};
  const auto advice = Recommend(cells, kSlo, 0.36, 2);
  ASSERT_TRUE(advice.has_value());
  EXPECT_EQ(advice->cap, 4);  // 8 adds one frame a second for four more at once
  EXPECT_TRUE(advice->slo_kept);
  EXPECT_DOUBLE_EQ(advice->safe_per_s, 0.7 * 52);
  EXPECT_NEAR(*advice->price_per_million_frames, 0.36 / 3600 / 36.4 * 1e6, 1e-9);
  EXPECT_NEAR(*advice->price_per_million_answers, *advice->price_per_million_frames / 2, 1e-9);
  EXPECT_EQ(FitLaws(cells).size(), 1U);
}

TEST(Recommendation, MoreServerThreadsMustBringMore) {
  EXPECT_EQ(Recommend({Cell(1, 4, 50, 80), Cell(2, 4, 50.5, 80)}, kSlo, {}, 1)->server, 1);
  EXPECT_EQ(Recommend({Cell(1, 4, 50, 80), Cell(2, 4, 60, 80)}, kSlo, {}, 1)->server, 2);
  EXPECT_EQ(Recommend({Cell(1, 4, 50, 80), Cell(2, 4, 60, 180)}, kSlo, {}, 1)->server, 1);
}

TEST(Recommendation, WithoutACellThatKeepsTheObjectiveItSaysSo) {
  const auto advice = Recommend({Cell(1, 1, 3, 330), Cell(1, 2, 3, 650)}, kSlo, {}, 1);
  ASSERT_TRUE(advice.has_value());
  EXPECT_FALSE(advice->slo_kept);
  EXPECT_EQ(advice->cap, 1);
  EXPECT_FALSE(Recommend({}, kSlo, {}, 1).has_value());
}

TEST(Recommendation, AThroughputOfTheChangeGateIsNeverTheServersKnee) {
  StressCell limited = Cell(0, 8, 255, 30);
  limited.gate_limited = true;
  EXPECT_EQ(Recommend({Cell(0, 1, 90, 12), Cell(0, 2, 170, 13), limited}, kSlo, {}, 1)->cap, 2);
  EXPECT_FALSE(Recommend({limited}, kSlo, {}, 1).has_value()) << "nothing is known of the server";
  EXPECT_TRUE(FitLaws({Cell(0, 1, 90, 12), Cell(0, 2, 170, 13), limited}).empty()) << "two points are no curve";
  EXPECT_EQ(CheckHolds(limited, kSlo), std::nullopt);
  limited.gate_limited = false;
  EXPECT_EQ(CheckHolds(limited, kSlo), true);
}

TEST(Recommendation, ACheckOfWhichTheLoadMissedMuchOrCouldDoNoMoreSaysNothing) {
  StressResult result;
  result.slo = kSlo;
  StressCell& check = result.cells.emplace_back(Cell(1, 0, 100, 30));
  check.role = CellRole::kCheckOverload;
  check.unseen["dropped"] = check.offered / 10;
  EXPECT_EQ(CheckHolds(check, kSlo), true);
  EXPECT_FALSE(SaysNothing(result, CellRole::kCheckOverload));
  ++check.unseen["dropped"];
  EXPECT_EQ(CheckHolds(check, kSlo), std::nullopt);
  EXPECT_TRUE(SaysNothing(result, CellRole::kCheckOverload));
  EXPECT_FALSE(SaysNothing(result, CellRole::kCheckCap)) << "it was not made";

  StressCell busy = Cell(1, 0, 100, 30);
  busy.client_saturated = true;
  EXPECT_EQ(CheckHolds(busy, kSlo), true) << "late as they were sent, which counts, frames were answered in time";
  busy.latency.p99.ms = 300;
  EXPECT_EQ(CheckHolds(busy, kSlo), std::nullopt) << "whose fault is it?";
  busy = Cell(1, 4, 100, 30);
  busy.client_saturated = true;
  EXPECT_EQ(CheckHolds(busy, kSlo), std::nullopt) << "four were not at the server at once";
}

TEST(Recommendation, OfMoreAtOnceNothingIsSaidWhereItWasNotMeasured) {
  const auto why = [](const std::vector<StressCell>& cells) { return Recommend(cells, kSlo, {}, 1)->why; };
  const std::string unknown = "more at once was not measured", known = "more at once add too little or break it";
  EXPECT_NE(why({Cell(1, 1, 20, 52), Cell(1, 2, 36, 58)}).find(unknown), std::string::npos);
  EXPECT_NE(why({Cell(1, 2, 36, 58), Cell(1, 4, 36, 400)}).find(known), std::string::npos);
  EXPECT_NE(why({Cell(2, 2, 36, 58), Cell(1, 4, 30, 400)}).find(unknown), std::string::npos) << "of other threads";
  StressCell more = Cell(1, 4, 36, 400);
  more.client_saturated = true;
  EXPECT_NE(why({Cell(1, 2, 36, 58), more}).find(unknown), std::string::npos) << "that is the load's number";
  StressCell failing = Cell(1, 4, 0, 0);
  failing.failed["deadline_exceeded"] = 9;
  EXPECT_NE(why({Cell(1, 2, 36, 58), failing}).find(known), std::string::npos) << "it breaks";
}

TEST(Recommendation, WhatTheLoadCouldNotDoIsNoKneeUnlessThereIsNothingElseAndThenItIsSaid) {
  StressCell saturated = Cell(1, 4, 300, 30);
  saturated.client_saturated = true;
  EXPECT_EQ(Recommend({Cell(1, 1, 90, 12), Cell(1, 2, 170, 13), saturated}, kSlo, {}, 1)->cap, 2);
  const auto only = Recommend({saturated}, kSlo, {}, 1);
  EXPECT_EQ(only->cap, 4);
  EXPECT_NE(only->why.find("client!"), std::string::npos) << only->why;
}

TEST(Recommendation, TheMoreFramesTheMoreCamerasSoThatTheGateAsksAboutEachOfThem) {
  EXPECT_EQ(CamerasFor(0.5, kSlo), 64);
  EXPECT_EQ(CamerasFor(200, kSlo), 630);
  EXPECT_EQ(CamerasFor(1e6, kSlo), kMostCameras);
}

TEST(Recommendation, AFailureIsNotBought) {
  StressCell failing = Cell(1, 8, 90, 80);
  failing.failed["deadline_exceeded"] = 1;
  EXPECT_EQ(Recommend({Cell(1, 4, 50, 80), failing}, kSlo, {}, 1)->cap, 4);
  failing.failed.clear();
  failing.refused["queue_full"] = 100;
  EXPECT_TRUE(Holds(failing, kSlo));
}

}  // namespace
}  // namespace pawsight::tools
