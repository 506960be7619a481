#include "scenes/camera.h"

#include <cmath>
#include <utility>

#include "base/check.h"
#include "scenes/picture.h"
#include "scenes/walk.h"

namespace pawsight::scenes {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kDay{600000};
constexpr milliseconds kVisitWalk{2500};

double Seconds(milliseconds t) { return static_cast<double>(t.count()) / 1000; }

/// The acts of the others that share time with [start, end), as if they were all there at once.
void AddOthers(const Script& script, size_t pet, milliseconds start, milliseconds end, Scene& scene) {
  for (const Act& act : script.acts) {
    if (act.pet != pet && act.start < end + kWalkTime && act.end + kWalkTime > start) scene.pets.push_back(act.pose);
  }
  for (const Visit& visit : script.visits) {
    if (visit.start < end && visit.end > start) scene.people.push_back(visit.pose);
  }
}

}  // namespace

bool AddAct(Rng& rng, Script& script, size_t pet, const Behaviour& behaviour, milliseconds start, milliseconds end) {
  Scene scene = script.scene;
  AddOthers(script, pet, start, end, scene);
  if (scene.room.couch) scene.room.couch->torn = false;
  const std::optional<Pet> pose = Stage(rng, scene, script.cast[pet], behaviour);
  if (!pose) return false;
  Act act;
  act.pet = pet;
  act.pose = *pose;
  act.start = start;
  act.end = end;
  act.left_arm = !scene.room.couch || scene.room.couch->torn_left;
  script.acts.push_back(act);
  return true;
}

namespace {

/// A day of one pet: acts of 8 to 40 s, walks between, sometimes away.
void LiveADay(Rng& rng, Script& script, size_t pet) {
  milliseconds now{rng.Below(20000)};
  while (now < kDay - kWalkTime) {
    const milliseconds end = now + milliseconds(8000 + rng.Below(32000));
    if (end > kDay - kWalkTime) return;
    const Behaviour behaviour = RandomBehaviour(rng, script.cast[pet].species);
    const bool acted = behaviour.activity != Activity::kWalking && AddAct(rng, script, pet, behaviour, now, end);
    if (acted) now = end + milliseconds(2000 + rng.Below(2000));
    if (rng.Chance(acted ? 0.12 : 0.05)) now += milliseconds(10000 + rng.Below(40000));  // out of sight
    if (!acted) now += milliseconds(1000);
  }
}

Script RandomScript(uint64_t seed, const CameraOptions& options) {
  Rng rng(seed);
  Script script;
  RoomWishes wishes;
  wishes.couch = rng.Chance(0.7);
  wishes.bed = !wishes.couch && rng.Chance(0.7);
  wishes.door = wishes.bowl = wishes.ball = wishes.table = true;
  Rng room_rng = rng.Fork(1);
  script.scene.room = FurnishRoom(room_rng, wishes);
  script.scene.night = options.night.value_or(rng.Chance(0.3));
  script.scene.view = RandomView(rng);
  script.scene.noise_seed = rng.Next();
  script.length = kDay;
  script.cast = RandomCast(rng);
  if (rng.Chance(0.4)) {
    if (const auto person = Stage(rng, script.scene, RandomPerson(rng))) {
      const milliseconds start{60000 + rng.Below(300000)};
      script.visits.push_back({*person, start, start + milliseconds(30000 + rng.Below(90000))});
    }
  }
  for (size_t i = 0; i < script.cast.size(); ++i) LiveADay(rng, script, i);
  return script;
}

/// The act before and after a moment; the moment is in `now` or between the two.
struct Moment {
  const Act* before = nullptr;
  const Act* now = nullptr;
  const Act* after = nullptr;
};

Moment Find(const Script& script, size_t pet, milliseconds t) {
  Moment moment;
  for (const Act& act : script.acts) {
    if (act.pet != pet) continue;
    if (act.end <= t) moment.before = &act;
    if (act.start <= t && t < act.end) moment.now = &act;
    if (act.start > t && moment.after == nullptr) moment.after = &act;
  }
  return moment;
}

std::optional<Pet> PetAt(const Script& script, size_t pet, milliseconds t) {
  const Moment moment = Find(script, pet, t);
  if (moment.now != nullptr) {
    Pet pose = moment.now->pose;
    pose.phase = Seconds(t);
    return pose;
  }
  const Room& room = script.scene.room;
  const bool both = moment.before != nullptr && moment.after != nullptr;
  if (both && moment.after->start - moment.before->end <= kWalkTime) {
    const milliseconds walk = moment.after->start - moment.before->end;
    return Underway(room, moment.before->pose, moment.after->pose, Seconds(t - moment.before->end) / Seconds(walk),
                    Seconds(walk));
  }
  const double walk = Seconds(kWalkTime) / 2;  // goes out of sight and comes back
  if (moment.before != nullptr && t < moment.before->end + kWalkTime / 2) {
    return Underway(room, moment.before->pose, std::nullopt, Seconds(t - moment.before->end) / walk, walk);
  }
  if (moment.after != nullptr && t >= moment.after->start - kWalkTime / 2) {
    return Underway(room, std::nullopt, moment.after->pose, 1 - Seconds(moment.after->start - t) / walk, walk);
  }
  return std::nullopt;
}

std::optional<Person> PersonAt(const Visit& visit, milliseconds t) {
  if (t < visit.start - kVisitWalk || t >= visit.end + kVisitWalk) return std::nullopt;
  const double walk = Seconds(kVisitWalk);
  if (t < visit.start) return Arriving(visit.pose, 1 - Seconds(visit.start - t) / walk, walk);
  if (t < visit.end) return visit.pose;
  Person leaving = Arriving(visit.pose, 1 - Seconds(t - visit.end) / walk, walk);
  leaving.faces_left = !leaving.faces_left;
  return leaving;
}

}  // namespace

