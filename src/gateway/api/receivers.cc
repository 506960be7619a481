#include "gateway/api/receivers.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "events/ids.h"
#include "notify/receiver_config.h"

namespace pawsight::gateway {
namespace {

Json Parsed(const std::string& text) {
  const Result<Json> json = Json::Parse(text);
  return json.ok() ? *json : Json(Json::Object{});
}

Json ReceiverJson(const events::Receiver& receiver) {
  return Json::Object{{"id", receiver.id},
                      {"name", receiver.name},
                      {"kind", receiver.kind},
                      {"active", receiver.active},
                      {"reason", receiver.reason},
                      {"config", Parsed(receiver.document)},
                      {"version", receiver.version},
                      {"created", FormatTime(receiver.created)},
                      {"updated", FormatTime(receiver.updated)}};
}

Json OptionalTime(const std::optional<Time>& time) { return time ? Json(FormatTime(*time)) : Json(); }

Json DeliveryJson(const events::Delivery& delivery) {
  const bool pending = delivery.state == events::DeliveryState::kPending;
  return Json::Object{{"id", delivery.id},
                      {"receiver", delivery.receiver},
                      {"event", delivery.event.id},
                      {"type", delivery.event.type},
                      {"state", events::DeliveryStateName(delivery.state)},
                      {"attempts", delivery.attempts},
                      {"next", pending ? Json(FormatTime(delivery.next)) : Json()},
                      {"error", delivery.error},
                      {"created", FormatTime(delivery.created)},
                      {"finished", OptionalTime(delivery.finished)}};
}

/// The members of a body; `document` is its config. What only the gateway gives comes back by a PUT alone.
void ReadReceiver(Fields& fields, events::Receiver* receiver, Json* document) {
  const bool is_there = receiver->version != 0;
  fields.Given("id", is_there, receiver->id);
  for (const char* shown : {"kind", "reason", "version", "created", "updated"}) fields.Given(shown, is_there);
  receiver->name = fields.Text("name");
  receiver->active = fields.Flag("active", true);
  *document = fields.Any("config");
}

/// A webhook that brings no secret gets one, which *made then is.
Status GiveSecret(Json* document, std::string* made) {
  const Json* kind = document->Find("kind");
  const bool webhook = kind != nullptr && kind->is_string() && kind->as_string() == "webhook";
  if (!webhook || document->Find("secrets") != nullptr) return Ok();
  PAWSIGHT_ASSIGN_OR_RETURN(const notify::SigningSecret secret, notify::SigningSecret::Make());
  *made = secret.Text();
  document->Set("secrets", Json::Array{Json(*made)});
  return Ok();
}

}  // namespace

ReceiversApi::ReceiversApi(const ApiContext& context, Registry& registry, notify::PostOffice& office,
                           const ReceiversOptions& options)
    : context_(context), registry_(registry), office_(office), options_(options) {
  ApiRouter& router = context.router;
  router.Add("GET", "/v1/receivers", Access::kRead, this, &ReceiversApi::List);
  router.AddLater("POST", "/v1/receivers", Access::kWrite, this, &ReceiversApi::Create);
  router.Add("GET", "/v1/receivers/{receiver}", Access::kRead, this, &ReceiversApi::Get);
  router.AddLater("PUT", "/v1/receivers/{receiver}", Access::kWrite, this, &ReceiversApi::Update);
  router.AddLater("DELETE", "/v1/receivers/{receiver}", Access::kWrite, this, &ReceiversApi::Delete);
  router.AddLater("POST", "/v1/receivers/{receiver}/test", Access::kWrite, this, &ReceiversApi::Test);
  router.AddLater("POST", "/v1/receivers/{receiver}/rotate-secret", Access::kWrite, this, &ReceiversApi::RotateSecret);
  router.Add("GET", "/v1/receivers/{receiver}/deliveries", Access::kRead, this, &ReceiversApi::ListDeliveries);
  router.AddLater("POST", "/v1/receivers/{receiver}/redeliver", Access::kWrite, this, &ReceiversApi::Redeliver);
}

Result<net::HttpResponse> ReceiversApi::List(const Call& call) const {
  return ListRows<events::Receiver>(context_.store, call, "rcv_", ReceiverJson);
}

Result<net::HttpResponse> ReceiversApi::Get(const Call& call) const {
  PAWSIGHT_ASSIGN_OR_RETURN(const events::Receiver receiver,
                            context_.store.Get<events::Receiver>(call.owner, call.Parameter(0)));
  return RowAnswer(200, ReceiverJson(receiver), receiver.version);
}

Result<net::HttpResponse> ReceiversApi::ListDeliveries(const Call& call) const {
  const net::HttpRequest& request = *call.request;
  PAWSIGHT_ASSIGN_OR_RETURN(const events::Receiver receiver,
                            context_.store.Get<events::Receiver>(call.owner, call.Parameter(0)));
  PAWSIGHT_ASSIGN_OR_RETURN(int64_t limit, ReadNumber(request, "limit", 100));
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t after, ReadNumber(request, "after", 0));
  limit = std::clamp<int64_t>(limit, 1, events::kMaxListed);
  const events::DeliveryFilter filter{receiver.id, request.Query("dead") == "true"};
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<events::Delivery> deliveries,
                            context_.store.ListDeliveries(call.owner, filter, after, static_cast<int>(limit)));
  Json::Array items;
  for (const events::Delivery& delivery : deliveries) items.push_back(DeliveryJson(delivery));
  const bool more = deliveries.size() >= static_cast<size_t>(limit);
  return JsonAnswer(200,
                    Json::Object{{"items", std::move(items)}, {"next", more ? Json(deliveries.back().id) : Json()}});
}

