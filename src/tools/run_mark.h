// tools/run_mark.h: who made an owner at a gateway for a load, told by the owner's name, so that what a run left that
// was killed is found and removed by the next one, and what a living run has is not. Not here: the owner
// (tools/gateway_target.h). Linux. Pure but for what says "this"; values, thread-compatible.
//
// A run is over when the process that it was is gone, which only its own machine can see. Elsewhere it is over when its
// lease has passed, by the gateway's clock alone: the mark says how long the run lasts at most, and a run that takes
// longer ends itself (apps/stress_session.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/status.h"

namespace pawsight::tools {

struct RunMark {
  std::string run;    // 32 hex digits, from the system's random numbers: no two runs' are the same
  std::string place;  // the machine since its start and the processes that are seen there; "-": not known
  int pid = 0;
  int64_t started = 0;            // when the process was, in ticks since the machine's start: pids are used again
  std::chrono::seconds lease{0};  // what was made is nobody's so long after it was made
  friend bool operator==(const RunMark&, const RunMark&) = default;
};

/// Of this process; another `run` each time.
RunMark MarkThisRun(std::chrono::seconds lease);

/// An owner's name: "pawsight stress, removed at its end: run=... place=... process=4711.98765 lease_s=3600".
std::string NameOfMark(const RunMark& mark);
/// The mark in a name; nothing when it is not to the letter what NameOfMark gives: it is somebody's own.
std::optional<RunMark> MarkOfName(std::string_view name);

/// Whether a process of this machine is there and was started then; nothing where the system does not say.
std::optional<bool> ProcessLives(int pid, int64_t started);

/// What is known where it is decided.
struct RunSight {
  Time now{};                         // by the clock that the owner's time is of
  std::string place;                  // this one's
  std::vector<std::string> are_over;  // runs that are known to be
  std::function<std::optional<bool>(int pid, int64_t started)> lives = ProcessLives;
};
/// Whether the run is over that made an owner at `made`. Pure but for `lives`.
bool IsOver(const RunMark& run, Time made, const RunSight& sight);

/// OUT/gateway.run: the runs that have, or are going to have, something at a gateway: one is added before it makes
/// anything, and all go when what they had is removed, so that whichever of them is killed, wherever in between, none
/// is forgotten. The file is locked while its run lives, so what stands in it when it opens is of runs that are over.
/// Used by one thread; unlocks when it goes.
class RunJournal {
 public:
  /// The newest that are kept. Whoever is before them has what it left until its lease has passed.
  static constexpr size_t kMaxRuns = 256;

  /// Errors: kFailedPrecondition, a run that lives has it. kUnavailable, it cannot be opened or read.
  static Result<RunJournal> Open(const std::string& path);
  RunJournal(RunJournal&& other) noexcept;
  RunJournal& operator=(RunJournal&& other) noexcept {
    std::swap(fd_, other.fd_);
    left_.swap(other.left_);
    return *this;
  }
  ~RunJournal();

  /// The runs that stood in it, the oldest first. A half line, of one that was killed while it wrote, is none.
  const std::vector<std::string>& left() const { return left_; }
  /// On disk when this returns, beside what stood there. Errors: kUnavailable.
  Status Add(const std::string& run);
  /// Nobody has anything there. Errors: kUnavailable.
  Status Clear();

 private:
  explicit RunJournal(int fd) : fd_(fd) {}
  Status Append(const std::string& text);
  int fd_;
  std::vector<std::string> left_;
};

}  // namespace pawsight::tools
