// gateway/path/fair_share.h: whose turn it is: deficit round robin (Shreedhar and Varghese 1995) over lanes, one an
// owner. Each lane gets the same share of the cost of what is taken, however much it has waiting; a lane without
// anything saves nothing up. No threads, no clock. Thread-compatible.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/check.h"

namespace pawsight::gateway {

/// Items of a lane leave in the order they came. Bounded by its caller, who knows what an item is.
template <typename Item>
class FairShare {
 public:
  /// `quantum`: what a lane may spend a round; no item may cost more (CHECK), so a lane that waits is served every
  /// round.
  explicit FairShare(int64_t quantum) : quantum_(quantum) { CHECK(quantum >= 1); }

  void Push(const std::string& lane, Item item, int64_t cost) {
    CHECK(cost >= 1 && cost <= quantum_);
    const auto [at, fresh] = lanes_.try_emplace(lane);
    at->second.items.emplace_back(std::move(item), cost);
    if (fresh) round_.push_back(&*at);
    ++size_;
  }

  /// nullopt when nothing waits.
  std::optional<Item> Pop() {
    while (!round_.empty()) {
      Entry& entry = *round_.front();
      Lane& lane = entry.second;
      if (!lane.has_turn) {
        lane.has_turn = true;
        lane.deficit += quantum_;
      }
      if (lane.deficit >= lane.items.front().second) return Take(entry);
      lane.has_turn = false;
      round_.pop_front();
      round_.push_back(&entry);
    }
    return std::nullopt;
  }

  size_t size() const { return size_; }
  /// How many of this lane wait.
  size_t SizeOf(const std::string& lane) const {
    const auto at = lanes_.find(lane);
    return at == lanes_.end() ? 0 : at->second.items.size();
  }
  /// Takes out the newest of the lane with the most waiting, of equals any; nullopt when none has more than `most`.
  /// Linear in the lanes.
  std::optional<Item> DropFromLongest(size_t most) {
    Entry* longest = nullptr;
    for (Entry* entry : round_) {
      const size_t count = entry->second.items.size();
      if (count > most && (longest == nullptr || count > longest->second.items.size())) longest = entry;
    }
    if (longest == nullptr) return std::nullopt;
    Item item = std::move(longest->second.items.back().first);
    longest->second.items.pop_back();
    --size_;
    if (longest->second.items.empty()) Forget(*longest, std::find(round_.begin(), round_.end(), longest));
    return item;
  }

 private:
  struct Lane {
    std::deque<std::pair<Item, int64_t>> items;  // never empty
    int64_t deficit = 0;
    bool has_turn = false;
  };
  using Entry = std::pair<const std::string, Lane>;

  Item Take(Entry& entry) {
    Lane& lane = entry.second;
    Item item = std::move(lane.items.front().first);
    lane.deficit -= lane.items.front().second;
    lane.items.pop_front();
    --size_;
    if (lane.items.empty()) Forget(entry, round_.begin());
    return item;
  }
  void Forget(Entry& entry, typename std::deque<Entry*>::iterator at) {
    round_.erase(at);
    lanes_.erase(lanes_.find(entry.first));
  }

  const int64_t quantum_;
  std::unordered_map<std::string, Lane> lanes_;  // nodes stay where they are
  std::deque<Entry*> round_;                     // every lane once
  size_t size_ = 0;
};

}  // namespace pawsight::gateway
