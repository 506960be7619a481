#include "gateway/api/rules.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "events/ids.h"
#include "gateway/api/fields.h"
#include "gateway/api/problem.h"
#include "rules/lint.h"

namespace pawsight::gateway {
namespace {

constexpr double kLongestSnoozeS = 366 * 86400.0;
constexpr std::string_view kGiven[] = {"id", "version", "created", "updated", "advice"};  // by the gateway, in a GET

Json AdviceJson(const rules::Rule& rule) {
  Json::Array advice;
  for (const rules::Finding& finding : rules::LintRule(rule)) {
    advice.push_back(Json::Object{{"code", finding.code}, {"field", finding.field}, {"advice", finding.advice}});
  }
  return advice;
}

/// The rule with what the store knows of it.
Json RuleJson(const events::Rule& row) {
  const Result<Json> document = Json::Parse(row.document);
  Json json = document.ok() ? *document : Json(Json::Object{});
  json.Set("id", row.id);
  json.Set("enabled", row.enabled);
  json.Set("version", row.version);
  json.Set("created", FormatTime(row.created));
  json.Set("updated", FormatTime(row.updated));
  return json;
}

/// Those that the rule names, as the store has it.
std::set<std::string> ReceiversOf(const events::Rule& row) {
  const Result<Json> document = Json::Parse(row.document);
  const Result<rules::Rule> rule = document.ok() ? rules::ParseRule(*document) : document.status();
  if (!rule.ok()) return {};
  return {rule->receivers.begin(), rule->receivers.end()};
}

Json SnoozeJson(const events::Snooze& snooze) {
  return Json::Object{{"rule", snooze.rule.empty() ? Json() : Json(snooze.rule)},
                      {"camera", snooze.camera.empty() ? Json() : Json(snooze.camera)},
                      {"until", FormatTime(snooze.until)},
                      {"who", snooze.who},
                      {"created", FormatTime(snooze.created)}};
}

}  // namespace

RulesApi::RulesApi(const ApiContext& context, Registry& registry, const FramePath& path)
    : context_(context), registry_(registry), path_(path) {
  ApiRouter& router = context.router;
  router.Add("GET", "/v1/rules", Access::kRead, this, &RulesApi::List);
  router.AddLater("POST", "/v1/rules", Access::kWrite, this, &RulesApi::Create);
  router.Add("GET", "/v1/rules/{rule}", Access::kRead, this, &RulesApi::Get);
  router.AddLater("PUT", "/v1/rules/{rule}", Access::kWrite, this, &RulesApi::Update);
  router.AddLater("DELETE", "/v1/rules/{rule}", Access::kWrite, this, &RulesApi::Delete);
  router.Add("GET", "/v1/rules/{rule}/why", Access::kRead, this, &RulesApi::Why);
  router.Add("GET", "/v1/snoozes", Access::kRead, this, &RulesApi::ListSnoozes);
  router.AddLater("POST", "/v1/snoozes", Access::kWrite, this, &RulesApi::PutSnooze);
  router.AddLater("DELETE", "/v1/snoozes", Access::kWrite, this, &RulesApi::DeleteSnooze);
}

Result<net::HttpResponse> RulesApi::List(const Call& call) const {
  return ListRows<events::Rule>(context_.store, call, "rul_", RuleJson);
}

Result<net::HttpResponse> RulesApi::Get(const Call& call) const {
  PAWSIGHT_ASSIGN_OR_RETURN(const events::Rule row, context_.store.Get<events::Rule>(call.owner, call.Parameter(0)));
  Json json = RuleJson(row);
  const Result<Json> document = Json::Parse(row.document);
  const Result<rules::Rule> rule = document.ok() ? rules::ParseRule(*document) : document.status();
  json.Set("advice", rule.ok() ? AdviceJson(*rule) : Json(Json::Array{}));
  return RowAnswer(200, json, row.version);
}

Result<net::HttpResponse> RulesApi::Why(const Call& call) const {
  PAWSIGHT_ASSIGN_OR_RETURN(const Json why, path_.Why(call.owner, call.Parameter(0)));
  return JsonAnswer(200, why);
}

Result<rules::Rule> RulesApi::Read(const Call& call, const std::string& id, bool is_there) const {
  PAWSIGHT_ASSIGN_OR_RETURN(Json body, ReadBody(*call.request));
  if (!body.is_object()) return InvalidArgument("the body: want a JSON object", "body");
  Json::Object own, given;
  for (const auto& [key, value] : body.as_object()) {
    (std::find(std::begin(kGiven), std::end(kGiven), key) == std::end(kGiven) ? own : given).emplace_back(key, value);
  }
  const Json shown(std::move(given));
  Fields fields(shown);
  for (const std::string_view key : kGiven) fields.Given(key, is_there, key == "id" ? id : "");
  PAWSIGHT_RETURN_IF_ERROR(fields.Finish());
  own.emplace_back("id", id);
  Result<rules::Rule> rule = rules::ParseRule(own);
  if (!rule.ok()) {
    return rule.status().reason().empty() ? InvalidArgument(rule.status().message(), "field") : rule.status();
  }
  if (call.request->Query("force") == "true") return rule;
  for (const rules::Finding& finding : rules::LintRule(*rule)) {
    if (!finding.refuse) continue;
    return InvalidArgument(std::string(finding.field) + ": " + finding.advice + " (?force=true takes it all the same)",
                           "question_unfit");
  }
  return rule;
}

void RulesApi::CommitAndRefresh(const Call& call, const Responder& reply, events::WriteBatch batch,
                                std::function<net::HttpResponse(const events::Receipt&)> respond) {
  context_.store.Submit(std::move(batch), [this, reply, owner = call.owner,
                                           respond = std::move(respond)](const Result<events::Receipt>& receipt) {
    if (receipt.status().reason() == "needed") {  // it was there a moment ago: Registry::CheckRule
      return reply.Fail(InvalidArgument("receivers: one of them was removed meanwhile", "receiver_unknown"));
    }
    if (!receipt.ok()) return reply.Fail(receipt.status());
    registry_.Refresh(owner, [reply, response = respond(*receipt)](const Status& brought) {
      if (!brought.ok()) return reply.Fail(brought);
      reply.Send(response);
    });
  });
}

void RulesApi::Put(const Call& call, const Responder& reply, events::Rule row, const rules::Rule& rule, int status) {
  const std::set<std::string> before = ReceiversOf(row);
  row.document = rules::RuleToJson(rule).Dump();
  row.enabled = rule.enabled;
  events::WriteBatch batch;
  batch.emplace_back(events::Put<events::Rule>{row});
  for (const std::string& receiver : rule.receivers) {
    if (!before.contains(receiver)) batch.emplace_back(events::Need<events::Receiver>{row.owner, receiver});
  }
  batch.emplace_back(AuditOf(call, status == 201 ? "rule.create" : "rule.update", row.id));
  CommitAndRefresh(
      call, reply, std::move(batch),
      [row, status, advice = AdviceJson(rule), now = context_.clock.Now()](const events::Receipt& receipt) {
        events::Rule made = row;
        made.version = receipt[0].number;
        made.updated = now;
        Json json = RuleJson(made);
        json.Set("advice", advice);
        return RowAnswer(status, json, made.version);
      });
}

void RulesApi::Create(const Call& call, const Responder& reply) {
  const Time now = context_.clock.Now();
  events::Rule row;
  row.owner = call.owner;
  row.id = events::NewId("rul_", now);
  row.created = now;
  const Result<rules::Rule> rule = Read(call, row.id, false);
  if (!rule.ok()) return reply.Fail(rule.status());
  if (const Status fits = registry_.CheckRule(call.owner, *rule); !fits.ok()) return reply.Fail(fits);
  Put(call, reply, std::move(row), *rule, 201);
}

void RulesApi::Update(const Call& call, const Responder& reply) {
  const Result<events::Rule> row = context_.store.Get<events::Rule>(call.owner, call.Parameter(0));
  if (!row.ok()) return reply.Fail(row.status());
  if (const Status match = CheckIfMatch(*call.request, row->version); !match.ok()) return reply.Fail(match);
  const Result<rules::Rule> rule = Read(call, row->id, true);
  if (!rule.ok()) return reply.Fail(rule.status());
  if (const Status fits = registry_.CheckRule(call.owner, *rule); !fits.ok()) return reply.Fail(fits);
  Put(call, reply, *row, *rule, 200);
}

void RulesApi::Delete(const Call& call, const Responder& reply) {
  const Result<int64_t> version = VersionToDelete<events::Rule>(context_.store, call);
  if (!version.ok()) return reply.Fail(version.status());
  events::WriteBatch batch;
  batch.emplace_back(events::Delete<events::Rule>{call.owner, call.Parameter(0), *version});
  batch.emplace_back(AuditOf(call, "rule.delete", call.Parameter(0)));
  CommitAndRefresh(call, reply, std::move(batch), [](const events::Receipt&) { return NothingAnswer(); });
}

Result<net::HttpResponse> RulesApi::ListSnoozes(const Call& call) const {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<events::Snooze> snoozes, context_.store.ListSnoozes(call.owner));
  Json::Array items;
  for (const events::Snooze& snooze : snoozes) items.push_back(SnoozeJson(snooze));
  return JsonAnswer(200, Json::Object{{"items", std::move(items)}, {"next", Json()}});
}

