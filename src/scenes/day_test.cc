#include "scenes/day.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace pawsight::scenes {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr CameraOptions kSmall{.width = 96, .height = 72, .night = {}};

TEST(DayCamera, TheSameSeedAndTimeGiveTheSameFrame) {
  const DayCamera a(7, kSmall), b(7, kSmall);
  EXPECT_EQ(a.At(hours(20)).image.rgb, b.At(hours(20)).image.rgb);
  EXPECT_NE(a.At(hours(20)).image.rgb, a.At(hours(20) + seconds(1)).image.rgb) << "noise";
}

TEST(DayCamera, NightIsInfraredAndTheEveningHasLampAndTelevision) {
  bool tv_seen = false;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const DayCamera camera(seed, kSmall);
    EXPECT_TRUE(camera.SceneAt(hours(3)).night);
    EXPECT_FALSE(camera.SceneAt(hours(12)).night);
    const Scene evening = camera.SceneAt(hours(20));
    EXPECT_FALSE(evening.night);
    EXPECT_TRUE(!evening.room.lamp || evening.room.lamp->on);
    if (!evening.room.tv) continue;
    tv_seen = true;
    EXPECT_TRUE(evening.room.tv->on);
    EXPECT_FALSE(camera.SceneAt(hours(12)).room.tv->on);
    int changes = 0;
    for (int s = 0; s < 60; ++s) {
      changes += camera.SceneAt(hours(20) + seconds(s)).room.tv->program !=
                 camera.SceneAt(hours(20) + seconds(s + 1)).room.tv->program;
    }
    EXPECT_GE(changes, 3) << seed;
    EXPECT_LE(changes, 20) << seed;
  }
  EXPECT_TRUE(tv_seen);
}

/// Of the minutes of a part of the day, the share in which a pet is up and in sight.
std::map<DayPart, double> Awake(uint64_t seeds) {
  std::map<DayPart, double> awake, all;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    const DayCamera camera(seed, kSmall);
    for (milliseconds t(0); t < kDayLength; t += minutes(1)) {
      const Truth truth = Describe(camera.SceneAt(t));
      const bool up =
          std::ranges::any_of(truth.pets, [](const PetTruth& pet) { return pet.activity != Activity::kSleeping; });
      awake[PartAt(t)] += up;
      all[PartAt(t)] += 1;
    }
  }
  for (auto& [part, minutes_awake] : awake) minutes_awake /= all[part];
  return awake;
}

TEST(DayCamera, NightsAreStillAndEveningsAreBusy) {
  const std::map<DayPart, double> awake = Awake(8);
  EXPECT_LT(awake.at(DayPart::kNight), 0.15);
  EXPECT_LT(awake.at(DayPart::kAway), 0.4);
  EXPECT_GT(awake.at(DayPart::kEvening), 0.4);
  EXPECT_GT(awake.at(DayPart::kMorning), 0.4);
}

TEST(DayCamera, PeopleComeInTheMorningAndEveningAndShiftWhileTheyStay) {
  int stays = 0, shifts = 0;
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    const DayCamera camera(seed, kSmall);
    for (const Visit& visit : camera.script().visits) {
      const DayPart part = PartAt(visit.start);
      EXPECT_TRUE(part == DayPart::kMorning || part == DayPart::kEvening);
      if (visit.end - visit.start < seconds(40)) continue;
      const Scene early = camera.SceneAt(visit.start + seconds(5));
      const Scene late = camera.SceneAt(visit.start + seconds(35));
      if (early.people.size() != 1 || late.people.size() != 1) continue;
      ++stays;
      shifts += early.people[0].x != late.people[0].x;
    }
  }
  EXPECT_GT(stays, 20);
  EXPECT_GT(shifts, stays * 9 / 10);
}

}  // namespace
}  // namespace pawsight::scenes
