// tools/server_process.h: a `pawsight worker` or `pawsight gateway` as a child process on free ports of loopback. It is
// killed (SIGKILL) with this object. A thread of its own reads what it says, so that it never waits for us to.
// Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "net/child_process.h"

namespace pawsight::tools {

/// A child that says in one line of its standard error that it has started.
class ServerProcess {
 public:
  /// Runs argv until a line holds `event`, at most `limit`. What it says within 5 ms of that is at most 4 KiB, or the
  /// line is missed. Errors: those of ChildProcess::Start. kFailedPrecondition
  /// with its last words: it ended. kDeadlineExceeded. kCancelled, `stop` was requested.
  static Result<std::unique_ptr<ServerProcess>> Start(const std::vector<std::string>& argv, std::string_view event,
                                                      std::chrono::seconds limit, std::stop_token stop);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  /// The line that it started with.
  const std::string& start_line() const { return start_line_; }
  int pid() const { return pid_; }
  /// The last line that it said.
  std::string LastWords() const EXCLUDES(mu_);
  /// Whether its output has ended: it is no more. Seen within 0.1 s.
  bool ended() const { return ended_.load(); }

 private:
  explicit ServerProcess(std::unique_ptr<net::ChildProcess> child);
  void Drain(const std::stop_token& stop) EXCLUDES(mu_);

  std::unique_ptr<net::ChildProcess> child_;  // by the drain thread only, once that has begun
  const int pid_;
  std::string start_line_;
  mutable Mutex mu_;
  std::string last_words_ GUARDED_BY(mu_);
  std::atomic<bool> ended_{false};
  std::jthread drain_;
};

/// The whole line in `said` that holds `event`; "" when there is none, or its end has not come.
std::string LineOf(std::string_view said, std::string_view event);
/// The word behind `before` in a line, to the next space, quote or end; "" when it is not there.
std::string WordAfter(std::string_view line, std::string_view before);

class WorkerProcess {
 public:
  /// `program worker --listen-... ARGUMENTS`; returns once it listens, after at most ten minutes (a model may have to
  /// be compiled first). Errors: as ServerProcess::Start.
  static Result<std::unique_ptr<WorkerProcess>> Start(const std::string& program,
                                                      const std::vector<std::string>& arguments, std::stop_token stop);

  /// "http://127.0.0.1:PORT".
  const std::string& http_url() const { return http_url_; }
  int http_port() const;
  /// host:port of gRPC.
  const std::string& grpc_address() const { return grpc_address_; }
  int pid() const { return server_->pid(); }
  bool ended() const { return server_->ended(); }
  std::string LastWords() const { return server_->LastWords(); }

 private:
  explicit WorkerProcess(std::unique_ptr<ServerProcess> server);

  std::unique_ptr<ServerProcess> server_;
  std::string http_url_;
  std::string grpc_address_;
};

class GatewayProcess {
 public:
  /// `program gateway --data DATA --listen ... ARGUMENTS`; returns once it listens, after at most ten minutes.
  /// Errors: as ServerProcess::Start; those of ReadTextFile of DATA/admin.token.
  static Result<std::unique_ptr<GatewayProcess>> Start(const std::string& program, const std::string& data,
                                                       const std::vector<std::string>& arguments, std::stop_token stop);

  const std::string& url() const { return url_; }
  int port() const;
  /// The admin's token.
  const std::string& admin() const { return admin_; }
  int pid() const { return server_->pid(); }

 private:
  GatewayProcess(std::unique_ptr<ServerProcess> server, std::string admin);

  std::unique_ptr<ServerProcess> server_;
  std::string url_;
  std::string admin_;
};

}  // namespace pawsight::tools
