#include "scenes/staging.h"

#include <algorithm>
#include <cmath>

namespace pawsight::scenes {
namespace {

struct Lot {
  Behaviour behaviour;
  double dog, cat;  // weights
};

constexpr Lot kLots[] = {
    {{Activity::kSleeping, Place::kFloor}, 6, 5},
    {{Activity::kSleeping, Place::kCouch}, 7, 6},
    {{Activity::kSleeping, Place::kBed}, 7, 6},
    {{Activity::kSleeping, Place::kBasket}, 8, 6},
    {{Activity::kSleeping, Place::kTable}, 0, 6},
    {{Activity::kSitting, Place::kFloor}, 7, 7},
    {{Activity::kSitting, Place::kFloor, Near::kDoor}, 10, 7},
    {{Activity::kSitting, Place::kFloor, Near::kCouch}, 7, 2},
    {{Activity::kSitting, Place::kCouch}, 7, 7},
    {{Activity::kSitting, Place::kBed}, 7, 7},
    {{Activity::kSitting, Place::kTable}, 0, 11},
    {{Activity::kWalking, Place::kFloor}, 10, 9},
    {{Activity::kWalking, Place::kFloor, Near::kCouch}, 14, 3},
    {{Activity::kWalking, Place::kTable}, 0, 6},
    {{Activity::kWalking, Place::kBed}, 2, 2},
    {{Activity::kPlaying, Place::kFloor}, 19, 15},
    {{Activity::kChewing, Place::kFloor}, 22, 0},
    {{Activity::kEating, Place::kFloor}, 18, 15},
};

Box BoxOf(const Spot& spot) { return {spot.left(), spot.top(), spot.right(), spot.y}; }

/// Where the muzzle is from the middle of the feet, in the pet's units, when it does this.
double Reach(const Pet& pet, Activity activity) {
  const bool dog = pet.species == Species::kDog;
  switch (activity) {
    case Activity::kEating:
      return dog ? 70 : 50;
    case Activity::kPlaying:
      return dog ? 92 : 70;
    case Activity::kChewing:
      return dog ? 76 : 54;
    case Activity::kSleeping:
    case Activity::kSitting:
    case Activity::kWalking:
      return 0;
  }
  return 0;
}

/// With the muzzle at an arm of the couch, or about there when it does something else. A pet left at the world's corner
/// has no place.
std::optional<Pet> AtCouchArm(Rng& rng, Room& room, Pet pet) {
  if (!room.couch) return std::nullopt;
  Couch& couch = *room.couch;
  const bool chews = pet.activity == Activity::kChewing;
  const bool left_arm = rng.Chance(0.5);
  const double arm_x = left_arm ? couch.left() + couch.arm * 0.55 : couch.right() - couch.arm * 0.55;
  if (chews && (arm_x < 36 || arm_x > kWorldWidth - 36)) return pet;  // too near the edge of the picture
  pet.scale = 0.96 * pet.coat.size;
  pet.y = couch.y + (chews ? 9 : rng.Uniform(6, 20));
  const double reach = Reach(pet, Activity::kChewing) * pet.scale + (chews ? 0 : rng.Uniform(-16, 34));
  const double outside = left_arm ? -1 : 1;
  double side = outside;
  if (arm_x + side * reach < 40 || arm_x + side * reach > kWorldWidth - 40) side = -outside;  // from before the couch
  pet.x = arm_x + side * reach;
  if (chews || rng.Chance(0.75)) pet.faces_left = side > 0;
  couch.torn = chews || rng.Chance(0.6);
  couch.torn_left = left_arm;
  return pet;
}

/// One try at a spot; the caller checks that it is free. A pet left where it was, at the world's corner, is not.
std::optional<Pet> Try(Rng& rng, Room& room, Pet pet, const Behaviour& what) {
  pet.activity = what.activity;
  pet.place = what.place;
  pet.faces_left = rng.Chance(0.5);
  pet.phase = rng.Uniform(0, 30);
  pet.front = what.activity == Activity::kSitting && rng.Chance(0.5);
  const double size = pet.coat.size;
  const double dir = pet.faces_left ? -1 : 1;
  const auto at = [&](double x, double y, double scale) {
    pet.x = x;
    pet.y = y;
    pet.scale = scale;
    return pet;
  };
  switch (what.place) {
    case Place::kCouch: {
      if (!room.couch) return std::nullopt;
      const double inner = room.couch->w / 2 - room.couch->arm - 32;
      return at(room.couch->x + rng.Uniform(-inner, inner), room.couch->y - room.couch->h * 0.36, 0.84 * size);
    }
    case Place::kBed: {
      if (!room.bed) return std::nullopt;
      const double side = room.bed->head_left ? 1 : -1;
      return at(room.bed->x + side * room.bed->w * rng.Uniform(-0.12, 0.22), room.bed->y - room.bed->h * 0.38,
                0.86 * size);
    }
    case Place::kTable:
      if (!room.table) return std::nullopt;
      return at(room.table->x + room.table->w * rng.Uniform(-0.02, 0.14), room.table->top() - 1, 0.9 * size);
    case Place::kBasket:
      if (!room.basket) return std::nullopt;
      return at(room.basket->x, room.basket->y - 6, size);
    case Place::kFloor:
      break;
  }
  if (what.activity == Activity::kChewing || what.near == Near::kCouch) return AtCouchArm(rng, room, pet);
  if (what.activity == Activity::kEating) {
    if (!room.bowl) return std::nullopt;
    const double scale = ScaleAt(room, room.bowl->y) * size;
    return at(room.bowl->x - dir * Reach(pet, what.activity) * scale, room.bowl->y - 3, scale);
  }
  if (what.activity == Activity::kPlaying) {
    if (!room.ball) return std::nullopt;
    const double scale = ScaleAt(room, room.ball->y) * size;
    return at(room.ball->x - dir * Reach(pet, what.activity) * scale, room.ball->y - 1, scale);
  }
  if (what.near == Near::kDoor) {
    if (!room.door) return std::nullopt;
    const double y = room.door->y + rng.Uniform(26, 40);
    const double x = room.door->x + rng.Uniform(-18, 18);
    pet.faces_left = x > room.door->x;
    return at(x, y, 0.9 * size);
  }
  const double y = rng.Uniform(room.walls.floor_y + 66, 284);
  return at(rng.Uniform(58, kWorldWidth - 58), y, ScaleAt(room, y) * size);
}

bool InWorld(const Pet& pet) {
  const Spot s = Extent(pet);
  return s.left() > 14 && s.right() < kWorldWidth - 14 && s.top() > 12 && s.y < kWorldHeight - 10;
}

/// Nothing that is already there would be hidden by the pet, nor hide it.
bool Free(const Scene& scene, const Pet& pet) {
  const Box box = BoxOf(Extent(pet));
  const auto apart = [&](const Box& other, double limit) {
    return Covered(box, other) < limit && Covered(other, box) < limit;
  };
  for (const Pet& other : scene.pets) {
    if (!apart(BoxOf(Extent(other)), 0.12)) return false;
  }
  for (const Person& person : scene.people) {
    if (!apart(BoxOf(Extent(person)), 0.2)) return false;
  }
  const Room& room = scene.room;
  if (room.bowl && pet.activity != Activity::kEating && !apart(BoxOf(*room.bowl), 0.25)) return false;
  if (room.ball && pet.activity != Activity::kPlaying && !apart(BoxOf(*room.ball), 0.2)) return false;
  if (room.basket && pet.place != Place::kBasket && Covered(BoxOf(*room.basket), box) > 0.3) return false;
  if (room.table && pet.place != Place::kTable && pet.y > room.table->y) {
    const Box slab{room.table->left(), room.table->top() - 8, room.table->right(), room.table->top() + 11};
    if (Covered(slab, box) > 0.4) return false;
  }
  return VisiblePart(scene, pet) > 0.8;
}

}  // namespace

Behaviour RandomBehaviour(Rng& rng, Species species) {
  const auto weight = [&](const Lot& lot) { return species == Species::kDog ? lot.dog : lot.cat; };
  double total = 0;
  for (const Lot& lot : kLots) total += weight(lot);
  double at = rng.Uniform(0, total);
  for (const Lot& lot : kLots) {
    if (at < weight(lot)) return lot.behaviour;
    at -= weight(lot);
  }
  return kLots[0].behaviour;
}

void AddWishes(const Behaviour& behaviour, RoomWishes& wishes) {
  wishes.couch |=
      behaviour.place == Place::kCouch || behaviour.activity == Activity::kChewing || behaviour.near == Near::kCouch;
  wishes.bed |= behaviour.place == Place::kBed;
  wishes.table |= behaviour.place == Place::kTable;
  wishes.basket |= behaviour.place == Place::kBasket;
  wishes.door |= behaviour.near == Near::kDoor;
  wishes.bowl |= behaviour.activity == Activity::kEating;
  wishes.ball |= behaviour.activity == Activity::kPlaying;
}

std::optional<Pet> Stage(Rng& rng, Scene& scene, Pet pet, const Behaviour& behaviour) {
  for (int tries = 0; tries < 24; ++tries) {
    const std::optional<Couch> couch_before = scene.room.couch;
    const std::optional<Pet> placed = Try(rng, scene.room, pet, behaviour);
    if (placed && InWorld(*placed) && Free(scene, *placed)) return placed;
    scene.room.couch = couch_before;
    if (!placed) return std::nullopt;
  }
  return std::nullopt;
}

std::optional<Person> Stage(Rng& rng, const Scene& scene, Person person) {
  const Room& room = scene.room;
  for (int tries = 0; tries < 24; ++tries) {
    person.faces_left = rng.Chance(0.5);
    person.phase = rng.Uniform(0, 20);
    person.sits = room.couch && rng.Chance(0.4);
    person.walks = !person.sits && rng.Chance(0.5);
    if (person.sits) {
      const double inner = room.couch->w / 2 - room.couch->arm - 24;
      person.x = room.couch->x + rng.Uniform(-inner, inner);
      person.y = room.couch->y + 8;
      person.scale = 0.86;
    } else {
      person.y = rng.Uniform(room.walls.floor_y + 48, 275);
      person.x = rng.Uniform(40, kWorldWidth - 40);
      person.scale = ScaleAt(room, person.y) * 1.02;
    }
    const Box box = BoxOf(Extent(person));
    bool free = box.y0 > 2;
    for (const Pet& pet : scene.pets) free &= Covered(BoxOf(Extent(pet)), box) < 0.1;
    for (const Person& other : scene.people) free &= Covered(box, BoxOf(Extent(other))) < 0.15;
    const auto shows = [&](const auto& thing) { return !thing || Covered(BoxOf(*thing), box) < 0.3; };
    free &= shows(room.door) && shows(room.tv) && shows(room.lamp) && shows(room.bowl) && shows(room.ball) &&
            shows(room.chair) && shows(room.window);
    if (free) return person;
  }
  return std::nullopt;
}

double ScaleAt(const Room& room, double y) {
  return 0.84 + 0.3 * std::clamp((y - room.walls.floor_y) / (kWorldHeight - room.walls.floor_y), 0.0, 1.0);
}

double Depth(const Room& room, const Pet& pet) {
  switch (pet.place) {
    case Place::kCouch:
      return room.couch ? room.couch->y + 0.5 : pet.y;
    case Place::kBed:
      return room.bed ? room.bed->y + 0.5 : pet.y;
    case Place::kTable:
      return room.table ? room.table->y + 0.5 : pet.y;
    case Place::kBasket:
      return room.basket ? room.basket->y - 1 : pet.y;
    case Place::kFloor:
      return pet.y;
  }
  return pet.y;
}

double Depth(const Room& room, const Person& person) {
  return person.sits && room.couch ? room.couch->y + 0.6 : person.y;
}

Point MouthOf(const Pet& pet) {
  const bool dog = pet.species == Species::kDog;
  const double dir = pet.faces_left ? -1 : 1;
  return {pet.x + dir * (dog ? 77 : 55) * pet.scale, pet.y - (dog ? 46 : 38) * pet.scale};
}

Spot Extent(const Pet& pet) {
  const bool dog = pet.species == Species::kDog;
  double x0 = 0, x1 = 0, h = 0;
  switch (pet.activity) {
    case Activity::kSleeping:
      x0 = dog ? -50 : -42, x1 = dog ? 60 : 42, h = dog ? 36 : 33;
      break;
    case Activity::kSitting:
      x0 = dog ? -36 : -32, x1 = dog ? 44 : 30, h = dog ? 98 : 83;
      break;
    case Activity::kWalking:
      x0 = dog ? -54 : -44, x1 = dog ? 76 : 54, h = dog ? 90 : 76;
      break;
    case Activity::kPlaying:
      x0 = dog ? -50 : -42, x1 = dog ? 76 : 54, h = dog ? 78 : 66;
      break;
    case Activity::kChewing:
      x0 = dog ? -54 : -44, x1 = dog ? 80 : 54, h = dog ? 86 : 72;
      break;
    case Activity::kEating:
      x0 = dog ? -54 : -44, x1 = dog ? 74 : 54, h = dog ? 76 : 66;
      break;
  }
  const double middle = (x0 + x1) / 2 * (pet.faces_left ? -1 : 1);
  return {pet.x + middle * pet.scale, pet.y, (x1 - x0) * pet.scale, h * pet.scale};
}

Spot Extent(const Person& person) {
  const double dir = person.faces_left ? -1 : 1;
  return person.sits ? Spot{person.x + dir * 8 * person.scale, person.y, 62 * person.scale, 150 * person.scale}
                     : Spot{person.x, person.y, 58 * person.scale, 196 * person.scale};
}

double VisiblePart(const Scene& scene, const Pet& pet) {
  const Spot extent = Extent(pet);
  const Box box = BoxOf(extent);
  const double depth = Depth(scene.room, pet);
  double visible = 1;
  const auto hide = [&](const Box& other, double other_depth) {
    if (other_depth > depth) visible -= Covered(box, other);
  };
  for (const Pet& other : scene.pets) {
    if (&other != &pet) hide(BoxOf(Extent(other)), Depth(scene.room, other));
  }
  for (const Person& person : scene.people) hide(BoxOf(Extent(person)), Depth(scene.room, person));
  if (const auto& table = scene.room.table; table && pet.place != Place::kTable) {
    hide({table->left(), table->top() - 8, table->right(), table->top() + 11}, table->y);
  }
  if (const auto& chair = scene.room.chair) {
    hide({chair->left(), chair->top(), chair->right(), chair->y - chair->h * 0.35}, chair->y);
  }
  const Point a = ToFrame(scene.view, {box.x0, box.y0}), b = ToFrame(scene.view, {box.x1, box.y1});
  const Box framed{std::min(a.x, b.x), std::min(a.y, b.y), std::max(a.x, b.x), std::max(a.y, b.y)};
  return std::max(0.0, visible) * Covered(framed, {0, 0, 1, 1});
}

}  // namespace pawsight::scenes
