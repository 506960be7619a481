#include "gateway/api/running.h"

#include <utility>

#include "gateway/api/openapi.h"

namespace pawsight::gateway {
namespace {

/// Made when it is first asked for, in 5 ms that no start waits for.
const std::string& DocumentText() {
  static const std::string text = OpenApiDocument().Dump();
  return text;
}

}  // namespace

RunningApi::RunningApi(const ApiContext& context, RunningParts parts) : parts_(std::move(parts)) {
  ApiRouter& router = context.router;
  router.Add("GET", "/healthz", Access::kPublic, [](const Call&) -> Result<net::HttpResponse> {
    return JsonAnswer(200, Json::Object{{"status", "ok"}});
  });
  router.Add("GET", "/readyz", Access::kPublic, [this](const Call&) -> Result<net::HttpResponse> {
    Json::Array reasons;
    for (const std::string& reason : parts_.unready()) reasons.push_back(reason);
    if (reasons.empty()) return JsonAnswer(200, Json::Object{{"status", "ok"}});
    std::string detail;
    for (const Json& reason : reasons) detail += (detail.empty() ? "" : "; ") + reason.as_string();
    return Unavailable(detail, "not_ready");
  });
  router.Add("GET", "/openapi.json", Access::kPublic, [](const Call&) -> Result<net::HttpResponse> {
    return net::HttpResponse{200, "application/json", DocumentText(), {}, {}, nullptr};
  });
  router.Add("GET", "/metrics", Access::kAdmin, [this](const Call&) -> Result<net::HttpResponse> { return Metrics(); });
  router.Add("GET", "/v1/stats", Access::kRead, this, &RunningApi::Stats);
  router.Add("GET", "/v1/autoscale", Access::kAdmin, this, &RunningApi::Autoscale);
}

net::HttpResponse RunningApi::Metrics() const {
  return {200, "text/plain; version=0.0.4; charset=utf-8", parts_.metrics(), {}, {}, nullptr};
}

Result<net::HttpResponse> RunningApi::Stats(const Call& call) const {
  Result<Json> stats = parts_.path.Stats(call.owner);
  // Who asks with a token of the owner's own has just been made: the path knows none of whom there is nothing yet.
  if (stats.status().reason() == "owner_unknown" && call.who.owner == call.owner) {
    stats = Json(Json::Object{{"cameras", Json::Array{}}});
  }
  if (!stats.ok()) return stats.status();
  Json sources(Json::Array{});
  if (parts_.sources) {
    const Json pulled = parts_.sources(call.owner);
    if (const Json* list = pulled.Find("sources"); list != nullptr) sources = *list;
  }
  return JsonAnswer(
      200, Json::Object{
               {"stats", *std::move(stats)}, {"cost", parts_.path.Cost(call.owner)}, {"sources", std::move(sources)}});
}

Result<net::HttpResponse> RunningApi::Autoscale(const Call&) const {
  const AutoscaleView view = parts_.autoscale();
  return JsonAnswer(200, Json::Object{{"offered_per_s", view.offered_per_s},
                                      {"capacity_per_s", view.capacity_per_s},
                                      {"target", view.target},
                                      {"workers_wanted", WorkersWanted(view)}});
}

std::string RefusalMetrics(const std::map<std::string, uint64_t>& refusals) {
  std::string text =
      "# HELP pawsight_gateway_rejected_total What the API refused, by its stable code.\n"
      "# TYPE pawsight_gateway_rejected_total counter\n";
  for (const auto& [code, count] : refusals) {
    text += "pawsight_gateway_rejected_total{reason=\"" + code + "\"} " + std::to_string(count) + "\n";
  }
  return text;
}

}  // namespace pawsight::gateway
