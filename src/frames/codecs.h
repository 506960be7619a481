// frames/codecs.h: the two image formats behind frames/decode.h, each around its C library, and the orientation of a
// photo. Internal to frames: callers use Decode, which sniffs, checks the file's size and turns the result upright.
// Thread-safe: functions without state.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "frames/decode.h"
#include "frames/light.h"

namespace pawsight::frames {

/// What size is wanted, where the decoder can save work by knowing; 0 for none. Upright. Both: scaled, then resized.
struct Wanted {
  int min_width = 0;  // as DecodeScaled
  int min_height = 0;
  int width = 0;  // as DecodeResized
  int height = 0;
};

/// What the bytes are, by content. Errors: image_empty, image_too_large, image_truncated, image_type_unsupported.
Result<ImageFormat> FormatOf(std::span<const uint8_t> bytes, const DecodeLimits& limits);

/// A JPEG as stored, orientation noted but not applied; but where an exact size is wanted and the image is already
/// upright, it comes in that size. Errors as Decode's.
Result<Decoded> DecodeJpeg(std::span<const uint8_t> bytes, const DecodeLimits& limits, const Wanted& wanted);

/// The light of a JPEG alone, as stored, scaled as DecodeLight says, by libjpeg: the colours are gone past, not
/// computed. Errors as Decode's.
Result<Light> DecodeJpegLight(std::span<const uint8_t> bytes, const DecodeLimits& limits, int want_width,
                              int want_height);

/// The same to the bit and quicker, by frames/jpeg_means.h, of a JPEG of which an eighth is large enough and at which
/// nothing is odd; nothing: DecodeJpegLight is to be asked. What it takes, that takes too.
std::optional<Light> DecodeJpegMeans(std::span<const uint8_t> bytes, const DecodeLimits& limits, int want_width,
                                     int want_height);

/// A PNG as stored, orientation noted but not applied. Errors as Decode's.
Result<Decoded> DecodePng(std::span<const uint8_t> bytes, const DecodeLimits& limits);

/// Whether the limits allow an image of this size. Errors: image_too_large, image_too_small, image_aspect,
/// image_corrupt for a side of 0.
Status CheckSize(int64_t width, int64_t height, const DecodeLimits& limits);

/// The orientation 1..8 in a TIFF block (what follows "Exif\0\0" in a JPEG; a PNG's eXIf chunk), or 1 when there is
/// none or the block makes no sense. Reads the first directory only and follows no link, so a looping one cannot hold
/// it. Source: CIPA DC-008 (Exif 2.3) 4.6.2, tag 0x0112.
int ReadOrientation(std::span<const uint8_t> tiff);

/// The image turned upright; orientation 1..8 (CHECK).
Image Upright(Image image, int orientation);

}  // namespace pawsight::frames
