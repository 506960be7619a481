// Fuzzes the reader of a JPEG's block means against libjpeg: what it takes, libjpeg takes, with the same picture.
// Seeds: tests/corpus/jpeg_means, made by FuzzCorpus.* in jpeg_means_test.cc.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "frames/codecs.h"
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pawsight::frames;
  const DecodeLimits limits{.max_bytes = 64U << 10U, .max_pixels = 256 * 256, .min_side = 1, .max_aspect = 256};
  const std::span<const uint8_t> bytes(data, size);
  const std::optional<Light> means = DecodeJpegMeans(bytes, limits, 1, 1);
  if (!means) return 0;
  const pawsight::Result<Light> reference = DecodeJpegLight(bytes, limits, 1, 1);
  CHECK(reference.ok());
  CHECK(reference->width == means->width && reference->height == means->height);
  CHECK(reference->levels == means->levels);
  return 0;
}
