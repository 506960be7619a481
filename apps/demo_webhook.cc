#include "apps/demo_webhook.h"

#include <charconv>
#include <cstdio>
#include <utility>

#include "base/clock.h"
#include "base/json.h"

namespace pawsight {
namespace {

net::HttpResponse Answer(int status) { return {status, "text/plain", "", {}, {}, nullptr}; }

/// A text of the message's data; "" when there is none.
std::string TextOf(const Json& message, std::string_view name) {
  const Json* data = message.Find("data");
  const Json* text = data != nullptr && data->is_object() ? data->Find(name) : nullptr;
  return text != nullptr && text->is_string() ? text->as_string() : "";
}

}  // namespace

bool IsSigned(const notify::SigningSecret& secret, std::string_view signature, const std::string& id,
              const std::string& timestamp, std::string_view body) {
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(timestamp.data(), timestamp.data() + timestamp.size(), seconds);
  const bool whole = error == std::errc() && end == timestamp.data() + timestamp.size();
  if (!whole || id.empty() || id.find('.') != std::string::npos) return false;
  const std::string wanted = notify::SignatureHeader({&secret, 1}, id, seconds, body);
  while (!signature.empty()) {
    const size_t space = signature.find(' ');
    if (signature.substr(0, space) == wanted) return true;
    signature.remove_prefix(space == std::string_view::npos ? signature.size() : space + 1);
  }
  return false;
}

Result<std::unique_ptr<DemoWebhook>> DemoWebhook::Start(bool json) {
  PAWSIGHT_ASSIGN_OR_RETURN(notify::SigningSecret secret, notify::SigningSecret::Make());
  std::unique_ptr<DemoWebhook> webhook(new DemoWebhook(std::move(secret), json));
  webhook->router_.Add("POST", "/alerts",
                       [self = webhook.get()](const net::HttpRequest& request) { return self->Take(request); });
  PAWSIGHT_ASSIGN_OR_RETURN(webhook->server_, net::HttpServer::Start({}, webhook->router_));
  return webhook;
}

net::HttpResponse DemoWebhook::Take(const net::HttpRequest& request) const {
  const std::string id(request.Header("webhook-id"));
  if (!IsSigned(secret_, request.Header("webhook-signature"), id, std::string(request.Header("webhook-timestamp")),
                request.body)) {
    return Answer(401);
  }
  const Result<Json> message = Json::Parse(request.body);
  const Result<std::string> type = message.ok() ? message->GetString("type") : message.status();
  if (!type.ok()) return Answer(400);
  const std::string now = FormatTime(SystemClock().Now());
  const std::string camera = TextOf(*message, "camera_name");
  const std::string question = TextOf(*message, "question");
  std::string line;
  if (json_) {
    line = Json(Json::Object{{"type", "webhook"},
                             {"id", id},
                             {"event", *type},
                             {"camera", camera},
                             {"question", question},
                             {"time", now},
                             {"signed", true}})
               .Dump();
  } else {
    line = now.substr(11, 8) + "  webhook   " + *type + (camera.empty() ? "" : ": " + camera) + ": " + question;
    for (char& c : line) c = static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;  // nothing moves the terminal
  }
  line += "\n";
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
  return Answer(204);
}

}  // namespace pawsight
