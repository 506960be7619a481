// tests/integration/running_gateway.h: a real `pawsight gateway` on a port of this machine, and requests to it. For
// tests only; thread-safe but for program().
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "api_call.h"
#include "base/json.h"
#include "program.h"

namespace pawsight::integration {

class RunningGateway {
 public:
  /// On any free port, with the small model in its process, for webhooks on this machine too and devices that send as
  /// fast as they can; waits until it is ready.
  explicit RunningGateway(const std::string& data, const std::string& listen = "127.0.0.1:0");
  /// Waits until it has said `awaited`.
  RunningGateway(const std::vector<std::string>& arguments, const std::string& awaited);

  /// Status line and body.
  std::pair<std::string, Json> Call(const std::string& method, const std::string& target, const std::string& token,
                                    const std::string& body = "", const std::string& type = "application/json") const {
    return CallApi(port_, method, target, token, body, type);
  }
  /// The body of a 201; the test fails when it is another answer.
  Json Post(const std::string& target, const std::string& token, const std::string& body) const;
  Json Get(const std::string& target, const std::string& token) const { return Call("GET", target, token).second; }
  RunningProgram& program() { return program_; }
  int port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  RunningProgram program_;
  int port_ = 0;
};

/// What the first start of a gateway left in its directory.
std::string AdminToken(const std::string& data);

/// The member as text; the test fails when it is none.
std::string Text(const Json& json, std::string_view key);

/// A drawn room as a JPEG; another for each seed.
std::string Room(uint64_t seed);

}  // namespace pawsight::integration
