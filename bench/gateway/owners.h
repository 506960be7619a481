// bench/gateway/owners.h: many homes send frames while routing is switched: does anybody get what is another's, and
// what does a switch cost? For benchmarks.
#pragma once

#include <cstdint>
#include <string>

namespace pawsight::bench {

struct Switched {
  int64_t frames = 0, failed = 0;
  int64_t foreign = 0;      // answers, live events and listed alerts that were another's, or of another frame
  int64_t opened = 0;       // of what is another's and was asked for: not 404
  int64_t probes = 0;       // how often that was asked
  int64_t live_events = 0;  // that some owners read meanwhile
  int64_t alerts = 0;       // listed at the end
  int switches = 0;
  double frames_per_s = 0;
  double p50_ms = 0, p99_ms = 0;  // of all frames
};

/// `frames` of 2,000 cameras of 200 owners, `connections` at a time, each waited for, over two pools; routing goes from
/// one pool to the other every second.
Switched SwitchWhileFramesFlow(const std::string& scratch, int64_t frames, int connections);

struct SwitchCost {
  int64_t frames = 0, failed = 0;
  double before_p99_ms = 0;  // median of the switches: of the 3 s before
  double after_p99_ms = 0;   // likewise: of the 5 s after
  double worst_ratio = 0, median_ratio = 0;
};

/// The gateway as busy as `connections` make it, `switches` times 3 s of it, a switch, 5 s.
SwitchCost MeasureSwitch(const std::string& scratch, int switches, int connections);

}  // namespace pawsight::bench
