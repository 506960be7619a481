// MQTT receivers against a real Mosquitto, started and killed by the test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mosquitto.h>

#include <fstream>
#include <future>

#include "net/child_process.h"
#include "notify/mqtt_links.h"
#include "notify/post_office.h"
#include "notify/testing.h"

// libmosquitto 2.0.11 now and then loses the packet that was on its way when its client ends, 900 bytes.
extern "C" const char* __lsan_default_suppressions() { return "leak:libmosquitto.so"; }

namespace pawsight::notify {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using testing::LoopbackAllowed;
using testing::ScratchFolder;
using testing::TableResolver;
using testing::TestCertificate;
using Kind = Outcome::Kind;

/// A port that was free a moment ago.
int FreePort() {
  testing::TalkServer server([](testing::Connection&) {});
  return server.port();
}

/// Mosquitto as a child process; dies with the object.
class Broker {
 public:
  Broker(const ScratchFolder& folder, int port, const std::string& more = "") : port_(port) {
    const std::string path = folder / ("broker" + std::to_string(port) + ".conf");
    std::ofstream(path) << "listener " << port << " 127.0.0.1\nuser root\npersistence false\n"
                        << (more.empty() ? "allow_anonymous true\n" : more);
    auto child = net::ChildProcess::Start({"mosquitto", "-c", path});
    if (!child.ok()) child = net::ChildProcess::Start({"/usr/sbin/mosquitto", "-c", path});
    if (!child.ok()) return;
    child_ = *std::move(child);
    for (int i = 0; i < 500 && !Listens(); ++i) std::this_thread::sleep_for(milliseconds(20));
  }
  bool found() const { return child_ != nullptr; }
  void Kill() { child_.reset(); }
  int port() const { return port_; }

 private:
  bool Listens() const {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<uint16_t>(port_));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool listens = connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
    close(fd);
    return listens;
  }
  int port_;
  std::unique_ptr<net::ChildProcess> child_;
};

/// Listens, but its queue is full: whoever connects gets no answer at all.
class DeafListener {
 public:
  DeafListener() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(listener_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 && listen(listener_, 0) == 0);
    socklen_t size = sizeof at;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
    for (int& filler : fillers_) {
      filler = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      (void)connect(filler, reinterpret_cast<const sockaddr*>(&at), sizeof at);  // in progress is what is wanted
    }
  }
  ~DeafListener() {
    for (const int filler : fillers_) close(filler);
    close(listener_);
  }
  DeafListener(const DeafListener&) = delete;
  DeafListener& operator=(const DeafListener&) = delete;
  int port() const { return port_; }

 private:
  int listener_;
  int port_ = 0;
  int fillers_[4] = {};
};

/// Subscribes to everything and keeps it. A thread of libmosquitto's.
class Subscriber {
 public:
  explicit Subscriber(int port) : client_(mosquitto_new(nullptr, true, this)) {
    mosquitto_message_callback_set(client_, [](struct mosquitto*, void* self, const struct mosquitto_message* message) {
      auto& subscriber = *static_cast<Subscriber*>(self);
      MutexLock lock(subscriber.mu_);
      subscriber.last_[message->topic] = {static_cast<const char*>(message->payload),
                                          static_cast<size_t>(message->payloadlen)};
      subscriber.cv_.NotifyAll();
    });
    mosquitto_connect_callback_set(
        client_, [](struct mosquitto* client, void*, int) { mosquitto_subscribe(client, nullptr, "#", 1); });
    mosquitto_subscribe_callback_set(client_, [](struct mosquitto*, void* self, int, int, const int*) {
      auto& subscriber = *static_cast<Subscriber*>(self);
      MutexLock lock(subscriber.mu_);
      subscriber.subscribed_ = true;
      subscriber.cv_.NotifyAll();
    });
    mosquitto_reconnect_delay_set(client_, 1, 1, false);
    mosquitto_connect_async(client_, "127.0.0.1", port, 30);
    mosquitto_loop_start(client_);
    MutexLock lock(mu_);  // what is published before it is there would be missed
    while (!subscribed_) cv_.Wait(mu_);
  }
  ~Subscriber() {
    mosquitto_disconnect(client_);
    mosquitto_loop_stop(client_, true);
    mosquitto_destroy(client_);
  }
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  /// Waits until the topic's last message is `payload`, or any when that is empty; what it was last.
  std::string WaitFor(const std::string& topic, const std::string& payload = "") {
    const auto until = std::chrono::steady_clock::now() + seconds(15);
    MutexLock lock(mu_);
    while (std::chrono::steady_clock::now() < until) {
      const auto at = last_.find(topic);
      if (at != last_.end() && (payload.empty() || at->second == payload)) return at->second;
      cv_.WaitFor(mu_, milliseconds(100));
    }
    return last_.count(topic) != 0 ? last_[topic] : "(nothing)";
  }
  /// Waits until the topic's last message has no bytes, as what takes a retained one away.
  void WaitUntilEmpty(const std::string& topic) {
    MutexLock lock(mu_);
    for (int i = 0; i < 150 && !last_[topic].empty(); ++i) cv_.WaitFor(mu_, milliseconds(100));
    EXPECT_EQ(last_[topic], "");
  }

