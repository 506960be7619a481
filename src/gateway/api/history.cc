#include "gateway/api/history.h"

#include <algorithm>
#include <utility>

#include "gateway/api/store_record.h"

namespace pawsight::gateway {
namespace {

/// What the store keeps as a document, as JSON; what cannot be read is null.
Json Document(const std::string& text) {
  const Result<Json> json = Json::Parse(text);
  return json.ok() ? *json : Json();
}

Json AuditJson(const events::AuditEntry& entry) {
  return Json::Object{{"id", entry.id},
                      {"time", FormatTime(entry.time)},
                      {"who", entry.who},
                      {"action", entry.action},
                      {"object", entry.object},
                      {"before", entry.before.empty() ? Json() : Document(entry.before)},
                      {"after", entry.after.empty() ? Json() : Document(entry.after)}};
}

Result<int> Limit(const net::HttpRequest& request) {
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t limit, ReadNumber(request, "limit", 100));
  if (limit < 1) return InvalidArgument("limit: want 1 or more", "limit");
  return static_cast<int>(std::min<int64_t>(limit, events::kMaxListed));
}

}  // namespace

Json AlertJson(const events::Alert& alert) {
  return Json::Object{{"id", alert.id},
                      {"camera", alert.camera},
                      {"rule", alert.rule},
                      {"severity", alert.severity},
                      {"state", alert.resolved ? "resolved" : "firing"},
                      {"fired", FormatTime(alert.fired)},
                      {"resolved", alert.resolved ? Json(FormatTime(*alert.resolved)) : Json()},
                      {"detail", Document(alert.document)}};
}

Json EventJson(const events::Event& event) {
  return Json::Object{{"id", event.id},
                      {"sequence", event.sequence},
                      {"time", FormatTime(event.time)},
                      {"type", event.type},
                      {"camera", event.camera},
                      {"rule", event.rule},
                      {"alert", event.alert.empty() ? Json() : Json(event.alert)},
                      {"detail", event.detail}};
}

HistoryApi::HistoryApi(const ApiContext& context) : context_(context) {
  ApiRouter& router = context.router;
  router.Add("GET", "/v1/alerts", Access::kRead, this, &HistoryApi::ListAlerts);
  router.Add("GET", "/v1/alerts/{alert}", Access::kRead, this, &HistoryApi::GetAlert);
  router.Add("GET", "/v1/alerts/{alert}/picture", Access::kRead, this, &HistoryApi::GetPicture);
  router.AddLater("DELETE", "/v1/alerts/{alert}/picture", Access::kWrite, this, &HistoryApi::DeletePicture);
  router.Add("GET", "/v1/events", Access::kRead, this, &HistoryApi::ListEvents);
  router.Add("GET", "/v1/events/{event}", Access::kRead, this, &HistoryApi::GetEvent);
  router.Add("GET", "/v1/audit", Access::kAdmin, this, &HistoryApi::ListAudit);
}

Result<net::HttpResponse> HistoryApi::ListAlerts(const Call& call) const {
  const net::HttpRequest& request = *call.request;
  PAWSIGHT_ASSIGN_OR_RETURN(events::Page page, ReadPage(request, "alr_"));
  page.newest_first = true;
  const std::string_view state = request.Query("state");
  if (!state.empty() && state != "firing") return InvalidArgument("state: want firing, or leave it out", "state");
  const events::AlertFilter filter{std::string(request.Query("camera")), std::string(request.Query("rule")),
                                   state == "firing"};
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<events::Alert> alerts,
                            context_.store.ListAlerts(call.owner, filter, page));
  Json::Array items;
  for (const events::Alert& alert : alerts) items.push_back(AlertJson(alert));
  return JsonAnswer(200, ListJson(std::move(items), page, alerts.empty() ? "" : alerts.back().id));
}

Result<net::HttpResponse> HistoryApi::GetAlert(const Call& call) const {
  PAWSIGHT_ASSIGN_OR_RETURN(const events::Alert alert,
                            context_.store.Get<events::Alert>(call.owner, call.Parameter(0)));
  return JsonAnswer(200, AlertJson(alert));
}

Result<net::HttpResponse> HistoryApi::GetPicture(const Call& call) const {
  const Result<events::Picture> picture =
      context_.store.Get<events::Picture>(call.owner, PictureIdOf(call.Parameter(0)));
  if (picture.status().code() == StatusCode::kNotFound) {
    return NotFound("no picture of this alert is kept, or no longer", "no_picture");
  }
  if (!picture.ok()) return picture.status();
  return net::HttpResponse{
      200,
      picture->content_type,
      std::string(picture->bytes.begin(), picture->bytes.end()),
      {{"Pawsight-Kept-Until", FormatTime(picture->expires)}, {"Cache-Control", "private, no-store"}},
      {},
      nullptr};
}

void HistoryApi::DeletePicture(const Call& call, const Responder& reply) {
  const std::string id = PictureIdOf(call.Parameter(0));
  context_.router.Commit({events::Delete<events::Picture>{call.owner, id}, AuditOf(call, "picture.delete", id)}, reply,
                         [](const events::Receipt&) { return NothingAnswer(); });
}

Result<net::HttpResponse> HistoryApi::ListEvents(const Call& call) const {
  const net::HttpRequest& request = *call.request;
  PAWSIGHT_ASSIGN_OR_RETURN(const int limit, Limit(request));
  const events::EventFilter filter{std::string(request.Query("camera"))};
  const bool backwards = !request.Query("before").empty();
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t cursor, ReadNumber(request, backwards ? "before" : "after", 0));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<events::Event> found,
                            backwards ? context_.store.ListEventsBackwards(call.owner, filter, cursor, limit)
                                      : context_.store.ListEvents(call.owner, filter, cursor, limit));
  Json::Array items;
  for (const events::Event& event : found) items.push_back(EventJson(event));
  const bool more = found.size() >= static_cast<size_t>(limit);
  return JsonAnswer(200,
                    Json::Object{{"items", std::move(items)}, {"next", more ? Json(found.back().sequence) : Json()}});
}

Result<net::HttpResponse> HistoryApi::GetEvent(const Call& call) const {
  PAWSIGHT_ASSIGN_OR_RETURN(const events::Event event, context_.store.GetEvent(call.owner, call.Parameter(0)));
  return JsonAnswer(200, EventJson(event));
}

Result<net::HttpResponse> HistoryApi::ListAudit(const Call& call) const {
  PAWSIGHT_ASSIGN_OR_RETURN(const int limit, Limit(*call.request));
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t before, ReadNumber(*call.request, "before", 0));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<events::AuditEntry> entries,
                            context_.store.ListAudit(call.owner, before, limit));
  Json::Array items;
  for (const events::AuditEntry& entry : entries) items.push_back(AuditJson(entry));
  const bool more = entries.size() >= static_cast<size_t>(limit);
  return JsonAnswer(200, Json::Object{{"items", std::move(items)}, {"next", more ? Json(entries.back().id) : Json()}});
}

}  // namespace pawsight::gateway
