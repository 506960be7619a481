// Any bytes as a stream of events, and as what an event says of a frame: what is held is bounded, and where the bytes
// are cut does not matter.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "tools/awaited_frames.h"
#include "tools/event_stream.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pawsight;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string whole, cut;
  tools::EventStreamReader at_once, in_pieces;
  (void)at_once.Feed(text, [&](const tools::StreamEvent& event) {
    whole += event.name + "\n" + event.data + "\n\n";
    const auto told = tools::ReadToldFrame(event.data);
    CHECK(!told.ok() || !told->frame.empty());
  });
  for (size_t at = 0; at < size; at += 7) {
    (void)in_pieces.Feed(text.substr(at, 7),
                         [&](const tools::StreamEvent& event) { cut += event.name + "\n" + event.data + "\n\n"; });
  }
  CHECK(whole == cut);
  return 0;
}
