#include "server/http_endpoint.h"

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/json_codec.h"
#include "protocol/json_metadata.h"

namespace pawsight::server {
namespace {

constexpr std::string_view kJsonBytesHeader = "Inference-Header-Content-Length";

net::HttpResponse JsonResponse(const Json& json) { return {200, "application/json", json.Dump(), {}}; }

/// Only the status says it.
net::HttpResponse Yes(bool yes) { return {yes ? 200 : 503, "application/json", "", {}}; }

/// The version that a path names, "" when it names none.
std::string_view VersionOf(const net::HttpRequest& request) {
  return request.parameters.size() > 1 ? std::string_view(request.parameters[1]) : "";
}

/// Forms of other bodies than the protocol's; everything else is tried, since clients name many types or none.
bool IsForm(std::string_view content_type) { return net::LowerCase(content_type.substr(0, 10)) == "multipart/"; }

/// A request that is well formed, but whose image or text cannot be used, is 422; another kind of image 415.
int StatusOf(const Status& status) {
  const std::string_view reason = status.reason();
  const int usual = net::HttpStatusFor(status.code());
  if (status.code() != StatusCode::kInvalidArgument || reason == "image_empty") return usual;
  if (reason == "image_type_unsupported") return 415;
  constexpr std::array<std::string_view, 4> kTexts = {"question_empty", "question_too_long", "too_many_questions",
                                                      "prompt_too_long"};
  const bool unusable = reason.starts_with("image_") || std::ranges::find(kTexts, reason) != kTexts.end();
  return unusable ? 422 : usual;
}

/// Calls `add` with the path of a model with and without a version.
template <typename Add>
void ForBothPaths(std::string_view end, const Add& add) {
  add("/v2/models/{model}" + std::string(end));
  add("/v2/models/{model}/versions/{version}" + std::string(end));
}

/// One request under way. The model is kept until it is done, though it be swapped meanwhile.
struct Call {
  Call(protocol::InferRequest infer, std::shared_ptr<Model> whose)
      : request(std::move(infer)), model(std::move(whose)) {
    notes.model = model->Metadata().name;
  }
  const protocol::InferRequest request;
  const std::shared_ptr<Model> model;
  RequestNotes notes;
};

}  // namespace

net::HttpResponse HttpEndpoint::Refusal(int status, std::string_view code, std::string_view detail) {
  return {status, "application/json", protocol::ErrorToJson(detail, code).Dump(), {}, std::string(code)};
}

net::HttpResponse HttpEndpoint::Error(const Status& status, int retry_after_seconds) {
  net::HttpResponse response = Refusal(StatusOf(status), status.reason(), status.message());
  if (response.status == 429 || response.status == 503) {
    response.headers.emplace_back("Retry-After", std::to_string(retry_after_seconds));
  }
  return response;
}

void HttpEndpoint::AddRoutes(net::Router& router) const {
  AddHealth(router);
  AddModels(router);
  ForBothPaths("/infer", [&](const std::string& path) {
    router.AddLater("POST", path,
                    [this](std::shared_ptr<const net::HttpRequest> request, const net::HttpResponder& responder) {
                      const std::string_view model = request->parameters[0];
                      const std::string_view version = VersionOf(*request);
                      Infer(model, version, std::move(request), responder);
                    });
  });
}

void HttpEndpoint::AddHealth(net::Router& router) const {
  router.Add("GET", "/v2", [](const net::HttpRequest&) {
    return JsonResponse(protocol::ServerMetadataToJson(protocol::ThisServer()));
  });
  router.Add("GET", "/v2/health/live", [](const net::HttpRequest&) { return Yes(true); });
  router.Add("GET", "/v2/health/ready", [this](const net::HttpRequest&) { return Yes(repository_.Ready()); });
}

void HttpEndpoint::AddModels(net::Router& router) const {
  router.Add("GET", "/v2/models/stats", [this](const net::HttpRequest&) {
    std::vector<protocol::ModelStatistics> statistics;
    for (const std::shared_ptr<Model>& model : repository_.List()) statistics.push_back(model->Statistics());
    return JsonResponse(protocol::StatisticsToJson(statistics));
  });
  const auto add = [&](std::string_view end, net::HttpResponse (*answer)(const Model&)) {
    ForBothPaths(end, [&](const std::string& path) {
      router.Add("GET", path, [this, answer](const net::HttpRequest& request) {
        const Result<std::shared_ptr<Model>> model = repository_.Find(request.parameters[0], VersionOf(request));
        return model.ok() ? answer(**model) : Error(model.status());
      });
    });
  };
  add("", [](const Model& model) { return JsonResponse(protocol::ModelMetadataToJson(model.Metadata())); });
  add("/ready", [](const Model& model) { return Yes(model.Ready()); });
  add("/config",
      [](const Model& model) { return JsonResponse(protocol::ModelConfigToJson(model.Metadata(), model.Config())); });
  add("/stats", [](const Model& model) { return JsonResponse(protocol::StatisticsToJson({model.Statistics()})); });
}

void HttpEndpoint::Infer(std::string_view model_name, std::string_view version,
                         std::shared_ptr<const net::HttpRequest> request, const net::HttpResponder& responder) const {
  RequestContext context{.arrival = clock_.Monotonic(), .gone = responder.gone()};
  if (IsForm(request->Header("content-type"))) {
    return responder.Respond(Refusal(415, "content_type", "want application/json, or JSON and tensors behind it"));
  }
  const Result<std::shared_ptr<Model>> found = repository_.Find(model_name, version);
  if (!found.ok()) return responder.Respond(Error(found.status()));
  const std::shared_ptr<Model>& model = *found;
  protocol::InferBody body{request->body, request, std::nullopt};
  const auto is_length = [](const auto& header) { return header.first == "inference-header-content-length"; };
  const auto length = std::find_if(request->headers.begin(), request->headers.end(), is_length);
  if (length != request->headers.end()) {
    if (std::find_if(length + 1, request->headers.end(), is_length) != request->headers.end()) {
      return responder.Respond(Refusal(400, "header_length_invalid", std::string(kJsonBytesHeader) + ": stands twice"));
    }
    body.header_length = length->second;
  }
  Result<protocol::InferRequest> parsed = ParseInferRequest(body, model->Metadata(), options_.limits);
  if (!parsed.ok()) return responder.Respond(Error(parsed.status()));
  parsed->version = version;
  if (parsed->timeout) context.deadline = context.arrival + *parsed->timeout;
  const auto call = std::make_shared<Call>(*std::move(parsed), model);
  context.notes = &call->notes;
  // Without this endpoint, which may be gone by then.
  model->Infer({call, &call->request}, context,
               [call, responder, retry_after = options_.retry_after_seconds,
                noted = options_.notes](const Result<protocol::InferResponse>& infer) {
                 net::HttpResponse response = Answered(call->request, infer, retry_after);
                 // A copy: what the request holds goes before the client has taken its response.
                 if (noted) response.notes = std::make_shared<RequestNotes>(call->notes);
                 responder.Respond(std::move(response));
               });
}

net::HttpResponse HttpEndpoint::Answered(const protocol::InferRequest& request,
                                         const Result<protocol::InferResponse>& response, int retry_after_seconds) {
  if (!response.ok()) return Error(response.status(), retry_after_seconds);
  Result<protocol::EncodedResponse> encoded = protocol::EncodeInferResponse(request, *response);
  if (!encoded.ok()) return Error(encoded.status(), retry_after_seconds);
  if (!encoded->json_bytes) return {200, "application/json", std::move(encoded->body), {}};
  return {200,
          "application/octet-stream",
          std::move(encoded->body),
          {{std::string(kJsonBytesHeader), std::to_string(*encoded->json_bytes)}}};
}

}  // namespace pawsight::server
