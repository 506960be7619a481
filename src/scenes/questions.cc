#include "scenes/questions.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>
#include <utility>

#include "scenes/draw.h"

namespace pawsight::scenes {
namespace {

std::string YesNo(bool yes) { return yes ? "yes" : "no"; }

/// Every pet of the species is clearly seen: what is asked about it has an answer.
bool Clear(const Truth& truth, Species species) {
  return std::all_of(truth.pets.begin(), truth.pets.end(),
                     [&](const PetTruth& p) { return p.species != species || p.visible > 0.6; });
}
bool AllClear(const Truth& truth) { return Clear(truth, Species::kDog) && Clear(truth, Species::kCat); }

const PetTruth* OnlyOne(const Truth& truth, Species species) {
  if (truth.Count(species) != 1 || !Clear(truth, species)) return nullptr;
  for (const PetTruth& pet : truth.pets) {
    if (pet.species == species) return &pet;
  }
  return nullptr;
}

template <Activity activity>
std::string Does(const Truth& truth, Species species) {
  return Clear(truth, species) ? YesNo(truth.Any(species, activity)) : "";
}

template <Place place>
std::string IsOn(const Truth& truth, Species species) {
  return Clear(truth, species) ? YesNo(truth.Any(species, place)) : "";
}

template <bool Truth::*thing>
std::string Shows(const Truth& truth, Species) {
  return YesNo(truth.*thing);
}

template <RoomKind kind>
std::string IsRoom(const Truth& truth, Species) {
  return YesNo(truth.room == kind);
}

std::string Present(const Truth& truth, Species species) {
  return Clear(truth, species) ? YesNo(truth.Count(species) > 0) : "";
}

std::string HowMany(const Truth& truth, Species species) {
  return Clear(truth, species) && truth.Count(species) <= 2 ? std::to_string(truth.Count(species)) : "";
}

std::string Where(const Truth& truth, Species species) {
  const PetTruth* pet = OnlyOne(truth, species);
  return pet == nullptr ? "" : std::string(Name(pet->place));
}

std::string Doing(const Truth& truth, Species species) {
  const PetTruth* pet = OnlyOne(truth, species);
  return pet == nullptr ? "" : std::string(Name(pet->activity));
}

std::string ByDoor(const Truth& truth, Species species) {
  if (!Clear(truth, species)) return "";
  double gap = 1;
  for (const PetTruth& pet : truth.pets) {
    if (pet.species == species) gap = std::min(gap, pet.door_gap);
  }
  if (gap > kByDoor && gap < 2 * kByDoor) return "";
  return YesNo(gap <= kByDoor);
}

std::string AnyPet(const Truth& truth, Species) { return AllClear(truth) ? YesNo(!truth.pets.empty()) : ""; }
std::string PetCount(const Truth& truth, Species) { return AllClear(truth) ? std::to_string(truth.pets.size()) : ""; }
std::string Anybody(const Truth& truth, Species) { return YesNo(truth.people > 0); }
std::string Nothing(const Truth& truth, Species) { return AllClear(truth) ? YesNo(truth.Empty()) : ""; }

std::string PetOnCouch(const Truth& truth, Species) {
  if (!AllClear(truth)) return "";
  return YesNo(truth.Any(Species::kDog, Place::kCouch) || truth.Any(Species::kCat, Place::kCouch));
}

std::string WhichAnimal(const Truth& truth, Species) {
  if (!AllClear(truth)) return "";
  const bool dog = truth.Count(Species::kDog) > 0, cat = truth.Count(Species::kCat) > 0;
  return dog && cat ? "both" : dog ? "dog" : cat ? "cat" : "none";
}

using Kinds = std::vector<QuestionKind>;

void AddThings(Kinds& kinds) {
  const auto thing = [&](const char* name, const char* other, std::string (*answer)(const Truth&, Species)) {
    const std::string a = name, b = other;
    kinds.push_back({a + "_present",
                     {"Is there a " + a + "?", "Is there a " + a + " in the room?", "Do you see a " + b + "?",
                      "Can you see a " + a + "?", "Is a " + b + " visible?", "Is there a " + b + " in the picture?"},
                     answer,
                     Species::kDog});
  };
  thing("couch", "sofa", Shows<&Truth::couch>);
  thing("bed", "bed", Shows<&Truth::bed>);
  thing("table", "table", Shows<&Truth::table>);
  thing("chair", "chair", Shows<&Truth::chair>);
  thing("tv", "television", Shows<&Truth::tv>);
  thing("door", "door", Shows<&Truth::door>);
  thing("window", "window", Shows<&Truth::window>);
  thing("lamp", "lamp", Shows<&Truth::lamp>);
  thing("bowl", "food bowl", Shows<&Truth::bowl>);
  thing("ball", "toy", Shows<&Truth::ball>);
  thing("basket", "pet basket", Shows<&Truth::basket>);
}

void AddRoom(Kinds& kinds) {
  const auto add = [&](const char* family, std::vector<std::string> wordings,
                       std::string (*answer)(const Truth&, Species)) {
    kinds.push_back({family, std::move(wordings), answer, Species::kDog});
  };
  add("person_present",
      {"Is there a person?", "Is anybody in the room?", "Do you see a person?", "Is someone there?",
       "Is there a person in the room?", "Is anyone home?", "Is somebody in the picture?"},
      Anybody);
  add("pet_present",
      {"Is there a pet?", "Is there an animal?", "Do you see an animal?", "Is there a pet in the room?",
       "Are there any animals?", "Is any pet visible?"},
      AnyPet);
  add("room_empty",
      {"Is the room empty?", "Is this room empty?", "Is nobody in the room?", "Is the room without people and pets?"},
      Nothing);
  add("night", {"Is it night?", "Is it dark?", "Was this taken at night?", "Is this a night picture?"},
      Shows<&Truth::night>);
  add("tv_on", {"Is the tv on?", "Is the television on?", "Is the tv running?", "Is the tv switched on?"},
      Shows<&Truth::tv_on>);
  add("door_open",
      {"Is the door open?", "Is there an open door?", "Did someone leave the door open?", "Do you see an open door?"},
      Shows<&Truth::door_open>);
  add("lamp_on", {"Is the lamp on?", "Is the light on?", "Is the lamp switched on?", "Is a lamp on?"},
      Shows<&Truth::lamp_on>);
  add("bedroom", {"Is this a bedroom?", "Is it a bedroom?", "Is the room a bedroom?", "Does this show a bedroom?"},
      IsRoom<RoomKind::kBedroom>);
  add("kitchen", {"Is this a kitchen?", "Is it a kitchen?", "Is the room a kitchen?", "Does this show a kitchen?"},
      IsRoom<RoomKind::kKitchen>);
  add("pet_count",
      {"How many animals are there?", "How many pets are there?", "How many pets do you see?",
       "How many animals are in the room?"},
      PetCount);
  add("which_animal",
      {"What animal is it?", "What animal is in the room?", "Which animal do you see?", "What kind of animal is there?",
       "Is it a dog or a cat?"},
      WhichAnimal);
  add("pet_on_couch",
      {"Is there a pet on the couch?", "Is a pet on the sofa?", "Is there an animal on the couch?",
       "Is an animal on the sofa?"},
      PetOnCouch);
}

std::string With(std::string text, const std::string& pet) {
  for (size_t at = text.find("{pet}"); at != std::string::npos; at = text.find("{pet}")) text.replace(at, 5, pet);
  return text;
}

/// Adds kinds of question about one species, its word put into every wording.
struct PetKinds {
  Kinds& kinds;
  Species species;
  using Truthful = std::string (*)(const Truth&, Species);

