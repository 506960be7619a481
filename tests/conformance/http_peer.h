// tests/conformance/http_peer.h: the client of the HTTP conformance suite. For tests only.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "target.h"

namespace pawsight::conformance {

struct Answer {
  int status = 0;                              // 0: the connection ended before a whole response
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

  /// The body as JSON; null when it is none.
  Json json() const;
  /// Of a response with binary tensors: the JSON before them, and what is behind.
  Json binary_head() const;
  std::string binary_tail() const;
};

/// A member of what another server wrote: null, "", -1 or empty when it is not there or of another kind.
const Json& Member(const Json& json, std::string_view key);
std::string StringOf(const Json& json, std::string_view key);
int64_t IntegerOf(const Json& json, std::string_view key);
const Json::Array& ArrayOf(const Json& json, std::string_view key);

/// One connection to the target. Waits at most 20 s for anything.
class Peer {
 public:
  Peer();
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void Send(std::string_view bytes);
  /// The next response, framed by its Content-Length.
  Answer Read();
  /// Whether the server closes without another byte.
  bool IsClosed();

 private:
  bool ReadSome();
  int fd_;
  std::string read_;
};

using Headers = std::vector<std::pair<std::string, std::string>>;
std::string Format(std::string_view method, std::string_view path, std::string_view body = "",
                   const Headers& headers = {});
/// On a connection of its own.
Answer Ask(std::string_view method, std::string_view path, std::string_view body = "", const Headers& headers = {});
/// To the model's infer path; `json_bytes` is Inference-Header-Content-Length.
Answer Infer(std::string_view body, const Headers& headers = {});
Answer InferBinary(std::string_view json, std::string_view tensors);

/// "/v2/models/MODEL" + end.
std::string ModelPath(std::string_view end);
/// A request of one image and the questions, in JSON, with `more` members before.
std::string Request(const std::vector<std::string>& questions, const std::string& more = "");

}  // namespace pawsight::conformance
