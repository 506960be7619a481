// gateway/event_record.h: station 12 for a home that lasts as long as the program (`watch`, `demo`): an alert's change
// is an event of this machine's owner (events::kLocalOwner) in a file that stays, with the names that people know it
// by; then it goes on to the home's own record, with its state. In that order, so that what is told was kept.
// Thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "events/store.h"
#include "gateway/names.h"
#include "gateway/path/record.h"

namespace pawsight::gateway {

class EventRecord : public Record {
 public:
  /// All must outlive it, but that `store` is closed before it goes.
  EventRecord(events::Store& store, Record& next, const Names& names) : store_(store), next_(next), names_(names) {}

  /// A change whose event is in the file already is not put there twice when it comes again.
  void Write(std::vector<RecordEntry> entries, Done done) override EXCLUDES(mu_);

  /// Where the event of a change is in the file, of the newest kKept. Sequence 0: it is not known.
  struct Place {
    std::string id;
    int64_t sequence = 0;
  };
  Place PlaceOf(const AlertNotice& notice) const EXCLUDES(mu_);
  /// Events that are on disk.
  uint64_t num_written() const EXCLUDES(mu_);

 private:
  static constexpr size_t kKept = 2048;  // more than wait for the disk (RecordQueue::kMaxWaiting)
  struct Kept {
    std::string alert;
    AlertChange change = AlertChange::kFired;
    Time time{};
    Place place;
  };
  void Keep(Kept kept) EXCLUDES(mu_);

  events::Store& store_;
  Record& next_;
  const Names& names_;
  mutable Mutex mu_;
  std::deque<Kept> newest_ GUARDED_BY(mu_);
  uint64_t num_written_ GUARDED_BY(mu_) = 0;
};

}  // namespace pawsight::gateway