 private:
  struct mosquitto* client_;
  Mutex mu_;
  CondVar cv_;
  bool subscribed_ GUARDED_BY(mu_) = false;
  std::map<std::string, std::string> last_ GUARDED_BY(mu_);
};

Message Change(MessageType type) {
  Message message;
  message.id = "evt_1";
  message.type = type;
  message.owner = "own_1";
  message.alert = "alr_1";
  message.camera = "cam_1";
  message.camera_name = "Living room";
  message.rule = "rul_1";
  message.question = "Is the dog on the couch?";
  message.p_yes = 0.875;
  message.time = *ParseTime("2026-01-31T08:15:30.250Z");
  message.fired = *ParseTime("2026-01-31T08:15:00.000Z");
  return message;
}

class MqttTest : public ::testing::Test {
 protected:
  MqttTest() {
    mosquitto_lib_init();
    resolver_->Set("broker.test", {{"127.0.0.1"}});
    options_.addresses = LoopbackAllowed().addresses;
    options_.reconnect_first = milliseconds(100);
  }
  MqttLinks& Links() {
    if (links_ == nullptr) links_ = std::make_unique<MqttLinks>(lookup_, options_);
    return *links_;
  }
  MqttConfig Config(int port, const std::string& more = "") {
    const std::string text = R"({"kind":"mqtt","host":"broker.test","port":)" + std::to_string(port) + more + "}";
    return std::get<MqttConfig>(ParseReceiver(Json::Parse(text).value(), LoopbackAllowed()).value().kind);
  }
  static Outcome Send(MqttLink& link, const std::vector<MqttPublication>& publications) {
    auto outcome = std::make_shared<std::promise<Outcome>>();
    link.Publish(publications, [outcome](Outcome given) { outcome->set_value(std::move(given)); });
    return outcome->get_future().get();
  }
  /// A broker may take a moment to listen, or to be back.
  static Outcome SendUntilDelivered(MqttLink& link, const std::vector<MqttPublication>& publications) {
    Outcome outcome;
    for (int i = 0; i < 5; ++i) {
      outcome = Send(link, publications);
      if (outcome.kind == Kind::kDelivered) break;
    }
    return outcome;
  }

  const ScratchFolder folder_;
  const std::shared_ptr<TableResolver> resolver_ = std::make_shared<TableResolver>();
  Lookup lookup_{resolver_, {}};
  MqttOptions options_;
  std::unique_ptr<MqttLinks> links_;
};

#define PAWSIGHT_NEEDS(broker) \
  if (!(broker).found()) GTEST_SKIP() << "no mosquitto: apt-get install mosquitto; MQTT IS NOT TESTED"

