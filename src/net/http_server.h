// net/http_server.h: a small HTTP/1.1 server: routes to handlers, and streams of server-sent events. Everything has a
// limit (net/http_options.h); what is over it gets its status code and the connection is closed. One response is one
// write. Not here: TLS (put it behind a proxy), compression, files. One thread accepts; io_threads others run the
// connections and the handlers, each connection on one of them. Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "net/http_options.h"
#include "net/router.h"

namespace pawsight::net {

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

  /// Now.
  size_t num_connections() const;
  size_t bytes_in_flight() const;

  /// Accepts nothing more, ends the streams and idle connections, lets what is being answered end, at most
  /// stop_timeout. From one thread; safe to repeat.
  void Stop();

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pawsight::net
