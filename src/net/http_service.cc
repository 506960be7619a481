#include "net/http_service.h"

#include <algorithm>

#include "net/secret.h"

namespace pawsight::net {
namespace {

bool Admitted(const HttpServerOptions& options, const HttpRequest& request) {
  return options.token.empty() || std::ranges::find(options.public_paths, request.path) != options.public_paths.end() ||
         IsBearer(request.Header("authorization"), options.token);
}

}  // namespace

std::optional<HttpResponse> HttpService::FindRoute(const HttpRequest& request, Router::Match* match) const {
  const std::string host = HostNameOf(request.Header("host"));
  if (!host.empty() && !IsIpAddress(host) && hosts.count(host) == 0)
    return options.refuse(421, "host_unknown", "this server has another name");
  if (!Admitted(options, request)) {
    HttpResponse response = options.refuse(401, "token_wrong", "Authorization: want a bearer token");
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return response;
  }
  *match = router.Find(request.method, request.path);
  if (match->allowed.empty()) return options.refuse(404, "no_such_path", "there is nothing here");
  if (match->handler != nullptr || match->later != nullptr || match->stream != nullptr) {
    return options.admit ? options.admit(request) : std::nullopt;
  }
  HttpResponse response = options.refuse(405, "method", "this path has " + match->allowed);
  response.headers.emplace_back("Allow", match->allowed);
  return response;
}

std::optional<HttpResponse> HttpService::FindInterest(HttpRequest* request, Router::Match* match,
                                                      Broadcast::Interest* interest) const {
  if (!match->stream->interest) return std::nullopt;
  request->parameters = std::move(match->parameters);
  Result<Broadcast::Interest> wanted = match->stream->interest(*request);
  if (!wanted.ok()) return Refusal(HttpStatusFor(wanted.status().code()), wanted.status());
  *interest = *std::move(wanted);
  return std::nullopt;
}

HttpResponse HttpService::TooManyBytes() const {
  HttpResponse response = options.refuse(503, "too_many_bytes", "too many bytes in flight; try again");
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

void HttpRecord::Answered(int status, std::string reason, std::shared_ptr<const AccessNotes> notes) {
  status_ = std::clamp(status, 0, kMaxStatus);
  service_.counts->responses[static_cast<size_t>(status_)].fetch_add(1, std::memory_order_relaxed);
  Count(reason);
  reason_ = std::move(reason);
  notes_ = std::move(notes);
}

void HttpRecord::End(bool whole, size_t bytes_out) {
  if (service_.options.answered) {
    service_.options.answered({.method = method_,
                               .path = path_,
                               .status = status_,
                               .whole = whole,
                               .reason = reason_,
                               .bytes_in = bytes_in,
                               .bytes_out = bytes_out,
                               .total = std::chrono::steady_clock::now() - begun,
                               .peer = peer_,
                               .notes = notes_.get()});
    method_ = {};
    path_ = {};
  }
  reason_ = {};
  notes_.reset();
  bytes_in = 0;
}

}  // namespace pawsight::net
