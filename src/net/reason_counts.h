// net/reason_counts.h: how often each stable code of an error was said. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/mutex.h"

namespace pawsight::net {

/// Codes are few; from the 65th on all are "other".
class ReasonCounts {
 public:
  void Count(const std::string& reason) EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    const bool room = counts_.size() < kMaxReasons || counts_.count(reason) != 0;
    ++counts_[room ? reason : "other"];
  }
  std::map<std::string, uint64_t> View() const EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    return counts_;
  }

 private:
  static constexpr size_t kMaxReasons = 64;
  mutable Mutex mu_;
  std::map<std::string, uint64_t> counts_ GUARDED_BY(mu_);
};

}  // namespace pawsight::net
