#include "gateway/recorder.h"

#include <string>

#include "base/log.h"

namespace pawsight::gateway {

Status Recorder::Flush() {
  while (!waiting_.empty()) {
    PAWSIGHT_RETURN_IF_ERROR(append_(waiting_.front()).status());
    waiting_.pop_front();
  }
  return Ok();
}

Result<events::Event> Recorder::Record(const events::Event& event) {
  if (append_ == nullptr) return event;
  const bool waited = !waiting_.empty();
  Status status = Flush();
  if (status.ok()) {
    Result<events::Event> stored = append_(event);
    if (stored.ok()) {
      if (waited) LogInfo("events.recording_again");
      return stored;
    }
    status = stored.status();
    if (status.code() == StatusCode::kInvalidArgument) return status;
  }
  if (!waited) LogError("events.not_recorded", {{"reason", status.ToString()}});
  waiting_.push_back(event);
  if (waiting_.size() > kMaxWaitingEvents) {
    waiting_.pop_front();
    if (num_given_up_++ == 0) LogError("events.given_up", {{"reason", "too many wait for the store"}});
  }
  return status;
}

}  // namespace pawsight::gateway
