#include "scenes/scene.h"

#include <algorithm>
#include <cmath>

#include "scenes/staging.h"

namespace pawsight::scenes {
namespace {

Color DogFur(Rng& rng) {
  switch (rng.Below(5)) {
    case 0:
      return {0.80, 0.60, 0.34};  // golden
    case 1:
      return {0.45, 0.28, 0.16};  // chocolate
    case 2:
      return {0.17, 0.15, 0.15};  // black
    case 3:
      return {0.93, 0.90, 0.84};  // white
    default:
      return {0.64, 0.44, 0.26};  // tan
  }
}

Color CatFur(Rng& rng) {
  switch (rng.Below(6)) {
    case 0:
    case 1:
      return {0.92, 0.55, 0.20};  // ginger
    case 2:
      return {0.50, 0.52, 0.56};  // blue grey
    case 3:
      return {0.15, 0.15, 0.18};  // black
    case 4:
      return {0.68, 0.69, 0.72};  // silver
    default:
      return {0.90, 0.88, 0.87};  // white
  }
}

}  // namespace

Coat RandomCoat(Rng& rng, Species species) {
  const bool dog = species == Species::kDog;
  Coat coat;
  coat.fur = (dog ? DogFur(rng) : CatFur(rng)).Shade(rng.Uniform(0.9, 1.1));
  coat.belly = coat.fur.Mix({0.97, 0.94, 0.9}, rng.Uniform(0.2, 0.75));
  coat.collar = Color::Hsv(rng.Uniform(), 0.8, 0.8);
  coat.has_collar = rng.Chance(dog ? 0.7 : 0.35);
  coat.pointed_ears = dog && rng.Chance(0.35);
  coat.patches = rng.Chance(0.45);
  coat.patch = coat.fur.r + coat.fur.g > 1.1 ? coat.fur.Shade(0.5) : coat.fur.Mix({0.95, 0.9, 0.85}, 0.55);
  coat.fluff = rng.Uniform(0.9, 1.15);
  coat.size = dog ? rng.Uniform(0.92, 1.08) : rng.Uniform(0.9, 1.05);
  return coat;
}

std::vector<Pet> RandomCast(Rng& rng) {
  std::vector<Pet> cast(1 + static_cast<size_t>(rng.Below(3)));
  for (size_t i = 0; i < cast.size(); ++i) {
    cast[i].species = i == 0 ? Species::kDog : rng.Chance(0.7) ? Species::kCat : Species::kDog;
    cast[i].coat = RandomCoat(rng, cast[i].species);
  }
  return cast;
}

Person RandomPerson(Rng& rng) {
  Person person;
  const double tone = rng.Uniform();
  person.skin = Color{0.96, 0.80, 0.69}.Mix({0.36, 0.23, 0.16}, tone * tone);
  person.hair = rng.Chance(0.5) ? Color::Hsv(rng.Uniform(0.04, 0.12), rng.Uniform(0.3, 0.7), rng.Uniform(0.1, 0.75))
                                : Color{0.12, 0.1, 0.1}.Mix({0.8, 0.8, 0.8}, rng.Chance(0.25) ? 0.8 : 0);
  person.shirt = Color::Hsv(rng.Uniform(), rng.Uniform(0.3, 0.85), rng.Uniform(0.4, 0.95));
  person.trousers = Color::Hsv(rng.Uniform(0.5, 0.75), rng.Uniform(0.1, 0.6), rng.Uniform(0.2, 0.6));
  person.long_hair = rng.Chance(0.45);
  return person;
}

View RandomView(Rng& rng) {
  View view;
  view.zoom = rng.Uniform(0.98, 1.1);
  view.shift_x = rng.Uniform(-8, 8);
  view.shift_y = rng.Uniform(-7, 7);
  view.roll = rng.Normal() * 0.018;
  view.brightness = rng.Uniform(0.86, 1.15);
  view.contrast = rng.Uniform(0.82, 1.1);
  view.warmth = rng.Normal() * 0.04;
  view.noise = rng.Uniform(1, 7);
  view.jpeg_quality = 45 + rng.Below(50);
  view.blur = rng.Chance(0.3) ? rng.Uniform(0, 0.8) : 0;
  return view;
}

Point ToFrame(const View& view, Point world) {
  const double x = (world.x + view.shift_x - kWorldWidth / 2) * (view.mirrored ? -view.zoom : view.zoom);
  const double y = (world.y + view.shift_y - kWorldHeight / 2) * view.zoom;
  const double c = std::cos(view.roll), s = std::sin(view.roll);
  return {(c * x - s * y) / kWorldWidth + 0.5, (s * x + c * y) / kWorldHeight + 0.5};
}

namespace {

Box FrameBox(const View& view, const Spot& s) {
  const Point a = ToFrame(view, {s.left(), s.top()}), b = ToFrame(view, {s.right(), s.y});
  return {std::min(a.x, b.x), std::min(a.y, b.y), std::max(a.x, b.x), std::max(a.y, b.y)};
}

void AddThings(const Scene& scene, Truth& truth) {
  const Room& room = scene.room;
  const auto add = [&](std::string_view name, const auto& thing) {
    if (thing) truth.things.push_back({name, FrameBox(scene.view, *thing)});
  };
  add("couch", room.couch);
  add("bed", room.bed);
  add("table", room.table);
  add("chair", room.chair);
  add(room.tv && room.tv->on ? "tv_on" : "tv_off", room.tv);
  add(room.door && room.door->open ? "door_open" : "door_closed", room.door);
  add("window", room.window);
  add(room.lamp && room.lamp->on ? "lamp_on" : "lamp_off", room.lamp);
  add("bowl", room.bowl);
  add("ball", room.ball);
  add("basket", room.basket);
  add("kitchen", room.kitchenette);
  for (const Person& person : scene.people) truth.things.push_back({"person", FrameBox(scene.view, Extent(person))});
}

}  // namespace

Truth Describe(const Scene& scene) {
  const Room& room = scene.room;
  Truth truth;
  truth.room = room.kind;
  truth.night = scene.night;
  truth.people = static_cast<int>(scene.people.size());
  truth.couch = room.couch.has_value();
  truth.bed = room.bed.has_value();
  truth.table = room.table.has_value();
  truth.chair = room.chair.has_value();
  truth.tv = room.tv.has_value();
  truth.door = room.door.has_value();
  truth.window = room.window.has_value();
  truth.lamp = room.lamp.has_value();
  truth.bowl = room.bowl.has_value();
  truth.ball = room.ball.has_value();
  truth.basket = room.basket.has_value();
  truth.tv_on = room.tv && room.tv->on;
  truth.door_open = room.door && room.door->open;
  truth.lamp_on = room.lamp && room.lamp->on;
  AddThings(scene, truth);
  truth.couch_torn = room.couch && room.couch->torn;
  for (const Pet& pet : scene.pets) {
    PetTruth seen;
    seen.visible = VisiblePart(scene, pet);
    if (seen.visible <= 0.05) continue;
    seen.species = pet.species;
    seen.activity = pet.activity;
    seen.place = pet.place;
    seen.door_gap = room.door && pet.place == Place::kFloor
                        ? std::hypot(pet.x - room.door->x, pet.y - room.door->y - 32) / kWorldWidth
                        : 1;
    seen.box = FrameBox(scene.view, Extent(pet));
    truth.pets.push_back(seen);
  }
  return truth;
}

}  // namespace pawsight::scenes