TEST_F(MqttTest, AnAlertIsAnEventAStateAndAttributesAndItsEndIsToo) {
  Broker broker(folder_, FreePort());
  PAWSIGHT_NEEDS(broker);
  Subscriber subscriber(broker.port());
  const MqttConfig config = Config(broker.port());
  const auto link = Links().Open("rcv_1", "own_1", config);
  EXPECT_EQ(SendUntilDelivered(*link, MqttPublications(config, Change(MessageType::kFired))).kind, Kind::kDelivered);
  EXPECT_EQ(subscriber.WaitFor("pawsight/cam_1/rul_1/state", "ON"), "ON");
  EXPECT_EQ(subscriber.WaitFor("pawsight/available", "online"), "online");
  const Json event = Json::Parse(subscriber.WaitFor("pawsight/events")).value();
  EXPECT_EQ(event.GetString("type").value(), "new");
  EXPECT_EQ(event.Find("after")->GetString("id").value(), "alr_1");
  EXPECT_EQ(event.Find("after")->GetString("camera").value(), "cam_1");
  EXPECT_EQ(event.Find("after")->GetString("label").value(), "rul_1");
  EXPECT_EQ(event.Find("after")->GetNumber("score").value(), 0.875);
  EXPECT_EQ(event.Find("after")->GetNumber("start_time").value(), 1769847300.0);
  EXPECT_TRUE(event.Find("after")->Find("end_time")->is_null());
  EXPECT_THAT(subscriber.WaitFor("pawsight/cam_1/rul_1/attributes"), HasSubstr("Is the dog on the couch?"));
  EXPECT_EQ(Send(*link, MqttPublications(config, Change(MessageType::kResolved))).kind, Kind::kDelivered);
  EXPECT_EQ(subscriber.WaitFor("pawsight/cam_1/rul_1/state", "OFF"), "OFF");
}

TEST_F(MqttTest, ABrokerThatDiesAndComesBackGetsWhatWasMissedAndTheBirth) {
  const int port = FreePort();
  auto broker = std::make_unique<Broker>(folder_, port);
  PAWSIGHT_NEEDS(*broker);
  options_.timeout = milliseconds(1500);
  const MqttConfig config = Config(port);
  const auto link = Links().Open("rcv_1", "own_1", config);
  link->SetBirth({{"birth", "here", true}});
  EXPECT_EQ(SendUntilDelivered(*link, {{"one", "1", false}}).kind, Kind::kDelivered);
  broker->Kill();
  const Outcome outcome = Send(*link, {{"two", "2", false}});
  EXPECT_EQ(outcome.kind, Kind::kFailed);
  broker = std::make_unique<Broker>(folder_, port);
  EXPECT_EQ(SendUntilDelivered(*link, {{"two", "2", true}}).kind, Kind::kDelivered);
  Subscriber subscriber(port);
  EXPECT_EQ(subscriber.WaitFor("two", "2"), "2");
  EXPECT_EQ(subscriber.WaitFor("birth", "here"), "here");
  EXPECT_EQ(subscriber.WaitFor("pawsight/available", "online"), "online");
}

TEST_F(MqttTest, WhenTheGatewayGoesTheBrokerSaysSo) {
  Broker broker(folder_, FreePort());
  PAWSIGHT_NEEDS(broker);
  Subscriber subscriber(broker.port());
  auto link = Links().Open("rcv_1", "own_1", Config(broker.port()));
  EXPECT_EQ(subscriber.WaitFor("pawsight/available", "online"), "online");
  EXPECT_TRUE(link->connected());
  link.reset();
  EXPECT_EQ(subscriber.WaitFor("pawsight/available", "offline"), "offline");
}

TEST_F(MqttTest, AUserWithAWrongPasswordIsToldSo) {
  const int port = FreePort();
  Broker broker(folder_, port, "allow_anonymous false\n");
  PAWSIGHT_NEEDS(broker);
  options_.timeout = milliseconds(2000);
  const auto link = Links().Open("rcv_1", "own_1", Config(port, R"(,"username":"a","password":"b")"));
  Outcome outcome;
  for (int i = 0; i < 5 && outcome.error.find("uthori") == std::string::npos; ++i)
    outcome = Send(*link, {{"x", "y", false}});
  EXPECT_EQ(outcome.kind, Kind::kFailed);
  EXPECT_THAT(outcome.error, HasSubstr("uthori"));
}

