#include "client/http_exchange.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "net/http.h"
#include "protocol/json_client.h"

namespace pawsight::client {
namespace {

constexpr std::chrono::seconds kMaxRetryAfter{3600};
constexpr std::string_view kJsonBytesHeader = "inference-header-content-length";

bool IsHostByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

/// The port, or nothing when there is none or it is none.
std::optional<int> ParsePort(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || port < 1 || port > 65535) {
    return std::nullopt;
  }
  return port;
}

StatusCode CodeOf(int status) {
  switch (status) {
    case 400:
    case 413:
    case 414:
    case 415:
    case 422:
      return StatusCode::kInvalidArgument;
    case 401:
      return StatusCode::kUnauthenticated;
    case 403:
      return StatusCode::kPermissionDenied;
    case 404:
      return StatusCode::kNotFound;
    case 429:
      return StatusCode::kResourceExhausted;
    case 499:
      return StatusCode::kCancelled;
    case 501:
      return StatusCode::kUnimplemented;
    case 502:
    case 503:
      return StatusCode::kUnavailable;
    case 504:
      return StatusCode::kDeadlineExceeded;
    default:
      return status < 500 ? StatusCode::kFailedPrecondition : StatusCode::kInternal;
  }
}

/// 503, redirects and all of the client's faults are said before anything runs (docs/protocol.md). 502 and 504 come
/// from whoever stands between, 499 and 500 from a server that had begun.
bool MayHaveRun(int status) {
  return status < 300 || status == 499 || (status >= 500 && status != 501 && status != 503);
}

std::optional<std::chrono::milliseconds> RetryAfter(const net::ReceivedResponse& response) {
  const std::optional<std::string_view> text = response.Header("retry-after");
  if (!text) return std::nullopt;
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), seconds);
  if (error != std::errc() || end != text->data() + text->size() || seconds < 0) return std::nullopt;  // a date
  return std::min(std::chrono::seconds(seconds), kMaxRetryAfter);
}

void AppendFixed(const std::string& authority, const std::string& token, std::string* head) {
  CHECK(authority.find_first_of("\r\n") == authority.npos && token.find_first_of("\r\n") == token.npos);
  *head += " HTTP/1.1\r\nHost: " + authority + "\r\nUser-Agent: pawsight\r\nAccept: */*\r\n";
  if (!token.empty()) *head += "Authorization: Bearer " + token + "\r\n";
}

}  // namespace

std::string ServerUrl::Authority() const {
  std::string text = host.find(':') == host.npos ? host : "[" + host + "]";
  if (port != (tls ? 443 : 80)) text += ":" + std::to_string(port);
  return text;
}

Result<ServerUrl> ParseServerUrl(std::string_view url) {
  const Status wrong = InvalidArgument("url: want http://host:port or https://host:port, without user, path or query");
  ServerUrl parsed;
  if (url.starts_with("https://")) {
    parsed.tls = true;
    url.remove_prefix(8);
  } else if (url.starts_with("http://")) {
    url.remove_prefix(7);
  } else {
    return wrong;
  }
  if (url.ends_with('/')) url.remove_suffix(1);
  std::string_view port;
  if (url.starts_with('[')) {
    const size_t end = std::min(url.find(']'), url.size());
    parsed.host = url.substr(1, end - 1);
    port = url.substr(std::min(url.size(), end + 1));
    if (end == url.size() || !net::IsIpAddress(parsed.host)) return wrong;
  } else {
    const size_t end = std::min(url.find(':'), url.size());
    parsed.host = url.substr(0, end);
    port = url.substr(end);
    if (parsed.host.empty() || !std::all_of(parsed.host.begin(), parsed.host.end(), IsHostByte)) return wrong;
  }
  parsed.port = parsed.tls ? 443 : 80;
  if (port.empty()) return parsed;
  const std::optional<int> number = port.starts_with(':') ? ParsePort(port.substr(1)) : std::nullopt;
  if (!number) return wrong;
  parsed.port = *number;
  return parsed;
}

std::string GetHead(const std::string& authority, const std::string& token, std::string_view path) {
  std::string head = "GET " + std::string(path);
  AppendFixed(authority, token, &head);
  return head + "\r\n";
}

std::string InferHead(const std::string& authority, const std::string& token, std::string_view model, size_t json_bytes,
                      size_t body_bytes) {
  std::string head = "POST /v2/models/" + std::string(model) + "/infer";
  AppendFixed(authority, token, &head);
  return head +
         "Content-Type: application/octet-stream\r\nInference-Header-Content-Length: " + std::to_string(json_bytes) +
         "\r\nContent-Length: " + std::to_string(body_bytes) + "\r\n\r\n";
}

std::string RequestHead(const std::string& authority, const std::string& token, const std::string& method,
                        const std::string& target, const std::string& content_type, size_t body_bytes) {
  for (const std::string& part : {method, target, content_type}) CHECK(part.find_first_of("\r\n") == part.npos);
  CHECK(target.find(' ') == target.npos);
  std::string head = method + " " + target;
  AppendFixed(authority, token, &head);
  if (!content_type.empty()) {
    head += "Content-Type: " + content_type + "\r\nContent-Length: " + std::to_string(body_bytes) + "\r\n";
  }
  return head + "\r\n";
}

Status StatusOf(const net::ReceivedResponse& response) {
  if (response.status == 200) return Ok();
  std::string message = "the server answered " + std::to_string(response.status);
  std::string reason = "http_" + std::to_string(response.status);
  if (response.status >= 300 && response.status < 400) {
    message += ": redirects are not followed";
  } else {
    protocol::ErrorText said = protocol::ParseError(response.body);
    if (!said.text.empty()) message += ": " + said.text;
    if (!said.reason.empty()) reason = std::move(said.reason);
  }
  return {CodeOf(response.status), std::move(message), std::move(reason)};
}

InferResult ReadInferResult(const net::ReceivedResponse& response, const protocol::InferLimits& limits) {
  if (Status status = StatusOf(response); !status.ok()) {
    return {std::move(status), MayHaveRun(response.status), RetryAfter(response)};
  }
  Result<protocol::InferResponse> parsed =
      protocol::ParseInferResponse({response.body, nullptr, response.Header(kJsonBytesHeader)}, limits);
  if (!parsed.ok())
    return {DataLoss("the server's answer: " + parsed.status().message(), "answer_malformed"), true, {}};
  return {std::move(parsed), true, std::nullopt};
}

}  // namespace pawsight::client
