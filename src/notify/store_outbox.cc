#include "notify/store_outbox.h"

#include "base/mutex.h"
#include "notify/receiver_config.h"

namespace pawsight::notify {
namespace {

/// All that are pending, whatever their time: what is waited for is the receiver, and clocks may be set back.
constexpr std::chrono::hours kFarAhead{24 * 365 * 50};

}  // namespace

struct StoreOutbox::Relay {
  Mutex mu;
  std::function<void(const ReceiverKey&)> waker GUARDED_BY(mu);
};

StoreOutbox::StoreOutbox(events::Store& store, SecretKeys keys)
    : store_(store), keys_(std::move(keys)), relay_(std::make_shared<Relay>()) {
  store_.SetPendingListener([relay = relay_](std::span<const events::PendingReceiver> pending) {
    std::function<void(const ReceiverKey&)> waker;
    {
      MutexLock lock(relay->mu);
      waker = relay->waker;
    }
    if (waker == nullptr) return;
    for (const events::PendingReceiver& each : pending) waker({each.owner, each.receiver});
  });
}

void StoreOutbox::Connect(std::function<void(const ReceiverKey&)> waker) {
  MutexLock lock(relay_->mu);
  relay_->waker = std::move(waker);
}

Result<std::vector<ReceiverKey>> StoreOutbox::Pending(const ReceiverKey& after, int limit) {
  PAWSIGHT_ASSIGN_OR_RETURN(const auto pending, store_.ListPendingReceivers(after.owner, after.receiver, limit));
  std::vector<ReceiverKey> keys;
  for (const events::PendingReceiver& each : pending) keys.push_back({each.owner, each.receiver});
  return keys;
}

Result<OutboxPage> StoreOutbox::Take(const ReceiverKey& key, int limit) {
  const Time far_ahead = SystemClock().Now() + kFarAhead;
  PAWSIGHT_ASSIGN_OR_RETURN(const auto deliveries, store_.DueDeliveries(key.owner, key.receiver, far_ahead, limit));
  OutboxPage page;
  page.more = deliveries.size() >= static_cast<size_t>(limit);
  for (const events::Delivery& delivery : deliveries) {
    const events::Event& event = delivery.event;
    Result<Message> message =
        event.sequence == 0 ? Result<Message>(InvalidArgument("what was to be told has been removed by retention"))
                            : MessageOf(event.id, event.type, delivery.owner, event.camera, event.rule, event.alert,
                                        event.time, event.detail);
    if (!message.ok()) {
      Dead(key, delivery.id, message.status().message(), [](const Status&) {});  // not done, the next Take does it
      continue;
    }
    OutboxRow row{delivery.id, *std::move(message), "", delivery.attempts, delivery.next};
    const Json* picture = event.detail.Find("picture");
    if (picture != nullptr && picture->is_string()) row.picture = picture->as_string();
    page.rows.push_back(std::move(row));
  }
  return page;
}

Result<Json> StoreOutbox::Document(const ReceiverKey& key) {
  PAWSIGHT_ASSIGN_OR_RETURN(const events::Receiver receiver, store_.Get<events::Receiver>(key.owner, key.receiver));
  if (!receiver.active) return Status(StatusCode::kFailedPrecondition, "the receiver is switched off");
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string sealed, store_.ReceiverSecret(key.owner, key.receiver));
  PAWSIGHT_ASSIGN_OR_RETURN(Json document, Json::Parse(receiver.document));
  document.Set("kind", receiver.kind);
  if (sealed.empty()) return document;
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string text, keys_.Open(key, sealed));
  PAWSIGHT_ASSIGN_OR_RETURN(const Json secret, Json::Parse(text));
  return JoinSecrets(document, secret);
}

Result<std::shared_ptr<const Picture>> StoreOutbox::LoadPicture(const ReceiverKey& key, const std::string& id) {
  PAWSIGHT_ASSIGN_OR_RETURN(events::Picture picture, store_.Get<events::Picture>(key.owner, id));
  return std::make_shared<const Picture>(Picture{std::move(picture.content_type), std::move(picture.bytes)});
}

void StoreOutbox::Submit(events::Write write, Done done) {
  events::WriteBatch batch;
  batch.push_back(std::move(write));
  store_.Submit(std::move(batch),
                [done = std::move(done)](const Result<events::Receipt>& receipt) { done(receipt.status()); });
}

void StoreOutbox::Delivered(const ReceiverKey& key, int64_t id, Done done) {
  Submit(events::Delivered{key.owner, id}, std::move(done));
}
void StoreOutbox::Failed(const ReceiverKey& key, int64_t id, Time due, const std::string& error, Done done) {
  Submit(events::DeliveryFailed{key.owner, id, error, due}, std::move(done));
}
void StoreOutbox::Dead(const ReceiverKey& key, int64_t id, const std::string& error, Done done) {
  Submit(events::DeliveryDead{key.owner, id, error}, std::move(done));
}
void StoreOutbox::SwitchOff(const ReceiverKey& key, const std::string& reason, Done done) {
  Submit(events::SetReceiverActive{key.owner, key.receiver, false, reason}, std::move(done));
}

}  // namespace pawsight::notify
