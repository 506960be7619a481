#include "events/writes.h"

namespace pawsight::events {
namespace {

/// Adds up the bytes of a batch and keeps the first fault.
class Checker {
 public:
  const Status& status() const { return status_; }
  size_t bytes() const { return bytes_; }

  void Check(const Put<Owner>& put) {
    Id("owner.id", put.row.id);
    Name("owner.name", put.row.name);
    Document("owner.document", put.row.document);
  }
  void Check(const Put<Credential>& put) {
    const Credential& row = put.row;
    Id("credential.id", row.id);
    MayBeEmpty("credential.owner", row.owner);
    MayBeEmpty("credential.device", row.device);
    Name("credential.name", row.name);
    if (row.owner.empty() != (row.role == Role::kAdmin)) Fault("credential.owner: empty exactly for an admin");
    if (row.device.empty() == (row.role == Role::kDevice)) Fault("credential.device: named exactly for a device");
  }
  void Check(const Put<Device>& put) {
    Key("device", put.row.owner, put.row.id);
    Name("device.name", put.row.name);
  }
  void Check(const Put<Camera>& put) {
    const Camera& row = put.row;
    Key("camera", row.owner, row.id);
    MayBeEmpty("camera.device", row.device);
    Name("camera.name", row.name);
    if (row.labels.size() > kMaxLabels) TooLarge("camera.labels");
    for (const std::string& label : row.labels) Name("camera.labels", label);
    Document("camera.source", row.source);
    Name("camera.zone", row.zone);
    Document("camera.document", row.document);
  }
  void Check(const Put<Rule>& put) {
    Key("rule", put.row.owner, put.row.id);
    Document("rule.document", put.row.document);
  }
  void Check(const Put<Receiver>& put) {
    const Receiver& row = put.row;
    Key("receiver", row.owner, row.id);
    Name("receiver.kind", row.kind);
    Name("receiver.name", row.name);
    Name("receiver.reason", row.reason);
    Document("receiver.document", row.document);
    Document("receiver.secret", row.secret.value_or(""));
  }
  void Check(const Put<Snooze>& put) {
    Id("snooze.owner", put.row.owner);
    MayBeEmpty("snooze.camera", put.row.camera);
    MayBeEmpty("snooze.rule", put.row.rule);
    MayBeEmpty("snooze.who", put.row.who);
  }
  void Check(const Put<AlertState>& put) {
    Id("alert_state.owner", put.row.owner);
    Id("alert_state.camera", put.row.camera);
    Id("alert_state.rule", put.row.rule);
    Document("alert_state.document", put.row.document);
  }
  void Check(const Put<Alert>& put) {
    const Alert& row = put.row;
    Key("alert", row.owner, row.id);
    Id("alert.camera", row.camera);
    Id("alert.rule", row.rule);
    MayBeEmpty("alert.severity", row.severity);
    Document("alert.document", row.document);
  }
  void Check(const Put<Setting>& put) {
    Id("setting.name", put.row.name);
    MayBeEmpty("setting.who", put.row.who);
    Document("setting.document", put.row.document);
  }
  void Check(const Put<Picture>& put) {
    const Picture& row = put.row;
    Key("picture", row.owner, row.id);
    Id("picture.camera", row.camera);
    Id("picture.content_type", row.content_type);
    if (row.bytes.empty()) Fault("picture.bytes: empty");
    if (row.bytes.size() > kMaxPictureBytes) TooLarge("picture.bytes");
    bytes_ += row.bytes.size();
  }
  template <typename Row>
  void Check(const Delete<Row>& remove) {
    if constexpr (std::is_same_v<Row, Credential>) {
      MayBeEmpty("delete.owner", remove.owner);
    } else {
      Id("delete.owner", remove.owner);
    }
    Id("delete.id", remove.id);
  }
  void Check(const Need<Receiver>& need) { Key("receiver", need.owner, need.id); }
  void Check(const DeleteSnooze& remove) {
    Id("snooze.owner", remove.owner);
    MayBeEmpty("snooze.camera", remove.camera);
    MayBeEmpty("snooze.rule", remove.rule);
  }
  void Check(const Revoke& revoke) {
    MayBeEmpty("credential.owner", revoke.owner);
    Id("credential.id", revoke.id);
  }
  void Check(const AddEvent& add) {
    const Event& event = add.event;
    MayBeEmpty("event.owner", event.owner);
    Id("event.type", event.type);
    Name("event.camera", event.camera);  // names, before cameras and rules had ids
    Name("event.rule", event.rule);
    MayBeEmpty("event.alert", event.alert);
    if (!event.detail.is_null()) Document("event.detail", event.detail.Dump());
    if (add.receivers.size() > kMaxReceivers) TooLarge("event.receivers");
    for (const std::string& receiver : add.receivers) Id("event.receivers", receiver);
  }
  void Check(const Delivered& delivered) { Id("delivery.owner", delivered.owner); }
  void Check(const DeliveryFailed& failed) { Id("delivery.owner", failed.owner); }
  void Check(const DeliveryDead& dead) { Id("delivery.owner", dead.owner); }
  void Check(const RetryDelivery& retry) { Id("delivery.owner", retry.owner); }
  void Check(const SetReceiverActive& set) {
    Key("receiver", set.owner, set.id);
    Name("receiver.reason", set.reason);
  }
  void Check(const ReplaceSecret& replace) {
    Key("receiver", replace.owner, replace.id);
    Document("receiver.secret", replace.secret);
  }
  void Check(const Audit& audit) {
    const AuditEntry& entry = audit.entry;
    MayBeEmpty("audit.owner", entry.owner);
    MayBeEmpty("audit.who", entry.who);
    Id("audit.action", entry.action);
    Name("audit.object", entry.object);
    Document("audit.before", entry.before);
    Document("audit.after", entry.after);
  }
  void Check(const EraseOwner& erase) {
    Id("owner.id", erase.owner);
    if (erase.owner == kLocalOwner) Fault("owner.id: this machine's cannot be erased");
  }

