// net/http_client.h: fetching from a camera by HTTP: one bounded body (a snapshot) or an endless one in pieces (MJPEG).
// libcurl inside. No proxy is used, whatever the environment says: cameras are near. Redirects: at most 3, to http or
// https only and never from https to http. Not here: what the bytes mean.
// Thread-compatible; one client keeps one connection alive.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

struct sockaddr;

namespace pawsight::net {

struct FetchOptions {
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::milliseconds total_timeout{15000};  // of Get
  std::chrono::milliseconds stall_timeout{10000};  // no byte for so long ends either
  size_t max_bytes = 12U << 20U;                   // of Get's body
  std::string bearer = {};  // token; when given, the URL's user and password are not used. Not sent on to another host
  /// Asked of every address before it is connected to, where a redirect leads too; null: all may be. On the caller's
  /// thread.
  std::function<bool(const sockaddr* address)> may_connect = nullptr;
};

struct Fetched {
  std::string content_type;
  std::vector<uint8_t> body;
};

class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// The body of a 200. User and password in the URL are used (Basic or Digest) and never shown.
  /// Errors: kInvalidArgument, not an http or https URL. kUnavailable, no connection, or another status than the
  /// following. kUnauthenticated 401, kPermissionDenied 403 and `address_refused` (no address may be connected to),
  /// kNotFound 404. kDeadlineExceeded. kResourceExhausted, more than max_bytes. kCancelled, `stop` was requested (seen
  /// within 0.1 s).
  Result<Fetched> Get(const std::string& url, const FetchOptions& options, std::stop_token stop);

  /// Gives the body of a 200 to `on_bytes` as it comes, with its Content-Type, until it returns false (OK), the body
  /// ends (OK), or an error as above; total_timeout and max_bytes do not apply.
  using OnBytes = std::function<bool(std::string_view content_type, std::span<const uint8_t> bytes)>;
  Status Stream(const std::string& url, const FetchOptions& options, std::stop_token stop, const OnBytes& on_bytes);

 private:
  struct Transfer;
  Status Perform(const std::string& url, const FetchOptions& options, std::stop_token stop, Transfer& transfer);

  struct Handles;
  std::unique_ptr<Handles> handles_;
};

/// The URL without user, password and query, for messages: "rtsp://admin:x@cam/1?pwd=y" -> "rtsp://cam/1?...".
std::string RedactUrl(std::string_view url);

}  // namespace pawsight::net
