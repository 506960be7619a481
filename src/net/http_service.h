// net/http_service.h: what the loops of one HTTP server share: its settings, routes and names, and what they count
// together. Part of net/http_server.h. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "net/http_options.h"
#include "net/reason_counts.h"
#include "net/router.h"

namespace pawsight::net {

inline constexpr int kMaxStatus = 599;

/// Requests that outlive the server still count down.
struct HttpCounts {
  std::atomic<size_t> connections{0};
  std::atomic<size_t> bytes_in_flight{0};
  std::atomic<uint64_t> accepted{0};
  std::atomic<uint64_t> turned_away{0};  // connections too many
  std::atomic<uint64_t> handshakes_failed{0};
  std::atomic<uint64_t> bytes_in{0};   // without TLS's own
  std::atomic<uint64_t> bytes_out{0};  // as well
  std::array<std::atomic<uint64_t>, kMaxStatus + 1> responses{};
  ReasonCounts reasons;  // of responses that say what was wrong
};

/// A request with what it counts for.
struct CountedRequest {
  explicit CountedRequest(std::shared_ptr<HttpCounts> shared_counts) : counts(std::move(shared_counts)) {}
  ~CountedRequest() { counts->bytes_in_flight -= bytes; }
  CountedRequest(const CountedRequest&) = delete;
  CountedRequest& operator=(const CountedRequest&) = delete;

  /// False when that is more than the server takes.
  bool Count(size_t now, size_t limit) {
    if (now <= bytes) return true;
    const size_t all = counts->bytes_in_flight += now - bytes;
    bytes = now;
    return all <= limit;
  }

  std::shared_ptr<HttpCounts> counts;
  size_t bytes = 0;
  HttpRequest request;
};

/// How a stream of server-sent events begins, with how long a client waits before it asks again.
inline constexpr std::string_view kStreamHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
    "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\nretry: 2000\n\n";

/// Whether a body of which so much has come in `taken` is below its least rate.
inline bool IsTooSlow(const HttpServerOptions& options, size_t body_bytes, std::chrono::duration<double> taken) {
  return taken >= options.body_grace &&
         static_cast<double>(body_bytes) < taken.count() * static_cast<double>(options.min_body_rate);
}

/// Nobody changes it while loops run.
struct HttpService {
  const HttpServerOptions& options;
  const Router& router;
  std::set<std::string, std::less<>> hosts;  // names this server has
  std::shared_ptr<HttpCounts> counts;

  /// The answer to a body for which there is no room now.
  HttpResponse TooManyBytes() const;
  /// Whether this header's request is taken, and who answers it; else why not.
  std::optional<HttpResponse> FindRoute(const HttpRequest& request, Router::Match* match) const;
  /// What of a stream the request's sender gets; else why nothing.
  std::optional<HttpResponse> FindInterest(HttpRequest* request, Router::Match* match,
                                           Broadcast::Interest* interest) const;
  HttpResponse Refusal(int status, const Status& why) const {
    return options.refuse(status, why.reason(), why.message());
  }
};

/// One connection's request, for the counts and for whoever is told of it (HttpServerOptions::answered).
/// Thread-compatible.
class HttpRecord {
 public:
  /// `service` outlives it.
  HttpRecord(const HttpService& service, const SocketAddress& peer) : service_(service), peer_(peer) {}

  void Asked(const HttpRequest& request) {
    if (!service_.options.answered) return;
    method_ = request.method;
    path_ = request.path;
  }
  void Answered(int status, std::string reason = {}, std::shared_ptr<const AccessNotes> notes = nullptr);
  /// A connection that came to no request.
  void NoRequest(std::string reason) {
    Count(reason);
    status_ = 0;
    reason_ = std::move(reason);
    End(false, 0);
  }
  /// Tells of it and forgets it.
  void End(bool whole, size_t bytes_out);

  std::chrono::steady_clock::time_point begun;
  size_t bytes_in = 0;

 private:
  void Count(const std::string& reason) const {
    if (!reason.empty()) service_.counts->reasons.Count(reason);
  }

  const HttpService& service_;
  const SocketAddress peer_;
  std::string method_;
  std::string path_;
  int status_ = 0;
  std::string reason_;
  std::shared_ptr<const AccessNotes> notes_;
};

}  // namespace pawsight::net
