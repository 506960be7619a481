// net/http_reader.h: one connection's bytes in, requests out: HTTP/1.1's framing, strictly and with limits. What two
// readers could take for two different things is refused. Not here: sockets and time (net/http_loop.h), routes
// (net/router.h). Thread-compatible. An idle reader holds no buffer. Source: RFC 9112.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/chunked_body.h"
#include "net/http.h"
#include "net/http_options.h"

namespace pawsight::net {

class HttpReader {
 public:
  enum class Event {
    kNeedMore,  // the bytes are used up
    kHeader,    // request() is whole but for its body, which the next Read goes on with
    kWhole,     // request() is whole; Reset() before the next
    kRefused,   // refusal() says why; nothing more can be read from this connection
  };

  /// `options` must outlive the reader.
  explicit HttpReader(const HttpServerOptions& options);
  ~HttpReader();
  HttpReader(const HttpReader&) = delete;
  HttpReader& operator=(const HttpReader&) = delete;

  /// Goes on with what is held and then `bytes`, until something has happened; takes what it used from their front.
  /// What is no whole line yet is held, at most max_header_bytes and one call's bytes.
  Event Read(std::string_view* bytes);
  /// Keeps bytes for the next Read: those of requests to come, while this one is answered.
  void Hold(std::string_view bytes);
  size_t held_bytes() const { return held_.size() - held_used_; }
  /// A byte of the next request has come.
  bool started() const { return started_ || held_bytes() > 0; }
  /// Forgets the request and frees what it took.
  void Reset();

  HttpRequest& request() { return request_; }
  const HttpResponse& refusal() const { return refusal_; }
  /// Of the header. The client takes another response on this connection; it waits for 100 Continue; a body follows.
  bool keep_alive() const { return keep_alive_; }
  bool expects_continue() const { return expects_continue_; }
  bool has_body() const { return has_body_; }
  int version() const { return version_; }  // 10, 11
  /// Of the body, so far.
  size_t body_bytes() const { return request_.body.size(); }

 private:
  struct Parser;  // Boost.Beast's

  Event ReadHeader(std::string_view* bytes);
  Event ReadSized(std::string_view* bytes);
  Event ReadChunked(std::string_view* bytes);
  /// Gives what is held, together with `bytes`, or `bytes` to the parser and takes what it used. True: it wants no
  /// more.
  bool Feed(std::string_view* bytes);
  bool HoldsBareLineFeed();
  std::string_view Input(std::string_view* bytes);
  void Use(size_t count, std::string_view* bytes);
  Event FinishHeader();
  bool TakeHeader();
  bool CheckFraming();
  bool CheckTarget(std::string_view target);
  bool ReadExpectation();
  /// False, and says so.
  bool Refuse(int status, std::string_view code, std::string_view detail);
  void RefuseError();

  enum class Phase { kHeader, kSized, kChunked, kWhole, kRefused };

  const HttpServerOptions& options_;
  std::unique_ptr<Parser> parser_;
  std::string held_;
  size_t held_used_ = 0;
  size_t held_scanned_ = 0;  // for line feeds
  std::optional<ChunkedBody> chunked_;
  HttpRequest request_;
  HttpResponse refusal_;
  uint64_t body_left_ = 0;
  int version_ = 11;
  Phase phase_ = Phase::kHeader;
  bool started_ = false;
  bool folded_ = false;  // a header line goes on in the next
  bool keep_alive_ = false;
  bool expects_continue_ = false;
  bool has_body_ = false;
};

}  // namespace pawsight::net
