// frames/encode.h: images out as JPEG, for virtual cameras and sources that decode. Not here: decoding (frames/decode.h).
// Thread-safe: functions without state.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "frames/image.h"

namespace pawsight::frames {

/// A baseline JPEG, 4:2:0, standard Huffman tables; quality 1..100 (CHECK), 85 is good for a camera.
/// Errors: kInvalidArgument, `image_too_large`: a side above 65500, or `image_empty`: a side of 0.
/// Cost: about 4 ms at 1920x1080.
Result<std::vector<uint8_t>> EncodeJpeg(const Image& image, int quality);

}  // namespace pawsight::frames
