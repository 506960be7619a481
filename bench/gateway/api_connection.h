// bench/gateway/api_connection.h: the gateway's API over one connection. For benchmarks; what cannot be ends them
// (CHECK).
#pragma once

#include <string>

#include "base/json.h"
#include "net/testing.h"

namespace pawsight::bench {

/// One after another over one connection, which is kept. Thread-compatible.
class ApiConnection {
 public:
  struct Answer {
    int status = 0;  // 0: the gateway has gone
    Json json;
  };

  explicit ApiConnection(int port) : client_(port) {}

  Answer Call(const std::string& method, const std::string& target, const std::string& token,
              const std::string& body = "", const std::string& type = "application/json");
  /// CHECK that it went well.
  Json Must(const std::string& method, const std::string& target, const std::string& token,
            const std::string& body = "");

 private:
  net::testing::RawClient client_;
};

}  // namespace pawsight::bench
