#include "hostile_images.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/rng.h"
#include "frames/testing.h"

namespace pawsight::integration {
namespace {

using namespace std::string_view_literals;
using namespace frames::testing;
using Bytes = std::vector<uint8_t>;
using Colors = JpegRecipe::Colors;

constexpr size_t kBehindPngHeader = 8 + 25;

frames::Image Ordinary() { return Synthetic("golden", 96, 80); }

Bytes ToBytes(std::string_view text) { return {text.begin(), text.end()}; }

Bytes First(const Bytes& bytes, size_t count) { return {bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(count)}; }

Bytes Repeated(const Bytes& bytes, int times) {
  Bytes all;
  for (int i = 0; i < times; ++i) all.insert(all.end(), bytes.begin(), bytes.end());
  return all;
}

Bytes Padded(std::string_view text, size_t size) {
  Bytes bytes = ToBytes(text);
  bytes.resize(size, 0);
  return bytes;
}

/// An APP segment.
Bytes Segment(uint8_t marker, std::string_view text, size_t size) {
  Bytes segment = {0xFF, marker, static_cast<uint8_t>((size + 2) >> 8), static_cast<uint8_t>(size + 2)};
  const Bytes data = Padded(text, size);
  segment.insert(segment.end(), data.begin(), data.end());
  return segment;
}

/// An Exif block whose directory says that it is its own next one, and one whose entries lie behind its end.
Bytes LoopingExif() {
  Bytes exif = Exif(6);
  std::fill(exif.end() - 4, exif.end(), uint8_t{0});
  exif[exif.size() - 4] = 8;
  return exif;
}
Bytes ExifBehindItsEnd() {
  Bytes exif = Exif(6);
  exif[6 + 4] = 0xFF;
  exif[6 + 5] = 0xFF;
  return exif;
}

class Rows {
 public:
  void Refused(std::string row, std::string what, Bytes bytes, std::string code, int status = 422) {
    rows_.push_back({std::move(row), std::move(what), std::move(bytes), Expect::kRefused, status, std::move(code)});
  }
  void Answered(std::string row, std::string what, Bytes bytes) {
    rows_.push_back({std::move(row), std::move(what), std::move(bytes), Expect::kAnswered, 200});
  }
  void AsOrdinary(std::string row, std::string what, Bytes bytes) {
    rows_.push_back({std::move(row), std::move(what), std::move(bytes), Expect::kAsOrdinary, 200});
  }
  std::vector<HostileImage> Take() { return std::move(rows_); }

