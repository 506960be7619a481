// bench/gateway/gateway_process.h: the built `pawsight gateway` as a child process, and its API over one connection.
// For benchmarks; what cannot be ends them (CHECK).
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/json.h"
#include "net/child_process.h"
#include "net/testing.h"

namespace pawsight::bench {

/// Thread-compatible.
class GatewayProcess {
 public:
  /// `pawsight gateway --data DATA ARGUMENTS` on a free port of loopback; returns once it is ready.
  GatewayProcess(const std::string& data, const std::vector<std::string>& arguments);
  /// Kills it (SIGKILL).
  ~GatewayProcess();
  GatewayProcess(const GatewayProcess&) = delete;
  GatewayProcess& operator=(const GatewayProcess&) = delete;

  int port() const { return port_; }
  int pid() const { return pid_; }
  /// The admin's token.
  const std::string& admin() const { return admin_; }

 private:
  std::unique_ptr<net::ChildProcess> child_;
  int port_ = 0;
  int pid_ = 0;
  std::string admin_;
  std::jthread drain_;  // what it says is read, so that it never waits for that
};

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
