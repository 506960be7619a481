// base/mutex.h: std::mutex with clang's thread-safety annotations; what a mutex guards is written on the member and
// checked at compile time (https://clang.llvm.org/docs/ThreadSafetyAnalysis.html). Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define PAWSIGHT_ANNOTATE(x) __attribute__((x))
#else
#define PAWSIGHT_ANNOTATE(x)
#endif
#define CAPABILITY(x) PAWSIGHT_ANNOTATE(capability(x))
#define SCOPED_CAPABILITY PAWSIGHT_ANNOTATE(scoped_lockable)
#define GUARDED_BY(x) PAWSIGHT_ANNOTATE(guarded_by(x))
#define REQUIRES(...) PAWSIGHT_ANNOTATE(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) PAWSIGHT_ANNOTATE(locks_excluded(__VA_ARGS__))
#define ACQUIRE(...) PAWSIGHT_ANNOTATE(acquire_capability(__VA_ARGS__))
#define RELEASE(...) PAWSIGHT_ANNOTATE(release_capability(__VA_ARGS__))

namespace pawsight {

class CAPABILITY("mutex") Mutex {
 public:
  void Lock() ACQUIRE() { mu_.lock(); }
  void Unlock() RELEASE() { mu_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mu_;
};

class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mu) ACQUIRE(mu) : mu_(mu) { mu_.Lock(); }
  ~MutexLock() RELEASE() { mu_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mu_;
};

/// Waits may wake for nothing: call in a loop that tests the condition.
class CondVar {
 public:
  void Wait(Mutex& mu) REQUIRES(mu) {
    std::unique_lock<std::mutex> lock(mu.mu_, std::adopt_lock);
    cv_.wait(lock);
    lock.release();
  }
  /// False when `timeout` passed first.
  bool WaitFor(Mutex& mu, std::chrono::nanoseconds timeout) REQUIRES(mu) {
    std::unique_lock<std::mutex> lock(mu.mu_, std::adopt_lock);
    const bool woken = cv_.wait_for(lock, timeout) == std::cv_status::no_timeout;
    lock.release();
    return woken;
  }
  void NotifyOne() { cv_.notify_one(); }
  void NotifyAll() { cv_.notify_all(); }

 private:
  std::condition_variable cv_;
};

}  // namespace pawsight
