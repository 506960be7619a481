// bench/worker/abuse.h: does a worker that is treated badly for long keep its memory and its good clients? For
// benchmarks.
#pragma once

#include <cstdint>

namespace pawsight::bench {

struct Abused {
  double mb_early = 0;  // resident after the first sixth of the time
  double mb_late = 0;   // at its end
  double growth = 0;    // late / early - 1
  int64_t abuses = 0;
  int64_t good_asked = 0;
  int64_t good_refused = 0;  // it was too much
  int64_t good_failed = 0;   // anything else but an answer
};

/// pawsight-mini behind a worker, for `minutes`: one good client, and beside it clients that send garbage, half a
/// request, too much, images that are none or bombs, questions that are none, and that leave without reading. Memory is
/// the median of fifteen looks, a second apart, from twelve seconds after the load paused but for the good client. Says
/// on standard error how far it is, and what of the memory is mapped files.
Abused Abuse(double minutes);

}  // namespace pawsight::bench
