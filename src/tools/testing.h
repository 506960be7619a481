// tools/testing.h: time that passes as a test says, in one thread, so that minutes of a load take a moment and come out
// the same each time; and a folder of a test's own. For tests only.
#pragma once

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/clock.h"

namespace pawsight::tools::testing {

/// Time passes only while somebody waits, and straight to the next thing that is planned. Used by one thread.
class PlannedClock : public Clock {
 public:
  Time Now() const override { return Time(now_); }
  std::chrono::nanoseconds Monotonic() const override { return now_; }
  void WaitUntil(Mutex& mu, CondVar&, std::chrono::nanoseconds until) const override REQUIRES(mu) {
    if (planned_.empty() || planned_.begin()->first > until) {
      CHECK(until != kForever);  // else it would wait for ever
      now_ = std::max(now_, until);
      return;
    }
    const auto next = planned_.begin();
    now_ = std::max(now_, next->first);
    const std::function<void()> happens = std::move(next->second);
    planned_.erase(next);
    mu.Unlock();
    happens();
    mu.Lock();
  }
  /// Time that passes while nobody waits: somebody is busy.
  void Pass(std::chrono::nanoseconds time) const { now_ += time; }
  /// `happens` once time has come to `at`.
  void Plan(std::chrono::nanoseconds at, std::function<void()> happens) const {
    planned_.emplace(at, std::move(happens));
  }

 private:
  mutable std::chrono::nanoseconds now_{0};
  mutable std::multimap<std::chrono::nanoseconds, std::function<void()>> planned_;
};

/// A fresh folder, removed with all in it.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "pawsight-tools-XXXXXX").string();
    CHECK(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code unused;
    std::filesystem::remove_all(path_, unused);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  /// The path of `name` in it.
  std::string Path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace pawsight::tools::testing
