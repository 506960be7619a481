// `pawsight gateway` from outside, as a stranger with curl uses it: owner, device, camera, rule, receiver, frames, the
// alert at a webhook; killed and started again; another owner; a revoked token; settings.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "base/files.h"
#include "base/json.h"
#include "net/http_server.h"
#include "net/testing.h"
#include "net/webhook_testing.h"
#include "program.h"
#include "running_gateway.h"

namespace pawsight::integration {
namespace {

using net::testing::RawClient;
using net::testing::Webhook;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

using Gateway = RunningGateway;

struct Walk {
  std::string operator_token, device, device_token, camera, rule;
};

Walk WalkUntilTheRule(const Gateway& gateway, const std::string& admin, const std::string& hook) {
  Walk walk;
  const Json owner = gateway.Post("/v1/owners", admin, R"({"name":"home"})");
  walk.operator_token = Text(*owner.Find("credential"), "token");
  const Json device = gateway.Post("/v1/devices", walk.operator_token, R"({"name":"hall"})");
  walk.device = Text(device, "id");
  walk.device_token = Text(*device.Find("credential"), "token");
  walk.camera = Text(gateway.Post("/v1/cameras", walk.operator_token,
                                  R"({"name":"living room","gate":false,"device":")" + walk.device + "\"}"),
                     "id");
  gateway.Post("/v1/receivers", walk.operator_token,
               R"({"name":"hook","config":{"kind":"webhook","url":")" + hook + "\"}}");
  walk.rule = Text(gateway.Post("/v1/rules", walk.operator_token,
                                R"({"question":"Is there a dog?","threshold":0.6,"clear_s":3600})"),
                   "id");
  return walk;
}

