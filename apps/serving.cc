#include "apps/serving.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "apps/commands.h"
#include "base/check.h"
#include "base/files.h"

namespace pawsight {
namespace {

constexpr size_t kMaxSecretBytes = 64U << 10U;

}  // namespace

Signals::Signals() {
  sigemptyset(&set_);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set_, signal);
  pthread_sigmask(SIG_BLOCK, &set_, nullptr);
}

int Signals::Wait(std::chrono::milliseconds limit) const {
  const timespec time{limit.count() / 1000, limit.count() % 1000 * 1'000'000};
  return std::max(sigtimedwait(&set_, nullptr, &time), 0);
}

void Signals::LeaveAtNext() const {
  std::thread([set = set_] {
    for (;;) {
      const int signal = sigwaitinfo(&set, nullptr);
      if (signal == SIGINT || signal == SIGTERM) _exit(kExitInterrupted);
    }
  }).detach();
}

size_t AllowDescriptors() {
  rlimit limit{};
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  rlimit raised = limit;
  raised.rlim_cur = limit.rlim_max;
  return setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

Result<std::string> DefaultDataDir() {
  const char* data = std::getenv("XDG_DATA_HOME");
  if (data != nullptr && *data == '/') return std::string(data) + "/pawsight";
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return std::string(home) + "/.local/share/pawsight";
  return FailedPrecondition("neither XDG_DATA_HOME nor HOME is set");
}

Result<std::string> ReadSecret(const std::string& path) {
  if (path.empty()) return std::string();
  PAWSIGHT_ASSIGN_OR_RETURN(std::string text, ReadTextFile(path, kMaxSecretBytes));
  while (text.ends_with('\n') || text.ends_with('\r') || text.ends_with(' ')) text.pop_back();
  if (text.empty()) return InvalidArgument(path + ": empty");
  return text;
}

}  // namespace pawsight
