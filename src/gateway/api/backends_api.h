// gateway/api/backends_api.h: which pools answer, changed while frames flow: /v1/backends, /v1/routing. What is put is
// checked against what holds, committed with an audit entry of what was before, and only then in force, in the order of
// the commits. Not here: pools (gateway/backends/). Thread-safe.
#pragma once

#include "gateway/api/api_router.h"
#include "gateway/backends/backends.h"

namespace pawsight::gateway {

inline constexpr const char* kPoolsSetting = "backends";
inline constexpr const char* kRoutingSetting = "routing";

class BackendsApi {
 public:
  /// Adds its routes. `factory` is the backends' own: an endpoint that it does not take is refused before anything is
  /// written. `changed` is told of new pools, for what they cost. All must outlive the server.
  BackendsApi(const ApiContext& context, Backends& backends, Backends::ClientFactory factory,
              std::function<void(const PoolsConfig&)> changed);
  BackendsApi(const BackendsApi&) = delete;
  BackendsApi& operator=(const BackendsApi&) = delete;

  /// What the store holds, or `pools` and `routing` where it holds nothing. At start, and when these have changed: what
  /// is put meanwhile holds. Errors: the store's; Backends::Set's.
  Status Load(const PoolsConfig& pools, const RoutingConfig& routing) EXCLUDES(change_mu_, mu_);

 private:
  Result<net::HttpResponse> GetPools(const Call& call) const;
  Result<net::HttpResponse> GetRouting(const Call& call) const;
  void PutPools(const Call& call, const Responder& reply) EXCLUDES(mu_);
  void PutRouting(const Call& call, const Responder& reply) EXCLUDES(mu_);
  net::HttpResponse PoolsAnswer(const PoolsConfig& pools, int64_t version) const;
  Status CheckEndpoints(const PoolsConfig& pools) const;

  struct InForce {
    PoolsConfig pools;
    RoutingConfig routing;
    int64_t pools_version = 0;  // of the setting; 0: it is the configuration's
    int64_t routing_version = 0;
    bool has_routing = false;  // of what is wanted: it brings a routing, too
  };
  /// The body of PutPools, checked against what holds.
  Result<InForce> Read(const Call& call) const EXCLUDES(mu_);
  /// What was committed is in force from now on. Errors: Backends::Set's.
  Status TakePools(const InForce& wanted) EXCLUDES(change_mu_, mu_);
  Status TakeRouting(const RoutingConfig& routing, int64_t version) EXCLUDES(change_mu_, mu_);
  const ApiContext context_;
  Backends& backends_;
  const Backends::ClientFactory factory_;
  const std::function<void(const PoolsConfig&)> changed_;
  Mutex change_mu_;  // from what the store holds to its being in force; before mu_
  mutable Mutex mu_;
  InForce in_force_ GUARDED_BY(mu_);
};

}  // namespace pawsight::gateway
