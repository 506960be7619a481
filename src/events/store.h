// events/store.h: all that the gateway keeps, in one SQLite file: owners and what is theirs, rules, alerts, events, the
// outbox. What a write acknowledged survives kill -9 and power loss (as far as the disk keeps its word). The layout is
// docs/event-store.md. Not here: what documents mean (rules, gateway), delivering (notify).
//
// Writes are batches (events/writes.h). One writer thread takes all batches that wait, each behind its own savepoint,
// and commits them together with one sync: so thousands of them a second are durable, and one that fails takes no other
// with it. Reads run on connections of their own and never wait for the writer; they see what was committed when they
// started. Thread-safe. Other processes may read the file, and write it in between.
//
// Errors of every read: kNotFound `not_found`, also for a row of another owner. kInvalidArgument, a limit below 1.
// kUnavailable, `locked`, `file_gone` and so on. kDataLoss, `corrupt`, `disk_error`.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "events/event.h"
#include "events/rows.h"
#include "events/writes.h"

namespace pawsight::events {

/// Most rows one read returns, whatever was asked for.
inline constexpr int kMaxListed = 1000;
inline constexpr size_t kMaxDetailBytes = kMaxDocumentBytes;

/// How long what is finished stays, by the store's clock; 0: for ever. Pictures have their own time. Keep events longer
/// than deliveries are tried: a delivery whose event is gone has nothing left to deliver.
struct Retention {
  std::chrono::hours events{0};
  std::chrono::hours alerts{0};      // resolved ones
  std::chrono::hours deliveries{0};  // delivered and dead ones
  std::chrono::hours audit{0};
};

struct StoreOptions {
  std::chrono::milliseconds lock_wait{5000};  // longest wait for another process that holds the file
  bool durable = true;  // false: nothing waits for the disk, and a power cut may lose it all: of a store that goes away
  int64_t max_bytes = 0;                   // the file grows no larger; 0: as large as the disk lets it
  size_t queue_limit = 8192;               // batches that wait for the writer
  size_t queue_bytes = size_t{64} << 20U;  // their texts and pictures
  int num_readers = 2;                     // connections for reading, 1..16
  Retention retention;
  const Clock* clock = nullptr;  // of `created`, `updated` and retention; null: the machine's. Outlives the store
};

/// Rows after a place in their order. Ids are in the order of making (events/ids.h).
struct Page {
  std::string after;  // the last id of the page before; empty: from the start
  int limit = 100;    // at least 1; capped at kMaxListed
  bool newest_first = false;

  /// What ids are compared with.
  std::string_view Bound() const;
};

/// All that are set must match; empty ones match everything.
struct AlertFilter {
  std::string camera, rule;
  bool open_only = false;
};
struct EventFilter {
  std::string camera;
};
struct DeliveryFilter {
  std::string receiver;  // may be empty with dead_only
  bool dead_only = false;
};

/// For metrics and readiness.
struct StoreStats {
  Status writable;  // why the last group could not be written; OK: it was
  size_t queue_length = 0;
  size_t queue_bytes = 0;
  std::chrono::nanoseconds queue_oldest{0};  // how long the first in the queue has waited
  uint64_t num_refused = 0;                  // batches that the queue did not take
  uint64_t num_batches = 0;                  // committed
  uint64_t num_failed = 0;                   // taken, but not committed
  uint64_t num_commits = 0;                  // num_batches / num_commits is the company a batch had
  std::chrono::nanoseconds commit_time{0};   // all commits together
  int64_t file_bytes = 0;
};

class Store {
 public:
  /// Opens the file, makes it when it is not there (its directory must be), brings an older schema up to date: one
  /// transaction a step, after a copy of the file is put beside it (`PATH.schema-N.bak`). Starts the writer.
  /// Errors: kFailedPrecondition, `schema_newer`: written by a newer program; use that one. kDataLoss, not SQLite or
  /// damaged; move it away to start a new one. kUnavailable, locked for longer than lock_wait, or not to be opened
  /// (missing directory, permission). kResourceExhausted, the disk is full.
  static Result<std::unique_ptr<Store>> Open(const std::string& path, const StoreOptions& options = {});
  /// Close.
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// Writes what was submitted and calls what waits for it; when it returns nothing is called any more, so what
  /// callbacks need may go. What is submitted from then on, also by such a callback, is told at once: kUnavailable
  /// `closing`, and is not there. Reads go on. More than once, and from several threads, does no harm: each returns
  /// when it is closed. Not on the writer thread.
  void Close();

  /// Commits the batch, all or nothing, and calls `done` exactly once, on the writer thread: with a receipt once it is
  /// synced to disk, else with why none of it is there. `done` must be quick and must not wait for the store (it may
  /// Submit). Batches are committed in the order submitted. Never blocks; `done` may be called before it returns, when
  /// the batch is refused.
  /// Errors: of the writes (events/writes.h); the first that fails ends the batch, and the message says which. Besides:
  /// kInvalidArgument, empty or over a limit (`too_large`). kResourceExhausted, `queue_full`: come back;
  /// `disk_full`: nothing can be written until there is space, and then it can again, by itself. kUnavailable,
  /// `locked`: held by another process for lock_wait; `file_gone`: the file was deleted or replaced while open;
  /// `closing`. kDataLoss, `disk_error`: the disk failed; whether the batch is there is not known, and nothing is
  /// written until the file has been opened again, which the writer tries by itself; `corrupt`: damaged, a person must
  /// look.
  using Done = std::function<void(Result<Receipt>)>;
  void Submit(WriteBatch batch, Done done);
  /// Submit and wait: one sync, 1-10 ms on a disk. Not on the writer thread.
  Result<Receipt> Write(WriteBatch batch);

