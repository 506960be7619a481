// gateway/backends/endpoint_health.h: whether an endpoint is asked, decided by what became of what it was asked. After
// some failures in a row, of inquiries or of probes, it is ejected; after a pause it is tried with a probe, and only
// with that, while it is half open; each failed probe doubles the pause. Not here: sending probes
// (gateway/backends/backends.h). A value; time and chance are arguments. Thread-compatible.
#pragma once

#include <chrono>
#include <string_view>

#include "base/rng.h"

namespace pawsight::gateway {

struct HealthOptions {
  int max_failures = 3;  // in a row; so many eject
  std::chrono::nanoseconds first_pause{std::chrono::seconds(1)};
  std::chrono::nanoseconds max_pause{std::chrono::seconds(60)};
  std::chrono::nanoseconds check_interval{std::chrono::seconds(10)};  // between probes of a healthy one
  std::chrono::nanoseconds probe_limit{std::chrono::seconds(5)};      // one that takes longer failed
};

enum class HealthState {
  kNew,      // not proven: asked only where nothing proven is left
  kHealthy,  // asked
  kEjected,  // not asked until its pause is over and a probe was answered
};
std::string_view HealthStateName(HealthState state);

class EndpointHealth {
 public:
  explicit EndpointHealth(const HealthOptions& options) : options_(options) {}

  HealthState state() const { return state_; }
  /// Half open: a probe is on its way to one that is not healthy.
  bool half_open() const { return probing_ && state_ != HealthState::kHealthy; }
  std::chrono::nanoseconds pause() const { return pause_; }

  /// What was asked by others than probes was answered, or failed by the endpoint's fault. True: it was ejected by
  /// that. What comes late, from before an ejection, changes nothing.
  void Answered();
  bool Failed(std::chrono::nanoseconds now, Rng& rng);

  /// When the next probe is due; Clock::kForever while one is on its way.
  std::chrono::nanoseconds probe_at() const;
  void ProbeSent() { probing_ = true; }
  /// True: it is healthy now and was not.
  bool ProbeAnswered(std::chrono::nanoseconds now);
  /// `wrong`: it answered, but what is known to be otherwise; then one is enough. True: it was ejected by that.
  bool ProbeFailed(std::chrono::nanoseconds now, bool wrong, Rng& rng);

 private:
  bool Eject(std::chrono::nanoseconds now, Rng& rng);

  HealthOptions options_;
  HealthState state_ = HealthState::kNew;
  bool probing_ = false;
  int num_failures_ = 0;               // in a row, of what others than probes asked
  int num_probe_failures_ = 0;         // in a row
  std::chrono::nanoseconds pause_{0};  // the last, or running, one
  std::chrono::nanoseconds next_{0};   // probe
  std::chrono::nanoseconds healthy_since_{0};
};

}  // namespace pawsight::gateway