  void Add(const std::string& family, std::vector<std::string> wordings, Truthful answer) const {
    const std::string pet(Name(species));
    for (std::string& wording : wordings) wording = With(wording, pet);
    kinds.push_back({pet + "_" + family, std::move(wordings), answer, species});
  }
  /// `other` is another word for the place.
  void On(const std::string& place, const std::string& other, Truthful answer) const {
    Add("on_" + place,
        {"Is the {pet} on the " + place + "?", "Is there a {pet} on the " + place + "?",
         "Is a {pet} on the " + other + "?", "Do you see a {pet} on the " + other + "?",
         "Is the {pet} on the " + other + " now?"},
        answer);
  }
};

void AddPet(Kinds& kinds, Species species) {
  const PetKinds pet{kinds, species};
  pet.Add("present",
      {"Is there a {pet}?", "Is there a {pet} in the room?", "Do you see a {pet}?", "Can you see the {pet}?",
       "Is a {pet} visible?", "Is the {pet} there?"},
      Present);
  pet.Add("count",
      {"How many {pet}s are there?", "How many {pet}s do you see?", "How many {pet}s are in the room?",
       "How many {pet}s are in the picture?"},
      HowMany);
  pet.Add("where",
      {"Where is the {pet}?", "What is the {pet} on?", "Where is the {pet} now?", "Where do you see the {pet}?"},
      Where);
  pet.Add("doing",
      {"What is the {pet} doing?", "What does the {pet} do?", "What is the {pet} doing now?",
       "What is the {pet} up to?"},
      Doing);
  pet.On("couch", "sofa", IsOn<Place::kCouch>);
  pet.On("bed", "bed", IsOn<Place::kBed>);
  pet.On("floor", "floor", IsOn<Place::kFloor>);
  pet.Add("in_basket",
      {"Is the {pet} in the basket?", "Is there a {pet} in the basket?", "Is a {pet} in its basket?",
       "Is the {pet} in the pet basket?"},
      IsOn<Place::kBasket>);
  pet.Add("sleeping",
      {"Is the {pet} sleeping?", "Is the {pet} asleep?", "Is there a sleeping {pet}?", "Does the {pet} sleep?"},
      Does<Activity::kSleeping>);
  pet.Add("sitting",
      {"Is the {pet} sitting?", "Does the {pet} sit?", "Is there a sitting {pet}?", "Is a {pet} sitting there?"},
      Does<Activity::kSitting>);
  pet.Add("walking",
      {"Is the {pet} walking?", "Is the {pet} walking around?", "Does the {pet} walk?",
       "Is a {pet} walking in the room?"},
      Does<Activity::kWalking>);
  pet.Add("eating",
      {"Is the {pet} eating?", "Is the {pet} at its bowl?", "Does the {pet} eat?", "Is the {pet} eating from the bowl?",
       "Is a {pet} eating food?"},
      Does<Activity::kEating>);
  pet.Add("playing",
      {"Is the {pet} playing?", "Is the {pet} playing with the ball?", "Does the {pet} play?",
       "Is the {pet} playing with a toy?"},
      Does<Activity::kPlaying>);
  pet.Add("by_door",
      {"Is the {pet} by the door?", "Is the {pet} at the door?", "Is the {pet} waiting at the door?",
       "Is there a {pet} at the door?"},
      ByDoor);
  if (species == Species::kCat) {
    pet.On("table", "table", IsOn<Place::kTable>);
    return;
  }
  pet.Add("chewing_couch",
      {"Is the {pet} chewing the couch?", "Is the {pet} chewing on the couch?", "Is the {pet} biting the sofa?",
       "Is a {pet} chewing the sofa?", "Is the {pet} eating the couch?"},
      Does<Activity::kChewing>);
  pet.Add("chewing_furniture",
      {"Is the {pet} chewing furniture?", "Is the {pet} chewing the furniture?", "Is the {pet} destroying furniture?",
       "Is a {pet} biting the furniture?"},
      Does<Activity::kChewing>);
}

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

const std::vector<QuestionKind>& AllQuestions() {
  static const Kinds kinds = [] {
    Kinds all;
    AddPet(all, Species::kDog);
    AddPet(all, Species::kCat);
    AddRoom(all);
    AddThings(all);
    return all;
  }();
  return kinds;
}

std::vector<std::string> QuestionWords() {
  std::set<std::string> words{"yes", "no", "0", "1", "2", "3", "both", "none", "dog", "cat"};
  for (const Activity a : {Activity::kSleeping, Activity::kSitting, Activity::kWalking, Activity::kPlaying,
                           Activity::kChewing, Activity::kEating}) {
    words.emplace(Name(a));
  }
  for (const Place p : {Place::kFloor, Place::kCouch, Place::kBed, Place::kTable, Place::kBasket})
    words.emplace(Name(p));
  for (const QuestionKind& kind : AllQuestions()) {
    for (const std::string& wording : kind.wordings) {
      std::string word;
      for (const char c : Lower(wording) + " ") {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
          word += c;
        } else if (!word.empty()) {
          words.insert(std::exchange(word, {}));
        }
      }
    }
  }
  return {words.begin(), words.end()};
}

Questioner::Questioner() : share_(AllQuestions().size()) {
  constexpr int kScenes = 3000;
  for (uint64_t seed = 0; seed < kScenes; ++seed) {
    const Truth truth = Describe(RandomScene(0x5eed0000 + seed));
    for (size_t i = 0; i < share_.size(); ++i) {
      const QuestionKind& kind = AllQuestions()[i];
      if (const std::string answer = kind.answer(truth, kind.species); !answer.empty())
        share_[i][answer] += 1.0 / kScenes;
    }
  }
}

std::vector<Asked> Questioner::Ask(const Truth& truth, Rng& rng, int count) const {
  struct Ticket {
    double key;
    size_t kind;
    std::string answer;
  };
  std::vector<Ticket> tickets;
  for (size_t i = 0; i < share_.size(); ++i) {
    const QuestionKind& kind = AllQuestions()[i];
    std::string answer = kind.answer(truth, kind.species);
    const auto share = share_[i].find(answer);
    if (answer.empty() || share == share_[i].end()) continue;
    // Weighted sampling without replacement (Efraimidis and Spirakis 2006): the rarer an answer, the likelier.
    tickets.push_back({std::log(1.0 - rng.Uniform()) * std::max(share->second, 0.01), i, std::move(answer)});
  }
  std::sort(tickets.begin(), tickets.end(), [](const Ticket& a, const Ticket& b) { return a.key > b.key; });
  std::vector<Asked> asked;
  for (Ticket& ticket : tickets) {
    if (static_cast<int>(asked.size()) == count) break;
    const QuestionKind& kind = AllQuestions()[ticket.kind];
    std::string text = kind.wordings[static_cast<size_t>(rng.Below(static_cast<int>(kind.wordings.size())))];
    if (rng.Chance(0.2)) text = Lower(std::move(text));
    if (rng.Chance(0.15)) text.pop_back();  // no question mark
    asked.push_back({std::move(text), std::move(ticket.answer), kind.family});
  }
  return asked;
}

}  // namespace pawsight::scenes
