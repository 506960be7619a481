#include "notify/mqtt_connection.h"

#include <mosquitto.h>

#include <cerrno>
#include <cstring>

namespace pawsight::notify {
namespace {

constexpr int kKeepAliveSeconds = 30;
constexpr int kQos = 1;

}  // namespace

Result<std::unique_ptr<MqttConnection>> MqttConnection::Start(const MqttConfig& config, const std::string& client_id,
                                                              const IpAddress& address, const BrokerTls* tls,
                                                              Listener& listener) {
  static const int started = mosquitto_lib_init();  // once; thread-safe since C++11
  CHECK(started == MOSQ_ERR_SUCCESS);
  std::unique_ptr<MqttConnection> connection(new MqttConnection(listener));
  connection->client_ = mosquitto_new(client_id.c_str(), true, connection.get());
  struct mosquitto* client = connection->client_;
  if (client == nullptr) return Unavailable("no memory for a connection");
  mosquitto_connect_callback_set(client, &MqttConnection::OnConnect);
  mosquitto_publish_callback_set(client, &MqttConnection::OnPublish);
  static constexpr std::string_view kOffline = "offline";
  int code = mosquitto_will_set(client, MqttAvailabilityTopic(config).c_str(), static_cast<int>(kOffline.size()),
                                kOffline.data(), kQos, true);
  if (code == MOSQ_ERR_SUCCESS && !config.username.empty())
    code = mosquitto_username_pw_set(client, config.username.c_str(),
                                     config.password.empty() ? nullptr : config.password.c_str());
  if (code == MOSQ_ERR_SUCCESS && tls != nullptr)
    code = mosquitto_int_option(client, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
  if (code == MOSQ_ERR_SUCCESS && tls != nullptr)
    code = mosquitto_void_option(client, MOSQ_OPT_SSL_CTX, tls->context());
  if (code == MOSQ_ERR_SUCCESS)
    code = mosquitto_connect_async(client, address.ToString().c_str(), config.port, kKeepAliveSeconds);
  if (code != MOSQ_ERR_SUCCESS) return connection->StatusOf(code);
  return connection;
}

MqttConnection::~MqttConnection() { mosquitto_destroy(client_); }

int MqttConnection::descriptor() const { return mosquitto_socket(client_); }
bool MqttConnection::WantsToWrite() const { return mosquitto_want_write(client_); }

Status MqttConnection::Read() { return StatusOf(mosquitto_loop_read(client_, 1)); }
Status MqttConnection::Write() { return StatusOf(mosquitto_loop_write(client_, 1)); }
Status MqttConnection::Tick() { return StatusOf(mosquitto_loop_misc(client_)); }

Result<int> MqttConnection::Publish(const MqttPublication& publication) {
  CHECK(connected_);
  int number = 0;
  const int code =
      mosquitto_publish(client_, &number, publication.topic.c_str(), static_cast<int>(publication.payload.size()),
                        publication.payload.data(), kQos, publication.retain);
  if (code == MOSQ_ERR_INVAL || code == MOSQ_ERR_PAYLOAD_SIZE || code == MOSQ_ERR_MALFORMED_UTF8)
    return InvalidArgument(mosquitto_strerror(code));
  PAWSIGHT_RETURN_IF_ERROR(StatusOf(code));
  return number;
}

void MqttConnection::OnConnect(struct mosquitto*, void* self_pointer, int code) {
  auto& self = *static_cast<MqttConnection*>(self_pointer);
  if (code != 0) {
    const std::string why = mosquitto_connack_string(code);
    self.refused_ = code == 4 || code == 5 ? Status(StatusCode::kUnauthenticated, why) : Unavailable(why);
    return;
  }
  self.connected_ = true;
  self.listener_.OnConnected();
}

void MqttConnection::OnPublish(struct mosquitto*, void* self_pointer, int number) {
  static_cast<MqttConnection*>(self_pointer)->listener_.OnAcknowledged(number);
}

Status MqttConnection::StatusOf(int code) const {
  if (!refused_.ok()) return refused_;
  if (code == MOSQ_ERR_SUCCESS) return Ok();
  if (code == MOSQ_ERR_TLS) return Unavailable("no TLS with the broker, or its certificate is not to be trusted");
  if (code == MOSQ_ERR_ERRNO) return Unavailable(std::strerror(errno));
  return Unavailable(mosquitto_strerror(code));
}

}  // namespace pawsight::notify
