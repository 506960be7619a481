// notify/mail.h: a message as an e-mail. Pure. Thread-safe.
#pragma once

#include <string>

#include "base/clock.h"
#include "notify/message.h"
#include "notify/receiver_config.h"
#include "notify/transfers.h"

namespace pawsight::notify {

/// The whole mail, lines ending in CRLF: text in UTF-8 and, when the message has one, its picture. No text of an owner
/// or a device can end a header or start another. Mails of one alert refer to each other, so they are shown together.
std::string MailText(const EmailConfig& config, const Message& message, Time now);

Transfer MailTransfer(const EmailConfig& config, const Message& message, Time now);

}  // namespace pawsight::notify
