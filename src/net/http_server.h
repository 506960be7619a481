// net/http_server.h: a small HTTP/1.1 server: routes to handlers, and streams of server-sent events. Everything has a
// limit; what is over it gets its status code and the connection is closed. One response is one write. Not here: TLS
// (put it behind a proxy), compression, files. One thread of its own runs all sockets and handlers. Start, port and
// Stop: any thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "net/http.h"
#include "net/router.h"

namespace pawsight::net {

struct HttpServerOptions {
  ListenAddress listen;                          // loopback, any free port
  size_t max_connections = 256;                  // another gets 503 at once
  size_t max_header_bytes = 32U << 10U;          // of a request line and its headers: 431
  size_t max_headers = 100;                      // 431
  size_t max_target_bytes = 4096;                // 414
  size_t max_body_bytes = 1U << 20U;             // 413
  std::chrono::seconds header_timeout{10};       // from a request's first byte to the end of its header: 408
  std::chrono::seconds body_timeout{30};         // 408
  std::chrono::seconds write_timeout{20};        // the client reads nothing for so long: closed
  std::chrono::seconds idle_timeout{75};         // between requests: closed
  std::chrono::seconds stream_heartbeat{15};     // a comment, so that proxies and dead peers are noticed
  std::chrono::milliseconds stop_timeout{2000};  // Stop waits so long for responses being written
  /// Host names taken beside IP addresses and, on loopback, localhost. Others get 421: a page of another site that
  /// points its own name at this machine (DNS rebinding) sees nothing.
  std::vector<std::string> allowed_hosts;
};

class HttpServer {
 public:
  /// Listens and serves until destroyed. `router` and what its handlers use must outlive the server.
  /// Errors: kUnavailable, the address is in use or not ours.
  static Result<std::unique_ptr<HttpServer>> Start(const HttpServerOptions& options, const Router& router);
  /// Stop().
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// The port listened on, also when 0 was asked for.
  int port() const;
  /// "http://127.0.0.1:8080".
  std::string url() const;

  /// Accepts nothing more, ends the streams, lets responses being written end, at most stop_timeout. Safe to repeat.
  void Stop();

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pawsight::net
