// A whole gateway and people who mean it no good (docs/hostile-inputs.md, "To the gateway"): HTTP that is none, devices
// that flood, settings that are none, a store that is taken away, receivers inside. After each it serves the next good
// request. What the API alone says to bodies and ids is gateway/api/api_hostile_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "net/testing.h"
#include "program.h"
#include "running_gateway.h"

namespace pawsight::integration {
namespace {

using net::testing::RawClient;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// A gateway whose worker is not there, and one home. Its process lives to the end of each test.
class GatewayHostile : public ::testing::Test {
 protected:
  explicit GatewayHostile(const std::vector<std::string>& more = {})
      : gateway_(Arguments(more), "gateway_started"), admin_(AdminToken(folder_.Path("data"))) {
    token_ = Text(*gateway_.Post("/v1/owners", admin_, R"({"name":"home"})").Find("credential"), "token");
  }
  ~GatewayHostile() override {
    EXPECT_TRUE(gateway_.program().Runs());
    gateway_.program().Signal(SIGTERM);
    EXPECT_EQ(gateway_.program().Wait().code, 0);
  }
  std::vector<std::string> Arguments(const std::vector<std::string>& more) const {
    std::vector<std::string> all = {"gateway",   "--listen",          "127.0.0.1:0", "--data", folder_.Path("data"),
                                    "--workers", "http://127.0.0.1:1"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  /// Everything that comes back for these bytes until the gateway closes.
  std::string Say(const std::string& bytes) const {
    RawClient client(gateway_.port());
    client.Send(bytes);
    client.CloseSending();
    return client.ReadAll();
  }
  void ExpectServed() const { EXPECT_THAT(gateway_.Call("GET", "/v1/me", token_).first, HasSubstr(" 200 ")); }

  const TempFolder folder_;
  RunningGateway gateway_;
  const std::string admin_;
  std::string token_;
};

TEST_F(GatewayHostile, B5ToB27HttpThatIsNotPlainIsRefusedAndNothingIsMade) {
  const std::string who = "Host: localhost\r\nAuthorization: Bearer " + token_ + "\r\n";
  const std::string post = "POST /v1/cameras HTTP/1.1\r\n" + who + "Content-Type: application/json\r\n";
  const std::string body = R"({"name":"smuggled"})";
  const std::string length = std::to_string(body.size());
  const std::string chunks = post + "Transfer-Encoding: chunked\r\n\r\n";
  const std::string get = "GET /v1/me HTTP/1.1\r\n" + who;
  std::string many = get;
  for (int n = 0; n < 10'000; ++n) many += "A" + std::to_string(n) + ": b\r\n";
  struct Row {
    std::string bytes;
    std::vector<int> statuses;
  };
  const std::vector<Row> rows = {
      {get + "A: " + std::string(65'536, 'a') + "\r\n\r\n", {431}},
      {many + "\r\n", {431}},
      {"GET /" + std::string(16'384, 'a') + " HTTP/1.1\r\n" + who + "\r\n", {414}},
      {post + "Content-Length: 1000000000000000000\r\n\r\n", {413}},
      {post + "Content-Length: -1\r\n\r\n" + body, {400}},
      {post + "Content-Length: +" + length + "\r\n\r\n" + body, {400}},
      {post + "Content-Length: 0x13\r\n\r\n" + body, {400}},
      {post + "Content-Length: 1_9\r\n\r\n" + body, {400}},
      {post + "Content-Length:\r\n\r\n" + body, {400}},
      {post + "Content-Length: " + length + "," + length + "\r\n\r\n" + body, {400}},
      {post + "Content-Length: " + length + "\r\nContent-Length: 1\r\n\r\n" + body, {400}},
      {post + "Content-Length: " + length + "\r\nTransfer-Encoding: chunked\r\n\r\n13\r\n" + body + "\r\n0\r\n\r\n",
       {400}},
      {post + "Transfer-Encoding: ,chunked\r\n\r\n13\r\n" + body + "\r\n0\r\n\r\n", {400, 501}},
      {post + "Transfer-Encoding: chunked, identity\r\n\r\n13\r\n" + body + "\r\n0\r\n\r\n", {400, 501}},
      {post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n13\r\n" + body + "\r\n0\r\n\r\n",
       {400, 501}},
      {chunks + "0x13\r\n" + body + "\r\n0\r\n\r\n", {400}},
      {chunks + "-1\r\n" + body + "\r\n0\r\n\r\n", {400}},
      {chunks + "13 ;x\r\n" + body + "\r\n0\r\n\r\n", {400}},
      {chunks + "00000000000000013\r\n" + body + "\r\n0\r\n\r\n", {400}},
      {chunks + "13\r\n" + body + "XX0\r\n\r\n", {400}},
      {chunks + "13\n" + body + "\n0\n\n", {400}},
      {get + "A : b\r\n\r\n", {400}},
      {get + "A: b\r\n c\r\n\r\n", {400}},
      {get + "no colon\r\n\r\n", {400}},
      {get + std::string("A: b\0c\r\n\r\n", 10), {400}},
      {get + "A: \xA0\r\n\r\n", {400}},
      {"GET /v1/me\r\n\r\n", {400, 505}},
      {"GET /v1/me HTTP/1.10\r\n" + who + "\r\n", {400, 505}},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 505}},
      {std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 9), {400}},
      {"GET /v1/me HTTP/1.1\r\nAuthorization: Bearer " + token_ + "\r\n\r\n", {400}},
      {"GET /v1/me HTTP/1.1\r\nHost: localhost\r\n" + who + "\r\n", {400}},
      {"GET /v1/me HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Bearer " + token_ + "\r\n\r\n", {421}},
      {post + "Content-Encoding: gzip\r\nContent-Length: " + length + "\r\n\r\n" + body, {415}},
      {"TRACE /v1/me HTTP/1.1\r\n" + who + "\r\n", {405, 501}},
      {"OPTIONS * HTTP/1.1\r\n" + who + "\r\n", {400, 405}},
  };
  for (const Row& row : rows) {
    const std::string answer = Say(row.bytes);
    ASSERT_THAT(answer, StartsWith("HTTP/1.1 ")) << row.bytes.substr(0, 400);
    const int status = std::stoi(answer.substr(9, 3));
    EXPECT_THAT(row.statuses, ::testing::Contains(status)) << row.bytes.substr(0, 400) << "\n" << answer;
    EXPECT_THAT(answer, Not(HasSubstr("HTTP/1.1 20"))) << "nothing behind it is taken for a request";
    ExpectServed();
  }
  EXPECT_TRUE(gateway_.Get("/v1/cameras", token_).Find("items")->as_array().empty());
}

TEST_F(GatewayHostile, B15RequestsBeforeABadOneAreAnsweredInOrderAndNoneAfterIt) {
  const std::string good = "GET /v1/me HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token_ + "\r\n\r\n";
  const std::string other = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
  std::string all;
  for (int n = 0; n < 250; ++n) all += good + other;
  const std::string answers = Say(all + "BAD\r\n\r\n" + all);
  size_t at = 0;
  for (int n = 0; n < 250; ++n) {
    at = answers.find(R"("role":"operator")", at);
    ASSERT_NE(at, std::string::npos) << n;
    at = answers.find(R"("status":"ok")", at);
    ASSERT_NE(at, std::string::npos) << n;
  }
  const size_t bad = answers.find("HTTP/1.1 400 ", at);
  ASSERT_NE(bad, std::string::npos);
  EXPECT_EQ(answers.find("HTTP/1.1 ", bad + 1), std::string::npos);
  ExpectServed();
}

TEST_F(GatewayHostile, G6AStoreThatIsTakenAwayIsToldAndFramesAreTakenOn) {
  const std::string device = R"({"name":"hall"})";
  const std::string camera = Text(gateway_.Post("/v1/cameras", token_, R"({"name":"hall","gate":false})"), "id");
  const std::string file = folder_.Path("data/gateway.sqlite");
  const std::string aside = folder_.Path("aside.sqlite");
  ASSERT_EQ(rename(file.c_str(), aside.c_str()), 0);
  const auto [status, problem] = gateway_.Call("POST", "/v1/devices", token_, device);
  EXPECT_THAT(status, HasSubstr(" 503 ")) << problem.Dump();
  EXPECT_EQ(problem.Find("id"), nullptr) << "what is not on the disk is not made";
  const auto ask = [&](const std::string& target) {
    return Say("GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  };
  constexpr const char* kNotRecorded = "alerts cannot be recorded";
  EXPECT_THAT(ask("/readyz"), AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr(kNotRecorded)));
  EXPECT_THAT(ask("/healthz"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(gateway_.Call("POST", "/v1/cameras/" + camera + "/frames", token_, Room(1), "image/jpeg").first,
              HasSubstr(" 202 "));
  ASSERT_EQ(rename(aside.c_str(), file.c_str()), 0);
  EXPECT_THAT(gateway_.Call("POST", "/v1/devices", token_, device).first, HasSubstr(" 201 ")) << "by itself";
  EXPECT_THAT(ask("/readyz"), Not(HasSubstr(kNotRecorded)));
}

TEST_F(GatewayHostile, H4AndH6ReceiversInsideOrOfOtherSchemesAreNotMade) {
  for (const char* url : {"https://127.0.0.1/",
                          "https://[::1]/",
                          "https://0.0.0.0/",
                          "https://10.0.0.1/",
                          "https://172.16.0.1/",
                          "https://192.168.1.1/",
                          "https://169.254.169.254/latest",
                          "https://100.64.0.1/",
                          "https://[fc00::1]/",
                          "https://[fe80::1]/",
                          "https://[::ffff:127.0.0.1]/",
                          "https://[64:ff9b::7f00:1]/",
                          "https://[2002:7f00:1::]/",
                          "https://2130706433/",
                          "https://0177.0.0.1/",
                          "https://0x7f.1/",
                          "https://127.1/",
                          "https://localhost/",
                          "https://localhost./",
                          "file:///etc/passwd",
                          "gopher://203.0.113.9/",
                          "ftp://203.0.113.9/",
                          "https://me:pw@203.0.113.9/",
                          "https://203.0.113.9:22/",
                          "https://203.0.113.9:25/",
                          "https://203.0.113.9:6379/",
                          "https://203.0.113.9/\\r\\nX: y",
                          "https://203.0.113.9/%0d%0aX",
                          "http://203.0.113.9/",
                          "https:///x",
                          "//x/y",
                          "https://203.0.113.9#@127.0.0.1/",
                          "https://203.0.113.9\\\\@127.0.0.1/"}) {
    const auto [status, body] =
        gateway_.Call("POST", "/v1/receivers", token_,
                      R"({"name":"hook","config":{"kind":"webhook","url":")" + std::string(url) + "\"}}");
    EXPECT_THAT(status, AnyOf(HasSubstr(" 400 "), HasSubstr(" 403 "))) << url << body.Dump();
  }
  EXPECT_TRUE(gateway_.Get("/v1/receivers", token_).Find("items")->as_array().empty());
}

TEST_F(GatewayHostile, F1AndF6FilesThatAreNoSettingsChangeNothing) {
  const std::string file = folder_.Path("pawsight.yaml");
  const std::string where =
      "listen: 127.0.0.1:0\ndata: " + folder_.Path("second") + "\nworkers: [http://127.0.0.1:1]\n";
  WriteText(file, where);
  RunningGateway second({"gateway", "--config", file}, "gateway_started");
  const std::string admin = AdminToken(folder_.Path("second"));
  const auto reload = [&](const std::string& awaited) {
    second.program().Signal(SIGHUP);
    second.program().WaitUntilSaid(awaited);
  };
  const std::vector<std::string> wrong = {"listen: \"127.0.0.1:0",
                                          "workers: [http://127.0.0.1:2",
                                          "\x7f"
                                          "ELF\x02\x01",
                                          std::string("listen: 127.0.0.1:0\0", 20),
                                          "device-rate: 5\ndevice-rate: 6\n",
                                          "a: &a [*a]\n",
                                          std::string(100'000, '['),
                                          "device-rate: -5\n",
                                          "answer-within: 10\n",
                                          "listen: 127.0.0.1:99999\n",
                                          "\xff\xfe l\n"};
  for (const std::string& text : wrong) {
    WriteText(file, text);
    EXPECT_THAT(RunProgram({"gateway", "--config", file, "--check-config"}).code, AnyOf(2, 3)) << text.substr(0, 60);
  }
  ASSERT_EQ(truncate(file.c_str(), off_t{1} << 30), 0);  // holes, and no room of the disk
  EXPECT_THAT(RunProgram({"gateway", "--config", file, "--check-config"}).code, AnyOf(2, 3)) << "1 GiB";
  reload("reload_failed");
  std::filesystem::remove(file);
  std::filesystem::create_directory(file);
  EXPECT_THAT(RunProgram({"gateway", "--config", file, "--check-config"}).code, AnyOf(2, 3)) << "a directory";
  std::filesystem::remove(file);
  EXPECT_THAT(RunProgram({"gateway", "--config", file, "--check-config"}).code, AnyOf(2, 3)) << "none";
  EXPECT_THAT(second.Get("/v1/backends", admin).Dump(), HasSubstr("127.0.0.1:1\"")) << "what was holds on";
  WriteText(file, where + "device-rate: 7\n");
  reload("settings_reloaded");
  second.program().Signal(SIGTERM);
  EXPECT_EQ(second.program().Wait().code, 0);
}

TEST_F(GatewayHostile, F4SettingsReadAnewAHundredTimesInARowEndWithTheLast) {
  const std::string file = folder_.Path("pawsight.yaml");
  const auto write = [&](int port) {
    WriteText(file, "listen: 127.0.0.1:0\ndata: " + folder_.Path("second") +
                        "\nworkers: [http://127.0.0.1:" + std::to_string(port) + "]\n");
  };
  write(1);
  RunningGateway second({"gateway", "--config", file}, "gateway_started");
  const std::string admin = AdminToken(folder_.Path("second"));
  for (int port = 2; port <= 101; ++port) {
    write(port);
    second.program().Signal(SIGHUP);
  }
  while (second.Get("/v1/backends", admin).Dump().find("127.0.0.1:101\"") == std::string::npos) {
  }
  second.program().Signal(SIGTERM);
  EXPECT_EQ(second.program().Wait().code, 0);
}

class GatewayFlooded : public GatewayHostile {
 protected:
  GatewayFlooded() : GatewayHostile({"--device-rate", "0.01", "--device-burst", "2"}) {}
};

TEST_F(GatewayFlooded, E8ADeviceAboveItsRateIsRefusedAloneAndToldWhenToComeBack) {
  const auto device = [&](const char* name) {
    return gateway_.Post("/v1/devices", token_, R"({"name":")" + std::string(name) + "\"}");
  };
  const auto camera = [&](const Json& of) {
    return Text(gateway_.Post("/v1/cameras", token_, R"({"name":"c","device":")" + Text(of, "id") + "\"}"), "id");
  };
  const Json loud = device("loud"), quiet = device("quiet");
  const std::string of_loud = camera(loud), of_quiet = camera(quiet);
  const auto post = [&](const Json& of, const std::string& to, uint64_t seed) {
    RawClient client(gateway_.port());
    const std::string room = Room(seed);
    client.Send("POST /v1/cameras/" + to +
                "/frames HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer " +
                Text(*of.Find("credential"), "token") + "\r\nContent-Length: " + std::to_string(room.size()) +
                "\r\n\r\n" + room);
    return client.ReadAll();
  };
  std::string refused;
  for (uint64_t seed = 1; seed <= 4; ++seed) refused = post(loud, of_loud, seed);
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 429 "));
  EXPECT_THAT(refused, HasSubstr("Retry-After: "));
  EXPECT_THAT(refused, HasSubstr("device_rate"));
  EXPECT_THAT(post(quiet, of_quiet, 9), StartsWith("HTTP/1.1 202 "));
  ExpectServed();
}

}  // namespace
}  // namespace pawsight::integration
