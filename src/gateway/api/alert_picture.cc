#include "gateway/api/alert_picture.h"

#include "events/rows.h"
#include "frames/decode.h"
#include "frames/encode.h"

namespace pawsight::gateway {
namespace {

constexpr int kWidth = 960;  // of 16:9; a frame is halved while it is not below
constexpr int kHeight = 540;

}  // namespace

Result<std::vector<uint8_t>> PictureOf(std::span<const uint8_t> encoded) {
  PAWSIGHT_ASSIGN_OR_RETURN(const frames::Decoded decoded, frames::DecodeScaled(encoded, {}, kWidth, kHeight));
  for (const int quality : {85, 50, 20}) {
    PAWSIGHT_ASSIGN_OR_RETURN(std::vector<uint8_t> picture, frames::EncodeJpeg(decoded.image, quality));
    if (picture.size() <= events::kMaxPictureBytes) return picture;
  }
  return ResourceExhausted("picture: too large", "image_too_large");
}

}  // namespace pawsight::gateway
