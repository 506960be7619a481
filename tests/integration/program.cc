#include "program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

namespace pawsight::integration {
namespace {

constexpr std::chrono::minutes kLongest{5};

std::string ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void Redirect(const char* path, int descriptor) {
  const int opened = open(path, descriptor == STDIN_FILENO ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (opened >= 0) dup2(opened, descriptor);
}

/// Where one run's outputs go.
struct Outputs {
  std::string out;
  std::string err;
};

/// In the child, after fork: only calls that are safe there.
[[noreturn]] void Become(const std::vector<char*>& argv, const Outputs& outputs, pid_t group) {
  setpgid(0, group);
  Redirect("/dev/null", STDIN_FILENO);
  Redirect(outputs.out.c_str(), STDOUT_FILENO);
  Redirect(outputs.err.c_str(), STDERR_FILENO);
  execv(argv[0], argv.data());
  _exit(126);
}

/// The exit code as a shell gives it. Sends `signal` once, when `when`, asked every few milliseconds, says so.
int Wait(pid_t child, int signal, std::function<bool()> when) {
  const auto limit = std::chrono::steady_clock::now() + kLongest;
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > limit) {
      ADD_FAILURE() << "pawsight ran for more than five minutes";
      kill(child, SIGKILL);
    }
    if (when && when()) {
      kill(child, signal);
      when = nullptr;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(signal == SIGKILL ? 1 : 5));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// It ends with `group`, which the caller keeps, and so with the test. `environment` is set beside what the test has;
/// its texts must outlive the call. -1 where nothing could be started.
pid_t Start(const std::vector<std::string>& arguments, const Outputs& outputs, std::vector<std::string>& environment,
            const Result<net::ProcessGroup>& group) {
  if (!group.ok()) {
    ADD_FAILURE() << group.status().ToString();
    return -1;
  }
  std::vector<std::string> words = {PAWSIGHT_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    for (std::string& setting : environment) putenv(setting.data());
    Become(argv, outputs, group->id());
  }
  if (child < 0) ADD_FAILURE() << "fork failed";
  return child;
}

}  // namespace

TempFolder::TempFolder() {
  std::string pattern = std::filesystem::temp_directory_path() / "pawsight-program-XXXXXX";
  path_ = mkdtemp(pattern.data());
}

TempFolder::~TempFolder() {
  std::error_code unused;
  std::filesystem::remove_all(path_, unused);
}

Ended RunProgram(const std::vector<std::string>& arguments, const std::string& interrupt_when_said,
                 std::vector<std::string> environment) {
  const TempFolder said;
  const Outputs outputs{said.Path("out"), said.Path("err")};
  const Result<net::ProcessGroup> group = net::ProcessGroup::Start();
  const pid_t child = Start(arguments, outputs, environment, group);
  if (child < 0) return {};
  const auto heard = [&] {
    return (ReadText(outputs.out) + ReadText(outputs.err)).find(interrupt_when_said) != std::string::npos;
  };
  const int code = Wait(child, SIGINT, interrupt_when_said.empty() ? std::function<bool()>() : heard);
  return {code, ReadText(outputs.out), ReadText(outputs.err)};
}

Ended KillProgram(const std::vector<std::string>& arguments, const std::function<bool()>& when) {
  const TempFolder said;
  const Outputs outputs{said.Path("out"), said.Path("err")};
  std::vector<std::string> nothing;
  const Result<net::ProcessGroup> group = net::ProcessGroup::Start();
  const pid_t child = Start(arguments, outputs, nothing, group);
  if (child < 0) return {};
  const int code = Wait(child, SIGKILL, when);
  return {code, ReadText(outputs.out), ReadText(outputs.err)};
}

RunningProgram::RunningProgram(const std::vector<std::string>& arguments, std::vector<std::string> environment)
    : group_(net::ProcessGroup::Start()) {
  child_ = Start(arguments, {said_.Path("out"), said_.Path("err")}, environment, group_);
}

RunningProgram::~RunningProgram() {
  if (child_ < 0) return;
  kill(child_, SIGKILL);
  waitpid(child_, nullptr, 0);
}

std::string RunningProgram::WaitUntilSaid(const std::string& text) {
  const auto limit = std::chrono::steady_clock::now() + kLongest;
  for (;;) {
    const std::string said = ReadText(said_.Path("err"));
    if (said.find(text) != std::string::npos) return said;
    if (!Runs() || std::chrono::steady_clock::now() > limit) {
      ADD_FAILURE() << "pawsight never said " << text << " but " << said;
      return said;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

bool RunningProgram::Runs() const {
  siginfo_t ended{};
  return waitid(P_PID, static_cast<id_t>(child_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid == 0;
}

void RunningProgram::Signal(int signal) const { kill(child_, signal); }

Ended RunningProgram::Wait() {
  const int code = ::pawsight::integration::Wait(child_, SIGKILL, nullptr);
  child_ = -1;
  return {code, ReadText(said_.Path("out")), ReadText(said_.Path("err"))};
}

std::string SharedPath(const std::string& name) {
  const char* given = std::getenv("PAWSIGHT_SHARED");
  const std::string top = given != nullptr && *given != '\0' ? given : PAWSIGHT_SOURCE_DIR "/../shared";
  return std::filesystem::path(top + "/" + name).lexically_normal();
}

void WriteText(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

}  // namespace pawsight::integration
