// apps/demo_episode.h: plays the demonstration's episode through the path of a frame, faster than real time, and holds
// the alerts against the truth. Used by one thread.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "gateway/camera_watch.h"
#include "rules/rule.h"
#include "scenes/camera.h"

namespace pawsight {

/// The demonstration's rules: one a question of the episode, the true ones first.
std::vector<rules::Rule> EpisodeRules(const scenes::Episode& episode);

struct EpisodeAlert {
  std::string question;
  std::chrono::milliseconds at{0};     // camera time when the alert was out, computing included
  std::chrono::milliseconds delay{0};  // after the true start; meaningless when it is false
  bool is_true = false;                // the first one while the answer was yes
};

struct EpisodeOutcome {
  std::vector<EpisodeAlert> alerts;
  std::vector<std::string> missed;            // questions of true alerts that did not come
  int num_frames = 0;                         // taken
  int num_dropped = 0;                        // passed while an earlier one was computed
  std::chrono::nanoseconds longest_frame{0};  // computing

  bool AllTrue() const;
};

/// Camera time is virtual but honest: a frame that takes c of this machine's time to get through the path moves camera
/// time on by c, frames that pass meanwhile are dropped as a live camera's would be (the newest wins), and an alert is
/// out when its frame is done. Only waiting for the next frame, and painting it, which is the camera's work, cost
/// nothing.
EpisodeOutcome PlayEpisode(const scenes::Episode& episode, gateway::CameraWatch& watch, double fps, Time start,
                           std::stop_token stop);

}  // namespace pawsight
