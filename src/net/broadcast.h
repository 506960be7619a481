// net/broadcast.h: one publisher's messages to many subscribers, each with a bounded buffer of its own: one that does
// not read loses its oldest messages and is told how many; it delays nobody. Messages are server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html). Not here: the sockets (net/http_server.h).
// Thread-safe. Wakes are called outside the lock.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/mutex.h"
#include "base/status.h"

namespace pawsight::net {

/// "event: NAME\ndata: LINE\n\n"; one data line for each line of `data`. `name` is ours: no line breaks (CHECK).
std::string FormatServerSentEvent(std::string_view name, std::string_view data);

struct BroadcastOptions {
  size_t max_subscribers = 32;
  size_t max_buffered_bytes = 256U << 10U;  // of one subscriber
};

class Broadcast {
 public:
  using SubscriberId = uint64_t;

  /// What a subscriber gets, and by what it is known.
  struct Interest {
    std::string topic;  // messages whose topic begins so; "" all
    std::string key;    // for End
    /// Asked when it subscribes, under the lock: what would have ended it already, since no End finds it before. Must
    /// not call this object. Its error is Subscribe's. Empty: nothing.
    std::function<Status()> admit = nullptr;
  };

  explicit Broadcast(const BroadcastOptions& options = {}) : options_(options) {}
  ~Broadcast() { CHECK(NumSubscribers() == 0); }
  Broadcast(const Broadcast&) = delete;
  Broadcast& operator=(const Broadcast&) = delete;

  /// Puts the message into every subscriber's buffer and wakes those that had none. Never blocks on a subscriber.
  /// A message larger than max_buffered_bytes is dropped for everyone. One with a topic goes to those alone whose
  /// interest it is. Cost: a comparison a subscriber.
  void Publish(std::string_view name, std::string_view data, std::string_view topic = {}) EXCLUDES(mu_);

  /// `wake` is called, from the publisher's thread, when the buffer goes from empty to not empty; it must be quick and
  /// must not call this object. Errors: kResourceExhausted, max_subscribers are there; admit's.
  Result<SubscriberId> Subscribe(std::function<void()> wake) EXCLUDES(mu_) { return Subscribe(std::move(wake), {}); }
  Result<SubscriberId> Subscribe(std::function<void()> wake, Interest interest) EXCLUDES(mu_);
  /// Returns once no wake of it is running or will run.
  void Unsubscribe(SubscriberId id) EXCLUDES(mu_);

  /// The oldest whole messages, together at most max_bytes (at least one); "" when there are none. Messages that were
  /// dropped are told first: "event: dropped\ndata: {\"count\":3}\n\n".
  std::string Take(SubscriberId id, size_t max_bytes) EXCLUDES(mu_);

  /// Ends those whose interest has that key (not ""): they get nothing more, not even what waits, and are woken.
  void End(std::string_view key) EXCLUDES(mu_);
  bool Ended(SubscriberId id) const EXCLUDES(mu_);

  size_t NumSubscribers() const EXCLUDES(mu_);

 private:
  struct Subscriber {
    std::function<void()> wake;
    Interest interest;
    bool ended = false;
    std::deque<std::string> messages;
    size_t buffered_bytes = 0;
    uint64_t num_dropped = 0;
    int num_waking = 0;  // wakes being called now
  };
  void Put(Subscriber& subscriber, const std::string& message) REQUIRES(mu_);
  /// Calls the wakes that `choose`, called under the lock, says yes to.
  template <typename Choose>
  void Wake(const Choose& choose) EXCLUDES(mu_);

  const BroadcastOptions options_;
  mutable Mutex mu_;
  CondVar woken_;
  std::map<SubscriberId, Subscriber> subscribers_ GUARDED_BY(mu_);
  SubscriberId next_id_ GUARDED_BY(mu_) = 1;
};

}  // namespace pawsight::net
