#include "gateway/path/why_log.h"

#include <set>

namespace pawsight::gateway {

void WhyLog::Add(const FrameResult& result) {
  MutexLock lock(mu_);
  const auto owner = logs_.find(result.owner);
  for (const Outcome& outcome : result.outcomes) {
    ++totals_[static_cast<size_t>(outcome.reason)];
    if (owner == logs_.end()) continue;
    const auto rule = owner->second.find(outcome.rule);
    if (rule == owner->second.end()) continue;  // removed while the frame was on its way
    Log& log = rule->second;
    ++log.counts[static_cast<size_t>(outcome.reason)];
    Entry entry{result.frame,  result.camera,   result.time,  outcome.reason,
                outcome.p_yes, outcome.verdict, outcome.phase};
    if (log.newest.size() < kept_) {
      log.newest.push_back(std::move(entry));
    } else {
      log.newest[log.next] = std::move(entry);
    }
    log.next = (log.next + 1) % kept_;
  }
}

void WhyLog::SetRules(const std::string& owner, const std::vector<std::string>& rules) {
  MutexLock lock(mu_);
  if (rules.empty()) {
    logs_.erase(owner);
    return;
  }
  auto& known = logs_[owner];
  const std::set<std::string_view> wanted(rules.begin(), rules.end());
  std::erase_if(known, [&](const auto& entry) { return !wanted.contains(entry.first); });
  for (const std::string& rule : rules) known.try_emplace(rule);
}

Result<Json> WhyLog::Tell(const std::string& owner, const std::string& rule) const {
  MutexLock lock(mu_);
  const auto of_owner = logs_.find(owner);
  const Log* log = nullptr;
  if (of_owner != logs_.end()) {
    const auto found = of_owner->second.find(rule);
    if (found != of_owner->second.end()) log = &found->second;
  }
  if (log == nullptr) return NotFound("rule: no such rule", "rule_unknown");
  Json counts(Json::Object{});
  for (const rules::Reason reason : rules::AllReasons()) {
    const uint64_t count = log->counts[static_cast<size_t>(reason)];
    if (count > 0) counts.Set(rules::ReasonName(reason), count);
  }
  Json::Array newest;
  for (size_t i = 1; i <= log->newest.size(); ++i) {
    const Entry& entry = log->newest[(log->next + kept_ - i) % kept_];
    newest.push_back(Json::Object{{"frame", entry.frame},
                                  {"camera", entry.camera},
                                  {"time", FormatTime(entry.time)},
                                  {"reason", rules::ReasonName(entry.reason)},
                                  {"p_yes", entry.p_yes ? Json(*entry.p_yes) : Json()},
                                  {"verdict", entry.verdict ? Json(rules::VerdictName(*entry.verdict)) : Json()},
                                  {"phase", rules::AlertPhaseName(entry.phase)}});
  }
  return Json(Json::Object{{"rule", rule}, {"counts", std::move(counts)}, {"newest", std::move(newest)}});
}

WhyLog::Counts WhyLog::Totals() const {
  MutexLock lock(mu_);
  return totals_;
}

}  // namespace pawsight::gateway
