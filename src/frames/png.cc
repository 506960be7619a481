#include <png.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "base/check.h"
#include "frames/codecs.h"
#include "frames/guarded.h"

namespace pawsight::frames {
namespace {

constexpr size_t kSignatureSize = 8;
constexpr size_t kHeaderSize = 13;       // of IHDR's data
constexpr size_t kChunkOverhead = 12;    // length, type, CRC
constexpr int64_t kDeflateRatio = 1032;  // the most that one byte of deflate can become

uint32_t ReadU32(std::span<const uint8_t> bytes, size_t at) {
  return uint32_t{bytes[at]} << 24 | uint32_t{bytes[at + 1]} << 16 | uint32_t{bytes[at + 2]} << 8 | bytes[at + 3];
}

/// What is known from the chunks' heads, before anything is inflated.
struct Chunks {
  int64_t width = 0;
  int64_t height = 0;
  int64_t bits_per_pixel = 0;
  int64_t data_bytes = 0;  // in IDAT chunks, as far as they are there
  std::span<const uint8_t> exif;
  bool animated = false;
  bool has_end = false;
};

Status Corrupt(const std::string& what) {
  return InvalidArgument("image: the PNG is damaged: " + what, "image_corrupt");
}
Status Truncated() { return InvalidArgument("image: the PNG ends too early; send the whole file", "image_truncated"); }

Status ReadImageHeader(std::span<const uint8_t> data, Chunks& chunks) {
  chunks.width = ReadU32(data, 0);
  chunks.height = ReadU32(data, 4);
  constexpr int kChannels[] = {1, 0, 3, 1, 2, 0, 4};  // by colour type
  const int color_type = data[9];
  if (color_type > 6 || kChannels[color_type] == 0) return Corrupt("an unknown colour type");
  chunks.bits_per_pixel = int64_t{kChannels[color_type]} * data[8];
  return Ok();
}

// Source: PNG specification, third edition, section 5.3.
Result<Chunks> ReadChunks(std::span<const uint8_t> bytes, const DecodeLimits& limits) {
  Chunks chunks;
  size_t at = kSignatureSize;
  int num_chunks = 0;
  while (!chunks.has_end && bytes.size() - at >= 8) {
    const size_t length = ReadU32(bytes, at);
    const std::string_view type(reinterpret_cast<const char*>(bytes.data()) + at + 4, 4);
    if (num_chunks++ == 0) {
      if (type != "IHDR" || length != kHeaderSize) return Corrupt("the first chunk is not a header");
      if (bytes.size() - at < kChunkOverhead + kHeaderSize) return Truncated();
      PAWSIGHT_RETURN_IF_ERROR(ReadImageHeader(bytes.subspan(at + 8, kHeaderSize), chunks));
    }
    if (num_chunks > limits.max_chunks) {
      return InvalidArgument(
          "image: a PNG of more than " + std::to_string(limits.max_chunks) + " chunks; save it again",
          "image_too_many_chunks");
    }
    const size_t there = std::min(length, bytes.size() - at - 8);
    if (type == "IDAT") chunks.data_bytes += static_cast<int64_t>(there);
    if (type == "acTL") chunks.animated = true;
    if (bytes.size() - at < kChunkOverhead || length > bytes.size() - at - kChunkOverhead) break;  // cut off here
    if (type == "IEND") chunks.has_end = true;
    if (type == "eXIf" &&
        crc32(0, bytes.data() + at + 4, static_cast<uInt>(length + 4)) == ReadU32(bytes, at + 8 + length)) {
      chunks.exif = bytes.subspan(at + 8, length);
    }
    at += kChunkOverhead + length;
  }
  if (num_chunks == 0) return Truncated();
  return chunks;
}

/// One run of the library's reader and all it owns. Stays where it is: the library points into it.
struct Reader {
  std::span<const uint8_t> rest;
  bool tolerant;
  png_structp png = nullptr;
  png_infop info = nullptr;
  JumpTarget jump;
  bool ran_dry = false;
  char message[128] = "";