 private:
  std::vector<HostileImage> rows_;
};

void AddCut(const Bytes& jpeg, Rows& rows) {
  rows.Refused("A1", "no bytes", {}, "image_empty", 400);
  rows.Refused("A2", "one byte of a magic", {0xFF}, "image_truncated");
  rows.Refused("A2", "a magic", {0xFF, 0xD8, 0xFF}, "image_truncated");
  rows.Refused("A2", "PNG's magic", First(MakePng(Ordinary()), 8), "image_truncated");
  rows.Refused("A3", "half of the scan", First(jpeg, jpeg.size() / 2), "image_truncated");
  rows.AsOrdinary("A4", "no end marker", First(jpeg, jpeg.size() - 2));
  rows.Refused("A5", "no Huffman tables", WithoutSegments(jpeg, "\xff\xc4"sv), "image_corrupt");
  rows.Refused("A5", "no quantisation tables", WithoutSegments(jpeg, "\xff\xdb"sv), "image_corrupt");
  rows.Refused("A5", "no frame header", WithoutSegments(jpeg, "\xff\xc0\x00\x11"sv), "image_corrupt");
}

void AddSizes(const Bytes& jpeg, Rows& rows) {
  rows.Refused("A6", "65535x65535 in a few bytes", WithSize(jpeg, 65535, 65535), "image_too_large");
  rows.Refused("A7", "65535x1", WithSize(jpeg, 65535, 1), "image_too_large");
  rows.Refused("A7", "1x65535", WithSize(jpeg, 1, 65535), "image_too_large");
  rows.Refused("A7", "17x1000", MakeJpeg(Synthetic("grad", 17, 1000)), "image_aspect");
  rows.Answered("A7", "50:1", MakeJpeg(Synthetic("grad", 800, 16)));
  rows.Refused("A8", "1x1", MakePng(Synthetic("grad", 1, 1)), "image_too_small");
  rows.Answered("A8", "16x16", MakePng(Synthetic("grad", 16, 16)));
  rows.Refused("A9", "3xN", MakePng(Synthetic("grad", 3, 64)), "image_too_small");
  rows.Refused("A9", "Nx3", MakePng(Synthetic("grad", 64, 3)), "image_too_small");
  const Bytes zeros = PngChunk("IDAT", Deflated(Bytes(1U << 20U)));
  rows.Refused("A22", "50,000x50,000 of zeros",
               PngFromChunks({PngHeader(50000, 50000, 8, 2), zeros, PngChunk("IEND", {})}), "image_too_large");
  rows.Refused("A32", "12 MB", Padded("\xff\xd8\xff\xe0"sv, 12U << 20U), "image_too_large");
}

void AddKindsOfJpeg(const Bytes& jpeg, Rows& rows) {
  rows.AsOrdinary("A10", "progressive", MakeJpeg(Ordinary(), {.progressive = true}));
  rows.Refused("A11", "hundreds of scans", MakeJpeg(Ordinary(), {.colors = Colors::kGrey, .one_bit_scans = true}),
               "image_too_many_scans");
  rows.Refused("A12", "arithmetic-coded", MakeJpeg(Ordinary(), {.arithmetic = true}), "image_type_unsupported", 415);
  for (const uint8_t sof : {uint8_t{0xC3}, uint8_t{0xC0}}) {
    Bytes other = jpeg;
    const size_t at = Find(other, "\xff\xc0\x00\x11"sv);
    other[at + 1] = sof;
    if (sof == 0xC0) other[at + 4] = 12;  // bits a sample
    rows.Refused("A12", sof == 0xC0 ? "12 bits" : "lossless", other, "image_type_unsupported", 415);
  }
  rows.Answered("A13", "CMYK", MakeJpeg(Ordinary(), {.colors = Colors::kCmyk}));
  rows.Answered("A13", "YCCK", MakeJpeg(Ordinary(), {.colors = Colors::kYcck}));
  rows.Answered("A14", "grey", MakeJpeg(Ordinary(), {.colors = Colors::kGrey}));
}

void AddMetadata(const Bytes& jpeg, Rows& rows) {
  rows.AsOrdinary("A15", "orientation 1", MakeJpeg(Ordinary(), {.exif = Exif(1)}));
  for (int orientation = 2; orientation <= 8; ++orientation) {
    rows.Answered("A15", "orientation " + std::to_string(orientation),
                  MakeJpeg(Ordinary(), {.exif = Exif(orientation)}));
  }
  for (const int nonsense : {0, 9, 65535}) {
    rows.AsOrdinary("A16", "orientation " + std::to_string(nonsense), MakeJpeg(Ordinary(), {.exif = Exif(nonsense)}));
  }
  rows.AsOrdinary("A16", "Exif behind its end", MakeJpeg(Ordinary(), {.exif = ExifBehindItsEnd()}));
  rows.Answered("A16", "Exif that is its own next", MakeJpeg(Ordinary(), {.exif = LoopingExif()}));
  rows.AsOrdinary("A17", "a place", Inserted(jpeg, 2, Segment(0xE1, "Exif\0\0GPS 59.9139N 10.7522E"sv, 60)));
  rows.AsOrdinary("A18", "a colour profile of noise",
                  Inserted(jpeg, 2, Segment(0xE2, "ICC_PROFILE\0\1\1\xAB\xCD"sv, 60000)));
  rows.AsOrdinary("A18", "4 MB of profiles",
                  Inserted(jpeg, 2, Repeated(Segment(0xE2, "ICC_PROFILE\0\1\1"sv, 65000), 60)));
  rows.AsOrdinary("A19", "another JPEG behind it", Inserted(jpeg, jpeg.size(), MakeJpeg(Synthetic("hash", 48, 48))));
  rows.AsOrdinary("A27", "a ZIP and a page behind it", Inserted(jpeg, jpeg.size(), ToBytes("PK\3\4<html><script>")));
}

void AddPng(Rows& rows) {
  const Bytes png = MakePng(Ordinary());
  const Bytes row(48, 0x5A);
  const auto kind = [&](const std::string& what, PngRecipe recipe, size_t row_bytes) {
    recipe.width = 32;
    recipe.height = 32;
    recipe.rows = Bytes(row_bytes * 32, 0x5A);
    rows.Answered("A20", what, MakePng(recipe));
    recipe.interlaced = true;
    rows.Answered("A20", what + ", interlaced", MakePng(recipe));
  };
  kind("16 bits", {.depth = 16, .color_type = 2}, 32 * 6);
  kind("1 bit", {.depth = 1, .color_type = 0}, 4);
  kind("palette with transparency", {.depth = 4, .color_type = 3, .palette = Bytes(48, 7), .transparency = {0, 128}},
       16);
  kind("alpha", {.depth = 8, .color_type = 6}, 32 * 4);
  kind("a transparent colour", {.depth = 8, .color_type = 2, .transparency = {0, 1, 0, 2, 0, 3}}, 32 * 3);
  Bytes text = ToBytes("Comment\0\0"sv);
  const Bytes bomb = Deflated(Bytes(60U << 20U, 'x'));
  text.insert(text.end(), bomb.begin(), bomb.end());
  rows.Answered("A21", "a text of 60 MB in 60 kB", Inserted(png, kBehindPngHeader, PngChunk("zTXt", text)));
  Bytes profile = ToBytes("p\0\0"sv);
  profile.insert(profile.end(), bomb.begin(), bomb.end());
  rows.Answered("A21", "a profile of 60 MB in 60 kB", Inserted(png, kBehindPngHeader, PngChunk("iCCP", profile)));
  Bytes bad = png;
  bad[kBehindPngHeader - 1] ^= 1;  // the header's checksum
  rows.Refused("A23", "a wrong checksum that matters", bad, "image_corrupt");
  Bytes comment = PngChunk("tEXt", ToBytes("a\0b"sv));
  comment.back() ^= 1;
  rows.Answered("A23", "a wrong checksum that does not", Inserted(png, kBehindPngHeader, comment));
  rows.Refused("A24", "600,000 chunks", Inserted(png, kBehindPngHeader, Repeated(PngChunk("tEXt", {}), 600'000)),
               "image_too_many_chunks");
  rows.Answered("A25", "an animated PNG",
                Inserted(png, kBehindPngHeader, PngChunk("acTL", Bytes{0, 0, 0, 2, 0, 0, 0, 0})));
}

void AddOtherTypes(Rows& rows) {
  const std::pair<const char*, Bytes> others[] = {{"A25 GIF", Padded("GIF89a"sv, 64)},
                                                  {"A26 WebP lossy", Padded("RIFF\x20\0\0\0WEBPVP8 "sv, 64)},
                                                  {"A26 WebP lossless", Padded("RIFF\x20\0\0\0WEBPVP8L"sv, 64)},
                                                  {"A26 WebP extended", Padded("RIFF\x20\0\0\0WEBPVP8X"sv, 64)},
                                                  {"A27 PDF", ToBytes("%PDF-1.7\n1 0 obj")},
                                                  {"A27 SVG", ToBytes("<svg xmlns='http://www.w3.org/2000/svg'/>")},
                                                  {"A27 HTML", ToBytes("<!DOCTYPE html><html></html>")},
                                                  {"A27 HEIC", Padded("\0\0\0\x18"
                                                                      "ftypheic"sv,
                                                                      64)},
                                                  {"A27 AVIF", Padded("\0\0\0\x18"
                                                                      "ftypavif"sv,
                                                                      64)},
                                                  {"A27 TIFF", Padded("II*\0\x08\0\0\0"sv, 64)},
                                                  {"A27 BMP", Padded("BM\x36\0\0\0"sv, 64)},
                                                  {"A27 ICO", Padded("\0\0\1\0\1\0"sv, 64)},
                                                  {"A27 ZIP", Padded("PK\3\4"sv, 64)},
                                                  {"A27 text", ToBytes("not a photo at all, only words")}};
  for (const auto& [name, bytes] : others) {
    rows.Refused(std::string(name, 3), name + 4, bytes, "image_type_unsupported", 415);
  }
}

void AddPlain(Rows& rows) {
  for (const int level : {0, 255}) {
    frames::Image flat(96, 80);
    std::fill(flat.rgb.begin(), flat.rgb.end(), static_cast<uint8_t>(level));
    rows.Answered("A31", level == 0 ? "black" : "white", MakeJpeg(flat));
  }
  frames::Image noise(96, 80);
  Rng rng(31);
  for (uint8_t& byte : noise.rgb) byte = static_cast<uint8_t>(rng.Next());
  rows.Answered("A31", "noise", MakePng(noise));
}

}  // namespace

std::vector<uint8_t> OrdinaryImage() { return MakeJpeg(Ordinary()); }

std::vector<HostileImage> HostileImages() {
  const Bytes jpeg = OrdinaryImage();
  Rows rows;
  AddCut(jpeg, rows);
  AddSizes(jpeg, rows);
  AddKindsOfJpeg(jpeg, rows);
  AddMetadata(jpeg, rows);
  AddPng(rows);
  AddOtherTypes(rows);
  AddPlain(rows);
  return rows.Take();
}

}  // namespace pawsight::integration
