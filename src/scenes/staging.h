// scenes/staging.h: who stands where: the places of a room at which a pet can do a thing, and what hides what.
// Pure functions of their arguments.
#pragma once

#include <optional>

#include "scenes/scene.h"

namespace pawsight::scenes {

/// Where on the floor, when it matters.
enum class Near { kAnything, kDoor, kCouch };

/// A thing a pet does at a place; `near` for sitting and walking on the floor. Near the couch it stands where it would
/// chew and does not, the couch whole or torn: without such pictures a torn couch would pass for chewing.
struct Behaviour {
  Activity activity = Activity::kSitting;
  Place place = Place::kFloor;
  Near near = Near::kAnything;

  friend bool operator==(const Behaviour&, const Behaviour&) = default;
};

/// By lot, loaded so that rare but telling things (chewing, eating) come often.
Behaviour RandomBehaviour(Rng& rng, Species species);

/// What the room must hold for it.
void AddWishes(const Behaviour& behaviour, RoomWishes& wishes);

/// Puts `pet` where it can do this, at a random free spot; fills activity, place, x, y, scale, faces_left. A chewed
/// couch gets its tear. nullopt when the room lacks the thing or, after some tries, every spot is taken by the
/// pets and people already in `scene`.
std::optional<Pet> Stage(Rng& rng, Scene& scene, Pet pet, const Behaviour& behaviour);

/// A person standing on free floor or sitting on a free couch.
std::optional<Person> Stage(Rng& rng, const Scene& scene, Person person);

/// How near it stands; larger is painted later.
double Depth(const Room& room, const Pet& pet);
double Depth(const Room& room, const Person& person);

/// Size of things on the floor at `y`, relative to the front of the room.
double ScaleAt(const Room& room, double y);

/// World position of the muzzle while chewing.
Point MouthOf(const Pet& pet);

/// What the paint covers, in world units.
Spot Extent(const Pet& pet);
Spot Extent(const Person& person);

/// The part of the pet that nothing drawn later covers and the frame does not cut, 0..1, estimated from boxes.
double VisiblePart(const Scene& scene, const Pet& pet);

}  // namespace pawsight::scenes
