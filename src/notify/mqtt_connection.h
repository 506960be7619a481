// notify/mqtt_connection.h: one connection to one MQTT broker, from its start to its end; a new one is made to connect
// again, so nothing of an old session is sent twice. libmosquitto inside. For mqtt_links.cc; used by the links' thread
// only.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "notify/address.h"
#include "notify/broker_tls.h"
#include "notify/mqtt_topics.h"

struct mosquitto;

namespace pawsight::notify {

class MqttConnection {
 public:
  /// What happened, told while a call of this object runs; it must not be destroyed from there.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void OnConnected() = 0;
    /// The broker has the publication with this number.
    virtual void OnAcknowledged(int number) = 0;
  };

  /// Starts connecting to the address; `config` gives user, password and, for the will, the topics. `listener` and
  /// `tls` (null: none) outlive it. Errors: kUnavailable, with why.
  static Result<std::unique_ptr<MqttConnection>> Start(const MqttConfig& config, const std::string& client_id,
                                                       const IpAddress& address, const BrokerTls* tls,
                                                       Listener& listener);
  /// Closes without a farewell: the broker publishes the will.
  ~MqttConnection();
  MqttConnection(const MqttConnection&) = delete;
  MqttConnection& operator=(const MqttConnection&) = delete;

  /// For poll(2).
  int descriptor() const;
  bool WantsToWrite() const;
  bool connected() const { return connected_; }

  // What poll said, and once a second. Errors: kUnavailable, the connection has ended and why. kUnauthenticated, the
  // broker does not take the user and password.
  Status Read();
  Status Write();
  Status Tick();

  /// At QoS 1, once connected (CHECK). The number that OnAcknowledged will give. Errors: kUnavailable;
  /// kInvalidArgument, a topic or a size that MQTT cannot carry.
  Result<int> Publish(const MqttPublication& publication);

 private:
  explicit MqttConnection(Listener& listener) : listener_(listener) {}
  static void OnConnect(struct mosquitto* client, void* self_pointer, int code);
  static void OnPublish(struct mosquitto* client, void* self_pointer, int number);
  Status StatusOf(int code) const;

  Listener& listener_;
  struct mosquitto* client_ = nullptr;
  bool connected_ = false;
  Status refused_;  // why the broker does not let us in
};

}  // namespace pawsight::notify
