#include "notify/ntfy.h"

#include <algorithm>

#include "base/base64.h"
#include "notify/mime.h"

namespace pawsight::notify {
namespace {

int PriorityOf(const Message& message) {
  if (message.type == MessageType::kResolved || message.type == MessageType::kUpdated) return 2;  // no sound
  switch (message.severity) {
    case Severity::kInfo:
      return 3;
    case Severity::kWarning:
      return 4;
    case Severity::kCritical:
      return 5;
  }
  CHECK(false);
}

/// Names that ntfy shows as a small picture.
std::string_view TagOf(const Message& message) {
  if (message.type == MessageType::kResolved) return "white_check_mark";
  if (message.type == MessageType::kTest) return "bell";
  switch (message.severity) {
    case Severity::kInfo:
      return "information_source";
    case Severity::kWarning:
      return "warning";
    case Severity::kCritical:
      return "rotating_light";
  }
  CHECK(false);
}

}  // namespace

Transfer NtfyTransfer(const NtfyConfig& config, const Message& message) {
  Transfer transfer;
  transfer.protocol = config.server.secure ? Transfer::Protocol::kHttps : Transfer::Protocol::kHttp;
  transfer.owner = message.owner;
  transfer.host = config.server.host;
  transfer.port = config.server.port;
  transfer.target = config.server.target;
  transfer.pins = config.pins;
  if (!config.token.empty()) transfer.headers.emplace_back("Authorization", "Bearer " + config.token);
  if (!config.username.empty())
    transfer.headers.emplace_back("Authorization", "Basic " + EncodeBase64(config.username + ":" + config.password));
  if (message.picture == nullptr) {
    transfer.headers.emplace_back("Content-Type", "application/json");
    transfer.body = Json(Json::Object{{"topic", config.topic},
                                      {"title", Title(message)},
                                      {"message", Text(message)},
                                      {"priority", PriorityOf(message)},
                                      {"tags", Json::Array{TagOf(message)}}})
                        .Dump();
    return transfer;
  }
  std::string text = Text(message);
  std::replace(text.begin(), text.end(), '\n', ' ');
  transfer.target += config.topic;
  transfer.headers.emplace_back("Title", HeaderTextUnfolded(Title(message)));
  transfer.headers.emplace_back("Message", HeaderTextUnfolded(PlainLine(text, 1000)));
  transfer.headers.emplace_back("Priority", std::to_string(PriorityOf(message)));
  transfer.headers.emplace_back("Tags", std::string(TagOf(message)));
  transfer.headers.emplace_back("Filename", message.picture->content_type == "image/png" ? "frame.png" : "frame.jpg");
  transfer.headers.emplace_back("Content-Type",
                                message.picture->content_type == "image/png" ? "image/png" : "image/jpeg");
  transfer.body.assign(message.picture->bytes.begin(), message.picture->bytes.end());
  return transfer;
}

}  // namespace pawsight::notify
