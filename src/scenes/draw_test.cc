#include "scenes/draw.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "scenes/picture.h"
#include "scenes/staging.h"

namespace pawsight::scenes {
namespace {

double MeanDifference(const frames::Image& a, const frames::Image& b) {
  double sum = 0;
  for (size_t i = 0; i < a.rgb.size(); ++i) sum += std::abs(static_cast<int>(a.rgb[i]) - static_cast<int>(b.rgb[i]));
  return sum / static_cast<double>(a.rgb.size());
}

TEST(Draw, TheSameSeedGivesTheSameBytesAndTruth) {
  const Frame a = Draw(17, 128, 96), b = Draw(17, 128, 96);
  EXPECT_EQ(a.image.rgb, b.image.rgb);
  EXPECT_EQ(ToJson(a.truth).Dump(), ToJson(b.truth).Dump());
}

TEST(Draw, AnotherSeedGivesAnotherPicture) {
  EXPECT_GT(MeanDifference(Draw(17, 128, 96).image, Draw(18, 128, 96).image), 10);
}

TEST(Draw, NightIsGreyAndDayIsNot) {
  Scene scene = RandomScene(21);
  scene.night = true;
  const frames::Image night = Paint(scene, 128, 96);
  scene.night = false;
  const frames::Image day = Paint(scene, 128, 96);
  const auto colour = [](const frames::Image& image) {
    double sum = 0;
    for (size_t i = 0; i < image.rgb.size(); i += 3) {
      const auto [low, high] = std::minmax({image.rgb[i], image.rgb[i + 1], image.rgb[i + 2]});
      sum += high - low;
    }
    return sum / static_cast<double>(image.rgb.size() / 3);
  };
  EXPECT_LT(colour(night), 3);
  EXPECT_GT(colour(day), 10);
}

TEST(Draw, APetChangesThePixelsOfItsBoxAndFewOthers) {
  int seen = 0;
  for (uint64_t seed = 0; seed < 60 && seen < 10; ++seed) {
    Scene with = RandomScene(seed);
    with.view = {};
    with.view.noise = 0;
    with.view.jpeg_quality = 100;
    if (with.pets.size() != 1 || !with.people.empty() || with.pets[0].activity == Activity::kChewing) continue;
    ++seen;
    Scene without = with;
    without.pets.clear();
    const frames::Image a = Paint(with, 400, 300), b = Paint(without, 400, 300);
    const Box box = Describe(with).pets.at(0).box;
    int inside = 0, outside = 0;
    for (int y = 0; y < 300; ++y) {
      for (int x = 0; x < 400; ++x) {
        const uint8_t *p = a.pixel(x, y), *q = b.pixel(x, y);
        if (std::abs(p[0] - q[0]) + std::abs(p[1] - q[1]) + std::abs(p[2] - q[2]) < 40) continue;
        const bool in =
            x >= 400 * box.x0 - 12 && x <= 400 * box.x1 + 12 && y >= 300 * box.y0 - 12 && y <= 300 * box.y1 + 12;
        (in ? inside : outside) += 1;
      }
    }
    EXPECT_GT(inside, 0.2 * box.Area() * 400 * 300) << "seed " << seed;
    EXPECT_LT(outside, 60) << "seed " << seed;
  }
  EXPECT_EQ(seen, 10);
}

TEST(Draw, EveryActivityPlaceAndThingComesUp) {
  std::set<std::string> seen;
  int empty = 0, people = 0;
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    const Truth truth = Describe(RandomScene(seed));
    for (const PetTruth& pet : truth.pets) {
      seen.insert(std::string(Name(pet.species)) + " " + std::string(Name(pet.activity)));
      seen.insert(std::string(Name(pet.species)) + " on " + std::string(Name(pet.place)));
    }
    for (const ThingTruth& thing : truth.things) seen.emplace(thing.name);
    empty += truth.Empty();
    people += truth.people > 0;
  }
  for (const char* what :
       {"dog sleeping", "dog sitting",  "dog walking", "dog playing",  "dog chewing", "dog eating",
        "cat sleeping", "cat playing",  "cat eating",  "dog on couch", "dog on bed",  "dog on basket",
        "cat on table", "cat on couch", "tv_on",       "tv_off",       "door_open",   "door_closed",
        "lamp_on",      "window",       "bowl",        "ball",         "person"}) {
    EXPECT_TRUE(seen.contains(what)) << what;
  }
  EXPECT_FALSE(seen.contains("dog on table"));
  EXPECT_FALSE(seen.contains("cat chewing"));
  EXPECT_GT(empty, 120);
  EXPECT_GT(people, 300);
}

TEST(Draw, PetsAreLargeEnoughAndWhollyInThePicture) {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    const Scene scene = RandomScene(seed);
    for (const PetTruth& pet : Describe(scene).pets) {
      EXPECT_GT(pet.box.x1 - pet.box.x0, 0.11) << "seed " << seed;
      EXPECT_GT(pet.visible, 0.6) << "seed " << seed;
    }
  }
}

TEST(Staging, SaysSoWhenTheRoomLacksTheThing) {
  Rng rng(5);
  Scene scene;
  scene.room = FurnishRoom(rng);
  scene.room.couch.reset();
  scene.room.bowl.reset();
  EXPECT_FALSE(Stage(rng, scene, Pet{}, {Activity::kChewing, Place::kFloor}).has_value());
  EXPECT_FALSE(Stage(rng, scene, Pet{}, {Activity::kSleeping, Place::kCouch}).has_value());
  EXPECT_FALSE(Stage(rng, scene, Pet{}, {Activity::kEating, Place::kFloor}).has_value());
}

TEST(Staging, WishesAreMet) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Rng rng(seed);
    const Room room = FurnishRoom(rng, {.couch = true,
                                        .bed = seed % 2 == 0,
                                        .table = true,
                                        .door = true,
                                        .bowl = true,
                                        .ball = true,
                                        .basket = true,
                                        .tv = false});
    EXPECT_TRUE(room.couch && room.table && room.door && room.bowl && room.ball && room.basket) << "seed " << seed;
    EXPECT_EQ(room.bed.has_value() || seed % 2 == 1, true) << "seed " << seed;
  }
}

}  // namespace
}  // namespace pawsight::scenes
