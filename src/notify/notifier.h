// notify/notifier.h: station 13 of a frame's life: tells receivers. One thread takes messages from the outbox and gives
// them to receivers, a queue a receiver, so that one that hangs or is down delays no other. At least once: a message is
// settled in the outbox only after the receiver has taken it, so a crash in between sends it again, with the same id.
// Messages of one alert arrive in the order in which they happened, each before the next is sent. What a failure leads
// to is notify/retry.h. Memory does not grow with the outbox: a page of messages for each receiver that is being
// served. Not here: writing messages into the outbox (gateway). Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "notify/outbox.h"
#include "notify/receiver.h"
#include "notify/receiver_config.h"
#include "notify/retry.h"

namespace pawsight::notify {

struct NotifierOptions {
  ReceiverPolicy policy;
  RetryPolicy retry;
  int page = 32;                   // messages taken at once for a receiver, 1..1000
  int max_running_a_receiver = 8;  // reached by doubling from 1 while all goes well, and 1 again after a failure
  int max_running_an_owner = 64;   // hanging receivers of one owner leave the others theirs
  int max_running = 512;
  size_t max_receivers = 65536;            // with messages at one time; others wait for the next sweep
  std::chrono::milliseconds sweep{30000};  // the outbox is asked for messages that nobody told of
  uint64_t seed = 1;                       // of the dice of retries
};

/// For people and metrics.
struct NotifierStats {
  uint64_t num_delivered = 0, num_failed = 0, num_dead = 0, num_switched_off = 0, num_unsettled = 0;
  int num_running = 0;
  size_t num_receivers = 0;  // being served or waited for
};

/// A receiver that has just failed.
struct Trouble {
  int failures = 0;  // in a row
  Time until{};      // nothing is sent before
  std::string error;
};

class Notifier {
 public:
  /// Makes a receiver of a checked configuration: MakeReceiver, or a test's.
  using Maker = std::function<std::unique_ptr<Receiver>(const ReceiverKey&, ReceiverConfig)>;

  /// Starts: sweeps the outbox. What is referred to outlives it.
  Notifier(Outbox& outbox, Maker maker, const Clock& clock, const NotifierOptions& options);
  /// Waits for no receiver: what is under way is told again after the next start.
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  /// There are new messages for it. Quick; from any thread, also the store's.
  void Wake(const ReceiverKey& key);
  /// Wake as a function that may be called after the notifier has gone, when it does nothing.
  std::function<void(const ReceiverKey&)> Waker() const;
  /// Its document was changed, or it was switched on or deleted: read it anew and try at once.
  void Changed(const ReceiverKey& key);

  /// Sends at once, past the queue and any waiting, and tells what came of it, once, on any thread. A success ends the
  /// wait of a receiver in trouble.
  void SendTest(const ReceiverKey& key, Message message, std::function<void(Outcome)> done);

  /// What an owner's cameras have, for receivers that show it (MQTT): kept with the receiver and shown at once and
  /// after each new connection. To be called at start and when cameras or rules change; opens the connection.
  void Announce(const ReceiverKey& key, std::vector<CameraInventory> cameras);

  /// Why nothing is being sent to it; nothing when all is well.
  std::optional<Trouble> TroubleOf(const ReceiverKey& key) const;
  NotifierStats Stats() const;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace pawsight::notify
