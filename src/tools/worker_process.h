// tools/worker_process.h: a `pawsight worker` as a child process on free ports of loopback. It dies with this object.
// Thread-compatible.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/status.h"
#include "net/child_process.h"

namespace pawsight::tools {

class WorkerProcess {
 public:
  /// `program worker --listen-... ARGUMENTS`; returns once it listens, after at most ten minutes (a model may have to
  /// be compiled first). Errors: those of ChildProcess::Start. kFailedPrecondition with its last words: it ended.
  /// kDeadlineExceeded. kCancelled, `stop` was requested.
  static Result<std::unique_ptr<WorkerProcess>> Start(const std::string& program,
                                                      const std::vector<std::string>& arguments, std::stop_token stop);

  const std::string& http_url() const { return http_url_; }
  /// host:port of gRPC.
  const std::string& grpc_address() const { return grpc_address_; }
  int pid() const { return child_->pid(); }
  /// Reads what it said, so that it never waits for us to; the last line of it.
  std::string LastWords() { return child_->LastError(); }

 private:
  explicit WorkerProcess(std::unique_ptr<net::ChildProcess> child) : child_(std::move(child)) {}

  std::unique_ptr<net::ChildProcess> child_;
  std::string http_url_;
  std::string grpc_address_;
};

}  // namespace pawsight::tools
