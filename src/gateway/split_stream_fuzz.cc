// Any bytes, cut at any place, through both splitters. The first byte says how the rest is cut.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "gateway/split_stream.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const size_t piece = static_cast<size_t>(data[0]) + 1;
  const std::span<const uint8_t> bytes(data + 1, size - 1);
  pawsight::gateway::PpmSplitter ppm;
  pawsight::gateway::MultipartSplitter multipart("frame", 1000);
  bool ppm_ok = true;
  bool multipart_ok = true;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    const auto part = bytes.subspan(at, std::min(piece, bytes.size() - at));
    if (ppm_ok) ppm_ok = ppm.Feed(part, [](pawsight::frames::Image image) { return !image.rgb.empty(); }).ok();
    if (multipart_ok)
      multipart_ok = multipart.Feed(part, [](std::span<const uint8_t> body) { return body.size() <= 1000; }).ok();
  }
  return 0;
}