Status RulesApi::CheckSnooze(const events::Snooze& snooze) const {
  if (!snooze.rule.empty()) {
    const Status there = context_.store.Get<events::Rule>(snooze.owner, snooze.rule).status();
    if (there.code() == StatusCode::kNotFound) return UnknownName("rule", "rule");
    PAWSIGHT_RETURN_IF_ERROR(there);
  }
  const auto camera = registry_.FindCamera(snooze.camera);
  const bool has_camera = snooze.camera.empty() || (camera && camera->owner == snooze.owner);
  return has_camera ? Ok() : UnknownName("camera", "camera");
}

void RulesApi::PutSnooze(const Call& call, const Responder& reply) {
  const Time now = context_.clock.Now();
  events::Snooze snooze;
  snooze.owner = call.owner;
  snooze.who = call.who.credential;
  snooze.created = now;
  std::optional<Time> until;
  double for_s = 0;
  const bool read = ApiRouter::ReadFields(call, reply, [&](Fields& fields) {
    snooze.rule = fields.Text("rule", "");
    snooze.camera = fields.Text("camera", "");
    until = fields.When("until");
    for_s = fields.Number("for_s", 0, 1, kLongestSnoozeS);
  });
  if (!read) return;
  if (until.has_value() == (for_s > 0)) {
    return reply.Fail(InvalidArgument("until, for_s: want exactly one of them", "field"));
  }
  snooze.until = until ? *until : now + std::chrono::milliseconds(static_cast<int64_t>(for_s * 1000));
  if (snooze.until <= now) return reply.Fail(InvalidArgument("until: is over already", "field"));
  if (const Status there = CheckSnooze(snooze); !there.ok()) return reply.Fail(there);
  events::WriteBatch batch;
  batch.emplace_back(events::Put<events::Snooze>{snooze});
  batch.emplace_back(AuditOf(call, "snooze.put", snooze.rule + " " + snooze.camera));
  CommitAndRefresh(call, reply, std::move(batch),
                   [snooze](const events::Receipt&) { return JsonAnswer(201, SnoozeJson(snooze)); });
}

void RulesApi::DeleteSnooze(const Call& call, const Responder& reply) {
  const std::string rule(call.request->Query("rule")), camera(call.request->Query("camera"));
  events::WriteBatch batch;
  batch.emplace_back(events::DeleteSnooze{call.owner, camera, rule});
  batch.emplace_back(AuditOf(call, "snooze.delete", rule + " " + camera));
  CommitAndRefresh(call, reply, std::move(batch), [](const events::Receipt&) { return NothingAnswer(); });
}

}  // namespace pawsight::gateway
