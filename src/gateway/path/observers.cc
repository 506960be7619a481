#include "gateway/path/observers.h"

#include <algorithm>
#include <utility>

namespace pawsight::gateway {

Result<uint64_t> Observers::Subscribe(std::string owner, std::shared_ptr<Watcher> watcher) {
  MutexLock lock(mu_);
  if (owner_of_.size() >= kMaxWatchers) return ResourceExhausted("live: too many watch", "too_many_watchers");
  const uint64_t id = next_id_++;
  watchers_[owner].emplace_back(id, std::move(watcher));
  owner_of_.emplace(id, std::move(owner));
  count_.store(owner_of_.size(), std::memory_order_relaxed);
  return id;
}

void Observers::Unsubscribe(uint64_t id) {
  std::shared_ptr<Watcher> gone;  // dies outside the lock
  MutexLock lock(mu_);
  const auto owner = owner_of_.find(id);
  if (owner == owner_of_.end()) return;
  const auto list = watchers_.find(owner->second);
  const auto at = std::find_if(list->second.begin(), list->second.end(), [id](const auto& w) { return w.first == id; });
  gone = std::move(at->second);
  list->second.erase(at);
  if (list->second.empty()) watchers_.erase(list);
  owner_of_.erase(owner);
  count_.store(owner_of_.size(), std::memory_order_relaxed);
}

bool Observers::IsWatched(const std::string& owner) const {
  if (count_.load(std::memory_order_relaxed) == 0) return false;
  MutexLock lock(mu_);
  return watchers_.contains("") || watchers_.contains(owner);
}

std::vector<std::shared_ptr<Watcher>> Observers::Of(const std::string& owner) const {
  std::vector<std::shared_ptr<Watcher>> all;
  if (count_.load(std::memory_order_relaxed) == 0) return all;
  MutexLock lock(mu_);
  for (const std::string& whose : {owner, std::string()}) {
    const auto list = watchers_.find(whose);
    if (list == watchers_.end()) continue;
    for (const auto& [id, watcher] : list->second) all.push_back(watcher);
    if (owner.empty()) break;
  }
  return all;
}

void Observers::TellFrame(const std::shared_ptr<const FrameResult>& result) const {
  for (const std::shared_ptr<Watcher>& watcher : Of(result->owner)) watcher->OnFrame(result);
}

void Observers::TellAlert(const AlertNotice& notice) const {
  for (const std::shared_ptr<Watcher>& watcher : Of(notice.owner)) watcher->OnAlert(notice);
}

}  // namespace pawsight::gateway
