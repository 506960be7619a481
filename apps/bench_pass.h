// apps/bench_pass.h: timed forward passes of one target. What `pawsight bench` measures; not here: which cases, and how
// they are shown (bench.cc).
#pragma once

#include <functional>
#include <stop_token>
#include <vector>

#include "base/status.h"
#include "engine/pass_work.h"
#include "engine/target.h"

namespace pawsight {

/// Milliseconds of a pass's stages, or a statistic of each.
struct PassTimes {
  double image_encoder = 0;
  double image_kv = 0;  // the image's keys and values for every text layer
  double text_encoder = 0;
  double decoder = 0;  // with the keys and values of what was read
  double total = 0;    // all of these, and what the caller does in between
};

struct MeasureOptions {
  int teams = 1;       // passes at once, each from a thread of its own
  int repeat = 0;      // passes of each team; 0: as many as there is time for
  double seconds = 3;  // no pass begins later; at least one is measured
};

struct Measured {
  std::vector<PassTimes> passes;  // of all teams; empty when it was stopped before one ended
  double frames_per_s = 0;
};

/// Told what part of the measuring is done: 0 after warming up, then up to 1 after each pass of the calling thread.
using MeasureProgress = std::function<void(double part)>;

/// Warms up with a pass a team, then measures. Frames are noise and questions any words: times do not depend on them.
/// Without shape.whole_vocabulary a pass ends as a yes/no question's does, in one step.
/// Errors: those of the target.
Result<Measured> MeasurePasses(engine::Target& target, const engine::PassShape& shape, const MeasureOptions& options,
                               const std::stop_token& stop, const MeasureProgress& progress);

/// The value below which the part `quantile` of a stage's passes lies, of every stage by itself; `passes` is not empty.
PassTimes Quantile(const std::vector<PassTimes>& passes, double quantile);

}  // namespace pawsight
