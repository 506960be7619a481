#include "notify/receiver_config.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "base/base64.h"
#include "base/options.h"

namespace pawsight::notify {
namespace {

constexpr std::string_view kSecretFields[] = {"secrets", "password", "token", "headers"};
constexpr size_t kMaxTextBytes = 256;
constexpr size_t kMaxHeaderBytes = 1024;
constexpr size_t kMaxMailBytes = 254;  // RFC 5321's limit of a path, without its brackets

bool IsLetterOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

template <typename Test>
bool All(std::string_view text, Test&& test) {
  return std::all_of(text.begin(), text.end(), test);
}

/// Printable ASCII.
bool IsPrintable(std::string_view text) {
  return All(text,
             [](char c) { return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7F; });
}

/// Printable ASCII and what is above it; no control.
bool HasNoControl(std::string_view text) {
  return All(text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; });
}

/// A field of the document by type. Errors name it.
Result<std::string> OptionalText(const Json& document, std::string_view field, std::string fallback) {
  const Json* value = document.Find(field);
  if (value == nullptr) return fallback;
  if (!value->is_string() || value->as_string().size() > kMaxTextBytes || !HasNoControl(value->as_string()))
    return InvalidArgument(std::string(field) + ": want a string of at most " + std::to_string(kMaxTextBytes) +
                           " bytes without control characters");
  return value->as_string();
}

Result<bool> OptionalBool(const Json& document, std::string_view field, bool fallback) {
  return document.Find(field) == nullptr ? Result<bool>(fallback) : document.GetBool(field);
}

Result<int> Port(const Json& document, int fallback) {
  if (document.Find("port") == nullptr) return fallback;
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t port, document.GetInteger("port", 1, 65535));
  return static_cast<int>(port);
}

/// A string or an array of strings, `least` to `most` of them.
Result<std::vector<std::string>> Texts(const Json& document, std::string_view field, size_t least, size_t most) {
  const Status wanted = InvalidArgument(std::string(field) + ": want " + std::to_string(least) + ".." +
                                        std::to_string(most) + " strings");
  std::vector<std::string> texts;
  const Json* value = document.Find(field);
  if (value != nullptr && value->is_string()) texts.push_back(value->as_string());
  if (value != nullptr && value->is_array()) {
    for (const Json& each : value->as_array()) {
      if (!each.is_string()) return wanted;
      texts.push_back(each.as_string());
    }
  }
  const bool right = value == nullptr || value->is_string() || value->is_array();
  if (!right || texts.size() < least || texts.size() > most) return wanted;
  return texts;
}

Result<std::vector<Pin>> Pins(const Json& document) {
  static constexpr std::string_view kStart = "sha256//";
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<std::string> texts, Texts(document, "pin", 0, kMaxPins));
  std::vector<Pin> pins;
  for (const std::string& text : texts) {
    const auto bytes = DecodeBase64(text.starts_with(kStart) ? std::string_view(text).substr(kStart.size()) : "");
    if (!bytes.ok() || bytes->size() != Pin().size())
      return InvalidArgument("pin: want \"sha256//\" and the base64 of a public key's SHA-256");
    pins.emplace_back();
    std::memcpy(pins.back().data(), bytes->data(), bytes->size());
  }
  return pins;
}

Result<Host> HostField(const Json& document, const ReceiverPolicy& policy) {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string text, document.GetString("host"));
  PAWSIGHT_ASSIGN_OR_RETURN(Host host, ParseHost(text));
  if (host.is_address) {
    PAWSIGHT_ASSIGN_OR_RETURN(const IpAddress address, IpAddress::Parse(host.name));
    PAWSIGHT_RETURN_IF_ERROR(Annotate(CheckAddress(address, policy.addresses), "host"));
  }
  return host;
}

Result<Url> UrlField(std::string_view field, const std::string& text, const ReceiverPolicy& policy) {
  auto url = ParseUrl(text);
  if (!url.ok()) return Annotate(url.status(), field);
  if (!url->secure && !policy.allow_plain)
    return PermissionDenied(std::string(field) + ": want https://; the operator does not allow http://",
                            "plain_refused");
  if (url->host.is_address) {
    PAWSIGHT_ASSIGN_OR_RETURN(const IpAddress address, IpAddress::Parse(url->host.name));
    PAWSIGHT_RETURN_IF_ERROR(Annotate(CheckAddress(address, policy.addresses), field));
  }
  return url;
}

