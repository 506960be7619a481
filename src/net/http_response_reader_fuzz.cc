// Any bytes from a server, in pieces: responses or a refusal, and the same responses however they are cut. The first
// byte says where they are cut.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "net/http_response_reader.h"

namespace {

using pawsight::net::HttpResponseReader;

std::string Story(std::string_view bytes, size_t piece) {
  pawsight::net::HttpResponseLimits limits;
  limits.max_header_bytes = 512;
  limits.max_body_bytes = 4096;
  HttpResponseReader reader(limits);
  std::string story;
  while (!bytes.empty()) {
    std::string_view part = bytes.substr(0, piece);
    bytes.remove_prefix(part.size());
    for (auto event = reader.Read(&part); event != HttpResponseReader::Event::kNeedMore; event = reader.Read(&part)) {
      if (event == HttpResponseReader::Event::kRefused) return story + "refused";
      const auto& response = reader.response();
      CHECK(response.body.size() <= limits.max_body_bytes && response.status >= 200 && response.status < 600);
      story += std::to_string(response.status) + (reader.keep_alive() ? " keep\n" : " close\n") + response.body + '\n';
      for (const auto& [name, value] : response.headers) story += name + ':' + value + '\n';
      reader.Reset();
    }
    CHECK(part.empty() && reader.held_bytes() <= limits.max_header_bytes + limits.max_body_bytes);
  }
  return story;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2 || size > 8192) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string whole = Story(bytes, bytes.size());
  CHECK(whole == Story(bytes, 1 + data[0] % 16));
  return 0;
}
