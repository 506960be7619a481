// server/http_endpoint.h: the Open Inference Protocol over HTTP: routes to the models of a repository. docs/protocol.md
// lists them. Not here: sockets and their limits (net/http_server.h), JSON and tensors (protocol/), what runs
// (server/model.h). Thread-safe; must outlive the server that it adds its routes to. A model may be done after that.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "net/http_options.h"
#include "net/router.h"
#include "protocol/messages.h"
#include "server/repository.h"

namespace pawsight::server {

struct HttpEndpointOptions {
  protocol::InferLimits limits;
  int retry_after_seconds = 1;  // told with 429 and 503
  bool notes = false;           // responses bring RequestNotes, for an access log
};

class HttpEndpoint {
 public:
  HttpEndpoint(const Repository& repository, const Clock& clock, const HttpEndpointOptions& options = {})
      : repository_(repository), clock_(clock), options_(options) {}

  void AddRoutes(net::Router& router) const;

  /// How the server under it says no: {"error": detail, "code": code}. For net::HttpServerOptions::refuse.
  static net::HttpResponse Refusal(int status, std::string_view code, std::string_view detail);

 private:
  void AddHealth(net::Router& router) const;
  void AddModels(net::Router& router) const;
  net::HttpResponse Error(const Status& status) const { return Error(status, options_.retry_after_seconds); }
  static net::HttpResponse Error(const Status& status, int retry_after_seconds);
  void Infer(std::string_view model, std::string_view version, std::shared_ptr<const net::HttpRequest> request,
             const net::HttpResponder& responder) const;
  static net::HttpResponse Answered(const protocol::InferRequest& request,
                                    const Result<protocol::InferResponse>& response, int retry_after_seconds);

  const Repository& repository_;
  const Clock& clock_;
  const HttpEndpointOptions options_;
};

}  // namespace pawsight::server
