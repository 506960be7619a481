// client/http_exchange.h: what an inference call is as HTTP: where it goes, the bytes of its request, what a response
// means. Not here: sockets (client/http_client.h). Thread-safe: functions without state.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "client/inference_client.h"
#include "net/http_response_reader.h"

namespace pawsight::client {

/// "http://worker-1:8000", "https://10.0.0.5", "http://[::1]:8000".
struct ServerUrl {
  bool tls = false;
  std::string host;  // a name or an IP address, without brackets
  int port = 0;

  /// As in a Host header, with the port where it is not the scheme's.
  std::string Authority() const;
};
/// Errors: kInvalidArgument, another scheme, user or password, a path, a query, no host, no port from 1 to 65535.
Result<ServerUrl> ParseServerUrl(std::string_view url);

/// A request line, headers and the empty line. `authority` and `token` hold no line breaks (CHECK).
std::string GetHead(const std::string& authority, const std::string& token, std::string_view path);
std::string InferHead(const std::string& authority, const std::string& token, std::string_view model, size_t json_bytes,
                      size_t body_bytes);

/// Of any other request: a method and a path with its query, a body of `body_bytes` when `content_type` is not "".
/// CHECK that none of them breaks a line.
std::string RequestHead(const std::string& authority, const std::string& token, const std::string& method,
                        const std::string& target, const std::string& content_type, size_t body_bytes);

/// What the response to an infer request says.
InferResult ReadInferResult(const net::ReceivedResponse& response, const protocol::InferLimits& limits);

/// OK for 200; else the status as a code, what the body's error says, and its reason: the server's own word where it
/// has one ("queue_full"), else "http_429".
Status StatusOf(const net::ReceivedResponse& response);

}  // namespace pawsight::client
