// scenes/scene.h: everything that is in one drawn frame, as data: the room, the pets in their poses, the people, the
// light and the camera. Values. Painting is Paint() in picture.h, the truth about it is Describe().
#pragma once

#include <cstdint>
#include <vector>

#include "scenes/room.h"
#include "scenes/truth.h"

namespace pawsight::scenes {

/// How one animal looks all its life.
struct Coat {
  Color fur, belly, collar;
  bool has_collar = true;
  bool pointed_ears = false;  // dogs: German shepherd or spaniel; cats always have them
  bool patches = false;       // dogs: spots; cats: tabby stripes
  Color patch;
  double fluff = 1;  // tail and body thickness, 0.85..1.15
  double size = 1;
};

struct Pet {
  Species species = Species::kDog;
  Coat coat;
  Activity activity = Activity::kSitting;
  Place place = Place::kFloor;
  double x = 0, y = 0;  // where the middle of its feet stands
  double scale = 1;     // units of the pet's own drawing to world units
  bool faces_left = false;
  double phase = 0;    // seconds of the movement: steps, breath, tail
  bool front = false;  // sitting: looks at the camera
};

struct Person {
  double x = 0, y = 0, scale = 1;
  bool sits = false;  // on the couch
  bool faces_left = false;
  double phase = 0;
  bool walks = false;
  Color shirt, trousers, skin, hair;
  bool long_hair = false;
};

/// What the camera does: a little zoom and shift, roll, the quality of its sensor.
struct View {
  double zoom = 1, shift_x = 0, shift_y = 0;  // zoom about the middle; shift in world units
  double roll = 0;                            // radians
  bool mirrored = false;
  double brightness = 1, contrast = 1, warmth = 0;
  double noise = 4;       // deviation of the sensor noise, of 255
  int jpeg_quality = 70;  // 1..100
  double blur = 0;        // 0 sharp .. 1
};

struct Scene {
  Room room;
  std::vector<Pet> pets;
  std::vector<Person> people;
  bool night = false;
  View view;
  double seconds = 0;  // time of the frame, for what moves by itself (the television)
  uint64_t noise_seed = 0;
};

Coat RandomCoat(Rng& rng, Species species);
/// One to three pets without a place: a dog first.
std::vector<Pet> RandomCast(Rng& rng);
Person RandomPerson(Rng& rng);
View RandomView(Rng& rng);

/// World coordinates to fractions of the frame under `view`.
Point ToFrame(const View& view, Point world);

/// What can be seen in it. Cost: microseconds.
Truth Describe(const Scene& scene);

}  // namespace pawsight::scenes
