// net/child_process.h: a child whose standard output we read: ffmpeg, a server. It gets no input, no descriptor of
// ours, a process group of its own (Ctrl-C goes to us, not to it), and dies with this object, and with this process
// however that ends (net/process_group.h). Not here: what the bytes mean. Thread-compatible.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "net/process_group.h"

namespace pawsight::net {

class ChildProcess {
 public:
  /// argv[0] is looked up in PATH; no shell is involved.
  /// Errors: kNotFound, no such program. kResourceExhausted, no process or descriptor left. kFailedPrecondition, no
  /// /bin/sh, which guards it.
  static Result<std::unique_ptr<ChildProcess>> Start(const std::vector<std::string>& argv);
  /// Kills it and all that is left of what it has started, and reaps it.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// At least one byte of its output into `out`, or 0 at the end of it.
  /// Errors: kDeadlineExceeded, nothing came for `timeout`: the watchdog's bark. kCancelled, `stop` was requested (seen
  /// within 0.1 s). kUnavailable, reading failed.
  Result<size_t> Read(std::span<uint8_t> out, std::chrono::nanoseconds timeout, std::stop_token stop);

  /// Its process id, 0 once Wait has returned.
  int pid() const { return pid_; }
  /// The last line it wrote to standard error, at most 512 bytes, control characters replaced; reads what is there.
  std::string LastError();
  /// The last 4 KiB or so that it wrote to standard error, as they are, several lines; reads what is there.
  const std::string& ErrorTail();
  /// Waits for its end and returns the exit status, 128 + signal when it was killed. Call after the end of its output.
  int Wait();

 private:
  ChildProcess(ProcessGroup group, int pid, int output, int errors)
      : group_(std::move(group)), pid_(pid), output_(output), errors_(errors) {}
  void DrainErrors();

  ProcessGroup group_;
  int pid_;  // 0 once reaped
  int output_;
  int errors_;
  int exit_status_ = 0;
  std::string error_tail_;
};

}  // namespace pawsight::net