 private:
  void Fault(std::string message, std::string reason = {}) {
    if (status_.ok()) status_ = InvalidArgument(std::move(message), std::move(reason));
  }
  void TooLarge(std::string_view what) { Fault(std::string(what) + ": over its limit", "too_large"); }
  void Size(std::string_view what, std::string_view text, size_t most) {
    bytes_ += text.size();
    if (text.size() > most) Fault(std::string(what) + ": more than " + std::to_string(most) + " bytes", "too_large");
  }
  void MayBeEmpty(std::string_view what, std::string_view id) { Size(what, id, kMaxIdBytes); }
  void Id(std::string_view what, std::string_view id) {
    MayBeEmpty(what, id);
    if (id.empty()) Fault(std::string(what) + ": empty");
  }
  void Key(const std::string& what, std::string_view owner, std::string_view id) {
    Id(what + ".owner", owner);
    Id(what + ".id", id);
  }
  void Name(std::string_view what, std::string_view name) { Size(what, name, kMaxNameBytes); }
  void Document(std::string_view what, std::string_view document) { Size(what, document, kMaxDocumentBytes); }

  Status status_;
  size_t bytes_ = 0;
};

}  // namespace

Result<size_t> CheckBatch(const WriteBatch& batch) {
  if (batch.empty()) return InvalidArgument("batch: empty");
  if (batch.size() > kMaxBatchWrites) return InvalidArgument("batch: too many writes", "too_large");
  Checker checker;
  for (const Write& write : batch) {
    std::visit([&checker](const auto& one) { checker.Check(one); }, write);
    if (!checker.status().ok()) return checker.status();
  }
  if (checker.bytes() > kMaxBatchBytes) return InvalidArgument("batch: too many bytes", "too_large");
  return checker.bytes();
}

std::string_view OwnerOf(const Write& write) {
  return std::visit(
      [](const auto& one) -> std::string_view {
        if constexpr (requires { one.row.owner; }) {
          return one.row.owner;
        } else if constexpr (requires { one.owner; }) {
          return one.owner;
        } else if constexpr (requires { one.event.owner; }) {
          return one.event.owner;
        } else if constexpr (requires { one.entry.owner; }) {
          return one.entry.owner;
        } else if constexpr (requires { one.row.created; }) {
          return one.row.id;  // an owner
        } else {
          return {};  // a setting
        }
      },
      write);
}

}  // namespace pawsight::events
