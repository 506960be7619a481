#include "scenes/draw.h"

#include <vector>

#include "scenes/picture.h"
#include "scenes/staging.h"

namespace pawsight::scenes {
namespace {

struct Lot {
  Behaviour behaviour;
  double dog, cat;  // weights
};

constexpr Lot kLots[] = {
    {{Activity::kSleeping, Place::kFloor, false}, 6, 5},   {{Activity::kSleeping, Place::kCouch, false}, 7, 6},
    {{Activity::kSleeping, Place::kBed, false}, 7, 6},     {{Activity::kSleeping, Place::kBasket, false}, 8, 6},
    {{Activity::kSleeping, Place::kTable, false}, 0, 6},   {{Activity::kSitting, Place::kFloor, false}, 7, 7},
    {{Activity::kSitting, Place::kCouch, false}, 7, 7},    {{Activity::kSitting, Place::kBed, false}, 7, 7},
    {{Activity::kSitting, Place::kTable, false}, 0, 11},   {{Activity::kSitting, Place::kFloor, true}, 10, 7},
    {{Activity::kWalking, Place::kFloor, false}, 12, 10},  {{Activity::kWalking, Place::kTable, false}, 0, 6},
    {{Activity::kWalking, Place::kBed, false}, 2, 2},      {{Activity::kPlaying, Place::kFloor, false}, 13, 12},
    {{Activity::kChewing, Place::kFloor, false}, 20, 0},   {{Activity::kEating, Place::kFloor, false}, 13, 13},
};

Behaviour DrawBehaviour(Rng& rng, Species species) {
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

int NumPets(Rng& rng) {
  const double lot = rng.Uniform();
  return lot < 0.16 ? 0 : lot < 0.58 ? 1 : lot < 0.91 ? 2 : 3;
}

}  // namespace

Scene RandomScene(uint64_t seed) {
  Rng rng(seed);
  Rng room_rng = rng.Fork(1), pet_rng = rng.Fork(2), view_rng = rng.Fork(3);
  std::vector<std::pair<Pet, Behaviour>> cast;
  RoomWishes wishes;
  for (int n = NumPets(pet_rng); n > 0; --n) {
    Pet pet;
    pet.species = pet_rng.Chance(0.52) ? Species::kDog : Species::kCat;
    pet.coat = RandomCoat(pet_rng, pet.species);
    Behaviour behaviour = DrawBehaviour(pet_rng, pet.species);
    cast.emplace_back(pet, behaviour);
    AddWishes(behaviour, wishes);
  }
  Scene scene;
  scene.room = FurnishRoom(room_rng, wishes);
  scene.night = view_rng.Chance(0.3);
  scene.view = RandomView(view_rng);
  scene.view.mirrored = view_rng.Chance(0.5);
  scene.seconds = view_rng.Uniform(0, 100);
  scene.noise_seed = view_rng.Next();
  for (const auto& [pet, behaviour] : cast) {
    if (const auto placed = Stage(pet_rng, scene, pet, behaviour)) scene.pets.push_back(*placed);
  }
  const double person_chance = scene.pets.empty() ? 0.5 : 0.3;
  if (pet_rng.Chance(person_chance)) {
    if (const auto person = Stage(pet_rng, scene, RandomPerson(pet_rng))) scene.people.push_back(*person);
  }
  return scene;
}

Frame Draw(uint64_t seed, int width, int height) {
  const Scene scene = RandomScene(seed);
  return {Paint(scene, width, height), Describe(scene)};
}

}  // namespace pawsight::scenes
