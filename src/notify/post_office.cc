#include "notify/post_office.h"

namespace pawsight::notify {
namespace {

TransfersOptions ForTransfers(const ReceiverPolicy& policy, const PostOfficeOptions& options) {
  TransfersOptions transfers;
  transfers.addresses = policy.addresses;
  transfers.ca_file = options.ca_file;
  return transfers;
}

MqttOptions ForMqtt(const ReceiverPolicy& policy, const PostOfficeOptions& options) {
  MqttOptions mqtt;
  mqtt.addresses = policy.addresses;
  mqtt.ca_file = options.ca_file;
  return mqtt;
}

NotifierOptions ForNotifier(const ReceiverPolicy& policy, const PostOfficeOptions& options, const Clock& clock) {
  NotifierOptions notifier;
  notifier.policy = policy;
  notifier.retry.first = options.retry_first;
  notifier.retry.give_up = options.give_up;
  notifier.seed = static_cast<uint64_t>(clock.Now().time_since_epoch().count());  // gateways that start together differ
  return notifier;
}

}  // namespace

/// Bottom up; taken down in reverse.
struct PostOffice::Parts {
  Parts(events::Store& store, const Clock& its_clock, ReceiverPolicy its_policy, const PostOfficeOptions& options,
        SecretKeys its_keys, std::shared_ptr<Resolver> resolver)
      : policy(std::move(its_policy)),
        clock(its_clock),
        keys(std::move(its_keys)),
        outbox(store, keys),
        lookup(std::move(resolver), LookupOptions{}),
        transfers(lookup, ForTransfers(policy, options)),
        mqtt(lookup, ForMqtt(policy, options)),
        notifier(
            outbox,
            [this](const ReceiverKey& key, ReceiverConfig config) {
              return MakeReceiver(key.receiver, key.owner, std::move(config), {transfers, mqtt, clock});
            },
            clock, ForNotifier(policy, options, clock)) {
    outbox.Connect(notifier.Waker());
  }

  const ReceiverPolicy policy;
  const Clock& clock;
  const SecretKeys keys;
  StoreOutbox outbox;
  Lookup lookup;
  Transfers transfers;
  MqttLinks mqtt;
  Notifier notifier;
};

PostOffice::PostOffice(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
PostOffice::~PostOffice() = default;

Result<std::unique_ptr<PostOffice>> PostOffice::Open(events::Store& store, const Clock& clock,
                                                     const PostOfficeOptions& options, SecretKeys keys,
                                                     std::shared_ptr<Resolver> resolver) {
  ReceiverPolicy policy;
  policy.allow_plain = options.allow_plain;
  PAWSIGHT_ASSIGN_OR_RETURN(policy.addresses, ParseAddressPolicy(options.allowed_networks));
  if (resolver == nullptr) resolver = std::make_shared<SystemResolver>();
  return std::unique_ptr<PostOffice>(new PostOffice(
      std::make_unique<Parts>(store, clock, std::move(policy), options, std::move(keys), std::move(resolver))));
}

Notifier& PostOffice::notifier() { return parts_->notifier; }
Lookup& PostOffice::lookup() { return parts_->lookup; }
const ReceiverPolicy& PostOffice::policy() const { return parts_->policy; }
const SecretKeys& PostOffice::keys() const { return parts_->keys; }

void PostOffice::Check(const Json& document, const std::string& owner, std::function<void(Status)> done) {
  const Result<ReceiverConfig> config = ParseReceiver(document, parts_->policy);
  if (!config.ok()) return done(config.status());
  CheckReceiver(*config, owner, parts_->policy.addresses, parts_->lookup, std::move(done));
}

}  // namespace pawsight::notify
