// frames/testing.h: what the tests of this folder share. Not in the library. Defined in testing_test.cc.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frames/image.h"

namespace pawsight::frames::testing {

/// SHA-256 in lower-case hex.
std::string Sha256(std::span<const uint8_t> bytes);

/// The synthetic images of data/preprocess and of the goldens: "grad", "hash", "check", "edge", "golden".
Image Synthetic(std::string_view kind, int width, int height);

/// The path of a file of the shared data: under $PAWSIGHT_SHARED, or beside the source tree.
std::string SharedPath(std::string_view name);

/// One tensor's bytes out of a safetensors file; nullopt when it has none of that name.
std::optional<std::vector<uint8_t>> TensorBytes(std::span<const uint8_t> safetensors, std::string_view name);

/// How a JPEG is made.
struct JpegRecipe {
  enum class Colors { kYcc, kGrey, kRgb, kCmyk, kYcck };
  Colors colors = Colors::kYcc;
  int quality = 90;
  bool subsampled = true;  // 4:2:0, or what these say: samples of the light for one of a colour
  int across = 2, down = 2;
  int restart = 0;         // units between restart markers; 0: there are none
  bool optimized = false;  // Huffman tables of its own instead of the standard's
  bool progressive = false;
  bool one_bit_scans = false;   // greyscale only: every bit of every coefficient in a scan of its own, about 650 scans
  bool separate_scans = false;  // baseline, a scan a component
  bool arithmetic = false;
  std::vector<uint8_t> exif;  // "Exif\0\0" and what follows, in an APP1
};

/// `image` as JPEG. CMYK: ink is 255 less the colour, no black, written inverted as Adobe does.
std::vector<uint8_t> MakeJpeg(const Image& image, const JpegRecipe& recipe = {});

/// How a PNG is made; `rows` are packed as the format packs them (16 bits big-endian, small depths from the high bits).
struct PngRecipe {
  int width = 0;
  int height = 0;
  int depth = 8;
  int color_type = 2;  // 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA
  bool interlaced = false;
  std::vector<uint8_t> rows;
  std::vector<uint8_t> palette;       // 3 bytes an entry
  std::vector<uint8_t> transparency;  // a byte a palette entry; grey and RGB: 2 bytes a channel
};
std::vector<uint8_t> MakePng(const PngRecipe& recipe);
std::vector<uint8_t> MakePng(const Image& image);

/// A whole PNG chunk with its length and CRC.
std::vector<uint8_t> PngChunk(std::string_view type, std::span<const uint8_t> data);

/// A PNG of these chunks, and the chunk that must be its first.
std::vector<uint8_t> PngFromChunks(std::initializer_list<std::vector<uint8_t>> chunks);
std::vector<uint8_t> PngHeader(uint32_t width, uint32_t height, uint8_t depth, uint8_t color_type);
/// As zlib packs best.
std::vector<uint8_t> Deflated(std::span<const uint8_t> bytes);

/// A baseline JPEG that says it has that size.
std::vector<uint8_t> WithSize(std::vector<uint8_t> jpeg, int width, int height);
/// A JPEG without the segments that start with `marker`.
std::vector<uint8_t> WithoutSegments(std::vector<uint8_t> jpeg, std::string_view marker);

/// An Exif block with the orientation, little or big endian.
std::vector<uint8_t> Exif(int orientation, bool big_endian = false);

/// `bytes` with `more` put in at `at`.
std::vector<uint8_t> Inserted(std::vector<uint8_t> bytes, size_t at, std::span<const uint8_t> more);

/// Where `pattern` first is in `bytes`; CHECK that it is.
size_t Find(std::span<const uint8_t> bytes, std::string_view pattern);

}  // namespace pawsight::frames::testing
