// bench/gateway/connected.h: cameras that are connected and have nothing to say. For benchmarks.
#pragma once

#include <cstddef>
#include <string>

namespace pawsight::bench {

struct Connected {
  int cameras = 0;
  int connections = 0;
  size_t gateway_bytes = 0;  // resident, of the gateway's process
};

/// `count` cameras that have each sent one frame of 60 kB, which was answered, over connections that stay: one a
/// camera, as far as a process may have files open; beyond that as many boxes as it takes have two cameras on theirs.
/// Where even that is too many it is fewer cameras, and standard error says so.
Connected HoldCameras(const std::string& scratch, int count);

}  // namespace pawsight::bench
