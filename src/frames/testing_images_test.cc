// Makes the good and the hostile files of the tests, with the libraries that real ones are made with.
#include <png.h>
#include <zlib.h>

#include <cstdio>  // jpeglib.h needs FILE

#include <jpeglib.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "frames/testing.h"

namespace pawsight::frames::testing {
namespace {

using Colors = JpegRecipe::Colors;

// The libraries' default error handlers stop the process, which is right for a test that asks for the impossible.

std::vector<jpeg_scan_info> OneBitScans() {
  constexpr int kLowBit = 9;  // the first scan of a coefficient leaves this many bits for later ones
  std::vector<jpeg_scan_info> scans;
  for (int k = 0; k < DCTSIZE2; ++k) {
    for (int low = kLowBit; low >= 0; --low) {
      jpeg_scan_info scan{};
      scan.comps_in_scan = 1;
      scan.Ss = scan.Se = k;
      scan.Ah = low == kLowBit ? 0 : low + 1;
      scan.Al = low;
      scans.push_back(scan);
    }
  }
  return scans;
}

std::vector<jpeg_scan_info> ScanAComponent(int num_components) {
  std::vector<jpeg_scan_info> scans(static_cast<size_t>(num_components));
  for (size_t i = 0; i < scans.size(); ++i) {
    scans[i].comps_in_scan = 1;
    scans[i].component_index[0] = static_cast<int>(i);
    scans[i].Se = DCTSIZE2 - 1;
  }
  return scans;
}

/// One row in the colours that the compressor wants.
std::vector<uint8_t> InputRow(const Image& image, int y, Colors colors) {
  std::vector<uint8_t> row;
  for (int x = 0; x < image.width; ++x) {
    const uint8_t* pixel = image.pixel(x, y);
    if (colors == Colors::kGrey) {
      row.push_back(pixel[1]);
      continue;
    }
    row.insert(row.end(), pixel, pixel + 3);  // inverted ink is light
    if (colors == Colors::kCmyk || colors == Colors::kYcck) row.push_back(255);
  }
  return row;
}

void SetColors(jpeg_compress_struct& info, Colors colors) {
  const bool four = colors == Colors::kCmyk || colors == Colors::kYcck;
  info.input_components = colors == Colors::kGrey ? 1 : four ? 4 : 3;
  info.in_color_space = colors == Colors::kGrey ? JCS_GRAYSCALE : four ? JCS_CMYK : JCS_RGB;
  jpeg_set_defaults(&info);
  if (colors == Colors::kRgb) jpeg_set_colorspace(&info, JCS_RGB);
  if (colors == Colors::kCmyk) jpeg_set_colorspace(&info, JCS_CMYK);
  if (colors == Colors::kYcck) jpeg_set_colorspace(&info, JCS_YCCK);
}

}  // namespace

std::vector<uint8_t> MakeJpeg(const Image& image, const JpegRecipe& recipe) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* out = nullptr;
  unsigned long size = 0;  // NOLINT(google-runtime-int): the library's type
  jpeg_mem_dest(&info, &out, &size);
  info.image_width = static_cast<JDIMENSION>(image.width);
  info.image_height = static_cast<JDIMENSION>(image.height);
  SetColors(info, recipe.colors);
  jpeg_set_quality(&info, recipe.quality, TRUE);
  if (!recipe.subsampled) {
    info.comp_info[0].h_samp_factor = info.comp_info[0].v_samp_factor = 1;
  } else if (recipe.colors == Colors::kYcc) {
    info.comp_info[0].h_samp_factor = recipe.across;
    info.comp_info[0].v_samp_factor = recipe.down;
  }
  info.restart_interval = static_cast<unsigned>(recipe.restart);
  info.optimize_coding = recipe.optimized ? TRUE : FALSE;
  info.arith_code = recipe.arithmetic ? TRUE : FALSE;
  std::vector<jpeg_scan_info> scans;
  if (recipe.progressive) jpeg_simple_progression(&info);
  if (recipe.one_bit_scans) scans = OneBitScans();
  if (recipe.separate_scans) scans = ScanAComponent(info.num_components);
  if (!scans.empty()) {
    info.scan_info = scans.data();
    info.num_scans = static_cast<int>(scans.size());
  }
  jpeg_start_compress(&info, TRUE);
  if (!recipe.exif.empty()) {
    jpeg_write_marker(&info, JPEG_APP0 + 1, recipe.exif.data(), static_cast<unsigned>(recipe.exif.size()));
  }
  for (int y = 0; y < image.height; ++y) {
    std::vector<uint8_t> row = InputRow(image, y, recipe.colors);
    JSAMPROW rows = row.data();
    jpeg_write_scanlines(&info, &rows, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::vector<uint8_t> bytes(out, out + size);
  std::free(out);
  return bytes;
}

std::vector<uint8_t> MakePng(const PngRecipe& recipe) {
  std::vector<uint8_t> bytes;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &bytes,
      [](png_structp self, png_bytep data, size_t size) {
        auto& out = *static_cast<std::vector<uint8_t>*>(png_get_io_ptr(self));
        out.insert(out.end(), data, data + size);
      },
      nullptr);
  png_set_IHDR(png, info, static_cast<png_uint_32>(recipe.width), static_cast<png_uint_32>(recipe.height), recipe.depth,
               recipe.color_type, recipe.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  std::vector<png_color> palette(recipe.palette.size() / 3);
  for (size_t i = 0; i < palette.size(); ++i) {
    palette[i] = {recipe.palette[3 * i], recipe.palette[3 * i + 1], recipe.palette[3 * i + 2]};
  }
  if (!palette.empty()) png_set_PLTE(png, info, palette.data(), static_cast<int>(palette.size()));
  png_color_16 color{};
  if (recipe.color_type == PNG_COLOR_TYPE_PALETTE && !recipe.transparency.empty()) {
    png_set_tRNS(png, info, recipe.transparency.data(), static_cast<int>(recipe.transparency.size()), nullptr);
  } else if (recipe.color_type == PNG_COLOR_TYPE_RGB && !recipe.transparency.empty()) {
    color.red = recipe.transparency[1];
    color.green = recipe.transparency[3];
    color.blue = recipe.transparency[5];
    png_set_tRNS(png, info, nullptr, 1, &color);
  }
  const size_t row_bytes = recipe.rows.size() / static_cast<size_t>(recipe.height);
  std::vector<uint8_t> copy = recipe.rows;
  std::vector<png_bytep> rows;
  for (size_t y = 0; y < static_cast<size_t>(recipe.height); ++y) rows.push_back(copy.data() + y * row_bytes);
  png_set_rows(png, info, rows.data());
  png_write_png(png, info, PNG_TRANSFORM_IDENTITY, nullptr);
  png_destroy_write_struct(&png, &info);
  return bytes;
}

std::vector<uint8_t> MakePng(const Image& image) {
  PngRecipe recipe;
  recipe.width = image.width;
  recipe.height = image.height;
  recipe.rows = image.rgb;
  return MakePng(recipe);
}

std::vector<uint8_t> PngChunk(std::string_view type, std::span<const uint8_t> data) {
  CHECK(type.size() == 4);
  std::vector<uint8_t> chunk(12 + data.size());
  const auto put = [&chunk](size_t at, size_t value) {
    for (size_t i = 0; i < 4; ++i) chunk[at + i] = static_cast<uint8_t>(value >> (24 - 8 * i));
  };
  put(0, data.size());
  std::copy(type.begin(), type.end(), chunk.begin() + 4);
  std::copy(data.begin(), data.end(), chunk.begin() + 8);
  put(8 + data.size(), crc32(0, chunk.data() + 4, static_cast<uInt>(4 + data.size())));
  return chunk;
}

std::vector<uint8_t> PngFromChunks(std::initializer_list<std::vector<uint8_t>> chunks) {
  std::vector<uint8_t> png = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  for (const std::vector<uint8_t>& chunk : chunks) png.insert(png.end(), chunk.begin(), chunk.end());
  return png;
}

std::vector<uint8_t> PngHeader(uint32_t width, uint32_t height, uint8_t depth, uint8_t color_type) {
  std::vector<uint8_t> data;
  for (const uint32_t value : {width, height}) {
    for (int shift = 24; shift >= 0; shift -= 8) data.push_back(static_cast<uint8_t>(value >> shift));
  }
  for (const uint8_t byte : {depth, color_type, uint8_t{0}, uint8_t{0}, uint8_t{0}}) data.push_back(byte);
  return PngChunk("IHDR", data);
}

std::vector<uint8_t> Deflated(std::span<const uint8_t> bytes) {
  uLongf size = compressBound(bytes.size());
  std::vector<uint8_t> out(size);
  CHECK(compress2(out.data(), &size, bytes.data(), bytes.size(), 9) == Z_OK);
  out.resize(size);
  return out;
}

std::vector<uint8_t> WithSize(std::vector<uint8_t> jpeg, int width, int height) {
  const size_t at = Find(jpeg, std::string_view("\xff\xc0\x00\x11", 4));
  jpeg[at + 5] = static_cast<uint8_t>(height >> 8);
  jpeg[at + 6] = static_cast<uint8_t>(height);
  jpeg[at + 7] = static_cast<uint8_t>(width >> 8);
  jpeg[at + 8] = static_cast<uint8_t>(width);
  return jpeg;
}

std::vector<uint8_t> WithoutSegments(std::vector<uint8_t> jpeg, std::string_view marker) {
  while (true) {
    const auto at = std::search(jpeg.begin(), jpeg.end(), marker.begin(), marker.end(),
                                [](uint8_t byte, char letter) { return byte == static_cast<uint8_t>(letter); });
    if (at == jpeg.end()) return jpeg;
    const std::ptrdiff_t length = at[2] << 8 | at[3];
    jpeg.erase(at, at + 2 + length);
  }
}

std::vector<uint8_t> Exif(int orientation, bool big_endian) {
  std::vector<uint8_t> bytes;
  for (const char letter : {'E', 'x', 'i', 'f', '\0', '\0'}) bytes.push_back(static_cast<uint8_t>(letter));
  const auto put = [&](uint32_t value, int num_bytes) {
    for (int i = 0; i < num_bytes; ++i) {
      const int shift = 8 * (big_endian ? num_bytes - 1 - i : i);
      bytes.push_back(static_cast<uint8_t>(value >> shift));
    }
  };
  put(big_endian ? 0x4D4D : 0x4949, 2);  // "MM", "II"
  put(42, 2);
  put(8, 4);       // the directory's offset
  put(2, 2);       // its entries
  put(0x010F, 2);  // Make: six letters, kept at an offset
  put(2, 2);
  put(6, 4);
  put(38, 4);
  put(0x0112, 2);  // Orientation: one short
  put(3, 2);
  put(1, 4);
  put(static_cast<uint32_t>(orientation), 2);
  put(0, 2);
  put(0, 4);  // no next directory
  for (const char letter : {'P', 'a', 'w', 's', '!', '\0'}) bytes.push_back(static_cast<uint8_t>(letter));
  return bytes;
}

std::vector<uint8_t> Inserted(std::vector<uint8_t> bytes, size_t at, std::span<const uint8_t> more) {
  bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), more.begin(), more.end());
  return bytes;
}

size_t Find(std::span<const uint8_t> bytes, std::string_view pattern) {
  const auto at = std::search(bytes.begin(), bytes.end(), pattern.begin(), pattern.end(),
                              [](uint8_t byte, char letter) { return byte == static_cast<uint8_t>(letter); });
  CHECK(at != bytes.end());
  return static_cast<size_t>(at - bytes.begin());
}

}  // namespace pawsight::frames::testing