TEST(Gateway, AStrangerWithCurlGetsFromNothingToAnAlertAtAWebhookAndARestartGoesOn) {
  const TempFolder folder;
  Webhook hook;
  std::string admin;
  Walk walk;
  std::string alert;
  {
    Gateway gateway(folder.Path("data"));
    admin = ReadTextFile(folder.Path("data/admin.token"), 1000).value();
    ASSERT_THAT(admin, StartsWith("paw_a"));
    admin.pop_back();
    struct stat file {};
    ASSERT_EQ(stat(folder.Path("data/admin.token").c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777U, 0600U);
    ASSERT_EQ(stat(folder.Path("data/gateway.sqlite").c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0077U, 0U);
    ASSERT_EQ(stat(folder.Path("data/receiver.keys").c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777U, 0600U);

    walk = WalkUntilTheRule(gateway, admin, hook.url());
    const std::string frames = "/v1/cameras/" + walk.camera + "/frames?wait=answers";
    for (uint64_t seed = 1; seed <= 40 && alert.empty(); ++seed) {
      const auto [status, result] = gateway.Call("POST", frames, walk.device_token, Room(seed), "image/jpeg");
      ASSERT_THAT(status, HasSubstr(" 200 ")) << result.Dump();
      const Json::Array& alerts = result.Find("alerts")->as_array();
      if (!alerts.empty()) alert = alerts.front().as_string();
    }
    ASSERT_FALSE(alert.empty()) << "some room has a dog";
    const Json told = hook.Next();
    EXPECT_EQ(Text(told, "type"), "alert.fired");
    EXPECT_EQ(Text(*told.Find("data"), "alert"), alert);
    EXPECT_EQ(Text(*told.Find("data"), "question"), "Is there a dog?");

    gateway.program().Signal(SIGKILL);
    const Ended ended = gateway.program().Wait();
    EXPECT_EQ(ended.code, 137);
    for (const char* name : {"data/gateway.sqlite", "data/gateway.sqlite-wal"}) {
      EXPECT_EQ(ReadTextFile(folder.Path(name), 1U << 30U)->find("whsec_"), std::string::npos) << name;
    }
    EXPECT_THAT(ended.out, HasSubstr(admin)) << "shown once";
    EXPECT_THAT(ended.err, Not(HasSubstr("paw_"))) << "never in the log";
    EXPECT_THAT(ended.err, Not(HasSubstr("Is there"))) << "no question is logged";
  }
  Gateway gateway(folder.Path("data"));
  const Json open = gateway.Get("/v1/alerts?state=firing", walk.operator_token);
  ASSERT_EQ(open.Find("items")->as_array().size(), 1U) << open.Dump();
  EXPECT_EQ(Text(open.Find("items")->as_array()[0], "id"), alert) << "still the same episode";
  const std::string frames = "/v1/cameras/" + walk.camera + "/frames";
  const auto [status, result] =
      gateway.Call("POST", frames + "?wait=answers", walk.device_token, Room(1), "image/jpeg");
  EXPECT_THAT(status, HasSubstr(" 200 "));
  EXPECT_EQ(Text(result.Find("rules")->as_array().at(0), "phase"), "firing") << result.Dump();

  const Json other = gateway.Post("/v1/owners", admin, R"({"name":"other"})");
  const std::string stranger = Text(*other.Find("credential"), "token");
  EXPECT_EQ(gateway.Get("/v1/cameras", stranger).Find("items")->as_array().size(), 0U);
  EXPECT_THAT(gateway.Call("GET", "/v1/alerts/" + alert, stranger).first, HasSubstr(" 404 "));
  EXPECT_THAT(gateway.Call("GET", "/v1/cameras/" + walk.camera + "/frame", stranger).first, HasSubstr(" 404 "));
  EXPECT_THAT(gateway.Call("POST", "/v1/devices/" + walk.device + "/revoke", walk.operator_token).first,
              HasSubstr(" 204 "));
  EXPECT_THAT(gateway.Call("POST", frames, walk.device_token, Room(1), "image/jpeg").first, HasSubstr(" 401 "));

  gateway.program().Signal(SIGTERM);
  const Ended ended = gateway.program().Wait();
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("gateway_stopped"));
  EXPECT_THAT(ended.out, Not(HasSubstr("paw_"))) << "the admin's token is shown at the first start only";
}

TEST(Gateway, WithoutTheKeyOfItsReceiversSecretsItRunsAndSaysWhomItCannotTell) {
  const TempFolder folder;
  const std::string keys = folder.Path("data/receiver.keys");
  const Webhook hook;
  std::string admin, right;
  Walk walk;
  const auto reason = [&](const Gateway& gateway) {
    const Json list = gateway.Get("/v1/receivers", walk.operator_token);
    return Text(list.Find("items")->as_array().at(0), "reason");
  };
  {
    const Gateway gateway(folder.Path("data"));
    admin = ReadTextFile(folder.Path("data/admin.token"), 1000).value();
    admin.pop_back();
    walk = WalkUntilTheRule(gateway, admin, hook.url());
    EXPECT_EQ(reason(gateway), "");
    right = ReadTextFile(keys, 1000).value();
  }
  for (const char* wrong : {"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n", "no key\n"}) {
    WriteText(keys, wrong);
    ASSERT_EQ(chmod(keys.c_str(), 0600), 0);
    const Gateway gateway(folder.Path("data"));
    EXPECT_THAT(reason(gateway), StartsWith("cannot be told: ")) << wrong;
    EXPECT_THAT(reason(gateway), Not(HasSubstr(folder.Path("")))) << "where it lies is not the owner's business";
    EXPECT_THAT(gateway.Get("/v1/rules", walk.operator_token).Dump(), HasSubstr(walk.rule)) << "all else goes on";
  }
  {
    ASSERT_EQ(unlink(keys.c_str()), 0);
    const Gateway gateway(folder.Path("data"));
    EXPECT_THAT(reason(gateway), StartsWith("cannot be told: "));
    EXPECT_FALSE(FileExists(keys)) << "a new key would open nothing";
  }
  WriteText(keys, right);
  ASSERT_EQ(chmod(keys.c_str(), 0600), 0);
  const Gateway gateway(folder.Path("data"));
  EXPECT_EQ(reason(gateway), "");
}

TEST(Gateway, TheDemonstrationOfSeveralRoomsRunsOnOne) {
  const Ended ended = RunProgram({"demo", "--cameras", "2", "--listen", "127.0.0.1:0"}, "Ctrl-C ends it.");
  EXPECT_EQ(ended.code, 130) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("2 drawn rooms at http://127.0.0.1:"));
}

TEST(Gateway, RoutingGoesFromBf16ToInt8AndBackWhileFramesFlow) {
  const TempFolder folder;
  Webhook hook;
  Gateway gateway(folder.Path("data"));
  std::string admin = ReadTextFile(folder.Path("data/admin.token"), 1000).value();
  admin.pop_back();
  const Walk walk = WalkUntilTheRule(gateway, admin, hook.url());
  const auto put = [&](const std::string& target, const std::string& body) {
    const auto [status, json] = gateway.Call("PUT", target, admin, body);
    EXPECT_THAT(status, HasSubstr(" 200 ")) << json.Dump();
  };
  put("/v1/backends", R"({"pools":[{"name":"bf16","endpoints":[{"kind":"embedded","address":"bf16"}]},)"
                      R"({"name":"int8","endpoints":[{"kind":"embedded","address":"int8"}]}],)"
                      R"("routing":{"weights":{"bf16":1}}})");
  std::atomic<int> num_failed{0};
  std::map<std::string, int> answered;  // by pool; the sender's until it has ended
  std::atomic<size_t> num_answered{0};
  std::jthread sender([&](const std::stop_token& stop) {
    for (uint64_t seed = 1; !stop.stop_requested(); ++seed) {
      const auto [status, result] = gateway.Call("POST", "/v1/cameras/" + walk.camera + "/frames?wait=answers",
                                                 walk.device_token, Room(seed % 40), "image/jpeg");
      const bool fine = status.find(" 200 ") != std::string::npos && result.Find("pool") != nullptr;
      num_failed += fine ? 0 : 1;
      if (fine) ++answered[Text(result, "pool")];
      ++num_answered;
    }
  });
  const auto await = [&](size_t more) {
    for (const size_t until = num_answered + more; num_answered < until;) std::this_thread::yield();
  };
  for (const char* pool : {"int8", "bf16", "int8", "bf16"}) {
    await(20);
    put("/v1/routing", std::string(R"({"weights":{")") + pool + "\":1}}");
  }
  await(20);
  sender.request_stop();
  sender.join();
  EXPECT_EQ(num_failed, 0);
  EXPECT_GE(answered["bf16"], 50);
  EXPECT_GE(answered["int8"], 30);
  EXPECT_EQ(Text(hook.Next(), "type"), "alert.fired");
}

TEST(Gateway, TwoDoNotShareADirectory) {
  const TempFolder folder;
  const Gateway gateway(folder.Path("data"));
  const Ended second = RunProgram({"gateway", "--listen", "127.0.0.1:0", "--data", folder.Path("data")});
  EXPECT_EQ(second.code, 3);
  EXPECT_THAT(second.err, HasSubstr("another gateway runs in this directory"));
}

TEST(Gateway, SettingsAreCheckedAndASecretThatEverybodyMayReadIsRefused) {
  const TempFolder folder;
  WriteText(folder.Path("pawsight.yaml"), "listen: 127.0.0.1:0\nworkers: [http://127.0.0.1:1]\nworker-capacity: 36\n");
  const Ended printed =
      RunProgram({"gateway", "--config", folder.Path("pawsight.yaml"), "--device-rate", "5", "--print-config"}, "",
                 {"PAWSIGHT_GATEWAY_WORKER_CAPACITY=40"});
  EXPECT_EQ(printed.code, 0) << printed.err;
  EXPECT_THAT(printed.out, HasSubstr("worker-capacity: 40  # $PAWSIGHT_GATEWAY_WORKER_CAPACITY\n"));
  EXPECT_THAT(printed.out, HasSubstr("device-rate: 5  # --device-rate\n"));
  const auto check = [&](const std::string& yaml) {
    WriteText(folder.Path("wrong.yaml"), yaml);
    return RunProgram({"gateway", "--config", folder.Path("wrong.yaml"), "--check-config"});
  };
  EXPECT_EQ(check("").code, 0);
  for (const char* yaml : {"listn: 127.0.0.1:0\n", "listen: [\n", "device-rate: fast\n", "device-rate: -1\n",
                           "answer-within: 10\n", "workers-least: 5\nworkers-most: 2\n", "workers: [ftp://x]\n",
                           "receiver-networks: [10.0.0.0/33]\n", "listen: nowhere\n"}) {
    EXPECT_EQ(check(yaml).code, 2) << yaml;
  }
  EXPECT_THAT(check("listn: 127.0.0.1:0\n").err, HasSubstr("did you mean listen?"));
  WriteText(folder.Path("token"), "secret\n");
  ASSERT_EQ(chmod(folder.Path("token").c_str(), 0644), 0);
  const std::string with_token = "worker-token-file: " + folder.Path("token") + "\n";
  const Ended open = check(with_token);
  EXPECT_EQ(open.code, 3);
  EXPECT_THAT(open.err, HasSubstr("chmod o-r"));
  EXPECT_EQ(check(with_token + "open-secrets: true\n").code, 0);
  ASSERT_EQ(chmod(folder.Path("token").c_str(), 0600), 0);
  EXPECT_EQ(check(with_token).code, 0);
}

/// Somebody's worker, as far as it is asked whether it is ready: knows what it was shown.
class Shown {
 public:
  Shown() {
    router_.Add("GET", "/v2/health/ready", [this](const net::HttpRequest& request) {
      const std::lock_guard lock(mu_);
      seen_.insert(std::string(request.Header("authorization")));
      came_.notify_all();
      return net::HttpResponse{200, "text/plain", "", {}, {}, nullptr};
    });
    server_ = net::HttpServer::Start({}, router_).value();
  }
  std::string url() const { return server_->url(); }
  /// The test fails when it does not come in 30 s.
  void Await(const std::string& authorization) {
    std::unique_lock lock(mu_);
    const auto seen = [&] { return seen_.contains(authorization); };
    EXPECT_TRUE(came_.wait_for(lock, std::chrono::seconds(30), seen)) << authorization;
  }

 private:
  std::mutex mu_;
  std::condition_variable came_;
  std::set<std::string> seen_;
  net::Router router_;
  std::unique_ptr<net::HttpServer> server_;
};

TEST(Gateway, ANewTokenIsShownToPoolsThatWerePutTooAndWhatIsShownMayBePutAndStartedWith) {
  const TempFolder folder;
  Shown worker;
  const std::string file = folder.Path("pawsight.yaml");
  WriteText(file, "listen: 127.0.0.1:0\ndata: " + folder.Path("data") + "\nworkers: [" + worker.url() +
                      "]\nworker-token-file: " + folder.Path("token") + "\n");
  const auto set_token = [&](const std::string& token) {
    WriteText(folder.Path("token"), token + "\n");
    ASSERT_EQ(chmod(folder.Path("token").c_str(), 0600), 0);
  };
  set_token("first");
  {
    Gateway gateway({"gateway", "--config", file}, "gateway_started");
    std::string admin = ReadTextFile(folder.Path("data/admin.token"), 1000).value();
    admin.pop_back();
    worker.Await("Bearer first");
    for (const char* token : {"second", "third"}) {
      set_token(token);
      gateway.program().Signal(SIGHUP);
      gateway.program().WaitUntilSaid("settings_reloaded");
      worker.Await(std::string("Bearer ") + token);
      const Json shown = gateway.Get("/v1/backends", admin);
      EXPECT_THAT(shown.Dump(), HasSubstr(R"("credential":"workers")"));
      const auto [status, body] = gateway.Call("PUT", "/v1/backends", admin, shown.Dump());
      EXPECT_THAT(status, HasSubstr(" 200 ")) << body.Dump();
    }
    WriteText(file, ReadTextFile(file, 1000).value() + "price-per-hour: 2\n");
    gateway.program().Signal(SIGHUP);
    gateway.program().WaitUntilSaid("setting_overruled setting=price-per-hour");
    gateway.program().Signal(SIGTERM);
    EXPECT_EQ(gateway.program().Wait().code, 0);
  }
  set_token("fourth");
  Gateway again({"gateway", "--config", file}, "gateway_started");
  worker.Await("Bearer fourth");
  again.program().Signal(SIGTERM);
  EXPECT_EQ(again.program().Wait().code, 0);
}

TEST(Gateway, WorkersAndDevicesRatesAreTakenOverAtSighup) {
  const TempFolder folder;
  const std::string file = folder.Path("pawsight.yaml");
  const std::string settings = "listen: 127.0.0.1:0\ndata: " + folder.Path("data") + "\n";
  WriteText(file, settings + "workers: [http://127.0.0.1:1]\n");
  Gateway gateway({"gateway", "--config", file}, "gateway_started");
  std::string admin = ReadTextFile(folder.Path("data/admin.token"), 1000).value();
  admin.pop_back();
  const std::string token = Text(*gateway.Post("/v1/owners", admin, R"({"name":"home"})").Find("credential"), "token");
  const Json device = gateway.Post("/v1/devices", token, R"({"name":"hall"})");
  const std::string device_token = Text(*device.Find("credential"), "token");
  const std::string camera =
      Text(gateway.Post("/v1/cameras", token, R"({"name":"hall","device":")" + Text(device, "id") + "\"}"), "id");
  const auto post = [&](uint64_t seed) {
    return gateway.Call("POST", "/v1/cameras/" + camera + "/frames", device_token, Room(seed), "image/jpeg").first;
  };
  for (uint64_t seed = 1; seed <= 3; ++seed) EXPECT_THAT(post(seed), HasSubstr(" 202 "));
  EXPECT_THAT(gateway.Get("/v1/backends", admin).Dump(), HasSubstr("127.0.0.1:1\""));

  WriteText(folder.Path("token"), "a-new-one\n");
  ASSERT_EQ(chmod(folder.Path("token").c_str(), 0600), 0);
  WriteText(file, settings + "workers: [http://127.0.0.1:2]\nworker-token-file: " + folder.Path("token") +
                      "\ndevice-rate: 0.01\ndevice-burst: 1\n");
  gateway.program().Signal(SIGHUP);
  const std::string said = gateway.program().WaitUntilSaid("settings_reloaded");
  EXPECT_THAT(said, Not(HasSubstr("setting_waits_for_restart")));
  const std::string backends = gateway.Get("/v1/backends", admin).Dump();
  EXPECT_THAT(backends, HasSubstr("127.0.0.1:2\""));
  (void)post(4);  // what it had saved up
  EXPECT_THAT(post(5), HasSubstr(" 429 "));
  gateway.program().Signal(SIGTERM);
  EXPECT_EQ(gateway.program().Wait().code, 0);
}

