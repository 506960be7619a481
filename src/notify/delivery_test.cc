// From the store's commit to a webhook on a real socket, and what a crash in between does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>

#include "base/log.h"
#include "events/ids.h"
#include "notify/post_office.h"
#include "notify/testing.h"

namespace pawsight::notify {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::Connection;
using ::testing::HasSubstr;
using testing::ScratchFolder;
using testing::TableResolver;
using testing::TalkServer;

constexpr char kSecret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The gateway's parts that deliver, over one store. Destroyed and made again, it is a restart.
class Delivering {
 public:
  explicit Delivering(const std::string& path) {
    const auto resolver = std::make_shared<TableResolver>();
    resolver->Set("receiver.test", {{"127.0.0.1"}});
    store_ = std::move(events::Store::Open(path).value());
    PostOfficeOptions options;
    options.allowed_networks = {"127.0.0.1"};
    options.allow_plain = true;
    options.retry_first = seconds(1);
    office_ = std::move(PostOffice::Open(*store_, clock_, options, {}, resolver).value());
  }
  Delivering(const Delivering&) = delete;
  Delivering& operator=(const Delivering&) = delete;

  events::Store& store() { return *store_; }
  PostOffice& office() { return *office_; }

  void AddWebhook(const std::string& owner, const std::string& id, int port, bool pictures = false) {
    events::Receiver receiver;
    receiver.owner = owner;
    receiver.id = id;
    receiver.kind = "webhook";
    receiver.document = R"({"url":"http://receiver.test:)" + std::to_string(port) + R"(/","pictures":)" +
                        (pictures ? "true}" : "false}");
    receiver.secret = R"({"secrets":[")" + std::string(kSecret) + "\"]}";
    ASSERT_TRUE(store_->Write({events::Put<events::Receiver>{receiver}}).ok());
  }
  void AddOwner(const std::string& id) {
    events::Owner owner;
    owner.id = id;
    owner.name = "home";
    const auto written = store_->Write({events::Put<events::Owner>{owner}});
    ASSERT_TRUE(written.ok()) << written.status().ToString();
  }
  static events::AddEvent Fired(const std::string& owner, const std::vector<std::string>& receivers) {
    events::Event event;
    event.owner = owner;
    event.time = SystemClock().Now();
    event.type = "alert.fired";
    event.camera = "cam_1";
    event.rule = "rul_1";
    event.alert = events::NewId("alr_", event.time);
    event.detail = Json::Object{{"question", "Is the dog on the couch?"}, {"severity", "warning"}, {"p_yes", 0.9}};
    return {event, receivers};
  }

 private:
  SystemClock clock_;
  std::unique_ptr<events::Store> store_;
  std::unique_ptr<PostOffice> office_;
};

std::string IdOf(const std::string& request) {
  const size_t at = request.find("webhook-id: ");
  return at == std::string::npos ? "" : request.substr(at + 12, request.find('\r', at) - at - 12);
}

/// Answers each request as told and keeps it. Thread-safe.
class Hook {
 public:
  explicit Hook(std::string answer = "HTTP/1.1 204 No Content\r\n\r\n") : answer_(std::move(answer)) {}
  int port() const { return server_.port(); }
  void Answer(const std::string& answer) {
    MutexLock lock(mu_);
    answer_ = answer;
  }
  std::vector<std::string> WaitFor(size_t count) {
    MutexLock lock(mu_);
    while (requests_.size() < count) cv_.WaitFor(mu_, milliseconds(100));
    return requests_;
  }

 private:
  void Talk(Connection& connection) {
    for (std::string request = connection.ReadRequest(); !request.empty(); request = connection.ReadRequest()) {
      std::string answer;
      {
        MutexLock lock(mu_);
        requests_.push_back(request);
        answer = answer_;
        cv_.NotifyAll();
      }
      if (answer.empty()) return connection.Linger();
      connection.Send(answer);
    }
  }
  Mutex mu_;
  CondVar cv_;
  std::string answer_ GUARDED_BY(mu_);
  std::vector<std::string> requests_ GUARDED_BY(mu_);
  TalkServer server_{[this](Connection& connection) { Talk(connection); }};
};

