// scenes/camera.h: virtual cameras: a room over time, its pets going about their day, and the truth at every moment.
// Thread-compatible; At() is const and a pure function of (seed, options, time).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scenes/draw.h"
#include "scenes/staging.h"

namespace pawsight::scenes {

struct CameraOptions {
  int width = 640;            // pixels, 32..4096
  int height = 480;           // 3/4 of the width keeps circles round
  std::optional<bool> night;  // unset: by the seed
};

/// One thing one pet does without a break. Between two acts it walks from the one to the other, in sight.
struct Act {
  size_t pet = 0;                              // index into the cast
  Pet pose;                                    // where and how
  std::chrono::milliseconds start{0}, end{0};  // [start, end)
  bool left_arm = true;                        // chewing: which arm of the couch is torn from then on
};

/// Somebody comes in before `start`, stays, and has gone a little after `end`.
struct Visit {
  Person pose;
  std::chrono::milliseconds start{0}, end{0};
};

/// What a camera will see; a camera plays it and starts again.
struct Script {
  Scene scene;  // room, light and view; nobody in it
  std::vector<Pet> cast;
  std::vector<Act> acts;  // of each pet in order of time
  std::vector<Visit> visits;
  std::chrono::milliseconds length{0};
};

/// Adds an act of `pet` (an index into the cast) at [start, end) when there is room for it beside what the others do
/// meanwhile; says whether it did.
bool AddAct(Rng& rng, Script& script, size_t pet, const Behaviour& behaviour, std::chrono::milliseconds start,
            std::chrono::milliseconds end);

class VirtualCamera {
 public:
  /// A random room with one to three pets and ten minutes of their day.
  VirtualCamera(uint64_t seed, const CameraOptions& options);
  /// Plays a given script. The acts of a pet leave it time to walk: kWalkTime (CHECK).
  VirtualCamera(Script script, const CameraOptions& options);

  /// The frame `t` after the camera was switched on; t >= 0. Cost: as Paint(), 15 ms at 640x480.
  Frame At(std::chrono::milliseconds t) const;
  /// The scene of that frame, for the truth without the paint. Cost: microseconds.
  Scene SceneAt(std::chrono::milliseconds t) const;

  const Script& script() const { return script_; }

 private:
  Script script_;
  CameraOptions options_;
};

/// The longest a walk between two acts takes; a shorter gap makes the pet hurry.
inline constexpr std::chrono::milliseconds kWalkTime{4000};

/// The demonstration: 60 s of camera time with a fixed course, and the alerts a watcher must raise.
struct TrueAlert {
  std::string question;
  std::chrono::milliseconds start{0}, end{0};  // the answer is yes in [start, end), no at all other times
};

struct Episode {
  Script script;
  std::vector<TrueAlert> alerts;   // in order of time
  std::vector<std::string> quiet;  // questions whose answer is no throughout
};

/// The dog sleeps in its basket, goes and chews the couch for 12 s, stops and waits at the door; the cat comes in and
/// sits on the table for 12 s while the dog plays; the cat leaves. Always the same.
Episode DemoEpisode();

}  // namespace pawsight::scenes
