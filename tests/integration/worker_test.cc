// `pawsight worker` from outside: the shipped model over a real socket, signals, settings.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdio.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <string>
#include <thread>

#include "base/files.h"
#include "base/json.h"
#include "net/testing.h"
#include "net/tls/testing.h"
#include "running_worker.h"

namespace pawsight::integration {
namespace {

using net::testing::RawClient;
using net::testing::TestCa;
using net::testing::TestPair;
using net::testing::TlsClient;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string ReadText(const std::string& path) { return ReadTextFile(path, 1U << 20U).value(); }

HttpAnswer AskOf(const RunningWorker& worker, const std::vector<std::string>& questions) {
  return worker.Infer(
      "vqa", {{"image", {1}, {RoomJpeg(11)}}, {"question", {static_cast<int64_t>(questions.size())}, questions}});
}

TEST(Worker, AnswersOverHttpCountsItAndLeavesCleanlyAtSigterm) {
  RunningWorker worker({});
  EXPECT_EQ(worker.Get("/v2/health/ready").status, 200);
  EXPECT_THAT(worker.Get("/v2/models/vqa").body, HasSubstr(R"("platform":"pawsight_blip")"));
  const HttpAnswer answer = AskOf(worker, {"Is there a dog?", "Is it night?"});
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.json().Find("id")->as_string(), "7");
  EXPECT_EQ(answer.Output("p_yes").size(), 2U);
  for (const Json& p : answer.Output("p_yes")) {
    EXPECT_GE(p.as_number(), 0);
    EXPECT_LE(p.as_number(), 1);
  }
  EXPECT_THAT(worker.Metrics().body, HasSubstr("pawsight_server_"));
  worker.program().Signal(SIGTERM);
  const Ended ended = worker.program().Wait();
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("worker_stopped"));
  EXPECT_EQ(ended.err.find("Is there"), std::string::npos) << "no question is logged";
}

TEST(Worker, ASecondSigtermLeavesAtOnceWithWorkUnfinished) {
  RunningWorker worker({"--cpu", "scalar", "--threads", "1"});  // a frame takes it some tenths of a second
  BytesInput frames{"image", {16}, {}};
  for (uint64_t seed = 1; seed <= 16; ++seed) frames.elements.push_back(RoomJpeg(seed));
  net::testing::RawClient client(worker.http_port());
  client.Send(InferRequest("vqa", {frames, {"question", {1}, {"Is there a cat?"}}}));
  while (worker.Metric("pawsight_server_runners_busy") != 1) usleep(1000);
  worker.program().Signal(SIGTERM);
  (void)worker.program().WaitUntilSaid("draining");
  worker.program().Signal(SIGTERM);
  const Ended ended = worker.program().Wait();
  EXPECT_EQ(ended.code, 130);
  EXPECT_EQ(ended.err.find("worker_stopped"), std::string::npos) << ended.err;
}

TEST(Worker, WhatItComputesIsCountedAgainstThePeakThatIsMeasuredOrGiven) {
  const RunningWorker given({"--threads", "1", "--peak-gops", "100", "--canary-interval", "60s"});
  EXPECT_EQ(given.Metric("pawsight_engine_peak_operations_per_second"), 1e11);
  const double before = given.Metric("pawsight_engine_operations_total");
  EXPECT_GT(before, 0) << "the canary's";
  EXPECT_EQ(AskOf(given, {"Is there a dog?"}).status, 200);
  const double one = given.Metric("pawsight_engine_operations_total") - before;
  EXPECT_EQ(AskOf(given, {"Is there a dog?", "Is it night?"}).status, 200);
  const double two = given.Metric("pawsight_engine_operations_total") - before - one;
  EXPECT_GT(one, 1e6);
  EXPECT_GT(two, one);
  EXPECT_GE(given.Metric("pawsight_engine_peak_share"), 0);
  const RunningWorker measured({"--threads", "1"});
  EXPECT_GT(measured.Metric("pawsight_engine_peak_operations_per_second"), 1e7);
}

