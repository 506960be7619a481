// apps/serving.h: what commands that serve until they are told to stop have in common: signals as values, descriptors,
// where data is, secrets in files.
#pragma once

#include <signal.h>

#include <chrono>
#include <cstddef>
#include <string>

#include "base/status.h"

namespace pawsight {

/// Signals as values: threads started later leave them to whoever waits. Make it before any thread.
class Signals {
 public:
  Signals();
  /// The signal that came (SIGINT, SIGTERM or SIGHUP), or 0 when none came in time.
  int Wait(std::chrono::milliseconds limit) const;
  /// From now on the next SIGINT or SIGTERM ends the process at once.
  void LeaveAtNext() const;

 private:
  sigset_t set_{};
};

/// A connection is a descriptor, and the system's first limit is often 1,024; the second is ours to use. Past it no
/// connection is taken until another ends. Gives how many may be open now.
size_t AllowDescriptors();

/// Where this user's data is unless a setting says otherwise: pawsight under $XDG_DATA_HOME or ~/.local/share. Makes
/// nothing. Errors: kFailedPrecondition, neither variable is set. Read at start, before there are other threads.
Result<std::string> DefaultDataDir();

/// The text of a file without the line end behind it; "" when `path` is. Errors: ReadTextFile's; kInvalidArgument,
/// empty.
Result<std::string> ReadSecret(const std::string& path);

}  // namespace pawsight
