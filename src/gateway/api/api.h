// gateway/api/api.h: the whole API over the parts of a gateway: every endpoint on one router, and what a server needs
// to serve it. Thread-safe.
#pragma once

#include <memory>

#include "gateway/api/api_router.h"
#include "gateway/api/backends_api.h"
#include "gateway/api/cameras.h"
#include "gateway/api/frames.h"
#include "gateway/api/live.h"
#include "gateway/api/receivers.h"
#include "gateway/api/registry.h"
#include "gateway/api/running.h"
#include "net/http_options.h"

namespace pawsight::gateway {

/// All outlive the API.
struct ApiParts {
  events::Store& store;
  FramePath& path;
  Registry& registry;
  Backends& backends;
  Backends::ClientFactory factory;  // the backends' own
  AsyncBackend& asked;              // for ad-hoc questions: the backends, or what counts before them
  notify::PostOffice& office;
  const Clock& clock;
  std::function<std::vector<std::string>()> unready;
  std::function<std::string()> metrics;  // of the parts; the API adds its own
  std::function<AutoscaleView()> autoscale;
  std::function<Json(const std::string& owner)> sources;
};

struct ApiOptions {
  AuthenticatorOptions authenticator;
  CamerasOptions cameras;
  FramesOptions frames;
  ReceiversOptions receivers;
};

class GatewayApi {
 public:
  GatewayApi(const ApiParts& parts, const ApiOptions& options);
  /// After the server has stopped and Drain.
  ~GatewayApi();
  GatewayApi(const GatewayApi&) = delete;
  GatewayApi& operator=(const GatewayApi&) = delete;

  const net::Router& router() const;
  /// Who is let in before a body is read, and how the server itself says no. The API outlives the server.
  void Prepare(net::HttpServerOptions* server);
  /// The pools and the routing that are set, or these. At start. Errors: BackendsApi::Load's.
  Status LoadBackends(const PoolsConfig& pools, const RoutingConfig& routing);
  const std::vector<ApiRouter::Route>& routes() const;
  /// Metrics as a response, for a listener without tokens.
  net::HttpResponse Metrics() const;
  /// Waits until every call has been answered, at most so long. True: all have been.
  bool Drain(std::chrono::milliseconds at_most);

 private:
  struct Parts;
  const std::unique_ptr<Parts> parts_;
};

/// Makes an admin's credential when there is none that may sign in, or when `anew`, which revokes those that there are.
/// Gives its token; "" when none was made. `keep` is given the token before it opens anything, so that none is lost.
/// Blocks for a commit. Errors: the store's, those of `keep`.
Result<std::string> MakeAdmin(events::Store& store, const Clock& clock, bool anew,
                              const std::function<Status(const std::string& token)>& keep);

}  // namespace pawsight::gateway
