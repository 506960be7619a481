// events/sweep.h: removes, in small steps, what time or a deletion has made superfluous: what retention has outlived,
// what hung on a deleted camera, receiver or owner, pages of the file that hold nothing. A step is short enough to ride
// in somebody else's commit. For the writer thread.
#pragma once

#include <string>
#include <utility>

#include "base/clock.h"
#include "base/status.h"
#include "events/connection.h"
#include "events/store.h"

namespace pawsight::events {

/// Rows (pictures: a tenth) and pages of one step. 100 rows take about 1 ms.
inline constexpr int kSweepRows = 100;

class Sweeper {
 public:
  Sweeper(Connection& connection, const Retention& retention) : connection_(connection), retention_(retention) {}

  /// One step, inside the transaction that is open. How many rows or pages are gone; 0: nothing is left to do.
  /// Errors as SqliteStatus; nothing is half done when the caller undoes it.
  Result<int64_t> Step(Time now);

  /// True once after the last of an owner was removed: then the log should be emptied too, which still has it.
  bool TakeErased() { return std::exchange(erased_, false); }

 private:
  /// The oldest row of `removals`.
  Result<int64_t> StepRemovals();
  Result<int64_t> StepOwner(const std::string& owner);
  Result<int64_t> StepExpired(Time now);
  Result<int64_t> StepPages();

  Connection& connection_;
  const Retention retention_;
  bool erased_ = false;
};

}  // namespace pawsight::events
