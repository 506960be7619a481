#include "gateway/api/devices.h"

#include <utility>

#include "events/ids.h"

namespace pawsight::gateway {
namespace {

Json DeviceJson(const events::Device& device) {
  return Json::Object{
      {"id", device.id}, {"name", device.name}, {"version", device.version}, {"created", FormatTime(device.created)}};
}

}  // namespace

DevicesApi::DevicesApi(const ApiContext& context, Registry& registry, Revocations revocations)
    : context_(context), registry_(registry), revocations_(std::move(revocations)) {
  ApiRouter& router = context.router;
  router.Add("GET", "/v1/devices", Access::kRead, this, &DevicesApi::List);
  router.AddLater("POST", "/v1/devices", Access::kWrite, this, &DevicesApi::Create);
  router.Add("GET", "/v1/devices/{device}", Access::kRead, this, &DevicesApi::Get);
  router.AddLater("DELETE", "/v1/devices/{device}", Access::kWrite, this, &DevicesApi::Delete);
  router.AddLater("POST", "/v1/devices/{device}/rotate", Access::kWrite, this, &DevicesApi::Rotate);
  router.AddLater("POST", "/v1/devices/{device}/revoke", Access::kWrite, this, &DevicesApi::Revoke);
}

Result<net::HttpResponse> DevicesApi::List(const Call& call) const {
  return ListRows<events::Device>(context_.store, call, "dev_", DeviceJson);
}

Result<net::HttpResponse> DevicesApi::Get(const Call& call) const {
  PAWSIGHT_ASSIGN_OR_RETURN(const events::Device device,
                            context_.store.Get<events::Device>(call.owner, call.Parameter(0)));
  return RowAnswer(200, DeviceJson(device), device.version);
}

void DevicesApi::Create(const Call& call, const Responder& reply) {
  const Time now = context_.clock.Now();
  events::Device device;
  device.owner = call.owner;
  device.id = events::NewId("dev_", now);
  device.created = now;
  if (!ApiRouter::ReadFields(call, reply, [&](Fields& fields) { device.name = fields.Text("name"); })) return;
  std::string token;
  events::Credential credential = MakeCredential(events::Role::kDevice, call.owner, device.name, now, &token);
  credential.device = device.id;
  device.version = 0;
  context_.router.Commit({events::Put<events::Device>{device}, events::Put<events::Credential>{credential},
                          AuditOf(call, "device.create", device.id)},
                         reply, [device, credential, token](const events::Receipt& receipt) {
                           events::Device made = device;
                           made.version = receipt[0].number;
                           Json json = DeviceJson(made);
                           json.Set("credential", CredentialJson(credential, token));
                           return RowAnswer(201, json, made.version);
                         });
}

Result<std::vector<events::Credential>> DevicesApi::UsableOf(const std::string& owner,
                                                             const std::string& device) const {
  std::vector<events::Credential> usable;
  events::Page page;
  page.limit = events::kMaxListed;
  while (true) {
    PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<events::Credential> rows,
                              context_.store.List<events::Credential>(owner, page));
    for (const events::Credential& row : rows) {
      if (row.device == device && events::IsUsable(row, context_.clock.Now())) usable.push_back(row);
    }
    if (rows.size() < static_cast<size_t>(page.limit)) return usable;
    page.after = rows.back().id;
  }
}

void DevicesApi::Rotate(const Call& call, const Responder& reply) {
  const Result<events::Device> device = context_.store.Get<events::Device>(call.owner, call.Parameter(0));
  if (!device.ok()) return reply.Fail(device.status());
  const Result<std::vector<events::Credential>> before = UsableOf(call.owner, device->id);
  if (!before.ok()) return reply.Fail(before.status());
  std::string token;
  events::Credential credential =
      MakeCredential(events::Role::kDevice, call.owner, device->name, context_.clock.Now(), &token);
  credential.device = device->id;
  events::WriteBatch batch;
  for (const events::Credential& old : *before) batch.emplace_back(events::Revoke{call.owner, old.id});
  batch.emplace_back(events::Put<events::Credential>{credential});
  batch.emplace_back(AuditOf(call, "device.rotate", device->id));
  context_.router.Commit(
      std::move(batch), reply,
      [json = CredentialJson(credential, token), revocations = revocations_](const events::Receipt&) {
        revocations.forget_tokens();
        return JsonAnswer(201, json);
      });
}

void DevicesApi::Revoke(const Call& call, const Responder& reply) {
  const Result<events::Device> device = context_.store.Get<events::Device>(call.owner, call.Parameter(0));
  if (!device.ok()) return reply.Fail(device.status());
  const Result<std::vector<events::Credential>> before = UsableOf(call.owner, device->id);
  if (!before.ok()) return reply.Fail(before.status());
  events::WriteBatch batch;
  for (const events::Credential& old : *before) batch.emplace_back(events::Revoke{call.owner, old.id});
  batch.emplace_back(AuditOf(call, "device.revoke", device->id));
  context_.router.Commit(std::move(batch), reply, [revocations = revocations_](const events::Receipt&) {
    revocations.forget_tokens();
    return NothingAnswer();
  });
}

void DevicesApi::Delete(const Call& call, const Responder& reply) {
  const Result<int64_t> version = VersionToDelete<events::Device>(context_.store, call);
  if (!version.ok()) return reply.Fail(version.status());
  const std::string id = call.Parameter(0);
  events::WriteBatch batch;
  batch.emplace_back(events::Delete<events::Device>{call.owner, id, *version});
  batch.emplace_back(AuditOf(call, "device.delete", id));
  context_.store.Submit(std::move(batch), [this, reply, owner = call.owner](const Result<events::Receipt>& receipt) {
    if (!receipt.ok()) return reply.Fail(receipt.status());
    revocations_.forget_tokens();
    registry_.Refresh(owner, [reply](const Status&) { reply.Send(NothingAnswer()); });
  });
}

}  // namespace pawsight::gateway
