// tools/arrivals.h: when frames of an open loop are due. Pure functions of a seed.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace pawsight::tools {

enum class ArrivalKind : uint8_t {
  kConstant,
  kPoisson,
  kBurst,   // ten at once, the bursts a Poisson process
  kMotion,  // pet cameras: each quiet for minutes, then a bout of one frame a second for some ten seconds
  kReplay,  // from a file of times
};
/// "constant", "poisson", "burst", "motion", "replay".
std::string_view ArrivalName(ArrivalKind kind);
/// Errors: kInvalidArgument, another word.
Result<ArrivalKind> ParseArrival(std::string_view name);

constexpr size_t kMaxArrivals = 10'000'000;

/// Offsets in [0, length), ascending, `per_second` of them a second on average; per_second > 0. Not of kReplay (CHECK).
/// Errors: kInvalidArgument, more than kMaxArrivals.
Result<std::vector<std::chrono::nanoseconds>> Arrivals(ArrivalKind kind, double per_second,
                                                       std::chrono::nanoseconds length, uint64_t seed);

/// A file of times: one number of seconds a line, ascending, 0 or more; the first is when the load begins. Those of
/// `length` and later are left out. Errors: kInvalidArgument, naming the line; more than kMaxArrivals.
Result<std::vector<std::chrono::nanoseconds>> ReplayArrivals(std::string_view text, std::chrono::nanoseconds length);

}  // namespace pawsight::tools
