// gateway/backend_pool.h: station 4 of a frame's life: puts the questions to a backend and checks what comes back, so
// that the stations after it may trust an Answer. One backend for now; pools, health and routing weights come in here.
// Used by the path's thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "gateway/backend.h"

namespace pawsight::gateway {

class BackendPool {
 public:
  /// Both must outlive the pool.
  BackendPool(Backend& backend, const Clock& clock) : backend_(backend), clock_(clock) {}

  /// As Backend::Ask; and kInternal, the backend broke its word: another number of answers, a p_yes outside 0..1.
  Result<std::vector<Answer>> Ask(const frames::Image& image, std::span<const std::string> questions);

  std::string name() const { return backend_.name(); }
  /// Of the last Ask.
  std::chrono::nanoseconds last_duration() const { return last_duration_; }

 private:
  Backend& backend_;
  const Clock& clock_;
  std::chrono::nanoseconds last_duration_{0};
};

}  // namespace pawsight::gateway
