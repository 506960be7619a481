// notify/ntfy.h: a message for an ntfy server (https://docs.ntfy.sh/publish). Pure. Thread-safe.
#pragma once

#include "notify/message.h"
#include "notify/receiver_config.h"
#include "notify/transfers.h"

namespace pawsight::notify {

/// Without a picture, published as JSON; with one, as an attachment with title and text in headers. Priority follows
/// the severity: info 3, warning 4, critical 5; an alert that is over 2.
Transfer NtfyTransfer(const NtfyConfig& config, const Message& message);

}  // namespace pawsight::notify
