// apps/demo_webhook.h: somebody's webhook, for show: a receiver on loopback that takes what the gateway delivers as a
// stranger's server would. It believes nothing that is not signed with its secret, and tells what came on the terminal.
// Thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/status.h"
#include "net/http_server.h"
#include "net/router.h"
#include "notify/sign.h"

namespace pawsight {

class DemoWebhook {
 public:
  /// On any free port. `json`: its lines are JSON, {"type":"webhook","id","event","camera","question","time","signed"}.
  /// Errors: net::HttpServer::Start's, notify::SigningSecret::Make's.
  static Result<std::unique_ptr<DemoWebhook>> Start(bool json);

  std::string url() const { return server_->url() + "/alerts"; }
  /// What the gateway is to sign with: "whsec_...".
  std::string secret() const { return secret_.Text(); }

 private:
  DemoWebhook(notify::SigningSecret secret, bool json) : secret_(std::move(secret)), json_(json) {}
  net::HttpResponse Take(const net::HttpRequest& request) const;

  const notify::SigningSecret secret_;
  const bool json_;
  net::Router router_;
  std::unique_ptr<net::HttpServer> server_;  // stops before what it serves goes
};

/// Whether `signature` has one of `secret` for this message (Standard Webhooks 1.0.0). Pure.
bool IsSigned(const notify::SigningSecret& secret, std::string_view signature, const std::string& id,
              const std::string& timestamp, std::string_view body);

}  // namespace pawsight
