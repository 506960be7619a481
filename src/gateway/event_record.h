// gateway/event_record.h: station 12 for one camera that is watched by whoever started the program: an alert's change
// is an event of this machine's owner (events::kLocalOwner) and nothing more. Nobody is told but those who watch, and
// no state outlives the process. For owners with rules, receivers and states: gateway/api/store_record.h. Thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "events/store.h"
#include "gateway/path/record.h"

namespace pawsight::gateway {

class EventRecord : public Record {
 public:
  /// `store` must outlive it, and is closed before it goes.
  explicit EventRecord(events::Store& store) : store_(store) {}

  void Write(std::vector<RecordEntry> entries, Done done) override EXCLUDES(mu_);

  /// The sequence that the store gave an event, of the newest kKept; 0: not known.
  int64_t SequenceOf(const std::string& event) const EXCLUDES(mu_);
  /// Events that are on disk.
  uint64_t num_written() const EXCLUDES(mu_);

 private:
  static constexpr size_t kKept = 256;  // more than one frame's rules

  events::Store& store_;
  mutable Mutex mu_;
  std::deque<std::pair<std::string, int64_t>> newest_ GUARDED_BY(mu_);
  uint64_t num_written_ GUARDED_BY(mu_) = 0;
};

}  // namespace pawsight::gateway
