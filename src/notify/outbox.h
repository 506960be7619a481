// notify/outbox.h: what the notifier asks of the store that keeps messages until they are delivered. Narrow, so that
// the notifier is tested without a disk; notify/store_outbox.h is the real one.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/status.h"
#include "notify/message.h"

namespace pawsight::notify {

struct ReceiverKey {
  std::string owner, receiver;
  friend auto operator<=>(const ReceiverKey&, const ReceiverKey&) = default;
};

/// One message on its way to one receiver.
struct OutboxRow {
  int64_t id = 0;
  Message message;      // without its picture
  std::string picture;  // the id of its picture; empty: none
  int attempts = 0;     // that failed
  Time due{};  // when it was written, or told to be tried again; its place in the order, its age counts from it
};

struct OutboxPage {
  std::vector<OutboxRow> rows;
  bool more = false;  // there may be others behind them
};

/// Used by the notifier's thread; `Done`s may be called on any thread, also before the call returns.
class Outbox {
 public:
  using Done = std::function<void(Status)>;
  virtual ~Outbox() = default;

  /// Active receivers that have messages, in order, after `after`.
  virtual Result<std::vector<ReceiverKey>> Pending(const ReceiverKey& after, int limit) = 0;
  /// The receiver's oldest messages, oldest first: those of one alert in the order in which they happened. Taking
  /// changes nothing: until one is settled it is given again. One that cannot be told (Message's errors) is not given,
  /// it is dead.
  virtual Result<OutboxPage> Take(const ReceiverKey& key, int limit) = 0;
  /// The receiver's whole document. Errors: kNotFound, no such receiver; kFailedPrecondition, it is switched off.
  virtual Result<Json> Document(const ReceiverKey& key) = 0;
  /// Errors: kNotFound, it has expired; the message goes without.
  virtual Result<std::shared_ptr<const Picture>> LoadPicture(const ReceiverKey& key, const std::string& id) = 0;

  // What became of an attempt. Durable when `done` is called with OK; kNotFound is as good: the message is gone.
  virtual void Delivered(const ReceiverKey& key, int64_t id, Done done) = 0;
  /// It stays where it is in the order: `due` is the row's.
  virtual void Failed(const ReceiverKey& key, int64_t id, Time due, const std::string& error, Done done) = 0;
  virtual void Dead(const ReceiverKey& key, int64_t id, const std::string& error, Done done) = 0;
  /// The receiver is switched off; its messages stay.
  virtual void SwitchOff(const ReceiverKey& key, const std::string& reason, Done done) = 0;
};

}  // namespace pawsight::notify