VirtualCamera::VirtualCamera(uint64_t seed, const CameraOptions& options)
    : VirtualCamera(RandomScript(seed, options), options) {}

VirtualCamera::VirtualCamera(Script script, const CameraOptions& options)
    : script_(std::move(script)), options_(options) {
  CHECK(script_.length > milliseconds(0));
  if (options_.night) script_.scene.night = *options_.night;
}

Scene VirtualCamera::SceneAt(milliseconds t) const {
  CHECK(t >= milliseconds(0));
  const milliseconds now = t % script_.length;
  Scene scene = script_.scene;
  scene.seconds = Seconds(t);
  scene.noise_seed = Rng(script_.scene.noise_seed).Fork(static_cast<uint64_t>(t.count())).Next();
  for (size_t i = 0; i < script_.cast.size(); ++i) {
    if (const auto pet = PetAt(script_, i, now)) scene.pets.push_back(*pet);
  }
  for (const Visit& visit : script_.visits) {
    if (const auto person = PersonAt(visit, now)) scene.people.push_back(*person);
  }
  for (const Act& act : script_.acts) {
    if (act.pose.activity != Activity::kChewing || act.start > now || !scene.room.couch) continue;
    scene.room.couch->torn = true;
    scene.room.couch->torn_left = act.left_arm;
  }
  return scene;
}

Frame VirtualCamera::At(milliseconds t) const {
  const Scene scene = SceneAt(t);
  return {Paint(scene, options_.width, options_.height), Describe(scene)};
}

namespace {

constexpr milliseconds At(int seconds) { return milliseconds(1000 * seconds); }

struct EpisodeAct {
  size_t pet;
  Behaviour behaviour;
  int start, end;  // seconds
};

constexpr size_t kDog = 0, kCat = 1;
constexpr EpisodeAct kEpisodeActs[] = {
    {kDog, {Activity::kSleeping, Place::kBasket}, 0, 10},
    {kDog, {Activity::kChewing, Place::kFloor}, 13, 25},
    {kDog, {Activity::kSitting, Place::kFloor, Near::kDoor}, 28, 36},
    {kDog, {Activity::kPlaying, Place::kFloor}, 39, 60},
    {kCat, {Activity::kSitting, Place::kTable}, 40, 52},
};

/// nullopt when this seed's room has no good place for one of the acts.
std::optional<Script> EpisodeScript(uint64_t seed) {
  Rng rng(seed);
  Script script;
  RoomWishes wishes;
  wishes.couch = wishes.table = wishes.door = wishes.ball = wishes.bowl = wishes.basket = true;
  script.scene.room = FurnishRoom(rng, wishes);
  const Room& room = script.scene.room;
  const bool homely = room.door && room.window && room.walls.rug && !room.pictures.empty() && !room.chair;
  const auto apart = [&](const Spot& thing) {
    return std::abs(thing.x - room.table->x) > 0.45 * (thing.w + room.table->w);
  };
  if (!homely || !apart(*room.door) || !apart(*room.couch)) return std::nullopt;
  script.scene.room.couch->torn = false;
  script.scene.view.noise = 2.5;
  script.scene.view.jpeg_quality = 88;
  script.scene.noise_seed = seed;
  script.length = At(60);
  for (const Species species : {Species::kDog, Species::kCat}) {
    Pet pet;
    pet.species = species;
    pet.coat = RandomCoat(rng, species);
    script.cast.push_back(pet);
  }
  for (const EpisodeAct& act : kEpisodeActs) {
    if (!AddAct(rng, script, act.pet, act.behaviour, At(act.start), At(act.end))) return std::nullopt;
  }
  const auto walk = [&](size_t from, size_t to) { return std::abs(script.acts[from].pose.x - script.acts[to].pose.x); };
  if (walk(0, 1) < 80 || walk(1, 2) < 110 || walk(2, 3) < 60) return std::nullopt;  // it is seen to go away
  return script;
}

}  // namespace

Episode DemoEpisode() {
  Episode episode;
  std::optional<Script> script;
  for (uint64_t seed = 1; !script; ++seed) {  // the first room with a place for everything
    CHECK(seed < 10000);
    script = EpisodeScript(seed);
  }
  episode.script = *std::move(script);
  episode.alerts = {{"Is the dog chewing the couch?", At(13), At(25)}, {"Is the cat on the table?", At(40), At(52)}};
  episode.quiet = {"Is the dog on the bed?", "Is there a person?"};
  return episode;
}

}  // namespace pawsight::scenes
