// bench/worker/served.h: what a worker answers beside what `pawsight bench` passes in the same time. For benchmarks.
#pragma once

#include <string>

namespace pawsight::bench {

struct Served {
  double worker_per_s = 0;  // medians
  double bench_per_s = 0;
  double ratio = 0;  // median of the pairs' ratios
};

/// One yes/no question of each frame in int8, BLIP base's size when `base`, else pawsight-mini; both with `teams` of
/// `threads`. In turns, `rounds` times, `seconds` each; the one that waits does nothing meanwhile. The worker decodes
/// photos, has clients and speaks HTTP on the same cores; the bench has its pixels at hand.
Served MeasureServed(bool base, int threads, int teams, int rounds, double seconds);

}  // namespace pawsight::bench
