// net/connection_room.h: how many connections a process may have: each is a descriptor, and so is all else it opens. A
// pure function, without state.
#pragma once

#include <cstddef>

#include "base/status.h"

namespace pawsight::net {

/// `wanted` connections (>= 1, CHECK) of a process that may have `descriptors` open and needs `others` for all but
/// connections: `wanted` where it fits, else as many as do, at least 1. Somebody who has `chosen` the number is told
/// instead: kFailedPrecondition `descriptors`, with how many there are and what to do.
Result<int> FitConnections(int wanted, bool chosen, size_t descriptors, size_t others);

}  // namespace pawsight::net
