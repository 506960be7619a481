// apps/demo_home.h: a home for show on a real gateway: drawn rooms as cameras, each with pets of its own, and the rules
// that a pet owner may write. Frames go through the same door as everybody's; only the room is drawn. One thread of its
// own.
#pragma once

#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "gateway/api/registry.h"
#include "rules/rule.h"
#include "scenes/camera.h"

namespace pawsight {

struct DemoHomeOptions {
  int cameras = 3;    // 1..16
  uint64_t seed = 0;  // 0: the first room plays the demonstration's episode
  double fps = 2;     // of each, 0.1..30; as many as this machine can draw
};

class DemoHome {
 public:
  /// What it refers to must outlive it.
  DemoHome(events::Store& store, gateway::Registry& registry, gateway::FramePath& path, const Clock& clock);

  /// Makes the owner, an operator, the cameras and the rules; once. Errors: the store's; the path's.
  Status Furnish(const DemoHomeOptions& options);
  /// Begins to send, until it is destroyed. After Furnish.
  void Play();

  const std::string& owner() const { return owner_; }
  /// The operator's, for the page and for curl.
  const std::string& token() const { return token_; }
  /// As they are made; nobody's edits.
  const std::vector<rules::Rule>& rules() const { return rules_; }

 private:
  void Send(std::stop_token stop);

  events::Store& store_;
  gateway::Registry& registry_;
  gateway::FramePath& path_;
  const Clock& clock_;
  std::string owner_, token_;
  double fps_ = 0;
  uint64_t number_ = 0;  // of the rounds sent
  std::vector<rules::Rule> rules_;
  struct Room {
    std::string camera;
    scenes::VirtualCamera drawn;
  };
  std::vector<Room> rooms_;
  std::jthread thread_;  // last: ends first
};

}  // namespace pawsight