Result<Json> ReceiversApi::DocumentOf(const events::Receiver& receiver) const {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string secret, context_.store.ReceiverSecret(receiver.owner, receiver.id));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string text, office_.keys().Open({receiver.owner, receiver.id}, secret));
  return notify::JoinSecrets(Parsed(receiver.document), text.empty() ? Json(Json::Object{}) : Parsed(text));
}

Status ReceiversApi::Seal(const Json& secret, events::Receiver* receiver) const {
  PAWSIGHT_ASSIGN_OR_RETURN(receiver->secret, office_.keys().Seal({receiver->owner, receiver->id}, secret.Dump()));
  return Ok();
}

void ReceiversApi::Put(const Call& call, const Responder& reply, events::Receiver receiver, std::string action,
                       std::function<net::HttpResponse(const events::Receiver&)> respond) {
  events::WriteBatch batch;
  batch.emplace_back(events::Put<events::Receiver>{receiver});
  batch.emplace_back(AuditOf(call, std::move(action), receiver.id));
  context_.store.Submit(std::move(batch), [this, reply, receiver = std::move(receiver), respond = std::move(respond)](
                                              const Result<events::Receipt>& receipt) mutable {
    if (!receipt.ok()) return reply.Fail(receipt.status());
    receiver.version = receipt->at(0).number;
    receiver.updated = context_.clock.Now();
    office_.notifier().Changed({receiver.owner, receiver.id});
    registry_.Refresh(receiver.owner, [reply, response = respond(receiver)](const Status& brought) {
      if (!brought.ok()) return reply.Fail(brought);
      reply.Send(response);
    });
  });
}

void ReceiversApi::CheckAndPut(const Call& call, const Responder& reply, events::Receiver receiver,
                               const Json& document, const std::string& secret) {
  const notify::SplitDocument split = notify::SplitSecrets(document);
  const Result<std::string> kind = document.GetString("kind");
  receiver.kind = kind.ok() ? *kind : std::string();  // what it may be is checked below
  receiver.document = split.open.Dump();
  if (const Status sealed = Seal(split.secret, &receiver); !sealed.ok()) return reply.Fail(sealed);
  const std::string owner = receiver.owner;
  office_.Check(document, owner,
                [this, call, reply, receiver = std::move(receiver), secret](const Status& checked) mutable {
                  std::string warning;
                  if (checked.reason() == notify::kNameNotFound) {
                    warning = checked.message() + "; what is to be told waits, and is tried again";
                  } else if (!checked.ok()) {
                    return reply.Fail(checked);
                  }
                  const bool is_new = receiver.version == 0;
                  Put(call, reply, std::move(receiver), is_new ? "receiver.create" : "receiver.update",
                      [is_new, secret, warning](const events::Receiver& written) {
                        Json json = ReceiverJson(written);
                        if (!secret.empty()) json.Set("secret", secret);
                        if (!warning.empty()) json.Set("warning", warning);
                        return RowAnswer(is_new ? 201 : 200, json, written.version);
                      });
                });
}

void ReceiversApi::Create(const Call& call, const Responder& reply) {
  const Time now = context_.clock.Now();
  events::Receiver receiver;
  receiver.owner = call.owner;
  receiver.id = events::NewId("rcv_", now);
  receiver.created = now;
  Json document;
  const auto read = [&](Fields& fields) { ReadReceiver(fields, &receiver, &document); };
  if (!ApiRouter::ReadFields(call, reply, read)) return;
  if (!document.is_object()) return reply.Fail(InvalidArgument("config: want an object", "field"));
  events::Page page;
  page.limit = static_cast<int>(options_.max_receivers);
  const auto there = context_.store.List<events::Receiver>(call.owner, page);  // those that are switched off too
  if (!there.ok()) return reply.Fail(there.status());
  if (there->size() >= options_.max_receivers) {
    return reply.Fail(ResourceExhausted("an owner has at most " + std::to_string(options_.max_receivers) + " receivers",
                                        "limit_reached"));
  }
  std::string made;
  if (const Status given = GiveSecret(&document, &made); !given.ok()) return reply.Fail(given);
  CheckAndPut(call, reply, std::move(receiver), document, made);
}

