// notify/receiver.h: where messages go: a place that takes one message at a time and says what came of it. Not here:
// when to try again (notify/retry.h), whose turn it is (notify/notifier.h).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "notify/lookup.h"
#include "notify/message.h"
#include "notify/mqtt_links.h"
#include "notify/receiver_config.h"
#include "notify/retry.h"
#include "notify/transfers.h"

namespace pawsight::notify {

/// Thread-safe.
class Receiver {
 public:
  virtual ~Receiver() = default;
  /// Calls `done` exactly once, from any thread, within the senders' time limit (10 s). Never blocks. Delivered means
  /// that the other end has said so; a message may arrive although `done` says that it failed.
  using Done = std::function<void(Outcome)>;
  virtual void Deliver(std::shared_ptr<const Message> message, Done done) = 0;
  /// Shows what cameras and rules there are, now and after each new connection, and takes away what only `before` has.
  /// Only MQTT does.
  virtual void Announce(const std::vector<CameraInventory>& before, const std::vector<CameraInventory>& now) {
    (void)before;
    (void)now;
  }
};

/// What receivers send with; they outlive the receivers.
struct Senders {
  Transfers& transfers;
  MqttLinks& mqtt;
  const Clock& clock;
};

/// `id` is the receiver's; an MQTT receiver of the same id takes over the connection of an earlier one.
std::unique_ptr<Receiver> MakeReceiver(const std::string& id, const std::string& owner, ReceiverConfig config,
                                       const Senders& senders);

/// Why CheckReceiver cannot tell.
inline constexpr std::string_view kNameNotFound = "name_not_found";

/// Looks the receiver's name up and checks every address: what is to be done when an owner makes or changes a receiver.
/// The check is made again at each connection, for a name may change. `done` is called exactly once, from any thread.
/// Errors: kPermissionDenied `address_refused`; kUnavailable `name_not_found`, now: it may be kept, for nothing is sent
/// before the name leads to an address that is allowed.
void CheckReceiver(const ReceiverConfig& config, const std::string& owner, const AddressPolicy& policy, Lookup& lookup,
                   std::function<void(Status)> done);

/// The outcome of a transfer, for receivers by HTTP and by SMTP.
Outcome OutcomeOfTransfer(const TransferResult& result, bool is_mail);

}  // namespace pawsight::notify
