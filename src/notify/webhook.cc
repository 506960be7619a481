#include "notify/webhook.h"

namespace pawsight::notify {

Transfer WebhookTransfer(const WebhookConfig& config, const Message& message, Time now) {
  Transfer transfer;
  transfer.protocol = config.url.secure ? Transfer::Protocol::kHttps : Transfer::Protocol::kHttp;
  transfer.owner = message.owner;
  transfer.host = config.url.host;
  transfer.port = config.url.port;
  transfer.target = config.url.target;
  transfer.pins = config.pins;
  transfer.body = MessageJson(message).Dump();
  const int64_t timestamp = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  transfer.headers = config.headers;
  transfer.headers.emplace_back("Content-Type", "application/json");
  transfer.headers.emplace_back("webhook-id", message.id);
  transfer.headers.emplace_back("webhook-timestamp", std::to_string(timestamp));
  transfer.headers.emplace_back("webhook-signature",
                                SignatureHeader(config.secrets, message.id, timestamp, transfer.body));
  return transfer;
}

}  // namespace pawsight::notify
