// Fuzzes the door for outside images: Decode, both ways of being strict, the scaled decode, and the resize behind them.
// Seeds: tests/corpus/image, made by FuzzCorpus.* in decode_test.cc.
#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/check.h"
#include "frames/decode.h"
#include "frames/resize.h"

namespace pawsight::frames {
namespace {

constexpr DecodeLimits kLimits{.max_bytes = 64U << 10U,
                               .max_pixels = 256 * 256,
                               .min_side = 1,
                               .max_aspect = 256,
                               .max_scans = 20,
                               .max_chunks = 200,
                               .max_scratch = 4U << 20U,
                               .tolerant = false};

/// Rights the checksums of a PNG's chunks, behind which mutation would otherwise never get.
void RightChecksums(std::vector<uint8_t>& png) {
  size_t at = 8;
  while (png.size() >= 12 && at <= png.size() - 12) {
    size_t length = 0;
    for (size_t i = 0; i < 4; ++i) length = length << 8 | png[at + i];
    if (length > png.size() - at - 12) return;
    const uLong crc = crc32(0, png.data() + at + 4, static_cast<uInt>(length + 4));
    for (size_t i = 0; i < 4; ++i) png[at + 8 + length + i] = static_cast<uint8_t>(crc >> (24 - 8 * i));
    at += 12 + length;
  }
}

void CheckWhole(const Result<Decoded>& decoded) {
  if (!decoded.ok()) {
    CHECK(!decoded.status().reason().empty());
    return;
  }
  const Image& image = decoded->image;
  CHECK(image.rgb.size() == 3 * static_cast<size_t>(image.width) * static_cast<size_t>(image.height));
  CHECK(!decoded->damaged);  // only the tolerant may
  CHECK(ResizeBicubic(image, 32, 32).rgb.size() == 3 * 32 * 32);
}

void DecodeEveryWay(std::span<const uint8_t> bytes) {
  const Result<Decoded> strict = Decode(bytes, kLimits);
  CheckWhole(strict);
  CheckWhole(DecodeScaled(bytes, kLimits, 16, 16));
  const Result<Decoded> resized = DecodeResized(bytes, kLimits, 24, 24);
  CHECK(resized.ok() == strict.ok());
  if (strict.ok()) CHECK(resized->image.rgb == ResizeBicubic(strict->image, 24, 24).rgb);
  DecodeLimits tolerant = kLimits;
  tolerant.tolerant = true;
  const Result<Decoded> lenient = Decode(bytes, tolerant);
  if (lenient.ok()) CHECK(ResizeBicubic(lenient->image, 32, 32).rgb.size() == 3 * 32 * 32);
  // What is good enough for the strict is good enough for the tolerant, and the same.
  if (strict.ok()) CHECK(lenient.ok() && lenient->image.rgb == strict->image.rgb);
}

}  // namespace
}  // namespace pawsight::frames

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> bytes(data, size);
  pawsight::frames::DecodeEveryWay(bytes);
  if (pawsight::frames::SniffType(bytes) == "png") {
    std::vector<uint8_t> righted(bytes.begin(), bytes.end());
    pawsight::frames::RightChecksums(righted);
    pawsight::frames::DecodeEveryWay(righted);
  }
  return 0;
}
