// net/http_response_reader.h: one connection's bytes in, responses out: HTTP/1.1's framing as a client sees it,
// strictly and with limits. What two readers could take for two different things is refused, and so is a body that only
// the connection's end would end: cut short, it would pass for whole. Interim responses (1xx) are skipped. Not here:
// sockets and time, what a status means, redirects. Responses to HEAD are not read. Thread-compatible.
// Source: RFC 9112.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "net/chunked_body.h"
#include "net/http.h"

namespace pawsight::net {

struct HttpResponseLimits {
  size_t max_header_bytes = 16U << 10U;  // of a status line and its headers
  size_t max_headers = 64;
  size_t max_body_bytes = 4U << 20U;
  int max_interim = 4;  // responses before the one that counts
};

/// A response as it came.
struct ReceivedResponse {
  int status = 0;
  HttpHeaders headers;  // names in lower case
  std::string body;

  /// The first header of that lower-case name, or nothing.
  std::optional<std::string_view> Header(std::string_view name) const;
};

class HttpResponseReader {
 public:
  enum class Event {
    kNeedMore,  // the bytes are used up
    kWhole,     // response() is whole; Reset() before the next
    kRefused,   // error() says why; nothing more can be read from this connection
  };

  explicit HttpResponseReader(const HttpResponseLimits& limits = {}) : limits_(limits) {}

  /// Goes on with `bytes` until something has happened; takes what it used from their front.
  Event Read(std::string_view* bytes);
  /// Forgets the response.
  void Reset();

  /// A byte of the response has come.
  bool started() const { return started_; }
  const ReceivedResponse& response() const { return response_; }
  ReceivedResponse Take() { return std::move(response_); }
  /// The server takes another request on this connection.
  bool keep_alive() const { return keep_alive_; }
  /// kDataLoss, this is no HTTP/1 or can be read in two ways. kResourceExhausted, over a limit.
  const Status& error() const { return error_; }
  /// What the reader holds; at most max_header_bytes and one call's bytes, then max_body_bytes.
  size_t held_bytes() const { return head_.size() + response_.body.size(); }

 private:
  enum class Phase { kHead, kSized, kChunked, kWhole, kRefused };

  void ReadHead(std::string_view* bytes);
  Event ReadSized(std::string_view* bytes);
  Event ReadChunked(std::string_view* bytes);
  Status TakeHead(std::string_view head);
  Status TakeStatusLine(std::string_view line, int* minor);
  Status TakeHeader(std::string_view line);
  Status ChooseFraming(int minor);
  void Refuse(Status error);
  Status TooLarge() const;

  const HttpResponseLimits limits_;
  Phase phase_ = Phase::kHead;
  std::string head_;
  ReceivedResponse response_;
  std::optional<ChunkedBody> chunked_;
  uint64_t body_left_ = 0;
  int num_interim_ = 0;
  bool started_ = false;
  bool keep_alive_ = false;
  Status error_;
};

}  // namespace pawsight::net
