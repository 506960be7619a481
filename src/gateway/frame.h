// gateway/frame.h: one image of one camera at one time, as a source gives it. A value; thread-compatible.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "frames/image.h"

namespace pawsight::gateway {

struct Frame {
  Time time{};                   // when it was taken, camera time
  std::vector<uint8_t> encoded;  // JPEG or PNG as it came, unchecked; empty when the source decodes
  frames::Image image;           // the pixels when the source decodes; 0 x 0 otherwise
};

}  // namespace pawsight::gateway
