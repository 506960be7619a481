// gateway/api/receivers.h: who is told of an owner's alerts: /v1/receivers. A receiver's address is checked before it
// is kept (notify/receiver.h), its secrets are kept apart and shown once. Not here: delivering (notify/notifier.h).
// Thread-safe.
#pragma once

#include "gateway/api/api_router.h"
#include "gateway/api/registry.h"
#include "notify/post_office.h"

namespace pawsight::gateway {

struct ReceiversOptions {
  size_t max_receivers = 100;  // of one owner; at most events::kMaxListed
};

class ReceiversApi {
 public:
  /// Adds its routes. All must outlive the server and every check of an address.
  ReceiversApi(const ApiContext& context, Registry& registry, notify::PostOffice& office,
               const ReceiversOptions& options);
  ReceiversApi(const ReceiversApi&) = delete;
  ReceiversApi& operator=(const ReceiversApi&) = delete;

 private:
  Result<net::HttpResponse> List(const Call& call) const;
  Result<net::HttpResponse> Get(const Call& call) const;
  Result<net::HttpResponse> ListDeliveries(const Call& call) const;
  void Create(const Call& call, const Responder& reply);
  void Update(const Call& call, const Responder& reply);
  void Delete(const Call& call, const Responder& reply);
  void Test(const Call& call, const Responder& reply);
  void RotateSecret(const Call& call, const Responder& reply);
  void Redeliver(const Call& call, const Responder& reply);
  /// The whole document of a stored receiver, secrets and all.
  Result<Json> DocumentOf(const events::Receiver& receiver) const;
  /// Gives it the secret, as it is to lie in the store.
  Status Seal(const Json& secret, events::Receiver* receiver) const;
  /// Checks the address, then writes `receiver` with `document`, then answers with it: 201 when it is new, with
  /// `secret` unless that is empty. One whose name is not found now is written too, and the answer has a warning: no
  /// fault of a name server keeps a person from saving, and the address is checked at each connection.
  void CheckAndPut(const Call& call, const Responder& reply, events::Receiver receiver, const Json& document,
                   const std::string& secret = "");
  void Put(const Call& call, const Responder& reply, events::Receiver receiver, std::string action,
           std::function<net::HttpResponse(const events::Receiver&)> respond);

  const ApiContext context_;
  Registry& registry_;
  notify::PostOffice& office_;
  const ReceiversOptions options_;
};

}  // namespace pawsight::gateway