class DeliveryTest : public ::testing::Test {
 protected:
  DeliveryTest() { SetLogLevel(LogLevel::kError); }
  /// Until the receiver has no pending deliveries.
  static void WaitUntilSettled(Delivering& delivering, const std::string& owner, const std::string& receiver) {
    const Time ahead = SystemClock().Now() + std::chrono::hours(24 * 365);
    while (!delivering.store().DueDeliveries(owner, receiver, ahead, 1)->empty()) std::this_thread::yield();
  }
  const ScratchFolder folder_;
  const std::string path_ = folder_ / "events.sqlite";
};

TEST_F(DeliveryTest, ACommittedAlertIsAtTheWebhookAndItsDeliveryIsRecorded) {
  Hook hook;
  Delivering delivering(path_);
  delivering.AddOwner("own_1");
  delivering.AddWebhook("own_1", "rcv_1", hook.port());
  const auto receipt = delivering.store().Write({Delivering::Fired("own_1", {"rcv_1"})});
  ASSERT_TRUE(receipt.ok()) << receipt.status().ToString();
  const std::string request = hook.WaitFor(1)[0];
  EXPECT_EQ(IdOf(request), (*receipt)[0].id);
  EXPECT_THAT(request, HasSubstr("Is the dog on the couch?"));
  WaitUntilSettled(delivering, "own_1", "rcv_1");
  EXPECT_EQ(delivering.store().ListDeliveries("own_1", {"rcv_1", false}, 0, 10).value()[0].state,
            events::DeliveryState::kDelivered);
}

TEST_F(DeliveryTest, APictureLeavesOnlyForTheReceiverThatAskedForIt) {
  Hook with, without;
  Delivering delivering(path_);
  delivering.AddOwner("own_1");
  delivering.AddWebhook("own_1", "rcv_1", with.port(), true);
  delivering.AddWebhook("own_1", "rcv_2", without.port());
  events::Picture picture;
  picture.owner = "own_1";
  picture.id = "pic_1";
  picture.camera = "cam_1";
  picture.content_type = "image/jpeg";
  picture.bytes = {0xFF, 0xD8};
  picture.expires = SystemClock().Now() + std::chrono::hours(1);
  events::Camera camera;
  camera.owner = "own_1";
  camera.id = "cam_1";
  camera.keep_pictures = true;
  events::AddEvent fired = Delivering::Fired("own_1", {"rcv_1", "rcv_2"});
  fired.event.detail.Set("picture", "pic_1");
  const auto receipt =
      delivering.store().Write({events::Put<events::Camera>{camera}, events::Put<events::Picture>{picture}, fired});
  ASSERT_TRUE(receipt.ok()) << receipt.status().ToString();
  EXPECT_THAT(with.WaitFor(1)[0], HasSubstr(R"("picture":{"content_type":"image/jpeg","base64":"/9g="})"));
  EXPECT_THAT(without.WaitFor(1)[0], ::testing::Not(HasSubstr("picture")));
}

TEST_F(DeliveryTest, AfterACrashBeforeTheAnswerTheSameIdComesAgain) {
  Hook hook("");  // takes the request and says nothing
  std::string first;
  {
    Delivering delivering(path_);
    delivering.AddOwner("own_1");
    delivering.AddWebhook("own_1", "rcv_1", hook.port());
    ASSERT_TRUE(delivering.store().Write({Delivering::Fired("own_1", {"rcv_1"})}).ok());
    first = hook.WaitFor(1)[0];
  }
  hook.Answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  Delivering again(path_);
  const std::string second = hook.WaitFor(2)[1];
  EXPECT_EQ(IdOf(first), IdOf(second));
  EXPECT_EQ(first.substr(first.find("\r\n\r\n")), second.substr(second.find("\r\n\r\n")));
  WaitUntilSettled(again, "own_1", "rcv_1");
}

