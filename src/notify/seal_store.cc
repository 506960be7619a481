#include "notify/seal_store.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace pawsight::notify {
namespace {

constexpr size_t kBatch = 256;
constexpr std::string_view kReasonStart = "cannot be told: ";

/// Calls `visit` with each receiver that has a secret, and with what lies in the store of it, until it says no.
Status EachSecret(const events::Store& store,
                  const std::function<Result<bool>(const events::Receiver&, const std::string& stored)>& visit) {
  events::Page owners;
  owners.limit = events::kMaxListed;
  while (true) {
    PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<events::Owner> listed, store.ListOwners(owners));
    for (const events::Owner& owner : listed) {
      events::Page page;
      page.limit = events::kMaxListed;
      while (true) {
        PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<events::Receiver> receivers,
                                  store.List<events::Receiver>(owner.id, page));
        for (const events::Receiver& receiver : receivers) {
          PAWSIGHT_ASSIGN_OR_RETURN(const std::string stored, store.ReceiverSecret(receiver.owner, receiver.id));
          if (stored.empty()) continue;
          PAWSIGHT_ASSIGN_OR_RETURN(const bool further, visit(receiver, stored));
          if (!further) return Ok();
        }
        if (receivers.size() < static_cast<size_t>(page.limit)) break;
        page.after = receivers.back().id;
      }
    }
    if (listed.size() < static_cast<size_t>(owners.limit)) return Ok();
    owners.after = listed.back().id;
  }
}

class Sealing {
 public:
  Sealing(events::Store& store, const SecretKeys& keys) : store_(store), keys_(keys) {}

  Status Of(const events::Receiver& receiver, const std::string& stored) {
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
  Result<SealReport> End() {
    PAWSIGHT_RETURN_IF_ERROR(Write());
    return report_;
  }

 private:
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
  const auto seal = [&](const events::Receiver& receiver, const std::string& stored) -> Result<bool> {
    PAWSIGHT_RETURN_IF_ERROR(sealing.Of(receiver, stored));
    return true;
  };
  PAWSIGHT_RETURN_IF_ERROR(EachSecret(store, seal));
  return sealing.End();
}

Result<bool> HasSealedSecrets(const events::Store& store) {
  bool found = false;
  PAWSIGHT_RETURN_IF_ERROR(EachSecret(store, [&](const events::Receiver&, const std::string& stored) -> Result<bool> {
    found = SecretKeys::IsSealed(stored);
    return !found;
  }));
  return found;
}

}  // namespace pawsight::notify