Status CheckFields(const Json& document, const std::vector<std::string>& known) {
  for (const auto& [field, value] : document.as_object()) {
    if (std::find(known.begin(), known.end(), field) != known.end()) continue;
    const std::string nearest = Nearest(field, known);
    return InvalidArgument(JsonQuote(field) + ": unknown" +
                           (nearest.empty() ? std::string() : ", did you mean " + nearest + "?"));
  }
  return Ok();
}

/// A header of the owner's own: a token as RFC 9110 has it, none that we set, and a value on one line.
Result<std::pair<std::string, std::string>> Header(const std::string& name, const Json& value) {
  static constexpr std::string_view kOurs[] = {
      "content-type", "content-length",  "host",    "connection", "transfer-encoding", "expect",
      "user-agent",   "accept-encoding", "upgrade", "te",         "trailer",           "keep-alive"};
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const bool is_token = !name.empty() && name.size() <= 64 && All(name, [](char c) {
    return IsLetterOrDigit(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
  if (!is_token) return InvalidArgument("headers: want names of 1..64 letters, digits and hyphens");
  if (lower.starts_with("webhook-") || lower.starts_with("proxy-") ||
      std::find(std::begin(kOurs), std::end(kOurs), lower) != std::end(kOurs))
    return InvalidArgument("headers: " + lower + " is set by the sender");
  if (!value.is_string() || value.as_string().empty() || value.as_string().size() > kMaxHeaderBytes ||
      !IsPrintable(value.as_string()))
    return InvalidArgument("headers: want values of 1.." + std::to_string(kMaxHeaderBytes) + " printable characters");
  return std::pair(name, value.as_string());
}

Result<WebhookConfig> ParseWebhook(const Json& document, const ReceiverPolicy& policy) {
  PAWSIGHT_RETURN_IF_ERROR(CheckFields(document, {"kind", "pictures", "updates", "url", "secrets", "headers", "pin"}));
  WebhookConfig config;
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string url, document.GetString("url"));
  PAWSIGHT_ASSIGN_OR_RETURN(config.url, UrlField("url", url, policy));
  PAWSIGHT_ASSIGN_OR_RETURN(const auto secrets, Texts(document, "secrets", 1, kMaxSecrets));
  for (const std::string& text : secrets) {
    auto secret = SigningSecret::Parse(text);
    if (!secret.ok()) return Annotate(secret.status(), "secrets");
    config.secrets.push_back(*std::move(secret));
  }
  if (document.Find("headers") != nullptr) {
    PAWSIGHT_ASSIGN_OR_RETURN(const Json::Object* headers, document.GetObject("headers"));
    if (headers->size() > kMaxHeaders) return InvalidArgument("headers: want at most " + std::to_string(kMaxHeaders));
    for (const auto& [name, value] : *headers) {
      PAWSIGHT_ASSIGN_OR_RETURN(auto header, Header(name, value));
      config.headers.push_back(std::move(header));
    }
  }
  PAWSIGHT_ASSIGN_OR_RETURN(config.pins, Pins(document));
  return config;
}

/// A topic's beginning: levels of letters, digits, "_", "-" and ".", separated by "/".
Result<std::string> TopicPrefix(const Json& document, std::string_view field, std::string fallback, bool may_be_empty) {
  PAWSIGHT_ASSIGN_OR_RETURN(std::string prefix, OptionalText(document, field, std::move(fallback)));
  if (prefix.empty() && may_be_empty) return prefix;
  const bool right =
      !prefix.empty() && prefix.size() <= 128 && prefix.front() != '/' && prefix.back() != '/' &&
      prefix.find("//") == std::string::npos &&
      All(prefix, [](char c) { return IsLetterOrDigit(c) || c == '_' || c == '-' || c == '.' || c == '/'; });
  if (!right) return InvalidArgument(std::string(field) + ": want 1..128 letters, digits, _ - . and / between them");
  return prefix;
}

Result<MqttConfig> ParseMqtt(const Json& document, const ReceiverPolicy& policy) {
  PAWSIGHT_RETURN_IF_ERROR(CheckFields(document, {"kind", "pictures", "updates", "host", "port", "tls", "username",
                                                  "password", "client_id", "topic_prefix", "discovery_prefix", "pin"}));
  MqttConfig config;
  PAWSIGHT_ASSIGN_OR_RETURN(config.host, HostField(document, policy));
  PAWSIGHT_ASSIGN_OR_RETURN(config.tls, OptionalBool(document, "tls", !policy.allow_plain));
  if (!config.tls && !policy.allow_plain)
    return PermissionDenied("tls: want true; the operator does not allow MQTT without TLS", "plain_refused");
  PAWSIGHT_ASSIGN_OR_RETURN(config.port, Port(document, config.tls ? 8883 : 1883));
  if (config.port < 1024 && config.port != 443) return InvalidArgument("port: want 443 or 1024..65535");
  PAWSIGHT_ASSIGN_OR_RETURN(config.username, OptionalText(document, "username", ""));
  PAWSIGHT_ASSIGN_OR_RETURN(config.password, OptionalText(document, "password", ""));
  if (config.username.empty() && !config.password.empty()) return InvalidArgument("password: want a username with it");
  PAWSIGHT_ASSIGN_OR_RETURN(config.client_id, OptionalText(document, "client_id", ""));
  if (config.client_id.size() > 64 ||
      !All(config.client_id, [](char c) { return IsLetterOrDigit(c) || c == '-' || c == '_'; }))
    return InvalidArgument("client_id: want at most 64 letters, digits, - and _");
  PAWSIGHT_ASSIGN_OR_RETURN(config.topic_prefix, TopicPrefix(document, "topic_prefix", config.topic_prefix, false));
  PAWSIGHT_ASSIGN_OR_RETURN(config.discovery_prefix,
                            TopicPrefix(document, "discovery_prefix", config.discovery_prefix, true));
  PAWSIGHT_ASSIGN_OR_RETURN(config.pins, Pins(document));
  return config;
}

Result<NtfyConfig> ParseNtfy(const Json& document, const ReceiverPolicy& policy) {
  PAWSIGHT_RETURN_IF_ERROR(CheckFields(
      document, {"kind", "pictures", "updates", "server", "topic", "token", "username", "password", "pin"}));
  NtfyConfig config;
  const bool has_server = document.Find("server") != nullptr;
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string server,
                            has_server ? document.GetString("server") : Result<std::string>("https://ntfy.sh"));
  PAWSIGHT_ASSIGN_OR_RETURN(config.server, UrlField("server", server, policy));
  if (config.server.target.find('?') != std::string::npos) return InvalidArgument("server: want no query");
  if (config.server.target.back() != '/') config.server.target += '/';
  PAWSIGHT_ASSIGN_OR_RETURN(config.topic, document.GetString("topic"));
  if (config.topic.empty() || config.topic.size() > 64 ||
      !All(config.topic, [](char c) { return IsLetterOrDigit(c) || c == '-' || c == '_'; }))
    return InvalidArgument("topic: want 1..64 letters, digits, - and _");
  PAWSIGHT_ASSIGN_OR_RETURN(config.token, OptionalText(document, "token", ""));
  PAWSIGHT_ASSIGN_OR_RETURN(config.username, OptionalText(document, "username", ""));
  PAWSIGHT_ASSIGN_OR_RETURN(config.password, OptionalText(document, "password", ""));
  if (!config.token.empty() && !config.username.empty())
    return InvalidArgument("token: want it or a username, not both");
  if (!IsPrintable(config.token)) return InvalidArgument("token: want printable ASCII");
  if (config.username.find(':') != std::string::npos) return InvalidArgument("username: want no colon");
  PAWSIGHT_ASSIGN_OR_RETURN(config.pins, Pins(document));
  return config;
}

/// "name@host" with a name of plain letters; quoted names and comments are refused, for nobody has one.
Status CheckMailAddress(std::string_view text) {
  const size_t at = text.find('@');
  const Status wanted = InvalidArgument("want an address such as name@example.org");
  if (at == std::string_view::npos || at == 0 || at > 64 || text.size() > kMaxMailBytes) return wanted;
  const std::string_view name = text.substr(0, at);
  const bool right =
      name.front() != '.' && name.back() != '.' && name.find("..") == std::string_view::npos && All(name, [](char c) {
        return IsLetterOrDigit(c) || std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) != std::string_view::npos;
      });
  const auto host = ParseHost(text.substr(at + 1));
  return right && host.ok() && !host->is_address ? Ok() : wanted;
}

