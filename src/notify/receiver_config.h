// notify/receiver_config.h: what an owner wrote of a receiver, read from JSON, checked once, then trusted. The fields
// are in docs/receivers.md. Not here: whether its address may be used (that is asked again at each connection). Values;
// thread-compatible.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "notify/address.h"
#include "notify/sign.h"
#include "notify/url.h"

namespace pawsight::notify {

/// What the operator allows receivers.
struct ReceiverPolicy {
  AddressPolicy addresses;
  /// http, MQTT and SMTP without TLS. What is sent, a password too, can be read on its way.
  bool allow_plain = false;
};

/// SHA-256 of a certificate's public key (SubjectPublicKeyInfo): the one certificate that is taken, also when it is
/// self-signed, has expired or names another host. Written "sha256//" and base64, as curl has it.
using Pin = std::array<uint8_t, 32>;

inline constexpr size_t kMaxPins = 2;
inline constexpr size_t kMaxSecrets = 2;
inline constexpr size_t kMaxHeaders = 8;
inline constexpr size_t kMaxRecipients = 10;

struct WebhookConfig {
  Url url;
  std::vector<SigningSecret> secrets;  // 1..2: the current one first
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<Pin> pins;
};

struct MqttConfig {
  Host host;
  int port = 1883;
  bool tls = false;
  std::string username, password;
  std::string client_id;                           // empty: made of the receiver's id
  std::string topic_prefix = "pawsight";           // no wildcard, no slash at its ends
  std::string discovery_prefix = "homeassistant";  // empty: no discovery
  std::vector<Pin> pins;
};

struct NtfyConfig {
  Url server;         // its target is "/" or a path that the server stands under, ending in "/"
  std::string topic;  // 1..64 letters, digits, _ and -
  std::string token;  // or:
  std::string username, password;
  std::vector<Pin> pins;
};

enum class MailSecurity { kStartTls, kTls, kNone };
struct EmailConfig {
  Host host;
  int port = 587;
  MailSecurity security = MailSecurity::kStartTls;
  std::string username, password;
  std::string from;
  std::vector<std::string> to;
  std::vector<Pin> pins;
};

struct ReceiverConfig {
  bool pictures = false;  // the owner wants pictures to leave for this receiver
  bool updates = false;   // it is told of alert.updated too; where the document says nothing, only MQTT is
  std::variant<WebhookConfig, MqttConfig, NtfyConfig, EmailConfig> kind;
};
/// "webhook", "mqtt", "ntfy", "email".
std::string_view KindName(const ReceiverConfig& config);

/// Errors: kInvalidArgument, "receiver.FIELD: what was wanted"; an unknown field is an error, with the nearest known
/// one. kPermissionDenied `plain_refused`, no TLS and the policy wants it; `address_refused`, an address written in the
/// document is one that CheckAddress refuses. Names are looked up later (Lookup::Check).
Result<ReceiverConfig> ParseReceiver(const Json& document, const ReceiverPolicy& policy);

/// `updates` of a document that was checked when it was stored; its secrets may be missing.
bool WantsUpdates(const Json& document);

/// Host and port that the receiver will be connected at.
std::pair<Host, int> PlaceOf(const ReceiverConfig& config);

/// A document in two: what may be shown, and what is secret (secrets, password, token, headers), to be kept sealed.
struct SplitDocument {
  Json open;
  Json secret;  // an object, maybe empty
};
SplitDocument SplitSecrets(const Json& document);
/// The document again. Members of `secret` win.
Json JoinSecrets(const Json& open, const Json& secret);

}  // namespace pawsight::notify
