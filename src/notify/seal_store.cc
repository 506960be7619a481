#include "notify/seal_store.h"

#include <string>
#include <utility>
#include <vector>

namespace pawsight::notify {
namespace {

constexpr size_t kBatch = 256;
constexpr std::string_view kReasonStart = "cannot be told: ";

class Sealing {
 public:
  Sealing(events::Store& store, const SecretKeys& keys) : store_(store), keys_(keys) {}

  Status OfOwner(const std::string& owner) {
    events::Page page;
    page.limit = events::kMaxListed;
    while (true) {
      PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<events::Receiver> receivers,
                                store_.List<events::Receiver>(owner, page));
      for (const events::Receiver& receiver : receivers) PAWSIGHT_RETURN_IF_ERROR(Of(receiver));
      if (receivers.size() < static_cast<size_t>(page.limit)) return Ok();
      page.after = receivers.back().id;
    }
  }
  Result<SealReport> End() {
    PAWSIGHT_RETURN_IF_ERROR(Write());
    return report_;
  }

 private:
  Status Of(const events::Receiver& receiver) {
    PAWSIGHT_ASSIGN_OR_RETURN(const std::string stored, store_.ReceiverSecret(receiver.owner, receiver.id));
    if (stored.empty()) return Ok();
    const ReceiverKey key{receiver.owner, receiver.id};
    const Result<std::string> secret = keys_.Open(key, stored);
    if (!secret.ok()) ++report_.num_broken;
    Mark(receiver, secret.status());
    if (secret.ok() && keys_.WantsSealing(stored)) {
      ++(*secret == stored ? report_.num_unsealed : report_.num_resealed);
      PAWSIGHT_ASSIGN_OR_RETURN(std::string sealed, keys_.Seal(key, *secret));
      batch_.emplace_back(events::ReplaceSecret{receiver.owner, receiver.id, std::move(sealed)});
    }
    return batch_.size() < kBatch ? Ok() : Write();
  }
  /// Says in the receiver's row why it cannot be told, or no longer; one that its owner switched off keeps its reason.
  void Mark(const events::Receiver& receiver, const Status& opened) {
    const bool marked = receiver.reason.starts_with(kReasonStart);
    if (!marked && (opened.ok() || !receiver.reason.empty())) return;
    const std::string reason = opened.ok() ? std::string() : std::string(kReasonStart) + opened.message();
    if (reason == receiver.reason) return;
    batch_.emplace_back(events::SetReceiverActive{receiver.owner, receiver.id, receiver.active, reason});
  }
  Status Write() {
    if (batch_.empty()) return Ok();
    return store_.Write(std::exchange(batch_, {})).status();
  }

  events::Store& store_;
  const SecretKeys& keys_;
  events::WriteBatch batch_;
  SealReport report_;
};

}  // namespace

Result<SealReport> SealReceivers(events::Store& store, const SecretKeys& keys) {
  Sealing sealing(store, keys);
  events::Page page;
  page.limit = events::kMaxListed;
  while (true) {
    PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<events::Owner> owners, store.ListOwners(page));
    for (const events::Owner& owner : owners) PAWSIGHT_RETURN_IF_ERROR(sealing.OfOwner(owner.id));
    if (owners.size() < static_cast<size_t>(page.limit)) return sealing.End();
    page.after = owners.back().id;
  }
}

}  // namespace pawsight::notify