void ReceiversApi::Update(const Call& call, const Responder& reply) {
  Result<events::Receiver> receiver = context_.store.Get<events::Receiver>(call.owner, call.Parameter(0));
  if (!receiver.ok()) return reply.Fail(receiver.status());
  if (const Status match = CheckIfMatch(*call.request, receiver->version); !match.ok()) return reply.Fail(match);
  Json document;
  const auto read = [&](Fields& fields) { ReadReceiver(fields, &*receiver, &document); };
  if (!ApiRouter::ReadFields(call, reply, read)) return;
  if (!document.is_object()) return reply.Fail(InvalidArgument("config: want an object", "field"));
  const Result<Json> before = DocumentOf(*receiver);
  const bool lost = before.status().code() == StatusCode::kDataLoss;  // does not open: the body brings another
  if (!before.ok() && !lost) return reply.Fail(before.status());
  const Json* kind = document.Find("kind");
  const bool same_kind = kind != nullptr && kind->Dump() == JsonQuote(receiver->kind);
  const bool brings_secret = !notify::SplitSecrets(document).secret.as_object().empty();
  if (lost && same_kind && !brings_secret) return reply.Fail(before.status());  // one it may have had would be dropped
  if (!lost && same_kind) {
    document = notify::JoinSecrets(notify::SplitSecrets(*before).secret, document);  // what the body says wins
  }
  receiver->reason.clear();
  CheckAndPut(call, reply, *std::move(receiver), document);
}

void ReceiversApi::RotateSecret(const Call& call, const Responder& reply) {
  Result<events::Receiver> receiver = context_.store.Get<events::Receiver>(call.owner, call.Parameter(0));
  if (!receiver.ok()) return reply.Fail(receiver.status());
  if (receiver->kind != "webhook") return reply.Fail(InvalidArgument("only a webhook has a signing secret", "field"));
  Result<Json> document = DocumentOf(*receiver);
  if (!document.ok()) return reply.Fail(document.status());
  const Result<notify::SigningSecret> secret = notify::SigningSecret::Make();
  if (!secret.ok()) return reply.Fail(secret.status());
  Json::Array secrets{Json(secret->Text())};
  if (const Json* old = document->Find("secrets"); old != nullptr && old->is_array() && !old->as_array().empty()) {
    secrets.push_back(old->as_array().front());
  }
  document->Set("secrets", std::move(secrets));
  if (const Status sealed = Seal(notify::SplitSecrets(*document).secret, &*receiver); !sealed.ok()) {
    return reply.Fail(sealed);
  }
  Put(call, reply, *std::move(receiver), "receiver.rotate_secret", [text = secret->Text()](const events::Receiver&) {
    return JsonAnswer(201, Json::Object{{"secret", text}});
  });
}

void ReceiversApi::Delete(const Call& call, const Responder& reply) {
  const Result<int64_t> version = VersionToDelete<events::Receiver>(context_.store, call);
  if (!version.ok()) return reply.Fail(version.status());
  const std::string id = call.Parameter(0);
  events::WriteBatch batch;
  batch.emplace_back(events::Delete<events::Receiver>{call.owner, id, *version});
  batch.emplace_back(AuditOf(call, "receiver.delete", id));
  context_.store.Submit(std::move(batch),
                        [this, reply, owner = call.owner, id](const Result<events::Receipt>& receipt) {
                          if (!receipt.ok()) return reply.Fail(receipt.status());
                          office_.notifier().Changed({owner, id});
                          registry_.Refresh(owner, [reply](const Status&) { reply.Send(NothingAnswer()); });
                        });
}

void ReceiversApi::Test(const Call& call, const Responder& reply) {
  const Result<events::Receiver> receiver = context_.store.Get<events::Receiver>(call.owner, call.Parameter(0));
  if (!receiver.ok()) return reply.Fail(receiver.status());
  const Time now = context_.clock.Now();
  office_.notifier().SendTest(
      {call.owner, receiver->id}, notify::TestMessage(events::NewId("evt_", now), call.owner, now),
      [reply](const notify::Outcome& outcome) {
        const bool delivered = outcome.kind == notify::Outcome::Kind::kDelivered;
        reply.Send(JsonAnswer(
            200, Json::Object{{"delivered", delivered}, {"error", delivered ? Json() : Json(outcome.error)}}));
      });
}

void ReceiversApi::Redeliver(const Call& call, const Responder& reply) {
  int64_t id = 0;
  const bool read = ApiRouter::ReadFields(
      call, reply, [&](Fields& fields) { id = fields.Integer("delivery", 0, 1, std::numeric_limits<int64_t>::max()); });
  if (!read) return;
  const Result<events::Delivery> delivery = context_.store.GetDelivery(call.owner, id);
  if (!delivery.ok()) return reply.Fail(delivery.status());
  if (delivery->receiver != call.Parameter(0)) return reply.Fail(NotFound("no such delivery", "not_found"));
  events::WriteBatch batch;
  batch.emplace_back(events::RetryDelivery{call.owner, id});
  context_.store.Submit(std::move(batch), [this, reply, id, key = notify::ReceiverKey{call.owner, delivery->receiver}](
                                              const Result<events::Receipt>& receipt) {
    if (!receipt.ok()) return reply.Fail(receipt.status());
    office_.notifier().Wake(key);
    reply.Send(JsonAnswer(202, Json::Object{{"delivery", id}}));
  });
}

}  // namespace pawsight::gateway
