// gateway/api/alert_picture.h: the picture of an alert, for a camera whose owner wants it kept: the deciding frame,
// decoded and encoded anew, so that what a camera or phone wrote beside the pixels (where it was taken, by what, a
// second image behind the first) is not kept. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"

namespace pawsight::gateway {

/// A JPEG of at most events::kMaxPictureBytes; a large frame is shrunk, to 960x540 at the least. Errors:
/// frames::Decode's. Cost: some 10 ms of a frame of 1920x1080.
Result<std::vector<uint8_t>> PictureOf(std::span<const uint8_t> encoded);

}  // namespace pawsight::gateway
