// apps/demo_home.h: a home for show: drawn rooms as cameras, each with pets of its own, and the rules that a pet owner
// may write. Frames go through the same door as everybody's; only the room is drawn. One thread of its own.
#pragma once

#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "apps/home.h"
#include "base/clock.h"
#include "scenes/camera.h"

namespace pawsight {

struct DemoHomeOptions {
  int cameras = 4;    // 1..16
  uint64_t seed = 0;  // 0: the first room plays the demonstration's episode
  double fps = 2;     // of each, 0.1..30; as many as this machine can draw
};

class DemoHome {
 public:
  /// `home` must outlive it.
  explicit DemoHome(Home& home) : home_(home) {}

  /// Furnishes the home with the rooms and the rules; once. Errors: Home::Furnish's.
  Status Furnish(const DemoHomeOptions& options);
  /// Begins to send, until it is destroyed. After Furnish.
  void Play();

 private:
  void Send(std::stop_token stop);

  Home& home_;
  double fps_ = 0;
  uint64_t number_ = 0;  // of the rounds sent
  struct Room {
    std::string camera;
    scenes::VirtualCamera drawn;
  };
  std::vector<Room> rooms_;
  std::jthread thread_;  // last: ends first
};

}  // namespace pawsight
