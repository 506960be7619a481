#include "gateway/backends/endpoint_health.h"

#include <algorithm>

#include "base/check.h"
#include "base/clock.h"

namespace pawsight::gateway {

std::string_view HealthStateName(HealthState state) {
  switch (state) {
    case HealthState::kNew:
      return "new";
    case HealthState::kHealthy:
      return "healthy";
    case HealthState::kEjected:
      return "ejected";
  }
  CHECK(false);
}

void EndpointHealth::Answered() {
  if (state_ == HealthState::kEjected) return;
  num_failures_ = 0;
}

bool EndpointHealth::Failed(std::chrono::nanoseconds now, Rng& rng) {
  if (state_ == HealthState::kEjected) return false;
  ++num_failures_;
  if (state_ == HealthState::kHealthy && num_failures_ < options_.max_failures) return false;
  return Eject(now, rng);
}

std::chrono::nanoseconds EndpointHealth::probe_at() const { return probing_ ? Clock::kForever : next_; }

bool EndpointHealth::ProbeAnswered(std::chrono::nanoseconds now) {
  probing_ = false;
  num_probe_failures_ = 0;
  next_ = now + options_.check_interval;
  if (state_ == HealthState::kHealthy) return false;  // what others were answered is counted apart
  num_failures_ = 0;
  state_ = HealthState::kHealthy;
  healthy_since_ = now;
  return true;
}

bool EndpointHealth::ProbeFailed(std::chrono::nanoseconds now, bool wrong, Rng& rng) {
  probing_ = false;
  next_ = now + std::min(options_.check_interval, options_.first_pause);  // soon, to know
  if (state_ == HealthState::kEjected) {
    Eject(now, rng);  // for longer
    return false;
  }
  ++num_probe_failures_;
  if (!wrong && state_ == HealthState::kHealthy && num_probe_failures_ < options_.max_failures) return false;
  return Eject(now, rng);
}

bool EndpointHealth::Eject(std::chrono::nanoseconds now, Rng& rng) {
  // What was well for long begins anew; what comes and goes is left alone for longer each time.
  const bool was_well = state_ == HealthState::kHealthy && now - healthy_since_ >= options_.max_pause;
  pause_ = pause_.count() == 0 || was_well ? options_.first_pause : std::min(pause_ * 2, options_.max_pause);
  // So that a fleet's endpoints, ejected together, are not tried together.
  next_ = now + std::chrono::duration_cast<std::chrono::nanoseconds>(pause_ * rng.Uniform(0.8, 1.2));
  state_ = HealthState::kEjected;
  return true;
}

}  // namespace pawsight::gateway
