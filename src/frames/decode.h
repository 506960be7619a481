// frames/decode.h: the door for outside images: JPEG and PNG bytes in, checked and limited, upright 8-bit RGB out.
// Not here: resizing of images in memory (frames/resize.h); HTTP's own body limits. Thread-safe: functions without
// state. The bytes are only read during the call.
//
// The pixels are Pillow's, Image.open(..).convert("RGB"), turned upright: JPEG with the accurate integer DCT and smooth
// upsampling; CMYK and YCCK taken as Adobe writes them (inverted); alpha dropped, not blended; 16 bits cut to the upper
// 8 (also for 16-bit grey, where Pillow saturates to white instead); no gamma, no colour profile. The format is told by
// content, never by name. EXIF is read for the orientation alone; its other facts, places among them, are not kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/status.h"
#include "frames/image.h"

namespace pawsight::frames {

/// All are checked before memory for pixels is taken. The defaults keep one image within about 64 MiB and 250 ms.
struct DecodeLimits {
  size_t max_bytes = 8U << 20U;        // of the file
  int64_t max_pixels = 4096LL * 4096;  // width x height, before any scaled decode
  int min_side = 16;                   // pixels, both sides
  int max_aspect = 50;                 // longer side : shorter side
  int max_scans = 100;                 // of a JPEG; progressive ones have about 10
  int max_chunks = 10000;              // of a PNG
  size_t max_scratch = 64U << 20U;     // bytes a progressive JPEG may need for its coefficients
  /// Decode what there is of a damaged image and say so in Decoded, instead of refusing it.
  bool tolerant = false;
};

enum class ImageFormat { kJpeg, kPng };

struct Decoded {
  Image image;  // upright
  ImageFormat format = ImageFormat::kJpeg;
  int source_width = 0;  // pixels as stored: before turning upright, before scaling
  int source_height = 0;
  int orientation = 1;         // EXIF, 1..8, already applied; 1 when absent or nonsense
  bool premature_end = false;  // the end marker is missing; every pixel was there
  bool damaged = false;        // pixels are missing or wrong; only with DecodeLimits::tolerant
  bool animated = false;       // an animated PNG; this is its still image
};

/// Errors, all kInvalidArgument, by reason:
/// image_empty, no bytes. image_type_unsupported, neither JPEG nor PNG, or a kind of them that is not decoded (12-bit,
/// lossless, arithmetic-coded). image_truncated, ends too early. image_corrupt, the data contradicts itself.
/// image_too_large, bytes, pixels or scratch above the limit. image_too_small. image_aspect. image_too_many_scans.
/// image_too_many_chunks.
/// Cost: about 6 ms for a 1920x1080 JPEG of 330 kB, 3 bytes a pixel; progressive: also 2 bytes a sample.
Result<Decoded> Decode(std::span<const uint8_t> bytes, const DecodeLimits& limits = {});

/// How true a shrunk JPEG is to the reference's pixels.
enum class Fidelity {
  kExact,  // the reference's bytes
  /// Decoded at the smallest of 1/2, 1/4, 1/8 of its size that is not below the wanted one, with plain upsampling, and
  /// resized from there: other bytes, half a level off on average, more at sharp edges.
  kFast,
};

/// ResizeBicubic(Decode(bytes).image, width, height), to the bit unless kFast is asked for, without ever holding the
/// full-size image where it is an upright JPEG; width, height >= 1 (CHECK). Errors as Decode's. A PNG is exact always.
/// Cost: about 6.4 ms from 1920x1080 and 330 kB to 384x384, 4.7 of them libjpeg; kFast: 4.3.
Result<Decoded> DecodeResized(std::span<const uint8_t> bytes, const DecodeLimits& limits, int width, int height,
                              Fidelity fidelity = Fidelity::kExact);

/// Decode, but smaller and faster where the format allows, for looks that need no detail (frames/motion.h): a JPEG is
/// decoded at the smallest of 1/8, 1/4, 1/2, 1 that is still at least want_width x want_height (upright; >= 1, CHECK),
/// with plain upsampling. A PNG comes full size. Errors as Decode's. Cost: about 2.6 ms for a 1920x1080 JPEG at 1/8,
/// nearly all of it entropy decoding.
Result<Decoded> DecodeScaled(std::span<const uint8_t> bytes, const DecodeLimits& limits, int want_width,
                             int want_height);

/// "gif", "webp", "heic", "avif", "pdf", "svg", "bmp", "tiff", "ico", "zip", "html", "jpeg", "png" by content, or "".
std::string_view SniffType(std::span<const uint8_t> bytes);

}  // namespace pawsight::frames
