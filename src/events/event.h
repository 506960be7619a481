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
  /// Given by the store: "evt_" and 20 characters, in the order of `sequence`, stable for ever, different in every
  /// store and also after a store was put back from a copy: what a receiver knows a repeated delivery by.
  std::string id;
  std::string owner;   // whose; empty: this machine's (kLocalOwner in events/rows.h)
  Time time{};         // when it happened, camera time, kept to the millisecond
  std::string type;    // what happened: "alert.fired", "alert.updated", "alert.resolved"
  std::string camera;  // where
  std::string rule;    // the id of the rule it is about
  std::string alert;   // the id of the alert it is about, or empty
  Json detail;         // everything else; an object
};

}  // namespace pawsight::events
