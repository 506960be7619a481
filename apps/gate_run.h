// apps/gate_run.h: one camera's frames along the gateway's real path twice: asked about every one, and asked about
// those that the gate lets through. What it gives is tools/gate_score.h's tally. Used by one thread; several runs side
// by side share nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "gateway/path/frame_path.h"
#include "tools/gate_score.h"

namespace pawsight {

class GateRun {
 public:
  /// p_yes of a question about the frame that is on its way; called by Offer, for both cameras.
  using Answer = std::function<Result<double>(const std::string& question)>;

  /// `fps`: frames offered a second of camera time. `refresh`: a frame is asked about at the latest so long after the
  /// last. `kinds`: names of what frames are counted under. Errors: those of FramePath::SetOwner.
  static Result<std::unique_ptr<GateRun>> Make(std::vector<rules::Rule> rules, double fps,
                                               std::chrono::milliseconds refresh, std::vector<std::string> kinds,
                                               Answer answer);
  ~GateRun();
  GateRun(const GateRun&) = delete;
  GateRun& operator=(const GateRun&) = delete;

  /// The next frame, 1/fps after the last, counted under kinds[kind_idx]. `moving`: something happens in it.
  /// Errors: the path refuses it, or `answer` failed.
  Status Offer(std::shared_ptr<const std::vector<uint8_t>> jpeg, size_t kind_idx, bool moving);

  /// One a kind, in their order. An alert is counted where it fired. `log`: gets a line an alert that was missed, came
  /// two seconds late or is extra, with its time of a day in which the first frame was taken at `first`.
  std::vector<tools::GateTally> Tallies(std::chrono::milliseconds first, std::vector<std::string>* log) const;

 private:
  struct Impl;
  explicit GateRun(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pawsight
