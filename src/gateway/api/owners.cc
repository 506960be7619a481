#include "gateway/api/owners.h"

#include <utility>

#include "base/log.h"
#include "events/ids.h"
#include "gateway/api/fields.h"

namespace pawsight::gateway {
namespace {

Json OwnerJson(const events::Owner& owner) {
  return Json::Object{{"id", owner.id}, {"name", owner.name}, {"created", FormatTime(owner.created)}};
}

Json OptionalTime(const std::optional<Time>& time) { return time ? Json(FormatTime(*time)) : Json(); }

}  // namespace

events::Credential MakeCredential(events::Role role, const std::string& owner, const std::string& name, Time now,
                                  std::string* token) {
  *token = NewToken(role);
  events::Credential credential;
  credential.id = events::NewId("crd_", now);
  credential.owner = owner;
  credential.role = role;
  credential.name = name;
  credential.hash = HashToken(*token);
  credential.created = now;
  return credential;
}

Json CredentialJson(const events::Credential& credential, const std::string& token) {
  Json json(Json::Object{{"id", credential.id},
                         {"role", events::RoleName(credential.role)},
                         {"owner", credential.owner.empty() ? Json() : Json(credential.owner)},
                         {"device", credential.device.empty() ? Json() : Json(credential.device)},
                         {"name", credential.name},
                         {"created", FormatTime(credential.created)},
                         {"expires", OptionalTime(credential.expires)},
                         {"revoked", OptionalTime(credential.revoked)}});
  if (!token.empty()) json.Set("token", token);
  return json;
}

OwnersApi::OwnersApi(const ApiContext& context, Revocations revocations)
    : context_(context), revocations_(std::move(revocations)) {
  ApiRouter& router = context.router;
  router.Add("GET", "/v1/me", Access::kAny, this, &OwnersApi::Me);
  router.Add("GET", "/v1/owners", Access::kAdmin, this, &OwnersApi::ListOwners);
  router.AddLater("POST", "/v1/owners", Access::kAdmin, this, &OwnersApi::CreateOwner);
  router.Add("GET", "/v1/owners/{owner}", Access::kAdmin, this, &OwnersApi::GetOwner);
  router.AddLater("DELETE", "/v1/owners/{owner}", Access::kAdmin, this, &OwnersApi::EraseOwner);
  router.Add("GET", "/v1/credentials", Access::kWrite, this, &OwnersApi::ListCredentials);
  router.AddLater("POST", "/v1/credentials", Access::kWrite, this, &OwnersApi::CreateCredential);
  router.AddLater("DELETE", "/v1/credentials/{credential}", Access::kWrite, this, &OwnersApi::RevokeCredential);
}

Result<net::HttpResponse> OwnersApi::Me(const Call& call) const {
  return JsonAnswer(200, Json::Object{{"credential", call.who.credential},
                                      {"role", events::RoleName(call.who.role)},
                                      {"owner", call.who.owner.empty() ? Json() : Json(call.who.owner)},
                                      {"device", call.who.device.empty() ? Json() : Json(call.who.device)}});
}

Result<net::HttpResponse> OwnersApi::ListOwners(const Call& call) const {
  PAWSIGHT_ASSIGN_OR_RETURN(const events::Page page, ReadPage(*call.request, "own_"));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<events::Owner> owners, context_.store.ListOwners(page));
  Json::Array items;
  for (const events::Owner& owner : owners) items.push_back(OwnerJson(owner));
  return JsonAnswer(200, ListJson(std::move(items), page, owners.empty() ? "" : owners.back().id));
}

Result<net::HttpResponse> OwnersApi::GetOwner(const Call& call) const {
  PAWSIGHT_ASSIGN_OR_RETURN(const events::Owner owner, context_.store.GetOwner(call.Parameter(0)));
  return JsonAnswer(200, OwnerJson(owner));
}

void OwnersApi::CreateOwner(const Call& call, const Responder& reply) {
  const Time now = context_.clock.Now();
  events::Owner owner;
  owner.id = events::NewId("own_", now);
  owner.created = now;
  if (!ApiRouter::ReadFields(call, reply, [&](Fields& fields) { owner.name = fields.Text("name"); })) return;
  std::string token;
  const events::Credential credential =
      MakeCredential(events::Role::kOperator, owner.id, "first operator", now, &token);
  Json json = OwnerJson(owner);
  json.Set("credential", CredentialJson(credential, token));
  context_.router.Commit({events::Put<events::Owner>{owner}, events::Put<events::Credential>{credential},
                          AuditOf(call, "owner.create", owner.id)},
                         reply, [json](const events::Receipt&) { return JsonAnswer(201, json); });
}

void OwnersApi::EraseOwner(const Call& call, const Responder& reply) {
  const std::string owner = call.Parameter(0);
  if (!events::IsId("own_", owner)) return reply.Fail(NotFound("no such owner", "not_found"));
  Call of_installation = call;
  of_installation.owner.clear();  // what is audited under the owner goes with it
  context_.router.Commit({events::EraseOwner{owner}, AuditOf(of_installation, "owner.erase", owner)}, reply,
                         [owner, revocations = revocations_](const events::Receipt&) {
                           revocations.forget_tokens();
                           revocations.owner_erased(owner);
                           return NothingAnswer();
                         });
}

Result<net::HttpResponse> OwnersApi::ListCredentials(const Call& call) const {
  return ListRows<events::Credential>(context_.store, call, "crd_",
                                      [](const events::Credential& row) { return CredentialJson(row); });
}

void OwnersApi::CreateCredential(const Call& call, const Responder& reply) {
  std::string role, name;
  std::optional<Time> expires;
  const bool read = ApiRouter::ReadFields(call, reply, [&](Fields& fields) {
    role = fields.Choice("role", {"operator", "viewer"});
    name = fields.Text("name", "");
    expires = fields.When("expires");
  });
  if (!read) return;
  std::string token;
  events::Credential credential = MakeCredential(role == "viewer" ? events::Role::kViewer : events::Role::kOperator,
                                                 call.owner, name, context_.clock.Now(), &token);
  credential.expires = expires;
  context_.router.Commit(
      {events::Put<events::Credential>{credential}, AuditOf(call, "credential.create", credential.id)}, reply,
      [json = CredentialJson(credential, token)](const events::Receipt&) { return JsonAnswer(201, json); });
}

void OwnersApi::RevokeCredential(const Call& call, const Responder& reply) {
  const std::string id = call.Parameter(0);
  context_.router.Commit({events::Revoke{call.owner, id}, AuditOf(call, "credential.revoke", id)}, reply,
                         [id, revocations = revocations_](const events::Receipt&) {
                           revocations.forget_tokens();
                           revocations.end_streams(id);
                           return NothingAnswer();
                         });
}

}  // namespace pawsight::gateway
