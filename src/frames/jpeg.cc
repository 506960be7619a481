#include <cstdio>  // jpeglib.h needs FILE

#include <jpeglib.h>
// behind jpeglib.h, whose configuration it needs
#include <jerror.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "frames/codecs.h"
#include "frames/guarded.h"
#include "frames/jpeg_means.h"
#include "frames/resize.h"

namespace pawsight::frames {
namespace {

using namespace std::string_view_literals;

/// What is read off the markers before the first scan, in place: the library would copy every marker it is asked to
/// keep.
struct Markers {
  std::span<const uint8_t> exif;  // the TIFF block of the first Exif marker; empty when there is none
  bool huffman_tables = false;
  bool motion_jpeg = false;  // AVI1: Motion-JPEG, whose frames may leave out the standard Huffman tables
};

bool StartsWith(std::span<const uint8_t> bytes, std::string_view text) {
  return bytes.size() >= text.size() && std::memcmp(bytes.data(), text.data(), text.size()) == 0;
}

// Source: ITU-T T.81 B.1.1.
Markers ReadMarkers(std::span<const uint8_t> bytes) {
  Markers markers;
  size_t at = 2;  // behind SOI
  while (at + 4 <= bytes.size()) {
    if (bytes[at] != 0xFF || bytes[at + 1] == 0xFF ||
        bytes[at + 1] == 0x00) {  // fill, or garbage that the library skips
      ++at;
      continue;
    }
    const uint8_t marker = bytes[at + 1];
    if (marker == 0xDA || marker == 0xD9) break;                 // the first scan, or the end
    if (marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) {  // TEM, RST0..7, SOI: no length
      at += 2;
      continue;
    }
    const size_t length = static_cast<size_t>(bytes[at + 2] << 8 | bytes[at + 3]);
    if (length < 2 || length > bytes.size() - at - 2) break;
    const std::span<const uint8_t> body = bytes.subspan(at + 4, length - 2);
    if (marker == 0xC4) markers.huffman_tables = true;
    if (marker == 0xE0 && StartsWith(body, "AVI1"sv)) markers.motion_jpeg = true;
    if (marker == 0xE1 && markers.exif.empty() && StartsWith(body, "Exif\0\0"sv)) markers.exif = body.subspan(6);
    at += 2 + length;
  }
  return markers;
}

/// One run of the library's decompressor and all it owns. Stays where it is: the library points into it.
struct Decompressor {
  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
  jpeg_source_mgr source{};
  jpeg_progress_mgr progress{};
  JumpTarget jump;
  const DecodeLimits& limits;
  bool ran_dry = false;  // the library wanted more bytes than there are
  bool damaged = false;  // it filled in pixels that it had no right data for
  bool too_many_scans = false;
  unsigned seen_components = 0;  // one bit each, set when a scan has held it

  Decompressor(std::span<const uint8_t> bytes, const DecodeLimits& decode_limits);
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  ~Decompressor() { jpeg_destroy_decompress(&info); }