TEST_F(MqttTest, UnderTlsTheNameOrThePinIsCheckedThoughAnAddressIsConnectedTo) {
  const TestCertificate certificate(folder_, "broker.test");
  const int port = FreePort();
  Broker broker(
      folder_, port,
      "allow_anonymous true\ncertfile " + certificate.cert_file() + "\nkeyfile " + certificate.key_file() + "\n");
  PAWSIGHT_NEEDS(broker);
  resolver_->Set("other.test", {{"127.0.0.1"}});
  options_.ca_file = certificate.cert_file();
  options_.timeout = milliseconds(2000);
  const auto good = Links().Open("rcv_1", "own_1", Config(port, R"(,"tls":true)"));
  const Outcome delivered = SendUntilDelivered(*good, {{"x", "y", false}});
  EXPECT_EQ(delivered.kind, Kind::kDelivered) << delivered.error;
  MqttConfig config = Config(port, R"(,"tls":true)");
  config.host.name = "other.test";
  const auto other = Links().Open("rcv_2", "own_1", config);
  EXPECT_THAT(Send(*other, {{"x", "y", false}}).error, HasSubstr("certificate"));
  config.pins = {certificate.pin()};
  const auto pinned = Links().Open("rcv_3", "own_1", config);
  EXPECT_EQ(SendUntilDelivered(*pinned, {{"x", "y", false}}).kind, Kind::kDelivered);
  config.pins[0][0] ^= 1;
  const auto wrong = Links().Open("rcv_4", "own_1", config);
  EXPECT_THAT(Send(*wrong, {{"x", "y", false}}).error, HasSubstr("certificate"));
}

TEST_F(MqttTest, ABrokerInsideIsNeverConnectedToAndASilentOneEndsInTime) {
  options_.timeout = milliseconds(300);
  testing::TalkServer server([](testing::Connection& connection) { connection.Linger(); }, "0.0.0.0");
  resolver_->Set("broker.test", {{"127.0.0.2"}});
  const auto inside = Links().Open("rcv_1", "own_1", Config(server.port()));
  EXPECT_THAT(Send(*inside, {{"x", "y", false}}).error, HasSubstr("loopback"));
  EXPECT_EQ(server.num_connections(), 0);
  resolver_->Set("broker.test", {{"127.0.0.1"}});
  for (const char* more : {"", R"(,"tls":true)"}) {
    const auto silent = Links().Open("rcv_2", "own_1", Config(server.port(), more));
    EXPECT_EQ(Send(*silent, {{"x", "y", false}}).kind, Kind::kFailed);
  }
}

TEST_F(MqttTest, ABrokerThatTakesNoConnectionHoldsUpNoOther) {
  Broker broker(folder_, FreePort());
  PAWSIGHT_NEEDS(broker);
  const DeafListener deaf;
  const auto stuck = Links().Open("rcv_1", "own_1", Config(deaf.port()));
  std::promise<Outcome> outcome;
  stuck->Publish({{"x", "y", false}}, [&](Outcome given) { outcome.set_value(std::move(given)); });
  const auto other = Links().Open("rcv_2", "own_1", Config(broker.port()));
  EXPECT_EQ(Send(*other, {{"x", "y", false}}).kind, Kind::kDelivered);
  EXPECT_FALSE(stuck->connected());
  links_.reset();
  EXPECT_EQ(outcome.get_future().get().kind, Kind::kFailed);
}

TEST_F(MqttTest, ALinkHoldsALimitedNumberOfMessagesAndFailsThemAllWhenClosing) {
  options_.max_waiting = 3;
  testing::TalkServer server([](testing::Connection& connection) { connection.Linger(); });
  const auto link = Links().Open("rcv_1", "own_1", Config(server.port()));
  std::vector<std::future<Outcome>> outcomes;
  for (int i = 0; i < 5; ++i) {
    auto outcome = std::make_shared<std::promise<Outcome>>();
    outcomes.push_back(outcome->get_future());
    link->Publish({{"x", "y", false}}, [outcome](Outcome given) { outcome->set_value(std::move(given)); });
  }
  EXPECT_THAT(outcomes[4].get().error, HasSubstr("too many"));
  links_.reset();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(outcomes[static_cast<size_t>(i)].get().kind, Kind::kFailed);
  EXPECT_EQ(Send(*link, {{"x", "y", false}}).error, "closing");
}