  Reader(std::span<const uint8_t> bytes, bool be_tolerant) : rest(bytes), tolerant(be_tolerant) {
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, OnError, OnWarning);
    CHECK(png != nullptr);  // no memory, or headers of another version
    info = png_create_info_struct(png);
    CHECK(info != nullptr);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }

  [[noreturn]] static void OnError(png_structp png, png_const_charp message) {
    auto& self = *static_cast<Reader*>(png_get_error_ptr(png));
    std::strncpy(self.message, message, sizeof self.message - 1);
    self.jump.Jump();
  }
  static void OnWarning(png_structp, png_const_charp) {}

  static void OnRead(png_structp png, png_bytep to, size_t size) {
    auto& self = *static_cast<Reader*>(png_get_io_ptr(png));
    const size_t there = std::min(size, self.rest.size());
    if (there < size) {
      self.ran_dry = true;
      if (!self.tolerant || there == 0) png_error(png, "ends too early");
      std::memset(to + there, 0, size - there);  // lets the library inflate what is there before it stumbles
    }
    std::memcpy(to, self.rest.data(), there);
    self.rest = self.rest.subspan(there);
  }
};

/// Reads up to the pixels and asks for 8-bit RGB of everything.
void StartReading(Reader& r) {
  png_set_read_fn(r.png, &r, Reader::OnRead);
  // Skips every ancillary chunk unread (texts and profiles can be bombs) but tRNS, which the palette's reader wants.
  png_set_keep_unknown_chunks(r.png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  png_read_info(r.png, r.info);
  const int color_type = png_get_color_type(r.png, r.info);
  if (color_type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(r.png);
  if (color_type == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(r.png);
  if ((color_type & PNG_COLOR_MASK_COLOR) == 0) png_set_gray_to_rgb(r.png);
  png_set_strip_16(r.png);
  png_set_strip_alpha(r.png);
  png_set_interlace_handling(r.png);
  png_read_update_info(r.png, r.info);
}

Status WhatWentWrong(const Reader& r) { return r.ran_dry ? Truncated() : Corrupt(r.message); }

}  // namespace

Result<Decoded> DecodePng(std::span<const uint8_t> bytes, const DecodeLimits& limits) {
  PAWSIGHT_ASSIGN_OR_RETURN(const Chunks chunks, ReadChunks(bytes, limits));
  PAWSIGHT_RETURN_IF_ERROR(CheckSize(chunks.width, chunks.height, limits));
  if (chunks.width * chunks.height * chunks.bits_per_pixel / 8 / kDeflateRatio > chunks.data_bytes &&
      !limits.tolerant) {
    return Truncated();
  }
  Decoded decoded;
  decoded.format = ImageFormat::kPng;
  decoded.source_width = static_cast<int>(chunks.width);
  decoded.source_height = static_cast<int>(chunks.height);
  decoded.orientation = ReadOrientation(chunks.exif);
  decoded.animated = chunks.animated;
  decoded.premature_end = !chunks.has_end;

  Reader reader(bytes, limits.tolerant);
  if (!Guarded(reader.jump, [&reader] { StartReading(reader); })) return WhatWentWrong(reader);
  CHECK(png_get_rowbytes(reader.png, reader.info) == 3 * static_cast<size_t>(chunks.width));
  decoded.image = Image(decoded.source_width, decoded.source_height);
  std::vector<png_bytep> rows(static_cast<size_t>(chunks.height));
  for (int y = 0; y < decoded.image.height; ++y) rows[static_cast<size_t>(y)] = decoded.image.pixel(0, y);
  if (!Guarded(reader.jump, [&] { png_read_image(reader.png, rows.data()); })) {
    if (!limits.tolerant) return WhatWentWrong(reader);
    decoded.damaged = true;
  }
  decoded.damaged |= reader.ran_dry;
  decoded.premature_end &= !decoded.damaged;
  return decoded;
}

}  // namespace pawsight::frames
