#include "targets/cpu/lanes.h"

#include <pthread.h>

namespace pawsight::targets {

struct Lanes::Lease::Affinity {
  cpu_set_t cores;
};

Lanes::Lanes(int teams, int threads, bool pin) {
  lanes_.reserve(static_cast<size_t>(teams));
  MutexLock lock(mu_);
  free_.reserve(static_cast<size_t>(teams));
  for (int team = 0; team < teams; ++team) {
    lanes_.push_back(std::make_unique<Lane>(threads, kernels::TeamPlacement{pin ? team * threads : -1}));
    free_.push_back(lanes_.back().get());
  }
}

Lane& Lanes::Acquire() {
  MutexLock lock(mu_);
  while (free_.empty()) freed_.Wait(mu_);
  Lane* lane = free_.back();
  free_.pop_back();
  return *lane;
}

void Lanes::Release(Lane& lane) {
  MutexLock lock(mu_);
  free_.push_back(&lane);
  freed_.NotifyOne();
}

Lanes::Lease::Lease(Lanes& lanes) : lanes_(lanes), lane_(lanes.Acquire()) {
  if (lane_.first_core < 0) return;
  before_ = std::make_unique<Affinity>();
  if (pthread_getaffinity_np(pthread_self(), sizeof before_->cores, &before_->cores) != 0) {
    before_.reset();
    return;
  }
  cpu_set_t core;
  CPU_ZERO(&core);
  CPU_SET(lane_.first_core, &core);
  (void)pthread_setaffinity_np(pthread_self(), sizeof core, &core);  // a core that is not ours: stay where we are
}

Lanes::Lease::~Lease() {
  if (before_ != nullptr) (void)pthread_setaffinity_np(pthread_self(), sizeof before_->cores, &before_->cores);
  lanes_.Release(lane_);
}

}  // namespace pawsight::targets
