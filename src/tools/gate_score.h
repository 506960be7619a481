// tools/gate_score.h: what the change gate saves and what it costs: alerts of a gated camera beside those of the same
// camera asked about every frame, matched and counted, and their JSON (GATE.json), which `pawsight cost --gate` reads.
// Not here: running a gate (apps/gate_run.h). Pure; values, thread-compatible.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/status.h"

namespace pawsight::tools {

/// One alert, in seconds of camera time.
struct AlertSpan {
  std::string rule;
  double fired_s = 0;
  std::optional<double> resolved_s;  // absent: it fires still at the end
};

/// What became of one alert of the camera that is asked about every frame.
struct MatchedAlert {
  AlertSpan reference;
  /// How much later the gated camera's fired, 0 or more; absent: it never did, and nobody was told.
  std::optional<double> delay_s;
};

struct Matching {
  std::vector<MatchedAlert> alerts;  // one a reference, in their order
  std::vector<AlertSpan> extra;      // the gated camera's that match none
};

/// Matches in order of time, each alert once: a gated alert is of a reference of its rule when it fired while the
/// reference lasted, at most `slack_s` before it began (a state that was repeated rather than asked again may fire
/// early; its delay is 0). An alert that fires only when its cause has gone is not found: nobody could act on it.
Matching MatchAlerts(const std::vector<AlertSpan>& reference, const std::vector<AlertSpan>& gated, double slack_s);

/// Frames and alerts of one kind of scene.
struct GateTally {
  std::string kind;    // "night", "evening", "petcam_made.mp4"
  int64_t frames = 0;  // offered
  int64_t asked = 0;   // of these, let through to the model
  int64_t moving = 0;  // of these, frames in which somebody walks, plays, chews, eats or comes; clips: that differ
  int64_t alerts = 0;  // of the camera that is asked about every frame
  int64_t found = 0;   // of these, by the gated camera too
  int64_t extra = 0;   // only by the gated camera
  std::vector<double> delay_s;  // of those found; most kMaxDelays, the rest is counted in `found` only

  double share_asked() const { return frames == 0 ? 1 : static_cast<double>(asked) / static_cast<double>(frames); }
  double recall() const { return alerts == 0 ? 1 : static_cast<double>(found) / static_cast<double>(alerts); }
  void Add(const GateTally& other);
};
inline constexpr size_t kMaxDelays = 1'000'000;

/// By linear interpolation between neighbours; 0 for none. `part` 0..1.
double DelayQuantile(std::vector<double> delays, double part);

/// The goal of DESIGN.md for all days together.
struct GateGoal {
  double share_asked = 0.10;  // at most
  double recall = 0.99;       // at least
  double median_delay_s = 1;  // less
};
bool Reached(const GateGoal& goal, const GateTally& tally);

struct GateScore {
  std::string version;           // of pawsight
  std::string truth;             // what the reference is: a sentence
  double fps = 1;                // frames offered a second
  double refresh_s = 60;         // a frame is asked about at the latest so long after the last
  std::vector<GateTally> kinds;  // of the days
  GateTally days;                // all of them together; 0 frames: none
  std::vector<GateTally> clips;  // recordings, one each
};

/// {"format":"pawsight-gate","format_version":1,"version","truth","fps","refresh_s","days":{TALLY}|null,"kinds":[TALLY],
/// "clips":[TALLY]}, TALLY being {"kind","frames","asked","share_asked","moving","alerts","found","recall","extra",
/// "delay_median_s","delay_p95_s","delay_max_s"}.
Json GateScoreToJson(const GateScore& score);

/// What `pawsight cost` wants of the file: the share of frames asked, of the days, or of the clips when there are no
/// days. Errors: kInvalidArgument naming the field: another format, a later version, no frames, a share outside 0..1.
Result<double> AskedShareFromJson(const Json& json);
/// A file of at most 16 MiB. Errors: those of ReadTextFile and AskedShareFromJson, with the path.
Result<double> ReadAskedShare(const std::string& path);

}  // namespace pawsight::tools