  std::string LibraryMessage() {
    char text[JMSG_LENGTH_MAX];
    errors.format_message(reinterpret_cast<j_common_ptr>(&info), text);
    return text;
  }
};

template <typename Info>
Decompressor& Self(Info* info) {
  return *static_cast<Decompressor*>(info->client_data);
}

void OnMessage(j_common_ptr info, int level) {
  if (level >= 0) return;  // a trace
  Decompressor& self = Self(info);
  switch (info->err->msg_code) {
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_BOGUS_PROGRESSION:
      self.damaged = true;
      if (!self.limits.tolerant) self.jump.Jump();
      break;
    default:  // harmless: bytes between markers, odd version numbers
      break;
  }
}

boolean OnDry(j_decompress_ptr info) {
  static constexpr JOCTET kEnd[] = {0xFF, JPEG_EOI};
  Self(info).ran_dry = true;
  info->src->next_input_byte = kEnd;
  info->src->bytes_in_buffer = sizeof kEnd;
  return TRUE;
}

void OnSkip(j_decompress_ptr info, long num_bytes) {  // NOLINT(google-runtime-int): the library's type
  if (num_bytes <= 0) return;
  const size_t skipped = std::min(static_cast<size_t>(num_bytes), info->src->bytes_in_buffer);
  if (skipped < static_cast<size_t>(num_bytes)) Self(info).ran_dry = true;
  info->src->next_input_byte += skipped;
  info->src->bytes_in_buffer -= skipped;
}

// Called once a row of blocks of every scan.
void OnProgress(j_common_ptr common) {
  const auto* info = reinterpret_cast<j_decompress_ptr>(common);
  Decompressor& self = Self(info);
  for (int i = 0; i < info->comps_in_scan; ++i) {
    self.seen_components |= 1U << static_cast<unsigned>(info->cur_comp_info[i]->component_index);
  }
  if (info->input_scan_number > self.limits.max_scans) {
    self.too_many_scans = true;
    self.jump.Jump();
  }
}

Decompressor::Decompressor(std::span<const uint8_t> bytes, const DecodeLimits& decode_limits) : limits(decode_limits) {
  info.err = jpeg_std_error(&errors);
  info.client_data = this;
  errors.error_exit = [](j_common_ptr common) { Self(common).jump.Jump(); };
  errors.emit_message = OnMessage;
  errors.output_message = [](j_common_ptr) {};
  progress.progress_monitor = OnProgress;
  source.next_input_byte = bytes.data();
  source.bytes_in_buffer = bytes.size();
  source.init_source = [](j_decompress_ptr) {};
  source.fill_input_buffer = OnDry;
  source.skip_input_data = OnSkip;
  source.resync_to_restart = jpeg_resync_to_restart;
  source.term_source = [](j_decompress_ptr) {};
}

/// What the library's jump meant.
Status WhatWentWrong(Decompressor& d) {
  if (d.too_many_scans) {
    return InvalidArgument("image: a JPEG of more than " + std::to_string(d.limits.max_scans) + " scans; save it again",
                           "image_too_many_scans");
  }
  const std::string detail = " (" + d.LibraryMessage() + ")";
  if (d.ran_dry)
    return InvalidArgument("image: the JPEG ends too early; send the whole file" + detail, "image_truncated");
  switch (d.errors.msg_code) {
    case JERR_SOF_UNSUPPORTED:
    case JERR_BAD_PRECISION:
    case JERR_ARITH_NOTIMPL:
    case JERR_CONVERSION_NOTIMPL:
      return InvalidArgument(
          "image: a kind of JPEG that is not decoded; send an 8-bit baseline or progressive one" + detail,
          "image_type_unsupported");
    case JERR_IMAGE_TOO_BIG:
    case JERR_WIDTH_OVERFLOW:
    case JERR_OUT_OF_MEMORY:
    case JERR_NO_BACKING_STORE:
      return InvalidArgument("image: the JPEG is too large; send a smaller or a baseline one" + detail,
                             "image_too_large");
    default:
      return InvalidArgument("image: the JPEG is damaged" + detail, "image_corrupt");
  }
}

/// The smallest n of 1, 2, 4, 8 for which n/8 of the image is at least as large as wanted.
unsigned ScaleEighths(int width, int height, int want_width, int want_height) {
  for (const int n : {1, 2, 4}) {
    if ((width * n + 7) / 8 >= want_width && (height * n + 7) / 8 >= want_height) return static_cast<unsigned>(n);
  }
  return 8;
}

// Adobe's CMYK is inverted: 255 is no ink; so is Pillow's reading of any CMYK JPEG, and its rounding is this.
void CmykToRgb(const uint8_t* cmyk, uint8_t* rgb, int width) {
  for (int x = 0; x < width; ++x, cmyk += 4, rgb += 3) {
    for (int c = 0; c < 3; ++c) {
      const int ink = (255 - cmyk[c]) * cmyk[3] + 128;
      rgb[c] = static_cast<uint8_t>(std::max(0, cmyk[3] - ((ink + (ink >> 8)) >> 8)));
    }
  }
}

/// Where decoded rows go: into `image`, or by way of `strip` into `resizer`.
struct RowTarget {
  Image image;
  std::optional<RowResizer> resizer;
  std::vector<uint8_t> strip;     // RowResizer::kRows rows
  size_t strip_stride = 0;        // bytes
  std::vector<uint8_t> cmyk_row;  // empty unless the JPEG is CMYK
};

void ReadRows(Decompressor& d, RowTarget& target) {
  const auto width = static_cast<int>(d.info.output_width);
  const auto height = static_cast<int>(d.info.output_height);
  for (int y = 0; y < height; y += RowResizer::kRows) {
    JSAMPROW rows[RowResizer::kRows];
    const int num_rows = std::min(RowResizer::kRows, height - y);
    for (int i = 0; i < num_rows; ++i) {
      rows[i] = target.resizer ? target.strip.data() + static_cast<size_t>(i) * target.strip_stride
                               : target.image.pixel(0, y + i);
    }
    for (int i = 0; i < num_rows;) {
      if (target.cmyk_row.empty()) {
        i += static_cast<int>(jpeg_read_scanlines(&d.info, rows + i, static_cast<JDIMENSION>(num_rows - i)));
      } else {
        JSAMPROW row = target.cmyk_row.data();
        jpeg_read_scanlines(&d.info, &row, 1);
        CmykToRgb(row, rows[i++], width);
      }
    }
    if (target.resizer) target.resizer->Add(rows, num_rows);
  }
}

/// After the last row: whether some component or coefficient never came. (Several scans: all were read before the first
/// row.)
bool IsIncomplete(const Decompressor& d) {
  const unsigned all = (1U << static_cast<unsigned>(d.info.num_components)) - 1;
  if (d.seen_components != all) return true;
  if (!d.ran_dry || d.info.coef_bits == nullptr) return false;
  // A whole progressive file may leave coefficients out on purpose; one without its end marker is taken to have lost
  // them.
  for (int c = 0; c < d.info.num_components; ++c) {
    for (int k = 0; k < DCTSIZE2; ++k) {
      if (d.info.coef_bits[c][k] != 0) return true;
    }
  }
  return false;
}

Status CheckComplete(Decompressor& d) {
  if (!IsIncomplete(d)) return Ok();
  d.damaged = true;
  if (d.limits.tolerant) return Ok();
  return InvalidArgument("image: the JPEG lacks scans; send the whole file", "image_truncated");
}

/// Reads the header and everything before pixels; the checks that need no library come first.
Result<Decoded> ReadHeader(Decompressor& d, std::span<const uint8_t> bytes) {
  const Markers markers = ReadMarkers(bytes);
  const bool read = Guarded(d.jump, [&d] {
    jpeg_create_decompress(&d.info);
    d.info.src = &d.source;
    d.info.progress = &d.progress;
    d.info.mem->max_memory_to_use = static_cast<long>(d.limits.max_scratch);  // NOLINT(google-runtime-int)
    jpeg_read_header(&d.info, TRUE);
  });
  if (!read) return WhatWentWrong(d);
  PAWSIGHT_RETURN_IF_ERROR(CheckSize(d.info.image_width, d.info.image_height, d.limits));
  if (d.info.arith_code) {  // the library cannot tell when its data is cut short: that decodes to grey without a word
    return InvalidArgument("image: an arithmetic-coded JPEG; send an 8-bit baseline or progressive one",
                           "image_type_unsupported");
  }
  if (!markers.huffman_tables && !markers.motion_jpeg) {
    return InvalidArgument("image: the JPEG has no Huffman tables", "image_corrupt");
  }
  Decoded decoded;
  decoded.format = ImageFormat::kJpeg;
  decoded.source_width = static_cast<int>(d.info.image_width);
  decoded.source_height = static_cast<int>(d.info.image_height);
  decoded.orientation = ReadOrientation(markers.exif);
  return decoded;
}

/// The codes of the table that a scan calls `number`; nothing when the file has none.
std::optional<HuffmanCodes> CodesOf(JHUFF_TBL* const (&tables)[NUM_HUFF_TBLS], int number) {
  const JHUFF_TBL* const table = number < NUM_HUFF_TBLS ? tables[number] : nullptr;
  if (table == nullptr) return std::nullopt;
  const std::span<const uint8_t, 16> counts(table->bits + 1, 16);
  return HuffmanCodes{counts, {table->huffval, std::accumulate(counts.begin(), counts.end(), size_t{0})}};
}

/// What BlockMeans may read, after the header has been; nothing: it is another kind of JPEG.
std::optional<BaselineScan> BaselineScanOf(const Decompressor& d) {
  const jpeg_decompress_struct& info = d.info;
  const bool colours = info.num_components == 3 && info.jpeg_color_space == JCS_YCbCr;
  if (info.progressive_mode || info.data_precision != 8 || info.comps_in_scan != info.num_components) return {};
  if (!colours && (info.num_components != 1 || info.jpeg_color_space != JCS_GRAYSCALE)) return {};
  if (info.Ss != 0 || info.Se != DCTSIZE2 - 1 || info.Ah != 0 || info.Al != 0) return {};
  std::array<std::optional<HuffmanCodes>, 3> dc, ac;
  for (int i = 0; i < info.num_components; ++i) {
    const jpeg_component_info& component = info.comp_info[i];
    const int most = colours && i == 0 ? 2 : 1;  // blocks of a unit each way
    if (component.h_samp_factor > most || component.v_samp_factor > most) return {};
    if (info.cur_comp_info[i] != &component || component.quant_tbl_no >= NUM_QUANT_TBLS ||
        info.quant_tbl_ptrs[component.quant_tbl_no] == nullptr)
      return {};
    dc[static_cast<size_t>(i)] = CodesOf(info.dc_huff_tbl_ptrs, component.dc_tbl_no);
    ac[static_cast<size_t>(i)] = CodesOf(info.ac_huff_tbl_ptrs, component.ac_tbl_no);
    if (!dc[static_cast<size_t>(i)] || !ac[static_cast<size_t>(i)]) return {};
  }
  const jpeg_component_info* const component = info.comp_info;
  const int step = info.quant_tbl_ptrs[component->quant_tbl_no]->quantval[0];
  if (step < 1 || step > 255) return {};
  if (colours && (component[1].dc_tbl_no != component[2].dc_tbl_no || component[1].ac_tbl_no != component[2].ac_tbl_no))
    return {};
  BaselineScan scan{static_cast<int>(info.image_width),
                    static_cast<int>(info.image_height),
                    colours,
                    component->h_samp_factor,
                    component->v_samp_factor,
                    step,
                    *dc[0],
                    *ac[0],
                    colours ? *dc[1] : *dc[0],
                    colours ? *ac[1] : *ac[0],
                    static_cast<int>(info.restart_interval),
                    {info.src->next_input_byte, info.src->bytes_in_buffer}};
  return scan;
}

}  // namespace

Result<Decoded> DecodeJpeg(std::span<const uint8_t> bytes, const DecodeLimits& limits, const Wanted& wanted) {
  Decompressor d(bytes, limits);
  PAWSIGHT_ASSIGN_OR_RETURN(Decoded decoded, ReadHeader(d, bytes));
  if (wanted.min_width > 0) {
    const bool turned = decoded.orientation >= 5;
    d.info.scale_num =
        ScaleEighths(decoded.source_width, decoded.source_height, turned ? wanted.min_height : wanted.min_width,
                     turned ? wanted.min_width : wanted.min_height);
    d.info.scale_denom = 8;
    d.info.do_fancy_upsampling = FALSE;
  }
  const bool cmyk = d.info.num_components == 4;
  const bool resize = wanted.width > 0 && decoded.orientation == 1;
  // Four bytes a pixel are quicker to write for the library and to read for the resizer.
  const int pixel_bytes = resize && !cmyk ? 4 : 3;
  d.info.out_color_space = cmyk ? JCS_CMYK : pixel_bytes == 4 ? JCS_EXT_RGBX : JCS_RGB;
  if (!Guarded(d.jump, [&d] { jpeg_start_decompress(&d.info); })) return WhatWentWrong(d);

  const auto width = static_cast<int>(d.info.output_width);
  const auto height = static_cast<int>(d.info.output_height);
  RowTarget target;
  if (resize) {
    target.resizer.emplace(width, height, wanted.width, wanted.height, pixel_bytes);
    target.strip_stride = static_cast<size_t>(pixel_bytes) * static_cast<size_t>(width);
    target.strip.resize(target.strip_stride * RowResizer::kRows);
  } else {
    target.image = Image(width, height);
  }
  if (cmyk) target.cmyk_row.resize(4 * static_cast<size_t>(width));
  if (!Guarded(d.jump, [&] { ReadRows(d, target); })) return WhatWentWrong(d);
  PAWSIGHT_RETURN_IF_ERROR(CheckComplete(d));
  decoded.damaged = d.damaged;
  // Reads on to the end marker. All pixels are here already, so whatever comes instead of it takes nothing from them.
  const bool ended = Guarded(d.jump, [&d] { jpeg_finish_decompress(&d.info); });
  decoded.premature_end = (!ended || d.ran_dry) && !decoded.damaged;
  decoded.image = target.resizer ? std::move(*target.resizer).Finish() : std::move(target.image);
  return decoded;
}

Result<Light> DecodeJpegLight(std::span<const uint8_t> bytes, const DecodeLimits& limits, int want_width,
                              int want_height) {
  Decompressor d(bytes, limits);
  PAWSIGHT_ASSIGN_OR_RETURN(const Decoded decoded, ReadHeader(d, bytes));
  if (d.info.num_components == 4) {                // the library has no grey of ink
    const bool turned = decoded.orientation >= 5;  // what is wanted is as stored here, and upright there
    PAWSIGHT_ASSIGN_OR_RETURN(const Decoded ink, DecodeJpeg(bytes, limits,
                                                            {.min_width = turned ? want_height : want_width,
                                                             .min_height = turned ? want_width : want_height}));
    return LightOf(ink.image);
  }
  d.info.scale_num = ScaleEighths(decoded.source_width, decoded.source_height, want_width, want_height);
  d.info.scale_denom = 8;
  d.info.do_fancy_upsampling = FALSE;
  d.info.out_color_space = JCS_GRAYSCALE;
  if (!Guarded(d.jump, [&d] { jpeg_start_decompress(&d.info); })) return WhatWentWrong(d);
  Light light(static_cast<int>(d.info.output_width), static_cast<int>(d.info.output_height));
  const bool read = Guarded(d.jump, [&d, &light] {
    while (d.info.output_scanline < d.info.output_height) {
      JSAMPROW row = light.row(static_cast<int>(d.info.output_scanline));
      jpeg_read_scanlines(&d.info, &row, 1);
    }
  });
  if (!read) return WhatWentWrong(d);
  PAWSIGHT_RETURN_IF_ERROR(CheckComplete(d));
  return light;
}

std::optional<Light> DecodeJpegMeans(std::span<const uint8_t> bytes, const DecodeLimits& limits, int want_width,
                                     int want_height) {
  Decompressor d(bytes, limits);
  const Result<Decoded> header = ReadHeader(d, bytes);
  if (!header.ok()) return std::nullopt;
  if (ScaleEighths(header->source_width, header->source_height, want_width, want_height) != 1) return std::nullopt;
  const std::optional<BaselineScan> scan = BaselineScanOf(d);
  return scan ? BlockMeans(*scan) : std::nullopt;
}

}  // namespace pawsight::frames
