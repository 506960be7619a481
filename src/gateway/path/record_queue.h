// gateway/path/record_queue.h: station 12: alert changes and states go to the Record in order, and nobody is told of a
// change before it is durable. When the Record refuses (disk full, locked), the change is told all the same, as not
// recorded, and waits here, in order and bounded, until it can be written. Thread-safe; what is called back is called
// under no lock.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "gateway/path/record.h"

namespace pawsight::gateway {

class RecordQueue : public std::enable_shared_from_this<RecordQueue> {
 public:
  /// Writes that wait for a Record that refuses; the oldest is given up, counted and logged, when there is one more.
  static constexpr size_t kMaxWaiting = 1000;

  /// `record` null: nothing is written and all is told at once. It must outlive the queue and what it still calls back.
  explicit RecordQueue(Record* record) : record_(record) {}

  /// As Record::Write's: once, with the events' ids or why they are not on disk (then they wait, unless they are
  /// themselves at fault).
  using Told = Record::Done;
  void Write(std::vector<RecordEntry> entries, Told told) EXCLUDES(mu_);
  /// Tries again what waits. Call it now and then.
  void Retry() EXCLUDES(mu_);

  struct Counts {
    size_t waiting = 0, in_flight = 0;
    uint64_t written = 0, refused = 0, given_up = 0, unfit = 0;  // writes
  };
  Counts counts() const EXCLUDES(mu_);
  bool IsIdle() const EXCLUDES(mu_) { return counts().waiting + counts().in_flight == 0; }

 private:
  struct Waiting {
    uint64_t number = 0;  // in the order of Write
    std::vector<RecordEntry> entries;
  };
  using Outcome = Result<std::vector<std::string>>;
  void OnWritten(Waiting write, const Outcome& outcome) EXCLUDES(mu_);
  void OnRetried(const Outcome& outcome) EXCLUDES(mu_);
  void Keep(Waiting write) REQUIRES(mu_);
  /// What was written later stays: states of the same rule and camera that still wait are older.
  void DropOlderStates(const Waiting& written) REQUIRES(mu_);

  Record* const record_;
  mutable Mutex mu_;
  std::deque<Waiting> waiting_ GUARDED_BY(mu_);
  Status trouble_ GUARDED_BY(mu_);  // why they wait
  bool retrying_ GUARDED_BY(mu_) = false;
  uint64_t next_number_ GUARDED_BY(mu_) = 1;
  Counts counts_ GUARDED_BY(mu_);
};

}  // namespace pawsight::gateway
