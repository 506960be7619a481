// gateway/api/alert_picture.h: the picture of an alert, for a camera whose owner wants it kept: the deciding frame,
// decoded and encoded anew, so that what a camera or phone wrote beside the pixels (where it was taken, by what, a
// second image behind the first) is not kept. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"

namespace pawsight::gateway {

/// A JPEG of at most events::kMaxPictureBytes; a large JPEG is shrunk, to 960x540 at the least, a PNG keeps its size
/// and is given in lower quality. Errors: frames::Decode's; kResourceExhausted, it stays too large. Cost: decodes the
/// frame and encodes it up to three times.
Result<std::vector<uint8_t>> PictureOf(std::span<const uint8_t> encoded);

}  // namespace pawsight::gateway
