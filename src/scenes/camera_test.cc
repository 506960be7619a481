#include "scenes/camera.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "scenes/questions.h"

namespace pawsight::scenes {
namespace {

using std::chrono::milliseconds;

constexpr CameraOptions kSmall{.width = 96, .height = 72, .night = {}};

const PetTruth* Find(const Truth& truth, Species species) {
  for (const PetTruth& pet : truth.pets) {
    if (pet.species == species) return &pet;
  }
  return nullptr;
}

TEST(VirtualCamera, TheSameSeedAndTimeGiveTheSameFrame) {
  const VirtualCamera a(7, kSmall), b(7, kSmall);
  EXPECT_EQ(a.At(milliseconds(31000)).image.rgb, b.At(milliseconds(31000)).image.rgb);
  EXPECT_NE(a.At(milliseconds(31000)).image.rgb, a.At(milliseconds(31500)).image.rgb);
}

TEST(VirtualCamera, DuringAnActTheTruthIsTheAct) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const VirtualCamera camera(seed, kSmall);
    ASSERT_FALSE(camera.script().acts.empty());
    for (const Act& act : camera.script().acts) {
      const Scene scene = camera.SceneAt(act.start + (act.end - act.start) / 2);
      const auto found = std::find_if(scene.pets.begin(), scene.pets.end(), [&](const Pet& pet) {
        return pet.activity == act.pose.activity && pet.place == act.pose.place && pet.x == act.pose.x &&
               pet.y == act.pose.y;
      });
      EXPECT_NE(found, scene.pets.end()) << "seed " << seed << " at " << act.start.count();
    }
  }
}

TEST(VirtualCamera, PetsMoveSmoothly) {
  const VirtualCamera camera(DemoEpisode().script, kSmall);
  const milliseconds step(40);
  for (milliseconds t(0); t + step < camera.script().length; t += step) {
    const Scene a = camera.SceneAt(t), b = camera.SceneAt(t + step);
    for (const Pet& p : a.pets) {
      for (const Pet& q : b.pets) {
        if (p.species == q.species) {
          EXPECT_LT(std::hypot(p.x - q.x, p.y - q.y), 16) << "at " << t.count();
        }
      }
    }
  }
}

TEST(VirtualCamera, NightIsAnOption) {
  CameraOptions night = kSmall, day = kSmall;
  night.night = true;
  day.night = false;
  EXPECT_TRUE(VirtualCamera(3, night).At(milliseconds(0)).truth.night);
  EXPECT_FALSE(VirtualCamera(3, day).At(milliseconds(0)).truth.night);
}

TEST(VirtualCamera, StartsAgainAfterItsScript) {
  const VirtualCamera camera(DemoEpisode().script, kSmall);
  const milliseconds length = camera.script().length;
  EXPECT_EQ(camera.SceneAt(milliseconds(20000)).pets.size(), camera.SceneAt(length + milliseconds(20000)).pets.size());
}

TEST(DemoEpisode, TheAlertsAreExactlyWhenTheTruthSaysSo) {
  const Episode episode = DemoEpisode();
  const VirtualCamera camera(episode.script, kSmall);
  ASSERT_EQ(episode.alerts.size(), 2U);
  for (milliseconds t(0); t < episode.script.length; t += milliseconds(100)) {
    const Truth truth = Describe(camera.SceneAt(t));
    const auto during = [&](const TrueAlert& alert) { return alert.start <= t && t < alert.end; };
    EXPECT_EQ(truth.Any(Species::kDog, Activity::kChewing), during(episode.alerts[0])) << t.count();
    const milliseconds hop(700);  // up and down again
    const bool near_table = episode.alerts[1].start - hop <= t && t < episode.alerts[1].end + hop;
    const bool on_table = truth.Any(Species::kCat, Place::kTable);
    EXPECT_TRUE(on_table || !during(episode.alerts[1])) << t.count();
    EXPECT_TRUE(!on_table || near_table) << t.count();
    EXPECT_FALSE(truth.Any(Species::kDog, Place::kBed));
    EXPECT_EQ(truth.people, 0);
  }
}

TEST(DemoEpisode, ChewsForAsLongAsItSaysAndLeavesTheCouchTorn) {
  const VirtualCamera camera(DemoEpisode().script, kSmall);
  EXPECT_FALSE(Describe(camera.SceneAt(milliseconds(5000))).couch_torn);
  EXPECT_TRUE(Describe(camera.SceneAt(milliseconds(55000))).couch_torn);
  const Truth asleep = Describe(camera.SceneAt(milliseconds(2000)));
  ASSERT_NE(Find(asleep, Species::kDog), nullptr);
  EXPECT_EQ(Find(asleep, Species::kDog)->activity, Activity::kSleeping);
  EXPECT_EQ(Find(asleep, Species::kCat), nullptr);
}

}  // namespace
}  // namespace pawsight::scenes
