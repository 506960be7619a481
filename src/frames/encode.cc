#include "frames/encode.h"

#include <cstdio>  // jpeglib.h needs FILE

#include <jpeglib.h>

#include <cstdlib>
#include <string>

#include "base/check.h"
#include "frames/guarded.h"

namespace pawsight::frames {
namespace {

constexpr int kMaxSide = 65500;  // JPEG_MAX_DIMENSION

/// One run of the library's compressor and all it owns.
struct Compressor {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  JumpTarget jump;
  unsigned char* bytes = nullptr;
  unsigned long size = 0;  // NOLINT(google-runtime-int): the library's type

  Compressor() {
    info.err = jpeg_std_error(&errors);
    info.client_data = this;
    errors.error_exit = [](j_common_ptr common) { static_cast<Compressor*>(common->client_data)->jump.Jump(); };
    errors.output_message = [](j_common_ptr) {};
  }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;
  ~Compressor() {
    jpeg_destroy_compress(&info);
    std::free(bytes);  // jpeg_mem_dest's, from malloc
  }
};

void Compress(Compressor& c, const Image& image, int quality) {
  jpeg_create_compress(&c.info);
  jpeg_mem_dest(&c.info, &c.bytes, &c.size);
  c.info.image_width = static_cast<JDIMENSION>(image.width);
  c.info.image_height = static_cast<JDIMENSION>(image.height);
  c.info.input_components = 3;
  c.info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&c.info);
  jpeg_set_quality(&c.info, quality, TRUE);
  jpeg_start_compress(&c.info, TRUE);
  while (c.info.next_scanline < c.info.image_height) {
    JSAMPROW row =
        const_cast<JSAMPROW>(image.pixel(0, static_cast<int>(c.info.next_scanline)));  // the library only reads
    jpeg_write_scanlines(&c.info, &row, 1);
  }
  jpeg_finish_compress(&c.info);
}

}  // namespace

Result<std::vector<uint8_t>> EncodeJpeg(const Image& image, int quality) {
  CHECK(quality >= 1 && quality <= 100);
  CHECK(image.rgb.size() == 3 * static_cast<size_t>(image.width) * static_cast<size_t>(image.height));
  if (image.width < 1 || image.height < 1) return InvalidArgument("image: no pixels to encode", "image_empty");
  if (image.width > kMaxSide || image.height > kMaxSide) {
    return InvalidArgument("image: a JPEG's sides are at most " + std::to_string(kMaxSide) + " pixels",
                           "image_too_large");
  }
  Compressor compressor;
  if (!Guarded(compressor.jump, [&] { Compress(compressor, image, quality); })) {
    char text[JMSG_LENGTH_MAX];
    compressor.errors.format_message(reinterpret_cast<j_common_ptr>(&compressor.info), text);
    return Internal(std::string("image: JPEG encoding failed: ") + text);
  }
  return std::vector<uint8_t>(compressor.bytes, compressor.bytes + compressor.size);
}

}  // namespace pawsight::frames
