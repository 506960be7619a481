#include "net/process_group.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <utility>

namespace pawsight::net {
namespace {

constexpr const char* kShell = "/bin/sh";
/// Shell built-ins only. `read` returns at the end of the pipe, since nothing is written to it.
constexpr const char* kGuard = "read -r nothing; kill -s KILL 0";

/// With the pipe for its input, in a group of its own, without our environment, which may hold secrets.
int SpawnGuard(int lifeline, pid_t* pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, lifeline, STDIN_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  char* const environment[] = {nullptr};
  const int error = SpawnInGroup(0, {kShell, "-c", kGuard}, actions, environment, pid);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

}  // namespace

int SpawnInGroup(pid_t group, const std::vector<std::string>& argv, const posix_spawn_file_actions_t& actions,
                 char* const* environment, pid_t* pid) {
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, group);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const int error = posix_spawnp(pid, arguments[0], &actions, &attributes, arguments.data(), environment);
  posix_spawnattr_destroy(&attributes);
  return error;
}

Result<ProcessGroup> ProcessGroup::Start() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ResourceExhausted(std::string("start a guard: ") + strerror(errno));
  pid_t pid = 0;
  const int error = SpawnGuard(ends[0], &pid);
  close(ends[0]);
  if (error == 0) return ProcessGroup(pid, ends[1]);
  close(ends[1]);
  const std::string why = std::string("start ") + kShell + ": " + strerror(error);
  return error == ENOENT ? FailedPrecondition(why) : ResourceExhausted(why);
}

ProcessGroup::ProcessGroup(ProcessGroup&& other) noexcept
    : guard_(std::exchange(other.guard_, 0)), lifeline_(std::exchange(other.lifeline_, -1)) {}

ProcessGroup::~ProcessGroup() {
  if (guard_ == 0) return;
  kill(-guard_, SIGKILL);
  while (waitpid(guard_, nullptr, 0) < 0 && errno == EINTR) {
  }
  close(lifeline_);
}

}  // namespace pawsight::net
