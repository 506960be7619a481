// notify/store_outbox.h: the outbox in the store (events/store.h). A receiver's document and its secret are kept apart
// there and joined here. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "events/store.h"
#include "notify/outbox.h"
#include "notify/seal.h"

namespace pawsight::notify {

class StoreOutbox : public Outbox {
 public:
  /// Takes the store's one PendingListener, so make it before anything is submitted. `store` outlives it. A
  /// secret that `keys` do not open is its receiver's trouble.
  explicit StoreOutbox(events::Store& store, SecretKeys keys = {});

  /// From now on new messages are told to it: Notifier::Waker. Those from before are found by the notifier's sweep.
  void Connect(std::function<void(const ReceiverKey&)> waker);

  Result<std::vector<ReceiverKey>> Pending(const ReceiverKey& after, int limit) override;
  Result<OutboxPage> Take(const ReceiverKey& key, int limit) override;
  Result<Json> Document(const ReceiverKey& key) override;
  Result<std::shared_ptr<const Picture>> LoadPicture(const ReceiverKey& key, const std::string& id) override;
  void Delivered(const ReceiverKey& key, int64_t id, Done done) override;
  void Failed(const ReceiverKey& key, int64_t id, Time due, const std::string& error, Done done) override;
  void Dead(const ReceiverKey& key, int64_t id, const std::string& error, Done done) override;
  void SwitchOff(const ReceiverKey& key, const std::string& reason, Done done) override;

 private:
  struct Relay;
  void Submit(events::Write write, Done done);

  events::Store& store_;
  const SecretKeys keys_;
  const std::shared_ptr<Relay> relay_;  // shared with the store's listener
};

}  // namespace pawsight::notify
