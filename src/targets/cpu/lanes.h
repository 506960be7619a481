// targets/cpu/lanes.h: the teams of threads of one target, each with its arena; a forward pass has one of them to
// itself. Thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "base/mutex.h"
#include "engine/arena.h"
#include "kernels/team.h"

namespace pawsight::targets {

struct Lane {
  Lane(int threads, kernels::TeamPlacement placement) : team(threads, placement), first_core(placement.first_core) {}
  kernels::Team team;
  engine::Arena arena;
  int first_core;
};

class Lanes {
 public:
  /// `teams` teams of `threads` members. pin: member m of team t stays on core t * threads + m; member 0, the calling
  /// thread, for the time of the pass only.
  Lanes(int teams, int threads, bool pin);

  int size() const { return static_cast<int>(lanes_.size()); }

  /// A lane for the time of its life; waits until one is free. The one used last comes first: its arena is in cache.
  class Lease {
   public:
    explicit Lease(Lanes& lanes);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Lane& operator*() const { return lane_; }
    Lane* operator->() const { return &lane_; }

   private:
    struct Affinity;
    Lanes& lanes_;
    Lane& lane_;
    std::unique_ptr<Affinity> before_;  // of the calling thread, when lanes are pinned
  };

 private:
  Lane& Acquire() EXCLUDES(mu_);
  void Release(Lane& lane) EXCLUDES(mu_);

  std::vector<std::unique_ptr<Lane>> lanes_;
  Mutex mu_;
  CondVar freed_;
  std::vector<Lane*> free_ GUARDED_BY(mu_);
};

}  // namespace pawsight::targets
