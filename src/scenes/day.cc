#include "scenes/day.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "scenes/picture.h"

namespace pawsight::scenes {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// What a pet does in a part of the day. Lengths in seconds.
struct Habit {
  double rest;  // the chance that it lies down to sleep next, rather than be up
  int rest_least, rest_most;
  double leave;  // else, that it goes where the camera does not see it
  int leave_least, leave_most;
  int acts_least, acts_most;  // else, so many acts on end
  int act_least, act_most;
};

Habit HabitOf(DayPart part) {
  switch (part) {
    case DayPart::kNight:
      return {0.8, 1200, 7200, 0.1, 600, 3600, 1, 3, 10, 60};
    case DayPart::kMorning:
      return {0.3, 120, 900, 0.1, 30, 300, 3, 10, 10, 90};
    case DayPart::kAway:
      return {0.55, 600, 5400, 0.35, 600, 3600, 1, 6, 8, 90};
    case DayPart::kEvening:
      return {0.35, 120, 900, 0.15, 30, 600, 4, 12, 10, 120};
  }
  CHECK(false);
}

milliseconds Between(Rng& rng, int least_s, int most_s) {
  return milliseconds(static_cast<int64_t>(1000 * rng.Uniform(least_s, most_s)));
}

/// Sleep, where this room has a place for it.
Behaviour RandomRest(Rng& rng, Species species, const Room& room) {
  constexpr Place kPlaces[] = {Place::kBasket, Place::kCouch, Place::kBed, Place::kFloor};
  for (;;) {
    const Place place = kPlaces[rng.Below(4)];
    const bool there = place == Place::kFloor || (place == Place::kBasket && room.basket) ||
                       (place == Place::kCouch && room.couch) || (place == Place::kBed && room.bed);
    if (there) return {Activity::kSleeping, place, Near::kAnything};
    if (species == Species::kCat && room.table && rng.Chance(0.2)) return {Activity::kSleeping, Place::kTable};
  }
}

/// The acts of one pet from `now` on; gives when it is ready for something else.
milliseconds LiveOn(Rng& rng, Script& script, size_t pet, milliseconds now) {
  const Habit habit = HabitOf(PartAt(now));
  const Species species = script.cast[pet].species;
  const auto pause = [&] { return milliseconds(2000 + rng.Below(2000)); };
  const auto act = [&](const Behaviour& behaviour, milliseconds length) {
    const milliseconds end = std::min(now + length, milliseconds(kDayLength) - kWalkTime);
    if (end - now < seconds(4)) return false;
    if (behaviour.activity == Activity::kWalking) return false;  // it walks between acts
    if (!AddAct(rng, script, pet, behaviour, now, end)) return false;
    now = end + pause();
    return true;
  };
  if (rng.Chance(habit.rest)) {
    const milliseconds length = Between(rng, habit.rest_least, habit.rest_most);
    if (!act(RandomRest(rng, species, script.scene.room), length)) now += seconds(5);
    return now;
  }
  if (rng.Chance(habit.leave)) return now + Between(rng, habit.leave_least, habit.leave_most);
  const int num_acts = habit.acts_least + rng.Below(habit.acts_most - habit.acts_least + 1);
  for (int i = 0; i < num_acts; ++i) {
    if (!act(RandomBehaviour(rng, species), Between(rng, habit.act_least, habit.act_most))) now += seconds(1);
  }
  return now;
}

/// People come one at a time.
void AddVisits(Rng& rng, Script& script, milliseconds begin, milliseconds end, int count) {
  const milliseconds slot = (end - begin) / count;
  for (int i = 0; i < count; ++i) {
    std::optional<Person> person = Stage(rng, script.scene, RandomPerson(rng));
    if (!person) continue;
    person->walks = false;
    const milliseconds start = begin + i * slot + Between(rng, 10, static_cast<int>(slot / seconds(2)));
    const milliseconds length = std::min(Between(rng, 60, 2400), begin + (i + 1) * slot - start - seconds(10));
    if (length > seconds(20)) script.visits.push_back({*person, start, start + length});
  }
}

Script DayScript(uint64_t seed) {
  Rng rng(seed);
  Script script;
  RoomWishes wishes;
  wishes.couch = rng.Chance(0.7);
  wishes.bed = !wishes.couch;
  wishes.door = wishes.bowl = wishes.ball = wishes.table = wishes.basket = true;
  Rng room_rng = rng.Fork(1);
  script.scene.room = FurnishRoom(room_rng, wishes);
  if (script.scene.room.couch) script.scene.room.couch->torn = false;
  if (script.scene.room.lamp) script.scene.room.lamp->on = false;
  if (script.scene.room.tv) script.scene.room.tv->on = false;
  script.scene.view = RandomView(rng);
  script.scene.noise_seed = rng.Next();
  script.length = kDayLength;
  script.cast = RandomCast(rng);
  AddVisits(rng, script, hours(6) + minutes(35), hours(8) + minutes(25), 3 + rng.Below(4));
  AddVisits(rng, script, hours(17) + minutes(35), hours(22) + minutes(20), 4 + rng.Below(6));
  for (size_t pet = 0; pet < script.cast.size(); ++pet) {
    milliseconds now{rng.Below(20000)};
    while (now < milliseconds(kDayLength) - minutes(1)) now = LiveOn(rng, script, pet, now);
  }
  return script;
}

/// A value in [0, 1) that belongs to number `n` of a stream.
double Drawn(uint64_t seed, uint64_t stream, int64_t n) {
  return Rng(seed).Fork(stream * 1000003U + static_cast<uint64_t>(n)).Uniform();
}

/// Daylight 0.8..1 that wanders within minutes: between drawn values three minutes apart, smoothly.
double Clouds(uint64_t seed, double second) {
  const double at = second / 180;
  const double part = at - std::floor(at);
  const auto n = static_cast<int64_t>(std::floor(at));
  const double smooth = part * part * (3 - 2 * part);
  return 0.8 + 0.2 * (Drawn(seed, 1, n) * (1 - smooth) + Drawn(seed, 1, n + 1) * smooth);
}

/// The number of the change that was last at `second`, of changes `least`..`most` seconds apart.
int64_t ChangesUntil(uint64_t seed, uint64_t stream, double second, double least, double most) {
  const double slot = (least + most) / 2;
  const double jitter = (most - least) / 2;
  const auto n = static_cast<int64_t>(std::floor(second / slot));
  return second - static_cast<double>(n) * slot >= jitter * Drawn(seed, stream, n) ? n : n - 1;
}

constexpr int kTvPrograms = 4;

}  // namespace

