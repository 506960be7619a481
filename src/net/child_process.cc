#include "net/child_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

extern char** environ;

namespace pawsight::net {
namespace {

constexpr size_t kMaxErrorTail = 4096;
constexpr size_t kMaxErrorLine = 512;
constexpr std::chrono::milliseconds kStopLook{100};

/// Both ends of a pipe, closed unless taken.
struct Pipe {
  int fds[2] = {-1, -1};
  ~Pipe() {
    for (const int fd : fds) {
      if (fd >= 0) close(fd);
    }
  }
  bool Open() { return pipe2(fds, O_CLOEXEC) == 0; }
  int Take(int end) { return std::exchange(fds[end], -1); }
};

/// posix_spawn with our settings: null input, the two pipes, default signals, that group.
int Spawn(const std::vector<std::string>& argv, pid_t group, int output, int errors, pid_t* pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  const int error = SpawnInGroup(group, argv, actions, environ, pid);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

}  // namespace

Result<std::unique_ptr<ChildProcess>> ChildProcess::Start(const std::vector<std::string>& argv) {
  CHECK(!argv.empty());
  Pipe output;
  Pipe errors;
  if (!output.Open() || !errors.Open()) return ResourceExhausted("start " + argv[0] + ": " + strerror(errno));
  fcntl(errors.fds[0], F_SETFL, O_NONBLOCK);
  PAWSIGHT_ASSIGN_OR_RETURN(ProcessGroup group, ProcessGroup::Start());
  pid_t pid = 0;
  const int error = Spawn(argv, group.id(), output.fds[1], errors.fds[1], &pid);
  if (error == ENOENT)
    return NotFound("start " + argv[0] + ": no such program; install it (Debian: apt install " + argv[0] + ")");
  if (error != 0) return ResourceExhausted("start " + argv[0] + ": " + strerror(error));
  return std::unique_ptr<ChildProcess>(new ChildProcess(std::move(group), pid, output.Take(0), errors.Take(0)));
}

ChildProcess::~ChildProcess() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    (void)Wait();  // the status of what we killed tells nothing
  }
  close(output_);
  close(errors_);
}

Result<size_t> ChildProcess::Read(std::span<uint8_t> out, std::chrono::nanoseconds timeout, std::stop_token stop) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    if (stop.stop_requested()) return Cancelled("stopped");
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd fds[2] = {{output_, POLLIN, 0}, {errors_, POLLIN, 0}};
    const auto wait = std::clamp<std::chrono::milliseconds>(left, std::chrono::milliseconds(0), kStopLook);
    const int ready = poll(fds, 2, static_cast<int>(wait.count()));
    if (ready > 0 && (fds[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
      const ssize_t num_bytes = read(output_, out.data(), out.size());
      if (num_bytes >= 0) return static_cast<size_t>(num_bytes);
      if (errno != EINTR && errno != EAGAIN) return Unavailable(std::string("read: ") + strerror(errno));
    }
    DrainErrors();
    // A child that closed its errors but not its output would make poll return at once, for ever.
    if (ready > 0 && (fds[1].revents & POLLHUP) != 0 && fds[0].revents == 0) {
      pollfd output = {output_, POLLIN, 0};
      (void)poll(&output, 1, static_cast<int>(wait.count()));  // the next round looks at it
    }
    if (left.count() <= 0)
      return DeadlineExceeded("no output for " +
                              std::to_string(std::chrono::duration_cast<std::chrono::seconds>(timeout).count()) + " s");
  }
}

void ChildProcess::DrainErrors() {
  char chunk[1024];
  ssize_t num_bytes = 0;
  while ((num_bytes = read(errors_, chunk, sizeof chunk)) > 0) {
    error_tail_.append(chunk, static_cast<size_t>(num_bytes));
    if (error_tail_.size() > 2 * kMaxErrorTail) error_tail_.erase(0, error_tail_.size() - kMaxErrorTail);
  }
}

const std::string& ChildProcess::ErrorTail() {
  DrainErrors();
  return error_tail_;
}

std::string ChildProcess::LastError() {
  DrainErrors();
  std::string line = error_tail_;
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r' || line.back() == ' ')) line.pop_back();
  const size_t start = line.find_last_of('\n');
  if (start != std::string::npos) line.erase(0, start + 1);
  if (line.size() > kMaxErrorLine) line.resize(kMaxErrorLine);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return line;
}

int ChildProcess::Wait() {
  if (pid_ <= 0) return exit_status_;
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  exit_status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + (WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  return exit_status_;
}

}  // namespace pawsight::net
