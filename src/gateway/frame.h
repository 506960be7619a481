// gateway/frame.h: one image of one camera at one time, on its way through the stations. A value; thread-compatible.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "frames/image.h"

namespace pawsight::gateway {

struct Frame {
  uint64_t number = 0;           // given by Ingest: 1, 2, 3...; a number that is missing was dropped
  Time time{};                   // when it was taken, camera time
  std::vector<uint8_t> encoded;  // JPEG or PNG as it came, unchecked; empty when the source decodes
  frames::Image image;           // the pixels when the source decodes; 0 x 0 otherwise
};

}  // namespace pawsight::gateway
