// net/router.h: which handler answers which method and path. Filled at start, then only read: thread-safe from then on.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/broadcast.h"
#include "net/http.h"
#include "net/http_responder.h"

namespace pawsight::net {

/// Runs on the connection's thread: it must be quick and must not wait for another request.
using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

/// Runs there too, but the response may come later, from any thread. The request lives as long as somebody keeps it.
using LaterHandler = std::function<void(std::shared_ptr<const HttpRequest>, HttpResponder)>;

/// A stream of server-sent events. `greeting` (may be empty) gives what a new subscriber is sent first, already
/// formatted; it is called after subscribing, so nothing is missed, but a message may come in both.
/// `interest` (may be empty: everything) says which of the messages this request's sender gets; an error refuses it.
struct HttpStream {
  Broadcast* broadcast = nullptr;  // outlives the server
  std::function<std::string()> greeting;
  std::function<Result<Broadcast::Interest>(const HttpRequest&)> interest;
};

class Router {
 public:
  /// `pattern` is a path; a segment "{name}" stands for any one segment and is given to the handler. A path that two
  /// patterns match goes to the first added. A handler for GET also answers HEAD.
  void Add(std::string_view method, std::string_view pattern, HttpHandler handler);
  void AddLater(std::string_view method, std::string_view pattern, LaterHandler handler);
  void AddStream(std::string_view pattern, HttpStream stream);

  struct Match {
    const HttpHandler* handler = nullptr;  // at most one of the three
    const LaterHandler* later = nullptr;
    const HttpStream* stream = nullptr;
    std::vector<std::string> parameters;
    std::string allowed;  // methods the path has, "GET, HEAD"; empty when there is no such path
  };
  Match Find(std::string_view method, std::string_view path) const;

 private:
  struct Route {
    std::string method;
    std::vector<std::string> segments;
    HttpHandler handler;
    LaterHandler later;
    HttpStream stream;
  };
  std::vector<Route> routes_;
};

}  // namespace pawsight::net
