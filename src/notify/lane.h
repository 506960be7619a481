// notify/lane.h: the books of one receiver's queue: what is taken, what is under way, how long to wait. No threads, no
// clock, no outbox: the notifier's thread asks it what to do next. For notifier.cc; thread-compatible.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "notify/outbox.h"
#include "notify/receiver.h"
#include "notify/retry.h"

namespace pawsight::notify {

class Lane {
 public:
  explicit Lane(int max_running) : max_running_(max_running) {}

  /// Set when the receiver has been made; what pictures it wants.
  std::unique_ptr<Receiver> receiver;
  bool pictures = false;
  bool keeps_connection = false;  // MQTT: stays when it has nothing to send
  std::vector<CameraInventory> inventory;
  bool has_more = true;                // the outbox may have messages that are not taken
  std::chrono::nanoseconds resume{0};  // monotonic; nothing is sent before

  /// Rows of the outbox, oldest first; those that are under way or not yet settled are passed over.
  void Fill(OutboxPage page);
  /// Whether a page is wanted: nothing is queued, and messages may be there.
  bool WantsPage() const { return queue_.empty() && has_more && !stalled_ && (failures_ == 0 || unsettled_.empty()); }
  /// How many rows to take so that a page of `page` is among them that is neither under way nor unsettled.
  int PageWanted(int page) const { return page + static_cast<int>(running_.size() + unsettled_.size()); }
  /// The next row to send: the oldest whose alert has none under way, within the window; it counts as running from now.
  std::optional<OutboxRow> Next();

  /// The end of an attempt. Rows that are queued are forgotten after a failure, for the outbox gives them again.
  void Succeeded(int64_t id);
  AttemptView FailedOnce(const OutboxRow& row, Outcome::Kind kind, Time now);
  /// The outbox has recorded what became of it.
  void Settled(int64_t id) {
    unsettled_.erase(id);
    stalled_ = false;
  }
  /// Of a page, the rows due before `before` that are neither under way nor unsettled; they count as unsettled from
  /// now.
  std::vector<OutboxRow> Expire(OutboxPage page, Time before);
  /// Set while messages that are too old are being given up.
  std::optional<Time> expire_before;
  bool has_unsettled() const { return !unsettled_.empty(); }
  /// Forgets what is queued: the receiver has changed or is in trouble.
  void Forget();

  int failures() const { return failures_; }
  void ClearFailures() { failures_ = missing_ = 0; }
  /// The receiver could not even be made.
  int FailedToLoad() { return ++failures_; }
  int num_running() const { return static_cast<int>(running_.size()); }
  bool is_idle() const { return queue_.empty() && running_.empty() && unsettled_.empty() && !has_more; }

 private:
  struct Running {
    int64_t id;
    std::string alert;
    friend auto operator<=>(const Running&, const Running&) = default;
  };
  void EndRunning(int64_t id);
  bool IsUnderWay(int64_t id) const;

  const int max_running_;
  int window_ = 1;
  int failures_ = 0;  // in a row
  int missing_ = 0;   // in a row
  std::deque<OutboxRow> queue_;
  std::set<Running> running_;
  std::set<int64_t> unsettled_;
  bool stalled_ = false;  // all that was given is not settled; wait for that
};

/// Most rows of a lane that wait for the outbox to record what became of them; nothing is sent above.
inline constexpr size_t kMaxUnsettled = 256;

}  // namespace pawsight::notify
