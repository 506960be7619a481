// events/apply.h: writes turned into SQL: the only place that inserts, updates and deletes on behalf of a caller. Not
// here: transactions (events/writer.h), what time removes (events/sweep.h). For this folder's .cc files.
// Thread-compatible.
#pragma once

#include <initializer_list>
#include <set>
#include <string>
#include <utility>

#include "events/connection.h"
#include "events/writes.h"

namespace pawsight::events {

/// What whoever waits for a commit is to be told besides the receipt.
struct Consequences {
  std::set<std::pair<std::string, std::string>> pending;  // (owner, receiver) with new deliveries
  bool removals = false;                                  // rows that the sweeper has to remove
  bool fold_log = false;                                  // the log has what was to be wiped
};

class Applier {
 public:
  /// `store_name` makes this store's event ids its own.
  Applier(Connection& connection, std::string store_name)
      : connection_(connection), store_name_(std::move(store_name)) {}

  /// Does the writes in order; stops at the first that fails, whose place and name the message then has. The caller
  /// undoes what was done (a savepoint). Errors as events/writes.h says, and as SqliteStatus.
  Result<Receipt> Apply(const WriteBatch& batch, Time now, Consequences& consequences);

 private:
  Result<Written> Do(const Put<Owner>& put);
  Result<Written> Do(const Put<Credential>& put);
  Result<Written> Do(const Put<Device>& put);
  Result<Written> Do(const Put<Camera>& put);
  Result<Written> Do(const Put<Rule>& put);
  Result<Written> Do(const Put<Receiver>& put);
  Result<Written> Do(const Put<Snooze>& put);
  Result<Written> Do(const Put<AlertState>& put);
  Result<Written> Do(const Put<Alert>& put);
  Result<Written> Do(const Put<Setting>& put);
  Result<Written> Do(const Put<Picture>& put);
  Result<Written> Do(const Delete<Device>& remove);
  Result<Written> Do(const Delete<Camera>& remove);
  Result<Written> Do(const Delete<Rule>& remove);
  Result<Written> Do(const Delete<Receiver>& remove);
  Result<Written> Do(const Delete<Credential>& remove);
  Result<Written> Do(const Delete<Picture>& remove);
  Result<Written> Do(const Need<Receiver>& need);
  Result<Written> Do(const DeleteSnooze& remove);
  Result<Written> Do(const Revoke& revoke);
  Result<Written> Do(const AddEvent& add);
  Result<Written> Do(const Delivered& delivered);
  Result<Written> Do(const DeliveryFailed& failed);
  Result<Written> Do(const DeliveryDead& dead);
  Result<Written> Do(const RetryDelivery& retry);
  Result<Written> Do(const SetReceiverActive& set);
  Result<Written> Do(const ReplaceSecret& replace);
  Result<Written> Do(const Audit& audit);
  Result<Written> Do(const EraseOwner& erase);

  /// kNotFound for an owner who is being erased: nothing new is made of theirs.
  Status CheckNotErasing(std::string_view owner);
  /// kNotFound or kAborted for a row that a statement with "AND version = ?" did not touch. `version_sql` has ?1 owner
  /// and ?2 id; `version` 0: whatever it is, so it is not there.
  Status WhyUntouched(const char* version_sql, const std::string& owner, const std::string& id, int64_t version);
  /// `touched` rows of a Put that changes: 1, or the error.
  Result<Written> Changed(const Result<int64_t>& touched, const char* version_sql, const std::string& owner,
                          const std::string& id, int64_t version);
  /// Runs statements with ?1 owner and ?2 id: what hangs on a row that is deleted.
  Status ForEach(std::initializer_list<const char*> statements, const std::string& owner, const std::string& id);
  Status AddAudit(const AuditEntry& entry);

  Connection& connection_;
  const std::string store_name_;
  Time now_{};                            // of this Apply
  Consequences* consequences_ = nullptr;  // of this Apply
};

/// The id of an event, from what its row says.
std::string EventId(const std::string& store_name, int64_t sequence, int64_t recorded_ms);

}  // namespace pawsight::events
