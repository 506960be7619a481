// events/writes.h: what can be written, as values: a caller puts what belongs together into one batch and gives it to
// Store::Submit. All of a batch is committed or none of it. Not here: how (events/apply.h). Thread-compatible.
//
// The change of an alert, for instance, with its state and what is to be delivered:
//
//   WriteBatch batch;
//   batch.push_back(Put<AlertState>{state});
//   batch.push_back(Put<Alert>{alert});
//   batch.push_back(AddEvent{event, rule.receivers});
//   store.Submit(std::move(batch), [](Result<Receipt> receipt) { ... });
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/status.h"
#include "events/rows.h"

namespace pawsight::events {

/// Makes or changes a row. `created` and `updated` are the store's and not read from it.
/// Number: the row's new version, for rows that have one; else 1.
/// Errors: kAlreadyExists `exists`, version 0 and the id (or a credential's hash) is taken. kNotFound `not_found`, no
/// such row, or the owner, device or camera it names is not there. kAborted `conflict`, its version is another.
template <typename Row>
struct Put {
  Row row;
};

/// Removes a row with what hangs on it: a device with its credentials (its cameras stay, without a device); a camera
/// with its alert states, snoozes and pictures; a rule with its alert states and snoozes; a receiver with its
/// deliveries. Pictures and deliveries leave the file in small steps afterwards, but the pictures are not shown and
/// the deliveries not due any more; so an id must not be used again. Alerts and events stay until retention removes
/// them; to resolve what is open, put that into the same batch. `version` 0: whatever it is. Number: 1.
/// Errors: kNotFound `not_found`; kAborted `conflict`.
template <typename Row>
struct Delete {
  std::string owner, id;
  int64_t version = 0;
};

/// Changes nothing: the batch is undone unless there is such a row when it is committed, so that what it says of that
/// row is true then. Number: 0. Errors: kNotFound `needed`.
template <typename Row>
struct Need {
  std::string owner, id;
};

/// A credential opens nothing from now on. Revoking again changes nothing. Errors: kNotFound `not_found`.
struct Revoke {
  std::string owner, id;  // owner empty: an admin's
};

struct DeleteSnooze {
  std::string owner, camera, rule;  // as put; errors: kNotFound `not_found`
};

/// Appends an event and a pending delivery to each receiver, due at once. Receivers that are not there or not active
/// are passed over: a rule may name one that was deleted meanwhile. Number: the event's sequence; id: the event's.
/// Errors: kNotFound `not_found`, no such owner. kInvalidArgument, no type or too large.
struct AddEvent {
  Event event;
  std::vector<std::string> receivers;  // at most kMaxReceivers
};

/// What became of an attempt to deliver. A delivery that is not pending any more, or gone, is left as it is (number 0):
/// whoever deleted the receiver wins.
struct Delivered {
  std::string owner;
  int64_t id = 0;
};
struct DeliveryFailed {
  std::string owner;
  int64_t id = 0;
  std::string error;  // cut at kMaxNameBytes
  Time next{};        // try again then
};
struct DeliveryDead {
  std::string owner;
  int64_t id = 0;
  std::string error;
};
/// A dead delivery is pending again, due at once, attempts 0. Errors: kNotFound `not_found`, none, or it is not dead.
struct RetryDelivery {
  std::string owner;
  int64_t id = 0;
};
/// Whether a receiver takes deliveries, whatever its version (it gets the next): the one who delivers decides. Pending
/// deliveries stay and wait while it is not active. Errors: kNotFound `not_found`.
struct SetReceiverActive {
  std::string owner, id;
  bool active = true;
  std::string reason;
};

/// The secret of a receiver sealed anew: another text for the same secret, so no new version and no change to anybody.
/// What lay there before is wiped from the file and its log with this commit. Errors: kNotFound `not_found`.
struct ReplaceSecret {
  std::string owner, id;
  std::string secret;
};

/// An audit entry of its own; a Put<Setting> makes one by itself. `id` and `time` are the store's.
struct Audit {
  AuditEntry entry;
};

/// Erases everything of an owner. With this batch its credentials, receivers, devices, cameras, rules and snoozes are
/// gone, GetOwner and every write for it answer not_found; the rest (events, alerts, deliveries, pictures, its audit
/// entries) follows in small steps and survives a restart of the program. What was deleted is overwritten in the file.
/// Store::IsErased says when nothing is left. Errors: kNotFound `not_found`; kInvalidArgument, kLocalOwner.
struct EraseOwner {
  std::string owner;
};

using Write = std::variant<Put<Owner>, Put<Credential>, Put<Device>, Put<Camera>, Put<Rule>, Put<Receiver>, Put<Snooze>,
                           Put<AlertState>, Put<Alert>, Put<Setting>, Put<Picture>, Delete<Device>, Delete<Camera>,
                           Delete<Rule>, Delete<Receiver>, Delete<Credential>, Delete<Picture>, Need<Receiver>,
                           DeleteSnooze, Revoke, AddEvent, Delivered, DeliveryFailed, DeliveryDead, RetryDelivery,
                           SetReceiverActive, ReplaceSecret, Audit, EraseOwner>;

/// In the order in which they are done. Limits: 1..kMaxBatchWrites writes, kMaxBatchBytes of text and pictures.
using WriteBatch = std::vector<Write>;
inline constexpr size_t kMaxBatchWrites = 1024;
inline constexpr size_t kMaxBatchBytes = 8U << 20U;

/// The bytes of texts and pictures in it. Errors: kInvalidArgument, what Store::Submit refuses at the door: an empty
/// batch or id; `too_large`, over a limit; a role that does not fit its owner or device.
Result<size_t> CheckBatch(const WriteBatch& batch);
/// Whose rows it writes; empty: the installation's.
std::string_view OwnerOf(const Write& write);

/// What one write gave; see there.
struct Written {
  int64_t number = 0;
  std::string id;
};
/// One for each write of the batch, in its order.
using Receipt = std::vector<Written>;

}  // namespace pawsight::events
