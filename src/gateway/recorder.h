// gateway/recorder.h: station 12 of a frame's life: alert changes go into the event store before anyone is told. When
// the store refuses (disk full, locked) the alert is told all the same, marked as not recorded, and its event waits in
// memory, in order, to be stored with the next one. Used by the path's thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <utility>

#include "base/status.h"
#include "events/event.h"

namespace pawsight::gateway {

/// Most events that wait; the oldest is given up, counted and logged, when there is one more.
inline constexpr size_t kMaxWaitingEvents = 1000;

class Recorder {
 public:
  /// Stores one event: Store::Append. Empty: nothing is recorded.
  using Append = std::function<Result<events::Event>(const events::Event&)>;
  explicit Recorder(Append append) : append_(std::move(append)) {}

  /// The stored event with its id, after those that waited. Without a store, the event as it was.
  /// Errors: Store::Append's; the event waits, unless it is itself at fault (kInvalidArgument): that is told once.
  Result<events::Event> Record(const events::Event& event);
  /// Tries those that wait again; OK when none is left.
  Status Flush();

  size_t num_waiting() const { return waiting_.size(); }
  uint64_t num_given_up() const { return num_given_up_; }

 private:
  const Append append_;
  std::deque<events::Event> waiting_;
  uint64_t num_given_up_ = 0;
};

}  // namespace pawsight::gateway
