// net/http_loop.h: one I/O thread of an HTTP server and the connections on it. Part of net/http_server.h, which
// accepts. Thread-safe.
#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <string>

#include "net/http_options.h"
#include "net/router.h"

namespace pawsight::net {

/// What all loops of a server count together; requests that outlive the server still count down.
struct HttpCounts {
  std::atomic<size_t> connections{0};
  std::atomic<size_t> bytes_in_flight{0};
};

/// What all loops of a server read and nobody changes.
struct HttpService {
  const HttpServerOptions& options;
  const Router& router;
  std::set<std::string, std::less<>> hosts;  // names this server has
  std::shared_ptr<HttpCounts> counts;
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
  void Adopt(int socket);

  /// Ends what is idle and what streams; stop_timeout later, everything. Returns at once.
  void BeginStop();
  /// Waits for that. From one thread; safe to repeat.
  void EndStop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pawsight::net