  /// One event of kLocalOwner (or of the owner it names), for `watch` and `demo`. As stored, with its sequence and id.
  /// Errors as Submit's.
  Result<Event> Append(const Event& event);
  /// Events of kLocalOwner with sequence > after, oldest first.
  Result<std::vector<Event>> List(int64_t after, int limit) const;
  /// The newest of kLocalOwner, oldest first.
  Result<std::vector<Event>> ListNewest(int limit) const;

  // Rows by owner and id: Device, Camera, Rule, Receiver, Alert, Credential (owner empty: admins'), and Get
  // also of a Picture. List is in the order of ids.
  template <typename Row>
  Result<Row> Get(const std::string& owner, const std::string& id) const;
  template <typename Row>
  Result<std::vector<Row>> List(const std::string& owner, const Page& page = {}) const;

  /// Whose the row of this id is, whatever its kind: device, camera, rule, receiver, credential, alert, event. The
  /// other read that needs no owner: so that who asks for what is another's is noticed; an answer must not tell it.
  /// Cost: a look-up; of an alert, which is found by its owner, one an owner.
  Result<std::string> OwnerOf(const std::string& id) const;

  Result<Owner> GetOwner(const std::string& id) const;
  Result<std::vector<Owner>> ListOwners(const Page& page = {}) const;
  /// Nothing of this owner is in any table.
  Result<bool> IsErased(const std::string& owner) const;

  /// The credential with this hash, usable or not (IsUsable). The one read that needs no owner: it gives it.
  Result<Credential> FindCredential(const std::array<uint8_t, 32>& hash) const;

  /// The secret as put; empty when there is none.
  Result<std::string> ReceiverSecret(const std::string& owner, const std::string& id) const;

  /// Those that have not ended, at most kMaxListed.
  Result<std::vector<Snooze>> ListSnoozes(const std::string& owner) const;

  /// In the order (camera, rule), after that pair; empty: from the start.
  Result<std::vector<AlertState>> ListAlertStates(const std::string& owner, const std::string& after_camera = {},
                                                  const std::string& after_rule = {}, int limit = kMaxListed) const;

  Result<std::vector<Alert>> ListAlerts(const std::string& owner, const AlertFilter& filter,
                                        const Page& page = {}) const;

  Result<Event> GetEvent(const std::string& owner, const std::string& id) const;
  /// Events with sequence > after, oldest first.
  Result<std::vector<Event>> ListEvents(const std::string& owner, const EventFilter& filter, int64_t after,
                                        int limit) const;
  /// Events with sequence < before (0: from the newest), newest first.
  Result<std::vector<Event>> ListEventsBackwards(const std::string& owner, const EventFilter& filter, int64_t before,
                                                 int limit) const;

  /// Active receivers of all owners that have pending deliveries, in the order (owner, receiver), after that pair. For
  /// the one who delivers: at start, and now and then. Cost: two look-ups a receiver, however many rows wait.
  Result<std::vector<PendingReceiver>> ListPendingReceivers(const std::string& after_owner,
                                                            const std::string& after_receiver, int limit) const;
  /// Pending deliveries of one receiver that are due at `now`, the earliest due first, then in the order of events.
  Result<std::vector<Delivery>> DueDeliveries(const std::string& owner, const std::string& receiver, Time now,
                                              int limit) const;
  /// `done` is called on the writer thread after each commit that made deliveries pending, with their receivers (each
  /// once; `next` unset). As quick as Submit's. Set before the first Submit; one listener.
  using PendingListener = std::function<void(std::span<const PendingReceiver>)>;
  void SetPendingListener(PendingListener listener);
  Result<Delivery> GetDelivery(const std::string& owner, int64_t id) const;
  /// With id > after, in that order.
  Result<std::vector<Delivery>> ListDeliveries(const std::string& owner, const DeliveryFilter& filter, int64_t after,
                                               int limit) const;

  Result<Setting> GetSetting(const std::string& name) const;
  /// Newest first, id < before (0: from the newest). `owner` empty: the installation's.
  Result<std::vector<AuditEntry>> ListAudit(const std::string& owner, int64_t before, int limit) const;

  /// Does at once, in the steps of the sweeper, what retention and erasing would do in the next minutes; how many rows
  /// are gone. Waits for it. Not on the writer thread. Errors as Submit's.
  Result<int64_t> Sweep();
  /// One step of it; 0: nothing is left.
  Result<int64_t> SweepStep();

  StoreStats Stats() const;

 private:
  struct Parts;
  explicit Store(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

template <>
Result<Alert> Store::Get(const std::string& owner, const std::string& id) const;
template <>
Result<std::vector<Alert>> Store::List(const std::string& owner, const Page& page) const;
template <>
Result<Picture> Store::Get(const std::string& owner, const std::string& id) const;

}  // namespace pawsight::events
