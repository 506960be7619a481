// notify/mqtt_links.h: connections to owners' MQTT brokers, all on one thread (libmosquitto's calls for an external
// loop). A link stays connected while its receiver exists, so that its last will tells home automations when the
// gateway goes. The guard is the one of transfers: every address of the broker's name is checked, and the connection is
// made to a checked address, never to the name; with TLS the certificate must be for the name (or have the pinned key).
// Not here: topics (notify/mqtt_topics.h). Thread-safe.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "notify/lookup.h"
#include "notify/mqtt_topics.h"
#include "notify/receiver_config.h"
#include "notify/retry.h"

namespace pawsight::notify {

struct MqttOptions {
  AddressPolicy addresses;
  std::chrono::milliseconds timeout{10000};  // of connecting, and of a message until it is acknowledged
  std::chrono::milliseconds reconnect_first{1000};
  std::chrono::milliseconds reconnect_longest{60000};
  size_t max_links = 1024;  // more cannot connect: their messages fail
  size_t max_waiting = 64;  // messages of one link that wait to be acknowledged; more fail
  std::string ca_file;      // certificates to trust; empty: the system's
};

/// A receiver's connection; when the last copy of the pointer goes, the broker publishes the last will.
class MqttLink {
 public:
  virtual ~MqttLink() = default;
  /// Publishes all at QoS 1, connecting first when need be. `done` is called exactly once, on the links' thread or
  /// before this returns: delivered once the broker has acknowledged each.
  virtual void Publish(std::vector<MqttPublication> publications, std::function<void(Outcome)> done) = 0;
  /// What is published after each connect, and now when connected: discovery, states. Replaces what was set.
  virtual void SetBirth(std::vector<MqttPublication> publications) = 0;
  virtual bool connected() const = 0;
};

class MqttLinks {
 public:
  /// `lookup` outlives it.
  MqttLinks(Lookup& lookup, const MqttOptions& options);
  /// Every message that is not acknowledged fails. Links that are still held do nothing from then on.
  ~MqttLinks();
  MqttLinks(const MqttLinks&) = delete;
  MqttLinks& operator=(const MqttLinks&) = delete;

  /// Starts connecting. `id` is the receiver's: it makes the client id, by which a broker knows a client, when the
  /// configuration has none.
  std::shared_ptr<MqttLink> Open(const std::string& id, const std::string& owner, const MqttConfig& config);

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace pawsight::notify
