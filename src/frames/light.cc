#include "frames/light.h"

#include <utility>

#include "base/check.h"
#include "frames/codecs.h"

namespace pawsight::frames {

Light LightOf(const Image& image) {
  Light light(image.width, image.height);
  const uint8_t* pixel = image.rgb.data();
  for (uint8_t& level : light.levels) {
    level = static_cast<uint8_t>((19595 * pixel[0] + 38470 * pixel[1] + 7471 * pixel[2] + 32768) >> 16);  // as libjpeg
    pixel += 3;
  }
  return light;
}

Result<Light> DecodeLight(std::span<const uint8_t> bytes, const DecodeLimits& limits, int want_width, int want_height,
                          QuickWay* quick) {
  CHECK(want_width >= 1 && want_height >= 1);
  PAWSIGHT_ASSIGN_OR_RETURN(const ImageFormat format, FormatOf(bytes, limits));
  if (format == ImageFormat::kPng) {
    PAWSIGHT_ASSIGN_OR_RETURN(const Decoded decoded, DecodePng(bytes, limits));
    return LightOf(decoded.image);
  }
  const bool tries = quick == nullptr || quick->Tries();
  if (tries) {
    if (std::optional<Light> means = DecodeJpegMeans(bytes, limits, want_width, want_height)) return *std::move(means);
  }
  Result<Light> light = DecodeJpegLight(bytes, limits, want_width, want_height);
  if (quick != nullptr && tries && light.ok()) quick->OnRefused();  // a damaged frame says nothing of the next
  return light;
}

}  // namespace pawsight::frames
