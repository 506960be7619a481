#include "scenes/walk.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "scenes/staging.h"

namespace pawsight::scenes {
namespace {

constexpr double kHopSeconds = 0.5;

/// Where it stands on the floor before it hops up to `pet`, or after it came down.
Pet OnFloor(const Room& room, Pet pet) {
  switch (pet.place) {
    case Place::kFloor:
      return pet;
    case Place::kCouch:
      pet.y = room.couch ? room.couch->y + 16 : pet.y;
      break;
    case Place::kBed:
      pet.y = room.bed ? room.bed->y + 16 : pet.y;
      break;
    case Place::kTable:
      pet.y = room.table ? room.table->y + 12 : pet.y;
      break;
    case Place::kBasket:
      pet.y = room.basket ? room.basket->y + 8 : pet.y;
      break;
  }
  pet.place = Place::kFloor;
  pet.scale = ScaleAt(room, pet.y) * pet.coat.size;
  return pet;
}

Pet OffStage(const Room& room, Pet pet) {
  pet.place = Place::kFloor;
  pet.y = 262;
  pet.x = pet.x < kWorldWidth / 2 ? -110 : kWorldWidth + 110;
  pet.scale = ScaleAt(room, pet.y) * pet.coat.size;
  return pet;
}

double Mix(double a, double b, double t) { return a + (b - a) * t; }

/// On the way up, t from 0 on the floor to 1; the half above counts as on the furniture.
Pet Hop(const Pet& floor, const Pet& above, double t) {
  Pet pet = t < 0.5 ? floor : above;
  pet.activity = Activity::kWalking;
  pet.x = Mix(floor.x, above.x, t);
  pet.y = Mix(floor.y, above.y, t) - 22 * t * (1 - t);
  pet.scale = Mix(floor.scale, above.scale, t);
  return pet;
}

}  // namespace

Pet Underway(const Room& room, const std::optional<Pet>& from, const std::optional<Pet>& to, double part,
             double seconds) {
  CHECK(from || to);
  const Pet start = from ? OnFloor(room, *from) : OffStage(room, *to);
  const Pet goal = to ? OnFloor(room, *to) : OffStage(room, *from);
  const double hop = std::min(0.25, kHopSeconds / std::max(seconds, 0.1));
  const double down = from && from->place != Place::kFloor ? hop : 0;
  const double up = to && to->place != Place::kFloor ? hop : 0;
  Pet pet;
  if (part < down) {
    pet = Hop(start, *from, 1 - part / down);
  } else if (part > 1 - up) {
    pet = Hop(goal, *to, (part - 1 + up) / up);
  } else {
    const double t = (part - down) / (1 - down - up);
    pet = start;
    pet.x = Mix(start.x, goal.x, t);
    pet.y = Mix(start.y, goal.y, t);
    pet.scale = Mix(start.scale, goal.scale, t);
  }
  pet.activity = Activity::kWalking;
  pet.front = false;
  pet.faces_left = goal.x < start.x;
  pet.phase = part * seconds;
  return pet;
}

Person Arriving(const Person& at, double part, double seconds) {
  Person person = at;
  if (part >= 1) return person;
  const double from = at.x < kWorldWidth / 2 ? -60 : kWorldWidth + 60;
  person.sits = false;
  person.walks = true;
  person.x = Mix(from, at.x, part);
  person.y = at.sits ? at.y + 14 : at.y;
  person.scale = at.sits ? at.scale * 1.05 : at.scale;
  person.faces_left = at.x < from;
  person.phase = part * seconds;
  return person;
}

}  // namespace pawsight::scenes
