// bench/gateway/connected.h: cameras that are connected and have nothing to say. For benchmarks.
#pragma once

#include <cstddef>
#include <string>

namespace pawsight::bench {

struct Connected {
  int cameras = 0;
  size_t gateway_bytes = 0;  // resident, of the gateway's process
};

/// `count` cameras, each with a connection of its own that has sent one frame of 60 kB, which was answered, and stays.
Connected HoldCameras(const std::string& scratch, int count);

}  // namespace pawsight::bench
