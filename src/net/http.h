// net/http.h: an HTTP request and response as values, and what is sent when something is wrong. Not here: sockets
// (net/http_server.h), fetching (net/http_client.h). Values; thread-compatible.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace pawsight::net {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

/// A request that passed the server's checks: known method, a plain absolute path, within its limits.
struct HttpRequest {
  std::string method;                   // "GET"
  std::string path;                     // "/v1/events", as sent; it holds no "..", "//", "\" or "%"
  std::string query;                    // "after=7&limit=2", without the question mark
  std::vector<std::string> parameters;  // what stood at each {name} of the route's pattern
  HttpHeaders headers;                  // names in lower case
  std::string body;
  std::string peer;  // the IP address it came from

  /// The first header of that lower-case name, or "".
  std::string_view Header(std::string_view name) const;
  /// The first value of `name` in the query, or "". Values with "%" or "+" are not decoded: ours are numbers and ids.
  std::string_view Query(std::string_view name) const;
};

class AccessNotes;  // net/access_log.h

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  HttpHeaders headers;  // besides Content-Length, Content-Type, Cache-Control: no-store and X-Content-Type-Options
  // Not sent, for the access log and the counts:
  std::string reason;  // of an error: its stable code
  std::shared_ptr<const AccessNotes> notes;
};

/// gRPC's code as HTTP's: kInvalidArgument 400, kNotFound 404, kResourceExhausted 429, kUnavailable 503 and so on.
int HttpStatusFor(StatusCode code);
/// "Not Found" for 404; "" for a status not used here.
std::string_view HttpReasonPhrase(int status);

/// RFC 9457 problem+json: {"status", "code", "detail"}. `code` is stable and snake_case.
HttpResponse ProblemResponse(int status, std::string_view code, std::string_view detail);
/// The same from a Status; the code is its reason, or its gRPC name in lower case.
HttpResponse ProblemResponse(const Status& status);

/// The response's status line and headers. `version` is 10 or 11. CHECK that no header holds a line break.
std::string FormatResponseHead(const HttpResponse& response, bool keep_alive, int version);

/// "Content-Length" -> "content-length".
std::string LowerCase(std::string_view text);

/// The name of a Host header: "LocalHost:80" -> "localhost", "[::1]:80" -> "::1".
std::string HostNameOf(std::string_view host);

/// A path is taken when it begins with "/", holds only letters, digits and -._~/ and no "." or empty segment but the
/// last.
bool IsPlainPath(std::string_view path);

/// "127.0.0.1", "::1".
bool IsIpAddress(const std::string& text);

/// Where to listen: "127.0.0.1:8080", "[::1]:0", "localhost:8080", ":8080" (loopback). Port 0 is any free one.
struct ListenAddress {
  std::string host = "127.0.0.1";  // an IP address
  int port = 0;
};
/// Errors: kInvalidArgument, no port, a port above 65535, or a host that is no IP address and not "localhost".
Result<ListenAddress> ParseListenAddress(std::string_view text);

}  // namespace pawsight::net