std::string_view Name(DayPart part) {
  switch (part) {
    case DayPart::kNight:
      return "night";
    case DayPart::kMorning:
      return "morning";
    case DayPart::kAway:
      return "away";
    case DayPart::kEvening:
      return "evening";
  }
  CHECK(false);
}

DayPart PartAt(milliseconds t) {
  const milliseconds of_day = t % milliseconds(kDayLength);
  if (of_day < hours(6) + minutes(30)) return DayPart::kNight;
  if (of_day < hours(8) + minutes(30)) return DayPart::kMorning;
  if (of_day < hours(17) + minutes(30)) return DayPart::kAway;
  return of_day < hours(22) + minutes(30) ? DayPart::kEvening : DayPart::kNight;
}

DayCamera::DayCamera(uint64_t seed, const CameraOptions& options)
    : seed_(seed), options_(options), camera_(DayScript(seed), CameraOptions{options.width, options.height, {}}) {}

Scene DayCamera::SceneAt(milliseconds t) const {
  Scene scene = camera_.SceneAt(t);
  const double second = static_cast<double>(t.count()) / 1000;
  const DayPart part = PartAt(t);
  scene.night = part == DayPart::kNight;
  if (part == DayPart::kMorning || part == DayPart::kAway) scene.view.brightness *= Clouds(seed_, second);
  if (scene.room.lamp) scene.room.lamp->on = part == DayPart::kEvening;
  if (scene.room.tv && part == DayPart::kEvening && t % milliseconds(kDayLength) >= hours(19)) {
    scene.room.tv->on = true;
    scene.room.tv->program = static_cast<int>(ChangesUntil(seed_, 2, second, 3, 9) % kTvPrograms);
  }
  for (size_t i = 0; i < scene.people.size(); ++i) {
    if (scene.people[i].walks) continue;
    const int64_t n = ChangesUntil(seed_, 3 + i, second, 4, 12);
    scene.people[i].x += 4 * Drawn(seed_, 13 + i, n) - 2;
    scene.people[i].phase += Drawn(seed_, 23 + i, n);
  }
  return scene;
}

Frame DayCamera::At(milliseconds t) const {
  const Scene scene = SceneAt(t);
  return {Paint(scene, options_.width, options_.height), Describe(scene)};
}

}  // namespace pawsight::scenes
