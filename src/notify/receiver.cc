#include "notify/receiver.h"

#include <type_traits>

#include "notify/mail.h"
#include "notify/mqtt_topics.h"
#include "notify/ntfy.h"
#include "notify/webhook.h"

namespace pawsight::notify {
namespace {

/// Webhook, ntfy and e-mail: one transfer a message.
template <typename Config>
class TransferReceiver : public Receiver {
 public:
  TransferReceiver(Config config, const Senders& senders) : config_(std::move(config)), senders_(senders) {}

  void Deliver(std::shared_ptr<const Message> message, Done done) override {
    constexpr bool kIsMail = std::is_same_v<Config, EmailConfig>;
    senders_.transfers.Start(Make(*message), [done = std::move(done)](const TransferResult& result) {
      done(OutcomeOfTransfer(result, kIsMail));
    });
  }

 private:
  Transfer Make(const Message& message) const {
    if constexpr (std::is_same_v<Config, WebhookConfig>) return WebhookTransfer(config_, message, senders_.clock.Now());
    if constexpr (std::is_same_v<Config, NtfyConfig>) return NtfyTransfer(config_, message);
    if constexpr (std::is_same_v<Config, EmailConfig>) return MailTransfer(config_, message, senders_.clock.Now());
  }

  const Config config_;
  const Senders senders_;
};

class MqttReceiver : public Receiver {
 public:
  MqttReceiver(const std::string& id, const std::string& owner, bool pictures, MqttConfig config,
               const Senders& senders)
      : pictures_(pictures), config_(std::move(config)), link_(senders.mqtt.Open(id, owner, config_)) {}

  void Deliver(std::shared_ptr<const Message> message, Done done) override {
    link_->Publish(MqttPublications(config_, *message), std::move(done));
  }
  void Announce(const std::vector<CameraInventory>& before, const std::vector<CameraInventory>& now) override {
    link_->SetBirth(MqttDiscovery(config_, pictures_, before, now));
  }

 private:
  const bool pictures_;
  const MqttConfig config_;
  const std::shared_ptr<MqttLink> link_;
};

}  // namespace

Outcome OutcomeOfTransfer(const TransferResult& result, bool is_mail) {
  if (result.status.ok()) return is_mail ? Delivered() : OutcomeOfHttp(result.code, result.retry_after);
  Outcome outcome = Failed(result.status.message());
  if (!is_mail || result.code < 400) return outcome;
  outcome.error = "SMTP status " + std::to_string(result.code) + ": " + outcome.error;
  const bool about_password = result.status.code() == StatusCode::kUnauthenticated;
  if (result.code >= 500 && !about_password) outcome.kind = Outcome::Kind::kRefused;
  return outcome;
}

std::unique_ptr<Receiver> MakeReceiver(const std::string& id, const std::string& owner, ReceiverConfig config,
                                       const Senders& senders) {
  return std::visit(
      [&](auto&& kind) -> std::unique_ptr<Receiver> {
        using Config = std::decay_t<decltype(kind)>;
        if constexpr (std::is_same_v<Config, MqttConfig>) {
          return std::make_unique<MqttReceiver>(id, owner, config.pictures, std::forward<decltype(kind)>(kind),
                                                senders);
        } else {
          return std::make_unique<TransferReceiver<Config>>(std::forward<decltype(kind)>(kind), senders);
        }
      },
      std::move(config.kind));
}

void CheckReceiver(const ReceiverConfig& config, const std::string& owner, const AddressPolicy& policy, Lookup& lookup,
                   std::function<void(Status)> done) {
  lookup.Find(
      PlaceOf(config).first, owner, [policy, done = std::move(done)](const Result<std::vector<IpAddress>>& addresses) {
        if (addresses.ok()) return done(CheckAddresses(*addresses, policy));
        const Status& why = addresses.status();
        done(why.code() == StatusCode::kUnavailable ? Unavailable(why.message(), std::string(kNameNotFound)) : why);
      });
}

}  // namespace pawsight::notify
