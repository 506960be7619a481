// notify/post_office.h: all that delivers, put together: what a gateway makes once, over its store. Thread-safe.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "events/store.h"
#include "notify/lookup.h"
#include "notify/notifier.h"
#include "notify/store_outbox.h"

namespace pawsight::notify {

struct PostOfficeOptions {
  std::vector<std::string> allowed_networks;  // "192.168.1.0/24", "fd00::/8"
  bool allow_plain = false;
  std::string ca_file;
  std::chrono::seconds retry_first{5};
  std::chrono::seconds give_up = std::chrono::hours(72);

  template <typename Visitor>
  static void Describe(Visitor&& option) {
    option(&PostOfficeOptions::allowed_networks, "receiver-networks",
           "networks that are not public in which receivers may stand, such as 192.168.1.0/24");
    option(&PostOfficeOptions::allow_plain, "receiver-plain", "receivers without TLS: http, MQTT, SMTP");
    option(&PostOfficeOptions::ca_file, "receiver-ca-file", "certificates to trust; empty: the system's");
    option(&PostOfficeOptions::retry_first, "receiver-retry", "wait after a failure; then doubled up to a day",
           std::chrono::seconds(1), std::chrono::hours(1));
    option(&PostOfficeOptions::give_up, "receiver-give-up", "a message that fails when it is older is dead",
           std::chrono::minutes(1), std::chrono::hours(24 * 30));
  }
};

class PostOffice {
 public:
  /// Starts delivering what the store's outbox has. Make it before anything is submitted to the store (StoreOutbox).
  /// `store` and `clock` outlive it; `resolver` null: the system's. `keys` of receivers' secrets. Errors:
  /// kInvalidArgument, a network that cannot be read.
  static Result<std::unique_ptr<PostOffice>> Open(events::Store& store, const Clock& clock,
                                                  const PostOfficeOptions& options, SecretKeys keys = {},
                                                  std::shared_ptr<Resolver> resolver = nullptr);
  ~PostOffice();
  PostOffice(const PostOffice&) = delete;
  PostOffice& operator=(const PostOffice&) = delete;

  Notifier& notifier();
  Lookup& lookup();
  const ReceiverPolicy& policy() const;
  const SecretKeys& keys() const;

  /// What an API does with a receiver's document before it is stored: reads it and checks where its name leads. `done`
  /// is called exactly once, from any thread or before this returns. Errors: ParseReceiver's, CheckReceiver's.
  void Check(const Json& document, const std::string& owner, std::function<void(Status)> done);

 private:
  struct Parts;
  explicit PostOffice(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace pawsight::notify
