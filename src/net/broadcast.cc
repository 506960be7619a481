#include "net/broadcast.h"

#include <utility>
#include <vector>

namespace pawsight::net {

std::string FormatServerSentEvent(std::string_view name, std::string_view data) {
  CHECK(name.find_first_of("\r\n") == std::string_view::npos);
  std::string message = "event: " + std::string(name) + "\n";
  while (true) {
    const size_t end = data.find_first_of("\r\n");
    message += "data: ";
    message += data.substr(0, end);
    message += '\n';
    if (end == std::string_view::npos) break;
    data.remove_prefix(end + (data.substr(end, 2) == "\r\n" ? 2 : 1));
  }
  message += '\n';
  return message;
}

void Broadcast::Put(Subscriber& subscriber, const std::string& message) {
  subscriber.messages.push_back(message);
  subscriber.buffered_bytes += message.size();
  while (subscriber.buffered_bytes > options_.max_buffered_bytes) {
    subscriber.buffered_bytes -= subscriber.messages.front().size();
    subscriber.messages.pop_front();
    ++subscriber.num_dropped;
  }
}

template <typename Choose>
void Broadcast::Wake(const Choose& choose) {
  std::vector<std::pair<SubscriberId, std::function<void()>>> wakes;
  {
    MutexLock lock(mu_);
    for (auto& [id, subscriber] : subscribers_) {
      if (!choose(subscriber)) continue;
      ++subscriber.num_waking;
      wakes.emplace_back(id, subscriber.wake);
    }
  }
  for (const auto& [id, wake] : wakes) wake();
  if (wakes.empty()) return;
  MutexLock lock(mu_);
  for (const auto& [id, wake] : wakes) --subscribers_.at(id).num_waking;  // Unsubscribe waits, so it is still there
  woken_.NotifyAll();
}

void Broadcast::Publish(std::string_view name, std::string_view data, std::string_view topic) {
  const std::string message = FormatServerSentEvent(name, data);
  Wake([&](Subscriber& subscriber) REQUIRES(mu_) {
    if (subscriber.ended || !topic.starts_with(subscriber.interest.topic)) return false;
    const bool was_empty = subscriber.messages.empty();
    Put(subscriber, message);
    return was_empty;
  });
}

Result<Broadcast::SubscriberId> Broadcast::Subscribe(std::function<void()> wake, Interest interest) {
  MutexLock lock(mu_);
  if (subscribers_.size() >= options_.max_subscribers) {
    return ResourceExhausted("too many subscribers; close another page", "too_many_subscribers");
  }
  if (interest.admit) PAWSIGHT_RETURN_IF_ERROR(interest.admit());
  const SubscriberId id = next_id_++;
  subscribers_[id].wake = std::move(wake);
  subscribers_[id].interest = std::move(interest);
  return id;
}

void Broadcast::End(std::string_view key) {
  CHECK(!key.empty());
  Wake([&](Subscriber& subscriber) {
    if (subscriber.ended || subscriber.interest.key != key) return false;
    subscriber.ended = true;
    subscriber.messages.clear();
    subscriber.buffered_bytes = 0;
    subscriber.num_dropped = 0;
    return true;
  });
}

bool Broadcast::Ended(SubscriberId id) const {
  MutexLock lock(mu_);
  return subscribers_.at(id).ended;
}

void Broadcast::Unsubscribe(SubscriberId id) {
  MutexLock lock(mu_);
  const auto subscriber = subscribers_.find(id);
  CHECK(subscriber != subscribers_.end());
  while (subscriber->second.num_waking > 0) woken_.Wait(mu_);
  subscribers_.erase(subscriber);
}

std::string Broadcast::Take(SubscriberId id, size_t max_bytes) {
  MutexLock lock(mu_);
  Subscriber& subscriber = subscribers_.at(id);
  std::string taken;
  if (subscriber.num_dropped > 0) {
    taken = FormatServerSentEvent("dropped", "{\"count\":" + std::to_string(subscriber.num_dropped) + "}");
    subscriber.num_dropped = 0;
  }
  while (!subscriber.messages.empty()) {
    const std::string& next = subscriber.messages.front();
    if (!taken.empty() && taken.size() + next.size() > max_bytes) break;
    taken += next;
    subscriber.buffered_bytes -= next.size();
    subscriber.messages.pop_front();
  }
  return taken;
}

size_t Broadcast::NumSubscribers() const {
  MutexLock lock(mu_);
  return subscribers_.size();
}

}  // namespace pawsight::net