TEST_F(DeliveryTest, AReceiverIsCheckedBeforeItIsStored) {
  Delivering delivering(path_);
  const auto check = [&](const std::string& url) {
    std::promise<Status> status;
    delivering.office().Check(
        Json::Parse(R"({"kind":"webhook","url":")" + url + R"(","secrets":[")" + kSecret + "\"]}").value(), "own_1",
        [&](Status given) { status.set_value(std::move(given)); });
    return status.get_future().get();
  };
  EXPECT_TRUE(check("http://receiver.test:8080/").ok());
  EXPECT_EQ(check("https://169.254.169.254/").reason(), "address_refused");
  EXPECT_EQ(check("https://nowhere.test/").reason(), kNameNotFound);
  EXPECT_THAT(check("ftp://receiver.test/").message(), HasSubstr("receiver.url"));
}

TEST_F(DeliveryTest, AFailureIsVisibleWithItsErrorAndGoneSwitchesOff) {
  Hook hook("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
  Delivering delivering(path_);
  delivering.AddOwner("own_1");
  delivering.AddWebhook("own_1", "rcv_1", hook.port());
  ASSERT_TRUE(delivering.store().Write({Delivering::Fired("own_1", {"rcv_1"})}).ok());
  hook.WaitFor(1);
  const auto delivery = [&] { return delivering.store().ListDeliveries("own_1", {"rcv_1", false}, 0, 10).value()[0]; };
  while (delivery().attempts == 0) std::this_thread::yield();
  EXPECT_EQ(delivery().error, "HTTP status 503");
  EXPECT_EQ(delivery().state, events::DeliveryState::kPending);
  hook.Answer("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n");
  const auto receiver = [&] { return delivering.store().Get<events::Receiver>("own_1", "rcv_1").value(); };
  while (receiver().active) std::this_thread::yield();
  EXPECT_EQ(receiver().reason, "HTTP status 410");
  EXPECT_EQ(delivery().state, events::DeliveryState::kPending);  // kept for when it is switched on again
}

TEST_F(DeliveryTest, AnAlertIsAtTheReceiverWithin300MillisecondsOfItsSubmit) {
  constexpr int kAlerts = 200;
  Hook hook;
  Delivering delivering(path_);
  delivering.AddOwner("own_1");
  delivering.AddWebhook("own_1", "rcv_1", hook.port());
  std::vector<double> took;
  for (int i = 0; i < kAlerts; ++i) {
    const auto start = steady_clock::now();
    delivering.store().Submit({Delivering::Fired("own_1", {"rcv_1"})},
                              [](const auto& receipt) { EXPECT_TRUE(receipt.ok()); });
    hook.WaitFor(static_cast<size_t>(i) + 1);
    took.push_back(std::chrono::duration<double, std::milli>(steady_clock::now() - start).count());
  }
  std::sort(took.begin(), took.end());
  std::printf("submit to webhook, %d alerts one by one: p50 %.2f ms, p99 %.2f ms, most %.2f ms\n", kAlerts,
              took[kAlerts / 2], took[kAlerts * 99 / 100], took.back());
  EXPECT_LT(took[kAlerts * 99 / 100], 300);
}

TEST_F(DeliveryTest, ABurstToManyReceiversArrivesWhileOneHangs) {
  constexpr int kReceivers = 20;
  constexpr int kAlerts = 25;
  Hook hook;
  Hook hanging("");
  Delivering delivering(path_);
  delivering.AddOwner("own_1");
  std::vector<std::string> receivers;
  for (int i = 0; i < kReceivers; ++i) {
    receivers.push_back("rcv_" + std::to_string(i));
    delivering.AddWebhook("own_1", receivers.back(), i == 0 ? hanging.port() : hook.port());
  }
  const auto start = steady_clock::now();
  for (int i = 0; i < kAlerts; ++i)
    delivering.store().Submit({Delivering::Fired("own_1", receivers)},
                              [](const auto& receipt) { EXPECT_TRUE(receipt.ok()); });
  hook.WaitFor(size_t{kReceivers - 1} * kAlerts);
  const double took = std::chrono::duration<double, std::milli>(steady_clock::now() - start).count();
  std::printf("%d alerts to %d receivers, one more hanging: %.0f ms, %.0f messages/s\n", kAlerts, kReceivers - 1, took,
              1000.0 * (kReceivers - 1) * kAlerts / took);
  EXPECT_LT(took, 10000);
}

}  // namespace
}  // namespace pawsight::notify
