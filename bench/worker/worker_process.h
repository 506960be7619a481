// bench/worker/worker_process.h: the built `pawsight worker` as a child process. For benchmarks; a failure ends them
// (CHECK). Thread-compatible.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/memory.h"
#include "net/child_process.h"

namespace pawsight::bench {

/// The folder that the benchmarks were built into, with `pawsight` and the others.
std::string BuildDir();
/// Where what is started here keeps its cache: $XDG_CACHE_HOME of the children.
std::string CacheHome();

/// Runs a program to its end and gives its standard output. CHECK that it ended with 0.
std::string OutputOf(const std::vector<std::string>& argv);

class WorkerProcess {
 public:
  /// `pawsight worker --listen-... ARGUMENTS`, on free ports of loopback; returns once it answers.
  explicit WorkerProcess(const std::vector<std::string>& arguments);

  int http_port() const { return http_port_; }
  /// Reads what it said on standard error, so that it never waits for us to.
  void Drain() { (void)child_->LastError(); }
  /// Resident memory, bytes.
  size_t ResidentBytes() const { return pawsight::ResidentBytes(pid_); }

 private:
  std::unique_ptr<net::ChildProcess> child_;
  int http_port_ = 0;
  int pid_ = 0;
};

}  // namespace pawsight::bench
