// net/http_options.h: the limits of an HTTP server. Values.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"
#include "net/socket_address.h"
#include "net/tls.h"

namespace pawsight::net {

/// One request and what became of it. The views are good while `answered` runs.
struct HttpExchange {
  std::string_view method;  // "" of what was no request
  std::string_view path;    // without the query
  int status = 0;     // 499: the client went before it had a response; 0: no request came, the TLS handshake failed
  bool whole = true;  // the response is with the system; false: the client did not take it, or a stream ended
  std::string_view reason;            // HttpResponse's
  size_t bytes_in = 0;                // of the body
  size_t bytes_out = 0;               // of the response
  std::chrono::nanoseconds total{0};  // from the request's first byte
  const SocketAddress& peer;
  const AccessNotes* notes = nullptr;
};

struct HttpServerOptions {
  ListenAddress listen;                        // loopback, any free port
  TlsText tls;                                 // none: HTTP as it is
  int io_threads = 1;                          // each runs its share of the connections and their handlers, 1..64
  size_t max_connections = 256;                // another gets 503 at once, or with TLS is closed
  size_t max_header_bytes = 32U << 10U;        // of a request line and its headers: 431
  size_t max_headers = 100;                    // 431
  size_t max_target_bytes = 4096;              // 414
  size_t max_body_bytes = 1U << 20U;           // 413
  size_t max_bytes_in_flight = 256U << 20U;    // bodies of all requests, being read and being answered: 503
  std::chrono::seconds handshake_timeout{10};  // TLS: closed
  std::chrono::seconds header_timeout{10};     // from a request's first byte to the end of its header: 408
  std::chrono::seconds body_timeout{30};       // 408
  size_t min_body_rate = 1000;  // bytes a second, over a body's time so far, once body_grace is over: 408
  std::chrono::seconds body_grace{5};
  std::chrono::seconds write_timeout{20};        // the client does not take a response in so long: closed
  std::chrono::seconds idle_timeout{75};         // between requests: closed
  std::chrono::seconds stream_heartbeat{15};     // a comment, so that proxies and dead peers are noticed
  std::chrono::milliseconds stop_timeout{2000};  // Stop waits so long for what is being answered
  /// Host names taken beside IP addresses and, on loopback, localhost. Others get 421: a page of another site that
  /// points its own name at this machine (DNS rebinding) sees nothing.
  std::vector<std::string> allowed_hosts;
  /// Callers want "Authorization: Bearer TOKEN" for every path but the public ones, or get 401; "" asks for none.
  std::string token;
  std::vector<std::string> public_paths;
  /// Asked about a request whose header is read and whose path and method there are, before its body is: a response
  /// refuses it. Runs on the connection's thread.
  std::function<std::optional<HttpResponse>(const HttpRequest&)> admit;
  /// Told of each request once its response is with the system or its connection has ended. Runs on the connection's
  /// thread, so it must be quick.
  std::function<void(const HttpExchange&)> answered;
  /// Makes the response to what the server itself refuses: status, stable code, what was wanted.
  std::function<HttpResponse(int, std::string_view, std::string_view)> refuse =
      [](int status, std::string_view code, std::string_view detail) { return ProblemResponse(status, code, detail); };
};

}  // namespace pawsight::net