TEST(Worker, SighupPutsTheModelInItsOwnPlaceWhileItServes) {
  RunningWorker worker({});
  worker.program().Signal(SIGHUP);
  EXPECT_EQ(AskOf(worker, {"Is there a dog?"}).status, 200);
  worker.program().WaitUntilSaid("model_reloaded");
  EXPECT_EQ(AskOf(worker, {"Is there a dog?"}).status, 200);
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
  RunningProgram worker(
      OnAnyPorts({"--empty-model", "--tls-certificate=" + folder.Path("certificate.pem"),
                  "--tls-key=" + folder.Path("key.pem"), "--tls-client-ca=" + folder.Path("ca.pem")}));
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

TEST(Worker, MetricsAreForWhoHasTheirTokenAndOverTlsTheyShowTheCertificateThatSighupReads) {
  const TempFolder folder;
  const TestCa ca, next("next");
  const auto put = [&](const net::TlsText& tls) {
    WriteText(folder.Path("certificate.pem"), tls.certificate);
    WriteText(folder.Path("key.pem"), tls.key);
  };
  put(ca.Server());
  WriteText(folder.Path("token"), "s3cret\n");
  RunningProgram worker(OnAnyPorts({"--empty-model", "--tls-certificate=" + folder.Path("certificate.pem"),
                                    "--tls-key=" + folder.Path("key.pem"), "--metrics-tls",
                                    "--metrics-token-file=" + folder.Path("token")}));
  const int port = PortOf(worker.WaitUntilSaid("worker_started"), "https://", "/metrics");
  const auto scrape = [&](const TestCa& trusted, const std::string& header) {
    TlsClient client(port, {.ca = trusted.pem(), .own = {}, .alpn = {}});
    if (!client.shaken()) return std::string();
    client.Send("GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + header + "\r\n");
    return client.ReadAll();
  };
  const std::string token = "Authorization: Bearer s3cret\r\n";
  EXPECT_THAT(scrape(ca, token), ::testing::AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("pawsight_build_info{")));
  EXPECT_THAT(scrape(ca, ""), StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(scrape(ca, "Authorization: Bearer s3cre\r\n"), StartsWith("HTTP/1.1 401"));
  put(next.Server());
  worker.Signal(SIGHUP);
  worker.WaitUntilSaid("certificate_reloaded");
  EXPECT_THAT(scrape(next, token), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(scrape(ca, token), "");
}

TEST(Worker, TheAccessLogSaysNothingOfWhatWasAskedIsOpenedAnewAndMayBeOnAFullDisk) {
  const TempFolder folder;
  const std::string log = folder.Path("access.log");
  RunningWorker worker({"--empty-model", "--access-log=" + log});
  const auto ask = [](const RunningWorker& of) {
    EXPECT_EQ(AskOf(of, {"Is there a dog?", "Is it night?"}).status, 200);
  };
  ask(worker);
  // The line follows its answer.
  while (worker.Metric(R"(pawsight_net_access_log_lines_total{outcome="written"})") != 1) {
  }
  const std::string old = folder.Path("access.log.1");
  ASSERT_EQ(rename(log.c_str(), old.c_str()), 0);
  worker.program().Signal(SIGHUP);
  worker.program().WaitUntilSaid("model_reloaded");
  ask(worker);
  EXPECT_THAT(worker.Metrics().body, HasSubstr("pawsight_build_info{version=\""));
  EXPECT_EQ(worker.Metric(R"(pawsight_net_responses_total{listener="http",status="200"})"), 2);
  EXPECT_EQ(worker.Metric(R"(pawsight_rpc_calls_total{code="OK"})"), 0);
  worker.program().Signal(SIGTERM);
  EXPECT_EQ(worker.program().Wait().code, 0);
  for (const std::string& path : {log, old}) {
    const std::string lines = ReadText(path);
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 1) << lines;
    EXPECT_THAT(lines, HasSubstr("path=/v2/models/vqa/infer status=200 bytes_in="));
    EXPECT_THAT(lines, HasSubstr(" model=vqa outcome=ok images=1 questions=2 queue_ms="));
    EXPECT_EQ(lines.find("Is "), std::string::npos);
  }

  const Ended none = RunProgram({"worker", "--empty-model", "--access-log=" + folder.Path("none/log")});
  EXPECT_EQ(none.code, 3) << none.err;
  EXPECT_THAT(none.err, HasSubstr(folder.Path("none/log")));

  RunningWorker full({"--empty-model", "--access-log=/dev/full"});
  for (int n = 0; n < 5; ++n) ask(full);
  full.program().WaitUntilSaid("access_log_failed");
  ask(full);
  while (full.Metric(R"(pawsight_net_access_log_lines_total{outcome="lost"})") != 6) {
    ASSERT_EQ(full.Metric(R"(pawsight_net_access_log_lines_total{outcome="written"})"), 0);
  }
}

/// A suite of tests/conformance, which asks a worker by address; what it said.
std::string Suite(const std::string& program, int port) {
  const TempFolder folder;
  const std::string said = folder.Path("said");
  const std::string command =
      program + " --address 127.0.0.1:" + std::to_string(port) + " --model vqa >" + said + " 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0) << ReadText(said);
  return ReadText(said);
}

TEST(Worker, SpeaksTheProtocolToBothConformanceSuites) {
  RunningWorker worker({"--access-log=off"});
  const std::string said = worker.program().WaitUntilSaid("worker_started");
  EXPECT_THAT(Suite(PAWSIGHT_CONFORMANCE, worker.http_port()), HasSubstr("[  PASSED  ]"));
  EXPECT_THAT(Suite(PAWSIGHT_GRPC_CONFORMANCE, PortOf(said, "grpc://")), HasSubstr("[  PASSED  ]"));
  const std::string metrics = worker.Metrics().body;
  EXPECT_EQ(metrics.find("status=\"500\""), std::string::npos) << "no hostile row is our fault";
  EXPECT_EQ(metrics.find("status=\"501\""), std::string::npos);
  EXPECT_THAT(metrics, HasSubstr("pawsight_rpc_calls_total{code=\"INTERNAL\"} 0\n"));
  worker.program().Signal(SIGTERM);
  EXPECT_EQ(worker.program().Wait().code, 0);
}

TEST(Worker, B1ToB4WhoeverIsSlowIsCutAndOthersAreServedMeanwhile) {
  const RunningWorker worker({"--empty-model", "--access-log=off", "--header-timeout=1s", "--body-timeout=1s",
                              "--idle-timeout=1s", "--write-timeout=1s"});
  const int port = worker.http_port();
  std::vector<std::unique_ptr<RawClient>> slow_headers;
  for (int n = 0; n < 50; ++n) {
    slow_headers.push_back(std::make_unique<RawClient>(port));
    slow_headers.back()->Send("GET /v2/health/live HTTP/1.1\r\nHost: loc");
  }
  RawClient slow_body(port), idle(port), never_reads(port);
  slow_body.Send("POST /v2/models/vqa/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{");
  idle.Send("GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n");
  std::thread greedy([&] {  // sends until the server has enough of it
    std::string many;
    for (int n = 0; n < 100000; ++n) many += "GET /v2/models/vqa/config HTTP/1.1\r\nHost: localhost\r\n\r\n";
    never_reads.Send(many);
  });
  for (int n = 0; n < 20; ++n) EXPECT_EQ(worker.Get("/v2/health/ready").status, 200);
  for (const auto& client : slow_headers) EXPECT_THAT(client->ReadAll(), StartsWith("HTTP/1.1 408"));
  EXPECT_THAT(slow_body.ReadAll(), StartsWith("HTTP/1.1 408"));
  const std::string idle_read = idle.ReadAll();
  EXPECT_THAT(idle_read, StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(idle_read.find("408"), std::string::npos) << "an idle connection is closed without a word";
  greedy.join();
  std::string metrics;
  while (metrics.find("pawsight_net_connections{listener=\"http\"} 0\n") == std::string::npos) {
    metrics = worker.Metrics().body;
  }
  EXPECT_THAT(metrics, HasSubstr("pawsight_net_errors_total{listener=\"http\",reason=\"too_slow\"} 51\n"));
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
  const Ended scraped = RunProgram({"worker", "--listen-metrics", "0.0.0.0:0", "--check-config"});
  EXPECT_EQ(scraped.code, 2);
  EXPECT_THAT(scraped.err, HasSubstr("metrics-token-file"));
  WriteText(folder.Path("token"), "s3cret");
  EXPECT_EQ(
      RunProgram({"worker", "--listen-metrics", "0.0.0.0:0", "--token-file", folder.Path("token"), "--check-config"})
          .code,
      2)
      << "the token of who asks is not that of who scrapes";
  EXPECT_EQ(RunProgram({"worker", "--listen-metrics", "0.0.0.0:0", "--metrics-token-file", folder.Path("token"),
                        "--check-config"})
                .code,
            0);
  const Ended bare = RunProgram({"worker", "--metrics-tls", "--check-config"});
  EXPECT_EQ(bare.code, 2);
  EXPECT_THAT(bare.err, HasSubstr("metrics-tls: wants tls-certificate"));
  const Ended half = RunProgram({"worker", "--tls-key", folder.Path("worker.yaml"), "--check-config"});
  EXPECT_EQ(half.code, 2);
  EXPECT_THAT(half.err, HasSubstr("both tls-certificate and tls-key"));
}

}  // namespace
}  // namespace pawsight::integration
