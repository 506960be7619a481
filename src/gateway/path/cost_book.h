// gateway/path/cost_book.h: what frames, answers, rules and alerts cost. A pool costs its price for every hour that it
// is there, busy or not; what it cost is shared out over what it answered, an image at the cost of kImageCost questions
// (gateway/path/plan.h), to the rules that asked, in equal parts. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/mutex.h"

namespace pawsight::gateway {

class CostBook {
 public:
  /// Most pools, and most rules of all owners; beyond, what comes is counted under "other" and under no rule.
  static constexpr size_t kMaxPools = 64;
  static constexpr size_t kMaxRules = 200'000;

  /// From `now` (monotonic) on pools cost this; one that is not in it costs nothing.
  void SetPrices(const std::vector<std::pair<std::string, double>>& dollars_per_hour, std::chrono::nanoseconds now)
      EXCLUDES(mu_);
  /// A frame was answered. `rules`: those that asked.
  void Answered(const std::string& pool, const std::string& owner, std::span<const std::string_view> rules,
                size_t num_questions) EXCLUDES(mu_);
  void Alerted(const std::string& owner, const std::string& rule) EXCLUDES(mu_);
  void ForgetOwner(const std::string& owner) EXCLUDES(mu_);

  /// {"pools":[{"pool","dollars","frames","answers","dollars_per_million_frames","dollars_per_million_answers"}]} of
  /// all; with an owner: {"rules":[{"rule","dollars","answers","alerts","dollars_per_alert"}]}. null where nothing was
  /// counted.
  Json Tell(const std::string& owner, std::chrono::nanoseconds now) const EXCLUDES(mu_);

  struct PoolCost {
    std::string pool;
    double dollars = 0;
    uint64_t frames = 0, answers = 0;
  };
  std::vector<PoolCost> Pools(std::chrono::nanoseconds now) const EXCLUDES(mu_);

 private:
  struct Pool {
    double dollars = 0;  // until `since`
    double dollars_per_hour = 0;
    std::chrono::nanoseconds since{0};
    uint64_t frames = 0, answers = 0;
    double work = 0;  // in questions
    double Dollars(std::chrono::nanoseconds now) const;
  };
  struct Rule {
    std::map<size_t, double> work;  // by pool_idx
    uint64_t answers = 0, alerts = 0;
  };
  size_t PoolIdx(const std::string& name) REQUIRES(mu_);
  /// Null beyond kMaxRules.
  Rule* RuleOf(const std::string& owner, std::string_view rule) REQUIRES(mu_);
  Json TellPools(std::chrono::nanoseconds now) const REQUIRES(mu_);
  Json TellRules(const std::string& owner, std::chrono::nanoseconds now) const REQUIRES(mu_);

  mutable Mutex mu_;
  std::vector<std::pair<std::string, Pool>> pools_ GUARDED_BY(mu_);
  std::map<std::string, std::map<std::string, Rule, std::less<>>> rules_ GUARDED_BY(mu_);
  size_t num_rules_ GUARDED_BY(mu_) = 0;
};

}  // namespace pawsight::gateway
