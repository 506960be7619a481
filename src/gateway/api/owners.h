// gateway/api/owners.h: owners and the tokens of people: /v1/owners, /v1/credentials, /v1/me. A token is shown once, in
// the answer that makes it. Not here: devices and their tokens (gateway/api/devices.h). Thread-safe.
#pragma once

#include <functional>

#include "gateway/api/api_router.h"

namespace pawsight::gateway {

/// What else must know when a credential opens nothing any more, or an owner is gone.
struct Revocations {
  std::function<void()> forget_tokens;                   // Authenticator::Forget
  std::function<void(const std::string&)> end_streams;   // of a credential
  std::function<void(const std::string&)> owner_erased;  // its cameras stop
};

class OwnersApi {
 public:
  /// Adds its routes. `revocations` is called on the store's writer thread.
  OwnersApi(const ApiContext& context, Revocations revocations);
  OwnersApi(const OwnersApi&) = delete;
  OwnersApi& operator=(const OwnersApi&) = delete;

 private:
  Result<net::HttpResponse> Me(const Call& call) const;
  Result<net::HttpResponse> ListOwners(const Call& call) const;
  Result<net::HttpResponse> GetOwner(const Call& call) const;
  void CreateOwner(const Call& call, const Responder& reply);
  void EraseOwner(const Call& call, const Responder& reply);
  Result<net::HttpResponse> ListCredentials(const Call& call) const;
  void CreateCredential(const Call& call, const Responder& reply);
  void RevokeCredential(const Call& call, const Responder& reply);

  const ApiContext context_;
  const Revocations revocations_;
};

/// A credential for `role` with a fresh token, which goes into *token.
events::Credential MakeCredential(events::Role role, const std::string& owner, const std::string& name, Time now,
                                  std::string* token);
/// Without the hash; with the token where one is given.
Json CredentialJson(const events::Credential& credential, const std::string& token = {});

}  // namespace pawsight::gateway
