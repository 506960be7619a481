#include "gateway/api/api.h"

#include <utility>

#include "gateway/api/devices.h"
#include "gateway/api/history.h"
#include "gateway/api/owners.h"
#include "gateway/api/page.h"
#include "gateway/api/rules.h"

namespace pawsight::gateway {

struct GatewayApi::Parts {
  Parts(const ApiParts& parts, const ApiOptions& options)
      : authenticator([&store = parts.store](const TokenHash& hash) { return store.FindCredential(hash); }, parts.clock,
                      options.authenticator),
        router(routes, authenticator, parts.store, parts.clock),
        context{router, parts.store, parts.clock},
        live(context, parts.path),
        revocations{[this] { authenticator.Forget(); },
                    [this](const std::string& credential) { live.EndStreams(credential); },
                    [&registry = parts.registry](const std::string& owner) { registry.Refresh(owner); }},
        owners(context, revocations),
        devices(context, parts.registry, revocations),
        cameras(context, parts.registry, options.cameras),
        frames(context, parts.registry, parts.path, parts.asked, options.frames),
        rules(context, parts.registry, parts.path),
        history(context),
        receivers(context, parts.registry, parts.office, options.receivers),
        backends(context, parts.backends, parts.factory,
                 [&path = parts.path](const PoolsConfig& pools) {
                   std::vector<PoolPrice> prices;
                   for (const PoolConfig& pool : pools.pools) prices.push_back({pool.name, pool.price_per_hour});
                   path.SetPrices(prices);
                 }),
        running(context, {parts.path, parts.unready,
                          [this, metrics = parts.metrics] { return metrics() + RefusalMetrics(router.refusals()); },
                          parts.autoscale, parts.sources}),
        page(context) {}

  Authenticator authenticator;
  net::Router routes;
  ApiRouter router;
  const ApiContext context;
  LiveApi live;
  const Revocations revocations;
  OwnersApi owners;
  DevicesApi devices;
  CamerasApi cameras;
  FramesApi frames;
  RulesApi rules;
  HistoryApi history;
  ReceiversApi receivers;
  BackendsApi backends;
  RunningApi running;
  PageApi page;
};

GatewayApi::GatewayApi(const ApiParts& parts, const ApiOptions& options)
    : parts_(std::make_unique<Parts>(parts, options)) {}
GatewayApi::~GatewayApi() = default;

const net::Router& GatewayApi::router() const { return parts_->routes; }

void GatewayApi::Prepare(net::HttpServerOptions* server) {
  server->admit = [this](const net::HttpRequest& request) { return parts_->router.Admit(request); };
  server->refuse = [this](int status, std::string_view code, std::string_view detail) {
    return parts_->router.Refuse(status, code, detail);
  };
}

Status GatewayApi::LoadBackends(const PoolsConfig& pools, const RoutingConfig& routing) {
  return parts_->backends.Load(pools, routing);
}

const std::vector<ApiRouter::Route>& GatewayApi::routes() const { return parts_->router.routes(); }
net::HttpResponse GatewayApi::Metrics() const { return parts_->running.Metrics(); }
bool GatewayApi::Drain(std::chrono::milliseconds at_most) { return parts_->router.Drain(at_most); }

Result<std::string> MakeAdmin(events::Store& store, const Clock& clock, bool anew,
                              const std::function<Status(const std::string& token)>& keep) {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<events::Credential> admins, store.List<events::Credential>(""));
  events::WriteBatch batch;
  for (const events::Credential& admin : admins) {
    if (!events::IsUsable(admin, clock.Now())) continue;
    if (!anew) return std::string();
    batch.emplace_back(events::Revoke{"", admin.id});
  }
  std::string token;
  batch.emplace_back(
      events::Put<events::Credential>{MakeCredential(events::Role::kAdmin, "", "admin", clock.Now(), &token)});
  PAWSIGHT_RETURN_IF_ERROR(keep(token));
  PAWSIGHT_RETURN_IF_ERROR(store.Write(std::move(batch)).status());
  return token;
}

}  // namespace pawsight::gateway
