// tests/integration/stopped_thread.h: stops one thread of a child process where it is and lets it go on later: what a
// thread that hangs looks like to the others. For tests only; the thread that stops is the one that lets go.
#pragma once

#include <memory>
#include <string>

namespace pawsight::integration {

/// Where a thread is stopped: it waits for work to come, or it computes. Never where it may hold a lock that others
/// want: a thread that hangs in the engine holds none.
enum class StopWhere { kWaiting, kComputing };

class StoppedThread {
 public:
  /// Stops the first thread named `name` of the child `pid`; null, with a reason, where the system forbids it, or when
  /// the thread was not seen there.
  static std::unique_ptr<StoppedThread> Stop(int pid, const std::string& name, StopWhere where, std::string* why_not);
  /// Lets it go on.
  ~StoppedThread();
  StoppedThread(const StoppedThread&) = delete;
  StoppedThread& operator=(const StoppedThread&) = delete;

 private:
  explicit StoppedThread(int thread) : thread_(thread) {}
  int thread_;
};

}  // namespace pawsight::integration
