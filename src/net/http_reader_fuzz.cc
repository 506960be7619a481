// Any bytes on a connection, in pieces: requests or a refusal, and the same requests however they are cut (a header
// that never ends may be refused sooner or later). The first byte says where they are cut.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "net/http_reader.h"

namespace {

using pawsight::net::HttpReader;

/// The requests the reader made of `bytes`, which come `piece` at a time, as text.
std::string Story(std::string_view bytes, size_t piece) {
  pawsight::net::HttpServerOptions options;
  options.max_header_bytes = 512;
  options.max_body_bytes = 4096;
  HttpReader reader(options);
  std::string story;
  while (true) {
    std::string_view part = bytes.substr(0, piece);
    bytes.remove_prefix(part.size());
    if (part.empty()) return story;
    for (auto event = reader.Read(&part); event != HttpReader::Event::kNeedMore; event = reader.Read(&part)) {
      CHECK(reader.body_bytes() <= options.max_body_bytes);
      if (event == HttpReader::Event::kRefused) return story;
      if (event != HttpReader::Event::kWhole) continue;
      const auto& request = reader.request();
      CHECK(request.body.size() <= options.max_body_bytes && pawsight::net::IsPlainPath(request.path));
      story += request.method + ' ' + request.path + '?' + request.query + '\n' + request.body + '\n';
      for (const auto& [name, value] : request.headers) story += name + ':' + value + '\n';
      reader.Reset();
    }
    CHECK(part.empty() && reader.held_bytes() <= options.max_header_bytes + piece);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2 || size > 4096) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string whole = Story(bytes, bytes.size());
  const std::string cut = Story(bytes, 1 + data[0] % 16);
  CHECK(whole == cut);
  return 0;
}
