#include "stopped_thread.h"

#include <sys/ptrace.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

namespace pawsight::integration {

namespace {

constexpr int kTries = 2000;

/// The thread of that name, 0 when there is none.
int FindThread(int pid, const std::string& name) {
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
    std::string named;
    std::getline(std::ifstream(task.path() / "comm"), named);
    if (named == name) return std::stoi(task.path().filename().string());
  }
  return 0;
}

/// Of a stopped thread: whether it is where it is wanted.
bool IsThere(int pid, int thread, StopWhere where) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/task/" + std::to_string(thread) + "/syscall");
  std::string call, address, operation;
  file >> call >> address >> operation;
  if (where == StopWhere::kComputing) return call == "-1";  // in none
  constexpr unsigned long kWaitBitset = 9;                  // how a condition variable waits
  return call == "202" && (std::strtoul(operation.c_str(), nullptr, 16) & 0x7FU) == kWaitBitset;
}

/// Seizes and stops it. False: the system forbids it.
bool StopNow(int thread) {
  if (ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0) return false;
  (void)ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr);
  int status = 0;
  while (waitpid(thread, &status, __WALL) == thread && !WIFSTOPPED(status)) {
  }
  return true;
}

}  // namespace

std::unique_ptr<StoppedThread> StoppedThread::Stop(int pid, const std::string& name, StopWhere where,
                                                   std::string* why_not) {
  const int thread = FindThread(pid, name);
  if (thread == 0) {
    *why_not = "no thread " + name;
    return nullptr;
  }
  for (int i = 0; i < kTries; ++i) {
    if (!StopNow(thread)) {
      *why_not = std::string("a child's thread cannot be stopped here: ") + std::strerror(errno);
      return nullptr;
    }
    auto stopped = std::unique_ptr<StoppedThread>(new StoppedThread(thread));
    if (IsThere(pid, thread, where)) return stopped;
    stopped.reset();
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  *why_not = "thread " + name + " was never seen where it should stop";
  return nullptr;
}

StoppedThread::~StoppedThread() { (void)ptrace(PTRACE_DETACH, thread_, nullptr, nullptr); }

}  // namespace pawsight::integration
