// net/http_server.h: a small HTTP/1.1 server: routes to handlers, and streams of server-sent events. Everything has a
// limit (net/http_options.h); what is over it gets its status code and the connection is closed. One response is one
// write. TLS when its options say so (net/tls.h). Not here: HTTP/2, compression, files. One thread accepts; io_threads
// others run the connections and the handlers, each connection on one of them. Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "net/http_options.h"
#include "net/http_service.h"
#include "net/router.h"

namespace pawsight::net {

class HttpServer {
 public:
  /// Listens and serves until destroyed. `router` and what its handlers use must outlive the server.
  /// Errors: kUnavailable, the address is in use or not ours. Those of TlsContext::Make.
  static Result<std::unique_ptr<HttpServer>> Start(const HttpServerOptions& options, const Router& router);
  /// Stop().
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// The port listened on, also when 0 was asked for.
  int port() const;
  /// "http://127.0.0.1:8080", with TLS "https://...".
  std::string url() const;

  /// Now.
  size_t num_connections() const;
  size_t bytes_in_flight() const;
  size_t max_connections() const;
  /// Of the certificate that new connections are shown; 0 without TLS.
  int64_t certificate_expires_unix_s() const;
  const HttpCounts& counts() const;

  /// Connections from now on show this; those that are there keep what they have. Of a server with TLS (CHECK).
  /// Errors: those of TlsContext::Make; then all is as it was.
  Status SetTls(const TlsText& tls);

  /// Accepts nothing more, ends the streams and idle connections, lets what is being answered end, at most
  /// stop_timeout. From one thread; safe to repeat.
  void Stop();

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pawsight::net
