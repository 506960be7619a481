#include "gateway/path/cost_book.h"

#include <algorithm>

#include "gateway/path/plan.h"

namespace pawsight::gateway {
namespace {

Json Ratio(double dollars, uint64_t count, double per) {
  return count == 0 ? Json() : Json(dollars / static_cast<double>(count) * per);
}

constexpr double kMillion = 1e6;

}  // namespace

double CostBook::Pool::Dollars(std::chrono::nanoseconds now) const {
  const std::chrono::duration<double, std::ratio<3600>> hours(now - since);
  return dollars + std::max(0.0, hours.count()) * dollars_per_hour;
}

size_t CostBook::PoolIdx(const std::string& name) {
  const auto named = [](const std::string& wanted) { return [&](const auto& pool) { return pool.first == wanted; }; };
  auto at = std::find_if(pools_.begin(), pools_.end(), named(name));
  if (at == pools_.end() && pools_.size() + 1 >= kMaxPools) {
    const std::string other = "other";
    at = std::find_if(pools_.begin(), pools_.end(), named(other));
    if (at == pools_.end()) at = pools_.insert(pools_.end(), {other, {}});
  } else if (at == pools_.end()) {
    at = pools_.insert(pools_.end(), {name, {}});
  }
  return static_cast<size_t>(at - pools_.begin());
}

CostBook::Rule* CostBook::RuleOf(const std::string& owner, std::string_view rule) {
  auto& of_owner = rules_[owner];
  const auto known = of_owner.find(rule);
  if (known != of_owner.end()) return &known->second;
  if (num_rules_ >= kMaxRules) return nullptr;
  ++num_rules_;
  return &of_owner[std::string(rule)];
}

void CostBook::SetPrices(const std::vector<std::pair<std::string, double>>& dollars_per_hour,
                         std::chrono::nanoseconds now) {
  MutexLock lock(mu_);
  for (auto& [name, pool] : pools_) {
    pool.dollars = pool.Dollars(now);
    pool.dollars_per_hour = 0;
    pool.since = now;
  }
  for (const auto& [name, price] : dollars_per_hour) {
    Pool& pool = pools_[PoolIdx(name)].second;
    pool.dollars_per_hour = price;
    pool.since = now;
  }
}

void CostBook::Answered(const std::string& pool, const std::string& owner, std::span<const std::string_view> rules,
                        size_t num_questions) {
  MutexLock lock(mu_);
  const size_t idx = PoolIdx(pool);
  const double work = static_cast<double>(kImageCost) + static_cast<double>(num_questions);
  Pool& counted = pools_[idx].second;
  ++counted.frames;
  counted.answers += num_questions;
  counted.work += work;
  for (const std::string_view rule : rules) {
    Rule* const of_rule = RuleOf(owner, rule);
    if (of_rule == nullptr) continue;
    of_rule->work[idx] += work / static_cast<double>(rules.size());
    ++of_rule->answers;
  }
}

void CostBook::Alerted(const std::string& owner, const std::string& rule) {
  MutexLock lock(mu_);
  if (Rule* const of_rule = RuleOf(owner, rule); of_rule != nullptr) ++of_rule->alerts;
}

void CostBook::ForgetOwner(const std::string& owner) {
  MutexLock lock(mu_);
  const auto at = rules_.find(owner);
  if (at == rules_.end()) return;
  num_rules_ -= at->second.size();
  rules_.erase(at);
}

std::vector<CostBook::PoolCost> CostBook::Pools(std::chrono::nanoseconds now) const {
  MutexLock lock(mu_);
  std::vector<PoolCost> all;
  for (const auto& [name, pool] : pools_) all.push_back({name, pool.Dollars(now), pool.frames, pool.answers});
  return all;
}

Json CostBook::TellPools(std::chrono::nanoseconds now) const {
  Json::Array all;
  for (const auto& [name, pool] : pools_) {
    const double dollars = pool.Dollars(now);
    all.push_back(Json::Object{{"pool", name},
                               {"dollars_per_hour", pool.dollars_per_hour},
                               {"dollars", dollars},
                               {"frames", pool.frames},
                               {"answers", pool.answers},
                               {"dollars_per_million_frames", Ratio(dollars, pool.frames, kMillion)},
                               {"dollars_per_million_answers", Ratio(dollars, pool.answers, kMillion)}});
  }
  return Json(std::move(all));
}

Json CostBook::TellRules(const std::string& owner, std::chrono::nanoseconds now) const {
  Json::Array all;
  const auto of_owner = rules_.find(owner);
  if (of_owner == rules_.end()) return Json(std::move(all));
  for (const auto& [name, rule] : of_owner->second) {
    double dollars = 0;
    for (const auto& [idx, work] : rule.work) {
      const Pool& pool = pools_[idx].second;
      if (pool.work > 0) dollars += pool.Dollars(now) * work / pool.work;
    }
    all.push_back(Json::Object{{"rule", name},
                               {"dollars", dollars},
                               {"answers", rule.answers},
                               {"alerts", rule.alerts},
                               {"dollars_per_million_answers", Ratio(dollars, rule.answers, kMillion)},
                               {"dollars_per_alert", Ratio(dollars, rule.alerts, 1)}});
  }
  return Json(std::move(all));
}

Json CostBook::Tell(const std::string& owner, std::chrono::nanoseconds now) const {
  MutexLock lock(mu_);
  if (owner.empty()) return Json(Json::Object{{"pools", TellPools(now)}});
  return Json(Json::Object{{"rules", TellRules(owner, now)}});
}

}  // namespace pawsight::gateway
