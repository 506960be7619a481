// net/systemd.h: tells systemd that the service is ready, alive, reloading or stopping, by datagrams to
// $NOTIFY_SOCKET (https://www.freedesktop.org/software/systemd/man/sd_notify.html). Without that variable every call
// does nothing. Not here: the library of the same purpose, for one datagram. Thread-safe.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace pawsight::net {

class Systemd {
 public:
  /// Of the values of NOTIFY_SOCKET ("/run/x" or "@x", Linux's nameless kind), WATCHDOG_USEC and WATCHDOG_PID; empty
  /// when unset. Errors: kInvalidArgument, an address that is neither or too long.
  static Result<Systemd> Create(std::string_view socket, std::string_view watchdog_usec,
                                       std::string_view watchdog_pid);
  /// Of this process's environment.
  static Result<Systemd> FromEnvironment();

  bool present() const { return !address_.empty(); }
  /// How often systemd wants to hear that we live; call Notify("WATCHDOG=1") at half of it. Absent when it does not
  /// watch us.
  std::optional<std::chrono::microseconds> watchdog() const { return watchdog_; }

  /// "READY=1", "WATCHDOG=1", "STOPPING=1", "RELOADING=1", "STATUS=...", several separated by line ends. Never blocks.
  /// Errors: kUnavailable, the socket does not take it.
  Status Notify(std::string_view state) const;

 private:
  Systemd() = default;
  std::string address_;  // with the leading '@' as a NUL byte
  std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace pawsight::net
