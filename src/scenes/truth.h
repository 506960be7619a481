// scenes/truth.h: what can be seen in a drawn frame, for certain. Values.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace pawsight::scenes {

enum class Species { kDog, kCat };
enum class Activity { kSleeping, kSitting, kWalking, kPlaying, kChewing, kEating };
enum class Place { kFloor, kCouch, kBed, kTable, kBasket };
enum class RoomKind { kLivingRoom, kBedroom, kKitchen };

/// One lower-case word each, the word a question's answer uses.
std::string_view Name(Species species);
std::string_view Name(Activity activity);
std::string_view Name(Place place);
std::string_view Name(RoomKind kind);

/// In fractions of the frame, origin at the top left; may reach beyond [0, 1] where the frame cuts.
struct Box {
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;

  double Area() const { return (x1 - x0) * (y1 - y0); }
};

/// The part of `box` covered by `other`, 0..1.
double Covered(const Box& box, const Box& other);

inline constexpr double kByDoor = 0.11;

struct PetTruth {
  Species species = Species::kDog;
  Activity activity = Activity::kSitting;
  Place place = Place::kFloor;
  /// From the floor before the door, in frame widths; 1 without a door or above the floor. Below kByDoor it is by it.
  double door_gap = 1;
  /// Where it is drawn.
  Box box;
  /// The part of the box inside the frame and not behind something drawn later; an estimate from boxes.
  double visible = 1;
};

/// A thing or a person and where it is drawn, whatever stands before it.
struct ThingTruth {
  std::string_view name;  // "couch", "tv_on", "door_closed", "person"...; of static storage
  Box box;
};

struct Truth {
  RoomKind room = RoomKind::kLivingRoom;
  bool night = false;
  std::vector<PetTruth> pets;
  int people = 0;
  bool couch = false, bed = false, table = false, chair = false, tv = false, door = false, window = false, lamp = false,
       bowl = false, ball = false, basket = false;
  /// Meaningful only with the thing itself.
  bool tv_on = false, door_open = false, lamp_on = false, couch_torn = false;

  std::vector<ThingTruth> things;

  int Count(Species species) const;
  bool Any(Species species, Activity activity) const;
  bool Any(Species species, Place place) const;
  bool Empty() const { return pets.empty() && people == 0; }
};

/// The truth as training and tools read it; docs/formats/scene-stream.md lists the members.
Json ToJson(const Truth& truth);

}  // namespace pawsight::scenes
