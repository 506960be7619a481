// notify/webhook.h: a message as a signed webhook (Standard Webhooks, notify/sign.h). Pure. Thread-safe.
#pragma once

#include "base/clock.h"
#include "notify/message.h"
#include "notify/receiver_config.h"
#include "notify/transfers.h"

namespace pawsight::notify {

/// A POST of MessageJson with webhook-id (the message's), webhook-timestamp (`now`, of this attempt) and
/// webhook-signature, under every secret of the receiver.
Transfer WebhookTransfer(const WebhookConfig& config, const Message& message, Time now);

}  // namespace pawsight::notify
