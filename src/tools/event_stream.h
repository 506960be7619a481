// tools/event_stream.h: reads a stream of server-sent events (WHATWG HTML, section 9.2) whose lines end in a line feed,
// with or without a carriage return before it. Not here: the connection, what events mean. Thread-compatible.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace pawsight::tools {

struct StreamEvent {
  std::string name;  // "" when the stream gave none
  std::string data;  // its lines, with a line feed between two
};

class EventStreamReader {
 public:
  static constexpr size_t kMaxEventBytes = 1U << 20U;  // held of an event that has not ended

  /// Goes on with `bytes`; calls for each event that they end. Comments, other fields and events without data are
  /// passed over. Errors: kDataLoss, an event or a line beyond kMaxEventBytes; after that it reads nothing more.
  Status Feed(std::string_view bytes, const std::function<void(const StreamEvent&)>& on_event);

 private:
  void Line(std::string_view line, const std::function<void(const StreamEvent&)>& on_event);

  std::string line_;  // that has not ended
  StreamEvent event_;
  bool has_data_ = false;
  bool broken_ = false;
};

}  // namespace pawsight::tools
