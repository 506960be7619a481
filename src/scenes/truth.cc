#include "scenes/truth.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace pawsight::scenes {

std::string_view Name(Species species) { return species == Species::kDog ? "dog" : "cat"; }

std::string_view Name(Activity activity) {
  switch (activity) {
    case Activity::kSleeping:
      return "sleeping";
    case Activity::kSitting:
      return "sitting";
    case Activity::kWalking:
      return "walking";
    case Activity::kPlaying:
      return "playing";
    case Activity::kChewing:
      return "chewing";
    case Activity::kEating:
      return "eating";
  }
  return "";
}

std::string_view Name(Place place) {
  switch (place) {
    case Place::kFloor:
      return "floor";
    case Place::kCouch:
      return "couch";
    case Place::kBed:
      return "bed";
    case Place::kTable:
      return "table";
    case Place::kBasket:
      return "basket";
  }
  return "";
}

std::string_view Name(RoomKind kind) {
  switch (kind) {
    case RoomKind::kLivingRoom:
      return "livingroom";
    case RoomKind::kBedroom:
      return "bedroom";
    case RoomKind::kKitchen:
      return "kitchen";
  }
  return "";
}

double Covered(const Box& box, const Box& other) {
  const double w = std::min(box.x1, other.x1) - std::max(box.x0, other.x0);
  const double h = std::min(box.y1, other.y1) - std::max(box.y0, other.y0);
  return w <= 0 || h <= 0 ? 0 : w * h / box.Area();
}

int Truth::Count(Species species) const {
  return static_cast<int>(
      std::count_if(pets.begin(), pets.end(), [&](const PetTruth& p) { return p.species == species; }));
}

bool Truth::Any(Species species, Activity activity) const {
  return std::any_of(pets.begin(), pets.end(),
                     [&](const PetTruth& p) { return p.species == species && p.activity == activity; });
}

bool Truth::Any(Species species, Place place) const {
  return std::any_of(pets.begin(), pets.end(),
                     [&](const PetTruth& p) { return p.species == species && p.place == place; });
}

namespace {

/// To a thousandth of the frame.
Json ToJson(const Box& box) {
  const auto round = [](double v) { return std::round(v * 1000) / 1000; };
  return Json::Array{round(box.x0), round(box.y0), round(box.x1), round(box.y1)};
}

}  // namespace

Json ToJson(const Truth& truth) {
  Json::Array things;
  for (const ThingTruth& thing : truth.things) {
    things.push_back(Json::Object{{"name", thing.name}, {"box", ToJson(thing.box)}});
  }
  Json::Array pets;
  for (const PetTruth& pet : truth.pets) {
    pets.push_back(Json::Object{{"species", Name(pet.species)},
                                {"activity", Name(pet.activity)},
                                {"place", Name(pet.place)},
                                {"door_gap", pet.door_gap},
                                {"box", ToJson(pet.box)},
                                {"visible", pet.visible}});
  }
  return Json::Object{{"room", Name(truth.room)}, {"night", truth.night},
                      {"people", truth.people},   {"couch", truth.couch},
                      {"bed", truth.bed},         {"table", truth.table},
                      {"chair", truth.chair},     {"tv", truth.tv},
                      {"door", truth.door},       {"window", truth.window},
                      {"lamp", truth.lamp},       {"bowl", truth.bowl},
                      {"ball", truth.ball},       {"basket", truth.basket},
                      {"tv_on", truth.tv_on},     {"door_open", truth.door_open},
                      {"lamp_on", truth.lamp_on}, {"couch_torn", truth.couch_torn},
                      {"pets", std::move(pets)},  {"things", std::move(things)}};
}

}  // namespace pawsight::scenes
