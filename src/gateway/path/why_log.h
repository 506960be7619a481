// gateway/path/why_log.h: why no alert came: of every rule, how often each reason was given and the newest outcomes.
// Made for GET /v1/rules/{id}/why. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/mutex.h"
#include "base/status.h"
#include "gateway/path/frame_result.h"

namespace pawsight::gateway {

class WhyLog {
 public:
  /// `kept`: outcomes kept a rule, 1..1000.
  explicit WhyLog(int kept) : kept_(static_cast<size_t>(kept)) {}

  /// One outcome of every rule in it.
  void Add(const FrameResult& result) EXCLUDES(mu_);
  /// Only these rules of the owner are known from now on; what was known of others is forgotten.
  void SetRules(const std::string& owner, const std::vector<std::string>& rules) EXCLUDES(mu_);

  /// {"rule","counts":{"fired":3},"newest":[{"frame","camera","time","reason","p_yes","verdict","phase"}]}, newest
  /// first; counts of 0 are left out. Errors: kNotFound `rule_unknown`.
  Result<Json> Tell(const std::string& owner, const std::string& rule) const EXCLUDES(mu_);

  using Counts = std::array<uint64_t, rules::kNumReasons>;
  /// Of all rules, also of those forgotten.
  Counts Totals() const EXCLUDES(mu_);

 private:
  struct Entry {
    std::string frame, camera;
    Time time{};
    rules::Reason reason{};
    std::optional<double> p_yes;
    std::optional<rules::Verdict> verdict;
    rules::AlertPhase phase{};
  };
  struct Log {
    Counts counts{};
    std::vector<Entry> newest;  // a ring of kept_ once full
    size_t next = 0;
  };

  const size_t kept_;
  mutable Mutex mu_;
  std::map<std::string, std::map<std::string, Log, std::less<>>, std::less<>> logs_ GUARDED_BY(mu_);  // by owner, rule
  Counts totals_ GUARDED_BY(mu_){};
};

}  // namespace pawsight::gateway
