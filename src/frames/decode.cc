#include "frames/decode.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "base/check.h"
#include "frames/codecs.h"
#include "frames/resize.h"

namespace pawsight::frames {
namespace {

using namespace std::string_view_literals;

struct Signature {
  size_t offset;
  std::string_view magic;
  std::string_view type;
};

// In order: the first that fits wins.
constexpr Signature kSignatures[] = {
    {0, "\xff\xd8\xff"sv, "jpeg"},
    {0, "\x89PNG\r\n\x1a\n"sv, "png"},
    {0, "GIF8"sv, "gif"},
    {8, "WEBP"sv, "webp"},
    {4, "ftypavif"sv, "avif"},
    {4, "ftypavis"sv, "avif"},
    {4, "ftyphei"sv, "heic"},
    {4, "ftyphev"sv, "heic"},
    {4, "ftypmif1"sv, "heic"},
    {4, "ftypmsf1"sv, "heic"},
    {0, "%PDF"sv, "pdf"},
    {0, "BM"sv, "bmp"},
    {0, "II*\0"sv, "tiff"},
    {0, "MM\0*"sv, "tiff"},
    {0, "\0\0\1\0"sv, "ico"},
    {0, "PK\3\4"sv, "zip"},
    {0, "\0\0\0\x0cjP  "sv, "jpeg2000"},
    {0, "\xff\x4f\xff\x51"sv, "jpeg2000"},
    {0, "\xff\x0a"sv, "jxl"},
    {0, "\0\0\0\x0cJXL "sv, "jxl"},
};

/// "svg" or "html" where text begins like them, or "".
std::string_view SniffMarkup(std::string_view text) {
  text = text.substr(0, 512);
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const size_t start = text.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos || text[start] != '<') return "";
  if (text.find("<svg") != std::string_view::npos) return "svg";
  if (text.find("<html") != std::string_view::npos || text.find("<!DOCTYPE html") != std::string_view::npos ||
      text.find("<!doctype html") != std::string_view::npos) {
    return "html";
  }
  return "";
}

/// Not yet a whole signature, but nothing speaks against one of ours.
bool MayBecomeAnImage(std::string_view bytes) { return bytes.size() < 4 || kSignatures[1].magic.starts_with(bytes); }

Result<Decoded> DecodeStored(std::span<const uint8_t> bytes, const DecodeLimits& limits, const Wanted& wanted) {
  PAWSIGHT_ASSIGN_OR_RETURN(const ImageFormat format, FormatOf(bytes, limits));
  return format == ImageFormat::kJpeg ? DecodeJpeg(bytes, limits, wanted) : DecodePng(bytes, limits);
}

Result<Decoded> DecodeUpright(std::span<const uint8_t> bytes, const DecodeLimits& limits, const Wanted& wanted) {
  PAWSIGHT_ASSIGN_OR_RETURN(Decoded decoded, DecodeStored(bytes, limits, wanted));
  decoded.image = Upright(std::move(decoded.image), decoded.orientation);
  return decoded;
}

}  // namespace

std::string_view SniffType(std::span<const uint8_t> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (const Signature& signature : kSignatures) {
    if (text.size() >= signature.offset && text.substr(signature.offset).starts_with(signature.magic))
      return signature.type;
  }
  return SniffMarkup(text);
}

Result<ImageFormat> FormatOf(std::span<const uint8_t> bytes, const DecodeLimits& limits) {
  if (bytes.empty()) return InvalidArgument("image: no bytes; send a JPEG or PNG file", "image_empty");
  if (bytes.size() > limits.max_bytes) {
    return InvalidArgument("image: " + std::to_string(bytes.size()) + " bytes, at most " +
                               std::to_string(limits.max_bytes) +
                               " are taken; send a smaller or more strongly compressed image",
                           "image_too_large");
  }
  const std::string_view type = SniffType(bytes);
  if (type == "jpeg") return ImageFormat::kJpeg;
  if (type == "png") return ImageFormat::kPng;
  if (MayBecomeAnImage({reinterpret_cast<const char*>(bytes.data()), bytes.size()})) {
    return InvalidArgument("image: ends after " + std::to_string(bytes.size()) + " bytes; send the whole file",
                           "image_truncated");
  }
  return InvalidArgument(
      "image: " + (type.empty() ? "the content is of no known image type" : "this is " + std::string(type)) +
          "; send JPEG or PNG",
      "image_type_unsupported");
}

Status CheckSize(int64_t width, int64_t height, const DecodeLimits& limits) {
  const std::string size = std::to_string(width) + "x" + std::to_string(height);
  if (width < 1 || height < 1) return InvalidArgument("image: says it is " + size + " pixels", "image_corrupt");
  if (width > limits.max_pixels / height) {
    return InvalidArgument("image: " + size + " pixels, at most " + std::to_string(limits.max_pixels) +
                               " in all are taken; send a smaller image",
                           "image_too_large");
  }
  if (std::min(width, height) < limits.min_side) {
    return InvalidArgument(
        "image: " + size + " pixels, want at least " + std::to_string(limits.min_side) + " on each side",
        "image_too_small");
  }
  if (std::max(width, height) > limits.max_aspect * std::min(width, height)) {
    return InvalidArgument("image: " + size + " pixels, the longer side may be at most " +
                               std::to_string(limits.max_aspect) + " times the shorter",
                           "image_aspect");
  }
  return Ok();
}

Result<Decoded> Decode(std::span<const uint8_t> bytes, const DecodeLimits& limits) {
  return DecodeUpright(bytes, limits, {});
}

Result<Decoded> DecodeScaled(std::span<const uint8_t> bytes, const DecodeLimits& limits, int want_width,
                             int want_height) {
  CHECK(want_width >= 1 && want_height >= 1);
  return DecodeUpright(bytes, limits, {.min_width = want_width, .min_height = want_height});
}

Result<Decoded> DecodeResized(std::span<const uint8_t> bytes, const DecodeLimits& limits, int width, int height,
                              Fidelity fidelity) {
  CHECK(width >= 1 && height >= 1);
  Wanted wanted{.width = width, .height = height};
  if (fidelity == Fidelity::kFast) {
    wanted.min_width = width;
    wanted.min_height = height;
  }
  PAWSIGHT_ASSIGN_OR_RETURN(Decoded decoded, DecodeUpright(bytes, limits, wanted));
  if (decoded.image.width != width || decoded.image.height != height) {
    decoded.image = ResizeBicubic(decoded.image, width, height);
  }
  return decoded;
}

}  // namespace pawsight::frames
