#include "gateway/api/backends_api.h"

#include <utility>

namespace pawsight::gateway {
namespace {

events::Setting SettingOf(const Call& call, const char* name, const Json& document, int64_t version) {
  events::Setting setting;
  setting.name = name;
  setting.document = document.Dump();
  setting.version = version;
  setting.who = call.who.credential;
  return setting;
}

/// The setting, or nothing when there is none.
Result<std::optional<events::Setting>> Find(const events::Store& store, const char* name) {
  Result<events::Setting> setting = store.GetSetting(name);
  if (setting.ok()) return std::optional(*std::move(setting));
  if (setting.status().code() == StatusCode::kNotFound) return std::optional<events::Setting>();
  return setting.status();
}

/// What a GET shows may be sent back: what is not the setting's is left out.
Json OwnFields(const Json& body) {
  if (!body.is_object()) return body;
  Json::Object own;
  for (const auto& [key, value] : body.as_object()) {
    if (key != "version" && key != "status") own.emplace_back(key, value);
  }
  return own;
}

}  // namespace

BackendsApi::BackendsApi(const ApiContext& context, Backends& backends, Backends::ClientFactory factory,
                         std::function<void(const PoolsConfig&)> changed)
    : context_(context), backends_(backends), factory_(std::move(factory)), changed_(std::move(changed)) {
  ApiRouter& router = context.router;
  router.Add("GET", "/v1/backends", Access::kAdmin, this, &BackendsApi::GetPools);
  router.AddLater("PUT", "/v1/backends", Access::kAdmin, this, &BackendsApi::PutPools);
  router.Add("GET", "/v1/routing", Access::kAdmin, this, &BackendsApi::GetRouting);
  router.AddLater("PUT", "/v1/routing", Access::kAdmin, this, &BackendsApi::PutRouting);
}

Status BackendsApi::Load(const PoolsConfig& pools, const RoutingConfig& routing) {
  InForce loaded{pools, routing};
  MutexLock change(change_mu_);
  PAWSIGHT_ASSIGN_OR_RETURN(const auto stored_pools, Find(context_.store, kPoolsSetting));
  PAWSIGHT_ASSIGN_OR_RETURN(const auto stored_routing, Find(context_.store, kRoutingSetting));
  if (stored_pools) {
    PAWSIGHT_ASSIGN_OR_RETURN(const Json json, Json::Parse(stored_pools->document));
    PAWSIGHT_ASSIGN_OR_RETURN(loaded.pools, ParsePools(json));
    loaded.pools_version = stored_pools->version;
  }
  if (stored_routing) {
    PAWSIGHT_ASSIGN_OR_RETURN(const Json json, Json::Parse(stored_routing->document));
    PAWSIGHT_ASSIGN_OR_RETURN(loaded.routing, ParseRouting(json));
    loaded.routing_version = stored_routing->version;
  }
  PAWSIGHT_RETURN_IF_ERROR(backends_.Set(loaded.pools, loaded.routing));
  changed_(loaded.pools);
  MutexLock lock(mu_);
  in_force_ = std::move(loaded);
  return Ok();
}

net::HttpResponse BackendsApi::PoolsAnswer(const PoolsConfig& pools, int64_t version) const {
  Json json = PoolsToJson(pools);
  json.Set("version", version);
  json.Set("status", backends_.StatusJson());
  return RowAnswer(200, json, version);
}

Result<net::HttpResponse> BackendsApi::GetPools(const Call&) const {
  PoolsConfig pools;
  int64_t version = 0;
  {
    MutexLock lock(mu_);
    pools = in_force_.pools;
    version = in_force_.pools_version;
  }
  return PoolsAnswer(pools, version);
}

Result<net::HttpResponse> BackendsApi::GetRouting(const Call&) const {
  MutexLock lock(mu_);
  Json json = RoutingToJson(in_force_.routing);
  json.Set("version", in_force_.routing_version);
  return RowAnswer(200, json, in_force_.routing_version);
}

Status BackendsApi::CheckEndpoints(const PoolsConfig& pools) const {
  for (const PoolConfig& pool : pools.pools) {
    for (const EndpointConfig& endpoint : pool.endpoints) {
      if (const auto client = factory_(endpoint); !client.ok()) return Annotate(client.status(), endpoint.name());
    }
  }
  return Ok();
}

Result<BackendsApi::InForce> BackendsApi::Read(const Call& call) const {
  PAWSIGHT_ASSIGN_OR_RETURN(const Json body, ReadBody(*call.request));
  Json own = OwnFields(body);
  InForce wanted;
  {
    MutexLock lock(mu_);
    wanted = in_force_;
  }
  PAWSIGHT_RETURN_IF_ERROR(CheckIfMatch(*call.request, wanted.pools_version));
  if (const Json* routing = own.Find("routing"); routing != nullptr) {
    PAWSIGHT_ASSIGN_OR_RETURN(wanted.routing, ParseRouting(OwnFields(*routing)));
    Json::Object rest;
    for (const auto& [key, value] : own.as_object()) {
      if (key != "routing") rest.emplace_back(key, value);
    }
    own = std::move(rest);
    wanted.has_routing = true;
  }
  PAWSIGHT_ASSIGN_OR_RETURN(wanted.pools, ParsePools(own));
  PAWSIGHT_RETURN_IF_ERROR(CheckRouting(wanted.routing, wanted.pools));
  PAWSIGHT_RETURN_IF_ERROR(CheckEndpoints(wanted.pools));
  return wanted;
}

Status BackendsApi::TakePools(const InForce& wanted) {
  MutexLock change(change_mu_);
  PAWSIGHT_RETURN_IF_ERROR(wanted.has_routing ? backends_.Set(wanted.pools, wanted.routing)
                                              : backends_.SetPools(wanted.pools));
  changed_(wanted.pools);
  MutexLock lock(mu_);
  in_force_.pools = wanted.pools;
  in_force_.pools_version = wanted.pools_version;
  if (!wanted.has_routing) return Ok();
  in_force_.routing = wanted.routing;
  in_force_.routing_version = wanted.routing_version;
  return Ok();
}

Status BackendsApi::TakeRouting(const RoutingConfig& routing, int64_t version) {
  MutexLock change(change_mu_);
  PAWSIGHT_RETURN_IF_ERROR(backends_.SetRouting(routing));
  MutexLock lock(mu_);
  in_force_.routing = routing;
  in_force_.routing_version = version;
  return Ok();
}

void BackendsApi::PutPools(const Call& call, const Responder& reply) {
  Result<InForce> read = Read(call);
  if (!read.ok()) return reply.Fail(read.status());
  events::WriteBatch batch;
  batch.emplace_back(
      events::Put<events::Setting>{SettingOf(call, kPoolsSetting, PoolsToJson(read->pools), read->pools_version)});
  if (read->has_routing) {
    batch.emplace_back(events::Put<events::Setting>{
        SettingOf(call, kRoutingSetting, RoutingToJson(read->routing), read->routing_version)});
  }
  context_.store.Submit(std::move(batch),
                        [this, reply, wanted = *std::move(read)](const Result<events::Receipt>& receipt) mutable {
                          if (!receipt.ok()) return reply.Fail(receipt.status());
                          wanted.pools_version = receipt->at(0).number;
                          if (wanted.has_routing) wanted.routing_version = receipt->at(1).number;
                          if (const Status taken = TakePools(wanted); !taken.ok()) return reply.Fail(taken);
                          reply.Send(PoolsAnswer(wanted.pools, wanted.pools_version));
                        });
}

void BackendsApi::PutRouting(const Call& call, const Responder& reply) {
  const Result<Json> body = ReadBody(*call.request);
  if (!body.ok()) return reply.Fail(body.status());
  const Result<RoutingConfig> routing = ParseRouting(OwnFields(*body));
  if (!routing.ok()) return reply.Fail(routing.status());
  PoolsConfig pools;
  int64_t version = 0;
  {
    MutexLock lock(mu_);
    pools = in_force_.pools;
    version = in_force_.routing_version;
  }
  if (const Status match = CheckIfMatch(*call.request, version); !match.ok()) return reply.Fail(match);
  if (const Status fits = CheckRouting(*routing, pools); !fits.ok()) return reply.Fail(fits);
  events::WriteBatch batch;
  batch.emplace_back(events::Put<events::Setting>{SettingOf(call, kRoutingSetting, RoutingToJson(*routing), version)});
  context_.store.Submit(std::move(batch), [this, reply, routing = *routing](const Result<events::Receipt>& receipt) {
    if (!receipt.ok()) return reply.Fail(receipt.status());
    const int64_t written = receipt->at(0).number;
    if (const Status taken = TakeRouting(routing, written); !taken.ok()) return reply.Fail(taken);
    Json json = RoutingToJson(routing);
    json.Set("version", written);
    reply.Send(RowAnswer(200, json, written));
  });
}

}  // namespace pawsight::gateway
