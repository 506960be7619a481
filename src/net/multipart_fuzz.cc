// Any bytes as a Content-Type, a line end and a multipart body: refused, or parts that lie in the body, in order.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "net/multipart.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pawsight::net;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t line = std::min(text.find('\n'), text.size());
  const auto boundary = MultipartBoundary(text.substr(0, line));
  if (!boundary.ok()) return 0;
  const std::string_view body = text.substr(std::min(text.size(), line + 1));
  const auto parts = ReadMultipart(body, *boundary, {.max_parts = 8, .max_header_bytes = 64});
  if (!parts.ok()) return 0;
  CHECK(!parts->empty() && parts->size() <= 8);
  const char* end = body.data();
  for (const MultipartPart& part : *parts) {
    CHECK(part.body.data() >= end);
    end = part.body.data() + part.body.size();
    CHECK(end <= body.data() + body.size());
    CHECK(part.body.find("\r\n--" + *boundary) == std::string_view::npos);
  }
  return 0;
}