TEST_F(MqttTest, FromTheStoreToTheBrokerWithWhatHomeAssistantNeeds) {
  Broker broker(folder_, FreePort());
  PAWSIGHT_NEEDS(broker);
  Subscriber subscriber(broker.port());
  const SystemClock clock;
  const auto store = std::move(events::Store::Open(folder_ / "events.sqlite").value());
  PostOfficeOptions options;
  options.allowed_networks = {"127.0.0.1"};
  options.allow_plain = true;
  const auto office = std::move(PostOffice::Open(*store, clock, options, {}, resolver_).value());
  events::Owner owner;
  owner.id = "own_1";
  owner.name = "home";
  events::Receiver receiver;
  receiver.owner = "own_1";
  receiver.id = "rcv_1";
  receiver.kind = "mqtt";
  receiver.document = R"({"host":"broker.test","port":)" + std::to_string(broker.port()) + "}";
  ASSERT_TRUE(store->Write({events::Put<events::Owner>{owner}, events::Put<events::Receiver>{receiver}}).ok());
  office->notifier().Announce({"own_1", "rcv_1"}, {{"cam_1", "Living room", {{"rul_1", "Is the dog there?", false}}}});
  EXPECT_THAT(subscriber.WaitFor("homeassistant/device/pawsight_cam_1/config"), HasSubstr("Is the dog there?"));
  EXPECT_EQ(subscriber.WaitFor("pawsight/cam_1/rul_1/state", "OFF"), "OFF");
  events::Event event;
  event.owner = "own_1";
  event.type = "alert.fired";
  event.camera = "cam_1";
  event.rule = "rul_1";
  event.alert = "alr_1";
  event.time = clock.Now();
  ASSERT_TRUE(store->Write({events::AddEvent{event, {"rcv_1"}}}).ok());
  EXPECT_EQ(subscriber.WaitFor("pawsight/cam_1/rul_1/state", "ON"), "ON");
  office->notifier().Announce({"own_1", "rcv_1"}, {});
  subscriber.WaitUntilEmpty("homeassistant/device/pawsight_cam_1/config");
}

TEST(MqttTopics, HomeAssistantLearnsOfACameraInOneMessage) {
  MqttConfig config;
  const std::vector<CameraInventory> before = {
      {"cam_1", "Living\nroom", {{"rul_1", "Dog on couch?", {}}, {"rul_2", "Cat?", {}}}}, {"cam_2", "Hall", {}}};
  const std::vector<CameraInventory> now = {{"cam_1", "Living\nroom", {{"rul_1", "Dog on couch?", true}}}};
  const auto publications = MqttDiscovery(config, true, before, now);
  ASSERT_EQ(publications.size(), 3U);
  EXPECT_EQ(publications[0].topic, "homeassistant/device/pawsight_cam_1/config");
  EXPECT_TRUE(publications[0].retain);
  const Json payload = Json::Parse(publications[0].payload).value();
  EXPECT_EQ(payload.Find("device")->GetString("name").value(), "Living room");
  EXPECT_EQ(payload.Find("origin")->GetString("name").value(), "pawsight");
  const Json& sensor = *payload.Find("components")->Find("pawsight_cam_1_rul_1");
  EXPECT_EQ(sensor.GetString("platform").value(), "binary_sensor");
  EXPECT_EQ(sensor.GetString("unique_id").value(), "pawsight_cam_1_rul_1");
  EXPECT_EQ(sensor.GetString("state_topic").value(), "pawsight/cam_1/rul_1/state");
  EXPECT_EQ(payload.Find("components")->Find("pawsight_cam_1_rul_2")->Dump(), R"({"platform":"binary_sensor"})");
  EXPECT_EQ(payload.Find("components")->Find("pawsight_cam_1_rul_1_snapshot")->GetString("platform").value(), "image");
  EXPECT_EQ(publications[1].topic, "pawsight/cam_1/rul_1/state");
  EXPECT_EQ(publications[1].payload, "ON");
  EXPECT_EQ(publications[2].topic, "homeassistant/device/pawsight_cam_2/config");
  EXPECT_EQ(publications[2].payload, "");
}

TEST(MqttTopics, AnIdCannotLeaveItsLevel) {
  Message message = Change(MessageType::kFired);
  message.camera = "a/b+#\n";
  message.rule = "";
  for (const MqttPublication& publication : MqttPublications(MqttConfig(), message)) {
    EXPECT_TRUE(publication.topic == "pawsight/events" || publication.topic.starts_with("pawsight/a_b___/_/"))
        << publication.topic;
  }
}

}  // namespace
}  // namespace pawsight::notify
