// net/process_group.h: a group of processes that ends when this process does, however that ends (SIGKILL, a crash, no
// memory left). In each is a guard: a shell that reads a pipe whose other end only we hold, and kills the group when
// that end is gone. Not prctl(PR_SET_PDEATHSIG): that is sent when the *thread* that started a child ends, and to the
// child alone. Not here: starting what is guarded (net/child_process.h). Thread-compatible.
#pragma once

#include <spawn.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include "base/status.h"

namespace pawsight::net {

/// posix_spawnp of argv with no signal blocked or ignored, in that group; 0: one of its own. 0, or
/// an errno: of no such program, of no process or memory left.
int SpawnInGroup(pid_t group, const std::vector<std::string>& argv, const posix_spawn_file_actions_t& actions,
                 char* const* environment, pid_t* pid);

/// A process put into it (POSIX_SPAWN_SETPGROUP, or setpgid in the child before its exec) holds the pipe's other end as
/// well until its exec, so it is in the group before the guard can look away: there is no moment at which it would be
/// forgotten. What leaves the group (setsid, a shell's job control) is not guarded. A fork of ours that never execs has
/// that end too: then the group lives until it has ended as well, or closes it.
class ProcessGroup {
 public:
  /// Starts the guard: one process of /bin/sh, some 0.1 MB of memory of its own. Cost: a fork and an exec.
  /// Errors: kResourceExhausted, no process or descriptor left. kFailedPrecondition, no /bin/sh.
  static Result<ProcessGroup> Start();
  ProcessGroup(ProcessGroup&& other) noexcept;
  ProcessGroup& operator=(ProcessGroup&&) = delete;
  ProcessGroup(const ProcessGroup&) = delete;
  ProcessGroup& operator=(const ProcessGroup&) = delete;
  /// Kills all that is in it (SIGKILL) and reaps the guard; whoever started the others reaps them.
  ~ProcessGroup();

  /// Its number, which nobody else is given while this lives. Of one that was moved away: 0.
  pid_t id() const { return guard_; }

 private:
  ProcessGroup(pid_t guard, int lifeline) : guard_(guard), lifeline_(lifeline) {}

  pid_t guard_;
  int lifeline_;  // the pipe's end that only we hold; nothing is ever written to it
};

}  // namespace pawsight::net
