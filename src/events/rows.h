// events/rows.h: what the store keeps, as plain values. Texts called documents are opaque here: JSON that their reader
// checks. Every row but a setting has an owner; its key is (owner, id), and a row may only refer to rows of its own
// owner. Thread-compatible.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "events/event.h"

namespace pawsight::events {

/// Whose rows are when a program has no owners: `watch` and `demo`. Always there.
inline constexpr std::string_view kLocalOwner = "own_00000000000000000000";

/// Limits of one row; above them a write is kInvalidArgument `too_large`.
inline constexpr size_t kMaxIdBytes = 64;                // an id, a name of a setting, a type
inline constexpr size_t kMaxNameBytes = 512;             // a name, a URL, a reason, an error
inline constexpr size_t kMaxDocumentBytes = 64U << 10U;  // a document, a secret, an event's detail
inline constexpr size_t kMaxPictureBytes = 2U << 20U;
inline constexpr size_t kMaxLabels = 64;     // of a camera
inline constexpr size_t kMaxReceivers = 64;  // of an event

/// Rows that people change have a version: 1, 2, 3... A Put with 0 makes the row, a Put with the version that was read
/// changes it, unless another was quicker (kAborted `conflict`). Times are the store's, to the millisecond.
struct Owner {
  std::string id;  // "own_..."
  std::string name;
  std::string document;  // what the API keeps of an owner: quota, contact; opaque
  int64_t version = 0;
  Time created{};
};

enum class Role { kAdmin, kOperator, kViewer, kDevice };
/// "admin", "operator", "viewer", "device".
std::string_view RoleName(Role role);

/// What a token opens. The token itself is kept nowhere.
struct Credential {
  std::string id;     // "crd_..."
  std::string owner;  // empty exactly for admins
  Role role = Role::kViewer;
  std::string device;              // whose token it is; exactly for devices
  std::string name;                // for people: "the kitchen tablet"
  std::array<uint8_t, 32> hash{};  // SHA-256 of the token; no two are equal
  Time created{};
  std::optional<Time> expires;  // from then on it opens nothing
  std::optional<Time> revoked;  // set: it opens nothing
};
/// Whether it opens anything at `now`.
bool IsUsable(const Credential& credential, Time now);

struct Device {
  std::string owner, id;  // "dev_..."
  std::string name;
  int64_t version = 0;
  Time created{};
};

struct Camera {
  std::string owner, id;  // "cam_..."
  std::string device;     // that sends its frames; empty: none (pulled, or posted by an operator)
  std::string name;
  std::vector<std::string> labels;  // at most kMaxLabels
  std::string source;               // where frames are pulled from, may hold a password; empty: they are pushed
  std::string zone;                 // "Europe/Berlin"; empty: UTC
  bool enabled = true;
  bool keep_pictures = false;  // pictures of its alerts may be kept: the owner opted in
  std::string document;        // whatever else the gateway keeps of a camera; opaque
  int64_t version = 0;
  Time created{};
};

struct Rule {
  std::string owner, id;  // "rul_..."
  std::string document;   // the rule as its reader understands it; opaque
  bool enabled = true;
  int64_t version = 0;
  Time created{}, updated{};
};

struct Receiver {
  std::string owner, id;  // "rcv_..."
  std::string kind;       // "webhook", "mqtt", "ntfy", "email"; opaque
  std::string name;
  std::string document;  // address and options; nothing secret
  /// Sealed by its reader. Reading a receiver leaves it unset (see Store::ReceiverSecret); a Put without it keeps the
  /// secret that is there. Overwritten and deleted secrets are wiped from the file.
  std::optional<std::string> secret;
  bool active = true;
  std::string reason;  // why it is not active
  int64_t version = 0;
  Time created{}, updated{};
};

/// No alert of this camera and rule until then. One row a (camera, rule); a Put replaces it.
struct Snooze {
  std::string owner;
  std::string camera;  // empty: any
  std::string rule;    // empty: any
  Time until{};
  std::string who;  // the credential that asked for it
  Time created{};
};

/// What rules/alert.h knows of one rule on one camera, so that a restart goes on where it stopped. A Put replaces it.
/// A state of a rule or camera that has been deleted meanwhile is dropped without an error.
struct AlertState {
  std::string owner, camera, rule;
  std::string document;  // opaque
  Time updated{};
};

/// One episode: fired once, updated, resolved once. A Put makes it or changes what may change: severity, document,
/// resolved. It outlives its camera and rule.
struct Alert {
  std::string owner, id;  // "alr_..."
  std::string camera, rule;
  std::string severity;
  Time fired{};                  // camera time
  std::optional<Time> resolved;  // camera time; unset: it is open
  std::string document;          // question, p_yes, frame and so on; opaque
  Time updated{};                // the store's
};

enum class DeliveryState { kPending, kDelivered, kDead };
/// "pending", "delivered", "dead".
std::string_view DeliveryStateName(DeliveryState state);

/// One event on its way to one receiver: a row of the outbox.
struct Delivery {
  int64_t id = 0;  // 1, 2, 3... over all owners; given by the store
  std::string owner, receiver;
  /// As recorded. Its sequence is 0 when retention has removed it: nothing is left to deliver.
  Event event;
  DeliveryState state = DeliveryState::kPending;
  int attempts = 0;   // that failed
  Time next{};        // pending: not to be tried before
  std::string error;  // of the last attempt that failed
  Time created{};
  std::optional<Time> finished;  // delivered or dead since then
};

/// A receiver that has pending deliveries.
struct PendingReceiver {
  std::string owner, receiver;
  Time next{};  // the earliest of them is due then
};

/// A document of the whole installation: "backends", "routing". A change leaves an audit entry with what was before.
struct Setting {
  std::string name;
  std::string document;
  int64_t version = 0;
  std::string who;  // the credential that changed it last
  Time updated{};
};

/// Who changed what. Written in the same transaction as the change.
struct AuditEntry {
  int64_t id = 0;      // 1, 2, 3...; given by the store
  Time time{};         // the store's
  std::string owner;   // whose object; empty: the installation's
  std::string who;     // a credential's id, or "config"
  std::string action;  // "settings.put", "owner.erase", "camera.delete"
  std::string object;  // its id or name
  std::string before;  // documents; empty: there was none, or it is not kept
  std::string after;
};

/// A picture of an alert, kept because the owner opted in, until it expires.
struct Picture {
  std::string owner, id;  // "pic_..."
  std::string camera;
  std::string content_type;    // "image/jpeg"
  std::vector<uint8_t> bytes;  // 1..kMaxPictureBytes
  Time created{};
  Time expires{};
};

}  // namespace pawsight::events
