// gateway/api/violations.h: who asked for what is another owner's. The answer says that there is no such thing, and no
// more; whether an id that the request names is another's is looked up afterwards, on a thread of its own, so that no
// answer waits for it and any thread may give one, the store's writer too. What was found is counted, and leaves a line
// in the log and in the store's audit table, under the installation: an admin reads them with the others.
//
// Bounded, so that one who tries all day holds nothing up and hides nobody: few tries wait for a look, fewer of one
// owner, whatever tokens it makes itself, they are looked at in rounds a tenth of a second apart, a round's lines are
// one batch of the store, and no second batch is submitted before the first is written. Lines have a rate, of one owner
// and of all.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "events/store.h"
#include "gateway/path/device_rates.h"

namespace pawsight::gateway {

/// A request that may have named what is another owner's.
struct ForeignTry {
  std::string credential, owner, device;  // whose token it was
  std::vector<std::string> ids;           // that it named
  bool known = false;                     // that ids[0] is another's, or another device's: no look is needed
  std::string path;
};

/// Which tries get a line: the first of an owner at once, then one now and then. Thread-compatible.
class ViolationLines {
 public:
  static constexpr Rate kOfOne{.per_second = 0.1, .burst = 24};
  static constexpr Rate kOfAll{.per_second = 1, .burst = 240};

  /// How many tries, of anybody, have got none since the last line, when this one gets one. `now`: monotonic.
  std::optional<uint64_t> Admit(const std::string& owner, std::chrono::nanoseconds now);

 private:
  DeviceRates of_one_{kOfOne};
  DeviceRates of_all_{kOfAll};
  uint64_t left_out_ = 0;
};

/// Where tries wait for a look. Shared with answers that are still to come when the looking has ended. Thread-safe.
class ViolationDoor {
 public:
  static constexpr size_t kMaxWaiting = 256;
  static constexpr size_t kMaxWaitingOfOne = 32;

  /// False: too many wait, or nobody looks any more.
  bool Put(ForeignTry foreign) EXCLUDES(mu_);

 private:
  friend class Violations;
  Mutex mu_;
  CondVar changed_;
  std::deque<ForeignTry> waiting_ GUARDED_BY(mu_);
  std::map<std::string, size_t> of_owner_ GUARDED_BY(mu_);  // of those that wait
  bool writing_ GUARDED_BY(mu_) = false;                    // a batch of lines is at the store
  bool ending_ GUARDED_BY(mu_) = false;
};

class Violations {
 public:
  /// Called for every one that was found, on its thread.
  using Found = std::function<void(const ForeignTry& foreign)>;

  /// `store` and `clock` must outlive it. Starts its thread.
  Violations(events::Store& store, const Clock& clock, std::shared_ptr<ViolationDoor> door, Found found);
  /// Looks at what waits, submits its lines, ends the thread.
  ~Violations();
  Violations(const Violations&) = delete;
  Violations& operator=(const Violations&) = delete;

 private:
  static constexpr std::chrono::milliseconds kRoundEvery{100};

  void Run();
  /// What waits, once there is something and a round is due; nothing when it is to end.
  std::optional<std::deque<ForeignTry>> Await();
  void Look(const std::deque<ForeignTry>& tries);
  /// The first id that is another owner's; "" when none is.
  std::string ForeignIdOf(const ForeignTry& foreign) const;

  events::Store& store_;
  const Clock& clock_;
  const std::shared_ptr<ViolationDoor> door_;
  const Found found_;
  ViolationLines lines_;              // the thread's
  std::chrono::nanoseconds next_{0};  // round; the thread's
  std::thread thread_;
};

}  // namespace pawsight::gateway
