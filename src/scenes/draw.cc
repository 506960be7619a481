#include "scenes/draw.h"

#include <vector>

#include "scenes/picture.h"
#include "scenes/staging.h"

namespace pawsight::scenes {
namespace {

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
    Behaviour behaviour = RandomBehaviour(pet_rng, pet.species);
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
