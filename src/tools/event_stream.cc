#include "tools/event_stream.h"

namespace pawsight::tools {

Status EventStreamReader::Feed(std::string_view bytes, const std::function<void(const StreamEvent&)>& on_event) {
  const auto fits = [&](size_t more) { return line_.size() + event_.data.size() + more <= kMaxEventBytes; };
  while (!bytes.empty() && !broken_) {
    const size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    broken_ = !fits(piece.size());
    if (broken_) break;
    line_ += piece;
    if (end == std::string_view::npos) break;
    if (line_.ends_with('\r')) line_.pop_back();
    Line(line_, on_event);
    line_.clear();
  }
  return broken_ ? DataLoss("an event of more than " + std::to_string(kMaxEventBytes) + " bytes") : Ok();
}

void EventStreamReader::Line(std::string_view line, const std::function<void(const StreamEvent&)>& on_event) {
  if (line.empty()) {
    if (has_data_) on_event(event_);
    event_ = {};
    has_data_ = false;
    return;
  }
  const size_t colon = line.find(':');
  const std::string_view field = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "event") event_.name = value;
  if (field != "data") return;
  if (has_data_) event_.data += '\n';
  event_.data += value;
  has_data_ = true;
}

}  // namespace pawsight::tools