TEST(Gateway, AWrongFileAtSighupChangesNothingAndARightOneIsTaken) {
  const TempFolder folder;
  const std::string file = folder.Path("pawsight.yaml");
  const std::string where = "listen: 127.0.0.1:0\ndata: " + folder.Path("data") + "\n";
  const std::string right = where + "workers: [http://127.0.0.1:1]\n";
  WriteText(file, right);
  Gateway gateway({"gateway", "--config", file}, "gateway_started");
  std::string admin = ReadTextFile(folder.Path("data/admin.token"), 1000).value();
  admin.pop_back();
  const auto reload = [&](const std::string& settings, const std::string& awaited) {
    WriteText(file, settings);
    gateway.program().Signal(SIGHUP);
    return gateway.program().WaitUntilSaid(awaited);
  };
  reload(right + "worker-capacty: 36\n", "did you mean worker-capacity?");
  const std::string other = where + "workers: [\"https://127.0.0.1:2\"]\nworker-ca: " + folder.Path("ca") + "\n";
  reload(other, "reload_failed reason=\"worker-ca: ");
  WriteText(folder.Path("ca"), "no certificate\n");
  reload(other, "endpoint https://127.0.0.1:2: ");
  const std::string backends = gateway.Get("/v1/backends", admin).Dump();
  EXPECT_THAT(backends, HasSubstr("127.0.0.1:1\""));
  EXPECT_THAT(backends, Not(HasSubstr("127.0.0.1:2")));
  EXPECT_THAT(reload(right + "worker-capacity: 36\nmax-cameras: 5\n", "settings_reloaded"),
              HasSubstr("setting_waits_for_restart setting=max-cameras"));
  gateway.program().Signal(SIGTERM);
  EXPECT_EQ(gateway.program().Wait().code, 0);
}

}  // namespace
}  // namespace pawsight::integration