Result<MailSecurity> Security(const Json& document, const ReceiverPolicy& policy) {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string text, OptionalText(document, "security", "starttls"));
  if (text == "starttls") return MailSecurity::kStartTls;
  if (text == "tls") return MailSecurity::kTls;
  if (text != "none") return InvalidArgument(R"(security: want "starttls", "tls" or "none")");
  if (policy.allow_plain) return MailSecurity::kNone;
  return PermissionDenied("security: want starttls or tls; the operator does not allow SMTP without it",
                          "plain_refused");
}

Result<EmailConfig> ParseEmail(const Json& document, const ReceiverPolicy& policy) {
  PAWSIGHT_RETURN_IF_ERROR(CheckFields(document, {"kind", "pictures", "updates", "host", "port", "security", "username",
                                                  "password", "from", "to", "pin"}));
  EmailConfig config;
  PAWSIGHT_ASSIGN_OR_RETURN(config.host, HostField(document, policy));
  PAWSIGHT_ASSIGN_OR_RETURN(config.security, Security(document, policy));
  PAWSIGHT_ASSIGN_OR_RETURN(config.port, Port(document, config.security == MailSecurity::kTls ? 465 : 587));
  if (config.port < 1024 && config.port != 25 && config.port != 465 && config.port != 587)
    return InvalidArgument("port: want 25, 465, 587 or 1024..65535");
  PAWSIGHT_ASSIGN_OR_RETURN(config.username, OptionalText(document, "username", ""));
  PAWSIGHT_ASSIGN_OR_RETURN(config.password, OptionalText(document, "password", ""));
  if (config.username.empty() && !config.password.empty()) return InvalidArgument("password: want a username with it");
  PAWSIGHT_ASSIGN_OR_RETURN(config.from, document.GetString("from"));
  PAWSIGHT_RETURN_IF_ERROR(Annotate(CheckMailAddress(config.from), "from"));
  PAWSIGHT_ASSIGN_OR_RETURN(config.to, Texts(document, "to", 1, kMaxRecipients));
  for (const std::string& to : config.to) PAWSIGHT_RETURN_IF_ERROR(Annotate(CheckMailAddress(to), "to"));
  PAWSIGHT_ASSIGN_OR_RETURN(config.pins, Pins(document));
  return config;
}

