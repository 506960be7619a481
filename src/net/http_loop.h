// net/http_loop.h: one I/O thread of an HTTP server and the connections on it. Part of net/http_server.h, which
// accepts. Thread-safe.
#pragma once

#include <memory>

#include "net/http_service.h"
#include "net/socket_address.h"
#include "net/tls.h"

namespace pawsight::net {

/// A connection that was accepted.
struct Accepted {
  int socket = -1;
  SocketAddress peer{};
  std::shared_ptr<const TlsContext> tls;  // null: none
};

class HttpLoop {
 public:
  /// `service` must outlive the loop.
  explicit HttpLoop(const HttpService& service);
  /// EndStop().
  ~HttpLoop();
  HttpLoop(const HttpLoop&) = delete;
  HttpLoop& operator=(const HttpLoop&) = delete;

  /// Serves a connected socket, which it then owns; `counts->connections` includes it already. Not after BeginStop.
  void Adopt(Accepted accepted);

  /// Ends what is idle and what streams; stop_timeout later, everything. Returns at once.
  void BeginStop();
  /// Waits for that. From one thread; safe to repeat.
  void EndStop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pawsight::net
