// `pawsight worker` from outside: the shipped model over a real socket, signals, settings.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdio.h>

#include <algorithm>
#include <sstream>
#include <string>

#include "base/files.h"
#include "base/json.h"
#include "frames/encode.h"
#include "net/testing.h"
#include "net/tls/testing.h"
#include "program.h"
#include "scenes/draw.h"

namespace pawsight::integration {
namespace {

using net::testing::RawClient;
using net::testing::TestCa;
using net::testing::TestPair;
using net::testing::TlsClient;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::vector<std::string> kAnyPorts = {"worker",      "--listen-http",    "127.0.0.1:0", "--listen-grpc",
                                            "127.0.0.1:0", "--listen-metrics", "127.0.0.1:0"};

/// The port behind the first `scheme` in what a worker said.
int PortOf(const std::string& said, const std::string& scheme, const std::string& after = "") {
  const size_t from = said.find("worker_started");
  for (size_t at = said.find(scheme, from); at != std::string::npos; at = said.find(scheme, at + 1)) {
    const size_t colon = said.find(':', at + scheme.size());
    const size_t end = said.find_first_not_of("0123456789", colon + 1);
    if (said.compare(end, after.size(), after) == 0) return std::stoi(said.substr(colon + 1, end - colon - 1));
  }
  ADD_FAILURE() << "no " << scheme << " in " << said;
  return 0;
}

std::string ReadText(const std::string& path) { return ReadTextFile(path, 1U << 20U).value(); }

std::string Get(int port, const std::string& path) {
  RawClient client(port);
  client.Send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  return client.ReadAll();
}

/// A request of one drawn room with binary tensors, as the well-known clients send it.
std::string InferBytes(const std::vector<std::string>& questions) {
  const auto jpeg = frames::EncodeJpeg(scenes::Draw(11, 320, 240).image, 85).value();
  std::string tensors;
  const auto add = [&](std::string_view bytes) {
    const auto size = static_cast<uint32_t>(bytes.size());
    for (unsigned shift = 0; shift < 32; shift += 8) tensors += static_cast<char>(size >> shift);
    tensors += bytes;
  };
  add({reinterpret_cast<const char*>(jpeg.data()), jpeg.size()});
  const size_t image_size = tensors.size();
  for (const std::string& question : questions) add(question);
  const std::string json =
      R"({"id":"7","inputs":[{"name":"image","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":)" +
      std::to_string(image_size) + R"(}},{"name":"question","datatype":"BYTES","shape":[)" +
      std::to_string(questions.size()) + R"(],"parameters":{"binary_data_size":)" +
      std::to_string(tensors.size() - image_size) + "}}]}";
  return "POST /v2/models/vqa/infer HTTP/1.1\r\nHost: localhost\r\nConnection: "
         "close\r\nInference-Header-Content-Length: " +
         std::to_string(json.size()) + "\r\nContent-Length: " + std::to_string(json.size() + tensors.size()) +
         "\r\n\r\n" + json + tensors;
}

TEST(Worker, AnswersOverHttpCountsItAndLeavesCleanlyAtSigterm) {
  RunningProgram worker(kAnyPorts);
  const std::string said = worker.WaitUntilSaid("worker_started");
  const int http = PortOf(said, "http://");
  EXPECT_THAT(Get(http, "/v2/health/ready"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Get(http, "/v2/models/vqa"), HasSubstr(R"("platform":"pawsight_blip")"));
  RawClient client(http);
  client.Send(InferBytes({"Is there a dog?", "Is it night?"}));
  const std::string answer = client.ReadAll();
  ASSERT_THAT(answer, StartsWith("HTTP/1.1 200"));
  const auto json = Json::Parse(answer.substr(answer.find("\r\n\r\n") + 4));
  ASSERT_TRUE(json.ok()) << answer;
  EXPECT_EQ(json->Find("id")->as_string(), "7");
  const Json& p_yes = json->Find("outputs")->as_array().at(1);
  EXPECT_EQ(p_yes.Find("name")->as_string(), "p_yes");
  for (const Json& p : p_yes.Find("data")->as_array()) {
    EXPECT_GE(p.as_number(), 0);
    EXPECT_LE(p.as_number(), 1);
  }
  EXPECT_THAT(Get(PortOf(said, "http://", "/metrics"), "/metrics"), HasSubstr("pawsight_server_"));
  worker.Signal(SIGTERM);
  const Ended ended = worker.Wait();
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("worker_stopped"));
  EXPECT_EQ(ended.err.find("Is there"), std::string::npos) << "no question is logged";
}

TEST(Worker, SighupPutsTheModelInItsOwnPlaceWhileItServes) {
  RunningProgram worker(kAnyPorts);
  const int http = PortOf(worker.WaitUntilSaid("worker_started"), "http://");
  worker.Signal(SIGHUP);
  RawClient client(http);
  client.Send(InferBytes({"Is there a dog?"}));
  EXPECT_THAT(client.ReadAll(), StartsWith("HTTP/1.1 200"));
  worker.WaitUntilSaid("model_reloaded");
  RawClient after(http);
  after.Send(InferBytes({"Is there a dog?"}));
  EXPECT_THAT(after.ReadAll(), StartsWith("HTTP/1.1 200"));
}

TEST(Worker, F3SighupReadsTheCertificateAnewAndABadPairChangesNothing) {
  const TempFolder folder;
  const TestCa ca, next("next");
  const TestPair box = ca.Issue("box");
  const auto put = [&](const net::TlsText& tls) {
    WriteText(folder.Path("certificate.pem"), tls.certificate);
    WriteText(folder.Path("key.pem"), tls.key);
  };
  put(ca.Server());
  WriteText(folder.Path("ca.pem"), ca.pem());
  std::vector<std::string> arguments = kAnyPorts;
  for (const std::string& more : {std::string("--empty-model"), "--tls-certificate=" + folder.Path("certificate.pem"),
                                  "--tls-key=" + folder.Path("key.pem"), "--tls-client-ca=" + folder.Path("ca.pem")}) {
    arguments.push_back(more);
  }
  RunningProgram worker(arguments);
  const int port = PortOf(worker.WaitUntilSaid("worker_started"), "https://");
  const auto ready = [&](const TestCa& trusted, const TestPair& own) {
    TlsClient client(port, {.ca = trusted.pem(), .own = own, .alpn = {}});
    if (!client.shaken()) return std::string();
    client.Send("GET /v2/health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    return client.ReadAll();
  };
  EXPECT_THAT(ready(ca, box), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(ready(ca, {}), "") << "no certificate of the client";

  net::TlsText mixed = next.Server();
  mixed.key = next.Server().key;
  put(mixed);
  worker.Signal(SIGHUP);
  EXPECT_THAT(worker.WaitUntilSaid("reload_failed"), HasSubstr("tls-key: it is not that of the certificate"));
  EXPECT_THAT(ready(ca, box), StartsWith("HTTP/1.1 200")) << "the old pair serves on";
  put(next.Server());
  worker.Signal(SIGHUP);
  worker.WaitUntilSaid("certificate_reloaded");
  EXPECT_THAT(ready(next, box), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(ready(ca, box), "");
}

TEST(Worker, TheAccessLogSaysNothingOfWhatWasAskedIsOpenedAnewAndMayBeOnAFullDisk) {
  const TempFolder folder;
  const std::string log = folder.Path("access.log");
  std::vector<std::string> arguments = kAnyPorts;
  arguments.insert(arguments.end(), {"--empty-model", "--access-log=" + log});
  RunningProgram worker(arguments);
  const std::string said = worker.WaitUntilSaid("worker_started");
  const int http = PortOf(said, "http://");
  const auto ask = [](int port) {
    RawClient client(port);
    client.Send(InferBytes({"Is there a dog?", "Is it night?"}));
    EXPECT_THAT(client.ReadAll(), StartsWith("HTTP/1.1 200"));
  };
  ask(http);
  const std::string old = folder.Path("access.log.1");
  ASSERT_EQ(rename(log.c_str(), old.c_str()), 0);
  worker.Signal(SIGHUP);
  worker.WaitUntilSaid("model_reloaded");
  ask(http);
  const std::string metrics = Get(PortOf(said, "http://", "/metrics"), "/metrics");
  EXPECT_THAT(metrics, HasSubstr("pawsight_build_info{version=\""));
  EXPECT_THAT(metrics, HasSubstr("pawsight_net_responses_total{listener=\"http\",status=\"200\"} 2\n"));
  EXPECT_THAT(metrics, HasSubstr("pawsight_rpc_calls_total{code=\"OK\"} 0\n"));
  worker.Signal(SIGTERM);
  EXPECT_EQ(worker.Wait().code, 0);
  for (const std::string& path : {log, old}) {
    const std::string lines = ReadText(path);
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 1) << lines;
    EXPECT_THAT(lines, HasSubstr("path=/v2/models/vqa/infer status=200 bytes_in="));
    EXPECT_THAT(lines, HasSubstr(" model=vqa outcome=ok images=1 questions=2 queue_ms="));
    EXPECT_EQ(lines.find("Is "), std::string::npos);
  }

  arguments.back() = "--access-log=/dev/full";
  RunningProgram full(arguments);
  const std::string full_said = full.WaitUntilSaid("worker_started");
  for (int n = 0; n < 5; ++n) ask(PortOf(full_said, "http://"));
  full.WaitUntilSaid("access_log_failed");
  ask(PortOf(full_said, "http://"));
  std::string after;
  while (after.find("lost\"} 6\n") == std::string::npos) {
    after = Get(PortOf(full_said, "http://", "/metrics"), "/metrics");
    ASSERT_THAT(after, HasSubstr("pawsight_net_access_log_lines_total{outcome=\"written\"} 0\n"));
  }
}

TEST(Worker, TheSettingsAreThoseOfTheManual) {
  std::istringstream settings(RunProgram({"worker", "--print-config"}).out);
  const std::string manual = ReadText(PAWSIGHT_SOURCE_DIR "/docs/serving.md");
  int count = 0;
  for (std::string line; std::getline(settings, line); ++count) {
    const size_t colon = line.find(": ");
    std::string value = line.substr(colon + 2, line.rfind("  # ") - colon - 2);
    std::erase(value, '"');
    EXPECT_THAT(manual, HasSubstr("\n| `" + line.substr(0, colon) + "` | " +
                                  (value.empty() ? std::string("none") : "`" + value + "`") + " | "));
  }
  EXPECT_GT(count, 40);
}

TEST(Worker, SettingsComeFromFileEnvironmentAndFlagsAndAreChecked) {
  const TempFolder folder;
  WriteText(folder.Path("worker.yaml"), "max-batch: 4\nmax-queue-delay: 5ms\n");
  const Ended printed =
      RunProgram({"worker", "--config", folder.Path("worker.yaml"), "--queue-limit", "64", "--print-config"}, "",
                 {"PAWSIGHT_WORKER_MAX_BATCH=16"});
  EXPECT_EQ(printed.code, 0) << printed.err;
  EXPECT_THAT(printed.out, HasSubstr("max-batch: 16  # $PAWSIGHT_WORKER_MAX_BATCH\n"));
  EXPECT_THAT(printed.out, HasSubstr("max-queue-delay: 5ms  # " + folder.Path("worker.yaml")));
  EXPECT_THAT(printed.out, HasSubstr("queue-limit: 64  # --queue-limit\n"));

  WriteText(folder.Path("wrong.yaml"), "max-bacth: 4\n");
  const Ended wrong = RunProgram({"worker", "--config", folder.Path("wrong.yaml"), "--check-config"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("did you mean max-batch?"));
  const Ended open = RunProgram({"worker", "--listen-http", "0.0.0.0:0", "--check-config"});
  EXPECT_EQ(open.code, 2);
  EXPECT_THAT(open.err, HasSubstr("token-file"));
  const Ended half = RunProgram({"worker", "--tls-key", folder.Path("worker.yaml"), "--check-config"});
  EXPECT_EQ(half.code, 2);
  EXPECT_THAT(half.err, HasSubstr("both tls-certificate and tls-key"));
}

}  // namespace
}  // namespace pawsight::integration
