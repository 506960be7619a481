// gateway/api/devices.h: the boxes that send frames and their tokens: /v1/devices. A token is shown once, in the answer
// that makes it; a rotation ends the ones before in the same transaction. Thread-safe.
#pragma once

#include "gateway/api/api_router.h"
#include "gateway/api/owners.h"
#include "gateway/api/registry.h"

namespace pawsight::gateway {

class DevicesApi {
 public:
  /// Adds its routes. `registry` must outlive the server.
  DevicesApi(const ApiContext& context, Registry& registry, Revocations revocations);
  DevicesApi(const DevicesApi&) = delete;
  DevicesApi& operator=(const DevicesApi&) = delete;

 private:
  Result<net::HttpResponse> List(const Call& call) const;
  Result<net::HttpResponse> Get(const Call& call) const;
  void Create(const Call& call, const Responder& reply);
  void Rotate(const Call& call, const Responder& reply);
  void Revoke(const Call& call, const Responder& reply);
  void Delete(const Call& call, const Responder& reply);
  /// Those of a device that open something now.
  Result<std::vector<events::Credential>> UsableOf(const std::string& owner, const std::string& device) const;

  const ApiContext context_;
  Registry& registry_;
  const Revocations revocations_;
};

}  // namespace pawsight::gateway
