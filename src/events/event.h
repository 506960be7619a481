// events/event.h: one recorded fact. A value; thread-compatible.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/json.h"

namespace pawsight::events {

struct Event {
  /// Given by the store: 1, 2, 3..., the order in which events were committed. Wall clocks jump; this does not.
  int64_t sequence = 0;
  /// Given by the store: stable for ever, different in every store ("evt-8f3c01d2a94e77b0-000000000042").
  std::string id;
  Time time{};         // when it happened, camera time, kept to the millisecond
  std::string type;    // what happened: "alert.fired", "alert.resolved"
  std::string camera;  // where
  std::string rule;    // the id of the rule it is about
  Json detail;         // everything else; an object
};

}  // namespace pawsight::events
