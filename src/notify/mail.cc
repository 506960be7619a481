#include "notify/mail.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "notify/mime.h"

namespace pawsight::notify {
namespace {

constexpr std::string_view kBoundary = "=_pawsight";  // "=_" is in no base64 and no quoted-printable

/// "Sat, 31 Jan 2026 08:15:30 +0000", whatever the locale.
std::string MailDate(Time time) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  std::snprintf(text, sizeof text, "%s, %d %s %d %02d:%02d:%02d +0000", kDays[parts.tm_wday], parts.tm_mday,
                kMonths[parts.tm_mon], 1900 + parts.tm_year, parts.tm_hour, parts.tm_min, parts.tm_sec);
  return text;
}

/// An id as part of "<id@domain>"; "" when it has other letters.
bool IsPlainId(std::string_view id) {
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

std::string TextPart(const Message& message) {
  return "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
         QuotedPrintable(Text(message));
}

std::string PicturePart(const Picture& picture) {
  const bool is_png = picture.content_type == "image/png";
  const std::string name = is_png ? "frame.png" : "frame.jpg";
  return "Content-Type: " + std::string(is_png ? "image/png" : "image/jpeg") + "; name=" + name +
         "\r\nContent-Disposition: attachment; filename=" + name + "\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
         Base64Lines({reinterpret_cast<const char*>(picture.bytes.data()), picture.bytes.size()});
}

}  // namespace

std::string MailText(const EmailConfig& config, const Message& message, Time now) {
  const std::string domain = config.from.substr(config.from.find('@') + 1);
  std::string mail = "Date: " + MailDate(now) + "\r\n";
  mail += "From: Pawsight <" + config.from + ">\r\nTo: ";
  for (const std::string& to : config.to) mail += (to == config.to.front() ? "<" : ",\r\n <") + to + ">";
  mail += "\r\nSubject: " + HeaderText(Title(message), 9) + "\r\n";
  mail += "Message-ID: <" + message.id + "@" + domain + ">\r\n";
  if (IsPlainId(message.alert)) mail += "References: <" + message.alert + "@" + domain + ">\r\n";
  mail += "Auto-Submitted: auto-generated\r\n";
  if (message.severity == Severity::kCritical && message.type == MessageType::kFired) mail += "Importance: high\r\n";
  mail += "MIME-Version: 1.0\r\n";
  if (message.picture == nullptr) return mail + TextPart(message);
  const std::string mark = "--" + std::string(kBoundary);
  return mail + "Content-Type: multipart/mixed; boundary=\"" + std::string(kBoundary) + "\"\r\n\r\n" + mark + "\r\n" +
         TextPart(message) + "\r\n" + mark + "\r\n" + PicturePart(*message.picture) + mark + "--\r\n";
}

Transfer MailTransfer(const EmailConfig& config, const Message& message, Time now) {
  Transfer transfer;
  switch (config.security) {
    case MailSecurity::kStartTls:
      transfer.protocol = Transfer::Protocol::kSmtpStartTls;
      break;
    case MailSecurity::kTls:
      transfer.protocol = Transfer::Protocol::kSmtps;
      break;
    case MailSecurity::kNone:
      transfer.protocol = Transfer::Protocol::kSmtp;
      break;
  }
  transfer.owner = message.owner;
  transfer.host = config.host;
  transfer.port = config.port;
  transfer.pins = config.pins;
  transfer.body = MailText(config, message, now);
  transfer.username = config.username;
  transfer.password = config.password;
  transfer.from = config.from;
  transfer.to = config.to;
  return transfer;
}

}  // namespace pawsight::notify
