// gateway/autoscale.h: how many workers the offered load wants: one law, for whoever scales them. Offered, not served:
// what is shed for want of workers counts, or a fleet that is too small would look as if it were large enough. Pure.
#pragma once

#include <algorithm>
#include <cmath>

namespace pawsight::gateway {

struct AutoscaleView {
  double offered_per_s = 0;   // frames that wanted an answer, those that were shed too
  double capacity_per_s = 0;  // frames that one worker answers; 0: not known
  double target = 0.7;        // share of its capacity that a worker should have, 0.1..1
  int least = 1, most = 1000;
};

/// What of the frames shed before they could be looked at wanted an answer, all a second: as large a share as of those
/// that had their turn, `asked` of `ended`; all, when none had one.
inline double ShedWanting(double shed, double asked, double ended) {
  return ended > 0 ? shed * std::min(1.0, asked / ended) : shed;
}

/// Within least..most; `least` when the capacity is not known.
inline int WorkersWanted(const AutoscaleView& view) {
  if (!(view.capacity_per_s > 0) || !(view.offered_per_s > 0)) return view.least;
  const double wanted = std::ceil(view.offered_per_s / (view.capacity_per_s * view.target) - 1e-9);
  return static_cast<int>(std::clamp(wanted, static_cast<double>(view.least), static_cast<double>(view.most)));
}

}  // namespace pawsight::gateway