/// Every message of the kinds starts with a field.
Status OfReceiver(const Status& status) { return {status.code(), "receiver." + status.message(), status.reason()}; }

template <typename Kind>
Result<ReceiverConfig> Finish(const Json& document, Result<Kind> kind) {
  if (!kind.ok()) return OfReceiver(kind.status());
  const auto pictures = OptionalBool(document, "pictures", false);
  if (!pictures.ok()) return OfReceiver(pictures.status());
  const auto updates = OptionalBool(document, "updates", std::is_same_v<Kind, MqttConfig>);
  if (!updates.ok()) return OfReceiver(updates.status());
  return ReceiverConfig{*pictures, *updates, *std::move(kind)};
}

}  // namespace

std::string_view KindName(const ReceiverConfig& config) {
  static constexpr std::string_view kNames[] = {"webhook", "mqtt", "ntfy", "email"};
  return kNames[config.kind.index()];
}

Result<ReceiverConfig> ParseReceiver(const Json& document, const ReceiverPolicy& policy) {
  if (!document.is_object()) return InvalidArgument("receiver: want an object");
  const auto kind = document.GetString("kind");
  if (!kind.ok()) return OfReceiver(kind.status());
  if (*kind == "webhook") return Finish(document, ParseWebhook(document, policy));
  if (*kind == "mqtt") return Finish(document, ParseMqtt(document, policy));
  if (*kind == "ntfy") return Finish(document, ParseNtfy(document, policy));
  if (*kind == "email") return Finish(document, ParseEmail(document, policy));
  return InvalidArgument(R"(receiver.kind: want "webhook", "mqtt", "ntfy" or "email")");
}

bool WantsUpdates(const Json& document) {
  const Result<bool> said = document.GetBool("updates");
  if (said.ok()) return *said;
  const Result<std::string> kind = document.GetString("kind");
  return kind.ok() && *kind == "mqtt";
}

std::pair<Host, int> PlaceOf(const ReceiverConfig& config) {
  struct Visitor {
    std::pair<Host, int> operator()(const WebhookConfig& webhook) const { return {webhook.url.host, webhook.url.port}; }
    std::pair<Host, int> operator()(const MqttConfig& mqtt) const { return {mqtt.host, mqtt.port}; }
    std::pair<Host, int> operator()(const NtfyConfig& ntfy) const { return {ntfy.server.host, ntfy.server.port}; }
    std::pair<Host, int> operator()(const EmailConfig& email) const { return {email.host, email.port}; }
  };
  return std::visit(Visitor{}, config.kind);
}

SplitDocument SplitSecrets(const Json& document) {
  SplitDocument split{Json::Object{}, Json::Object{}};
  if (!document.is_object()) return split;
  for (const auto& [field, value] : document.as_object()) {
    const bool secret = std::find(std::begin(kSecretFields), std::end(kSecretFields), field) != std::end(kSecretFields);
    (secret ? split.secret : split.open).Set(field, value);
  }
  return split;
}

Json JoinSecrets(const Json& open, const Json& secret) {
  Json document = open;
  if (!secret.is_object()) return document;
  for (const auto& [field, value] : secret.as_object()) document.Set(field, value);
  return document;
}

}  // namespace pawsight::notify
