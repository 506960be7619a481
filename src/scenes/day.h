// scenes/day.h: a virtual camera's whole day, 24 hours from midnight: a still night in infrared, a busy morning, hours
// in which nobody is home, a busy evening with people, a lamp and a television. For measuring what a day costs and
// misses. Thread-compatible; a pure function of (seed, options, time).
//
// The habits are not measured on anybody's pets: they are ours, and written here so that they can be judged.
// Night, 22:30 to 06:30: infrared, one and a half times the noise; pets sleep 20 to 120 minutes and are up for one to
// three acts between. Morning, to 08:30: a third of the time asleep, else acts of 10 to 90 s on end; three to six
// people come and go. Away, to 17:30: pets sleep 10 to 90 minutes or are out of sight, with bouts of one to six acts.
// Evening: a third asleep for 2 to 15 minutes, else acts on end; four to nine people come, the lamp is on, from 19:00
// on the television too. Somebody who stays does not stand still: every 4 to 12 s they shift a little. The television's
// picture moves and is another one every 3 to 9 s. By day clouds change the light by up to a fifth within minutes.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

#include "scenes/camera.h"

namespace pawsight::scenes {

enum class DayPart { kNight, kMorning, kAway, kEvening };
inline constexpr std::array<DayPart, 4> kDayParts = {DayPart::kNight, DayPart::kMorning, DayPart::kAway,
                                                     DayPart::kEvening};
/// "night", "morning", "away", "evening".
std::string_view Name(DayPart part);
/// Of `t` after midnight; the next day is as the first.
DayPart PartAt(std::chrono::milliseconds t);

inline constexpr std::chrono::hours kDayLength{24};

class DayCamera {
 public:
  /// A random room with one to three pets. `options.night` is not read. Cost: some milliseconds.
  DayCamera(uint64_t seed, const CameraOptions& options);

  /// The scene `t` after midnight; t >= 0. Cost: microseconds.
  Scene SceneAt(std::chrono::milliseconds t) const;
  /// The frame. Cost: as Paint(), 5 ms at 320x240.
  Frame At(std::chrono::milliseconds t) const;

  const Script& script() const { return camera_.script(); }

 private:
  const uint64_t seed_;
  const CameraOptions options_;
  const VirtualCamera camera_;
};

}  // namespace pawsight::scenes
