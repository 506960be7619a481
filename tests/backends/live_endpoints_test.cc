// The gateway's backends against real servers over real sockets: they answer, die, hang, lie, refuse, are switched.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "apps/model_client.h"
#include "base/log.h"
#include "client/testing.h"
#include "fleet.h"
#include "workers.h"

namespace pawsight::house {
namespace {

using client::testing::Peer;
using client::testing::ScriptedServer;
using client::testing::TestCertificate;
using gateway::Reply;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

/// Of a pool's only endpoint or another.
Json Endpoint(Fleet& fleet, size_t pool, size_t endpoint = 0) {
  const Json status = fleet.backends().StatusJson();
  return status.Find("pools")->as_array().at(pool).Find("endpoints")->as_array().at(endpoint);
}

TEST(LiveEndpoints, EveryInquiryGetsItsOwnAnswerOverHttpGrpcAndWithinTheProcess) {
  FakeWorker worker("w/");
  const SystemClock clock;
  Fleet fleet({}, [&](const std::string&) -> std::shared_ptr<client::InferenceClient> {
    return std::make_shared<ModelClient>(worker.model(), clock);
  });
  fleet.Set({PoolOf("http", {Http(worker.http())}), PoolOf("grpc", {Grpc(worker.grpc())}),
             PoolOf("here", {{"embedded", "", ""}})},
            {{{"http", 1}, {"grpc", 1}, {"here", 1}}, {}, {}});
  fleet.AwaitAll("healthy");
  Load load(fleet.backends(), 60);
  load.AwaitDone(3000);
  load.Stop();
  EXPECT_EQ(load.num_failed, 0);
  EXPECT_EQ(load.num_foreign, 0);
  for (size_t pool = 0; pool < 3; ++pool) {
    EXPECT_GT(Endpoint(fleet, pool).Find("attempts")->Find("answered")->as_integer(), 900);
  }
  EXPECT_EQ(fleet.Ask("garbage").status().code(), StatusCode::kInvalidArgument);  // the model's word, whoever is asked
  EXPECT_EQ(fleet.Ask("garbage").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(fleet.Ask("garbage").status().code(), StatusCode::kInvalidArgument);
  fleet.AwaitAll("healthy");
}

TEST(LiveEndpoints, AWorkerThatDiesIsLeftAndIsFoundAgainWhenItIsBack) {
  FakeWorker stays("stays/");
  auto dies = std::make_unique<FakeWorker>("dies/");
  const int port = dies->http_port();
  Fleet fleet;
  fleet.Set({PoolOf("a", {Http(stays.http()), Http(dies->http())})}, {{{"a", 1}}, {}, {}});
  fleet.AwaitAll("healthy");
  for (int n = 0; n < 20; ++n) ASSERT_TRUE(fleet.Ask("x").ok());
  dies.reset();
  for (int n = 0; n < 200; ++n) {
    const Result<Reply> reply = fleet.Ask("x");  // who is refused a connection is asked elsewhere
    ASSERT_TRUE(reply.ok()) << reply.status().ToString();
    ASSERT_EQ(reply->answers[0].text, "stays/x: a cat?");
  }
  fleet.Await("ejected", 0, 1);
  dies = std::make_unique<FakeWorker>("dies/", server::Nanos(0), server::ScheduleOptions{}, port);
  fleet.Await("healthy", 0, 1);
  while (fleet.Ask("x")->answers[0].text != "dies/x: a cat?") {
  }
}

TEST(LiveEndpoints, AWorkerThatHangsCostsItsTriesAndIsLeft) {
  ScriptedServer hangs([](Peer& peer) { peer.AwaitEnd(); });
  FakeWorker works("works/");
  Fleet fleet;
  gateway::PoolConfig pool = PoolOf("a", {Http(hangs.url())});
  pool.attempt_timeout = milliseconds(50);
  fleet.Set({pool, PoolOf("b", {Http(works.http())})}, {{{"a", 1}}, {{"a", {"b"}}}, {}});
  fleet.Await("healthy", 1, 0);
  // Its probe hangs, too, so it is never proven.
  const Result<Reply> reply = fleet.Ask("x");
  ASSERT_TRUE(reply.ok()) << reply.status().ToString();
  EXPECT_EQ(reply->pool, "b");
  fleet.Set({pool}, {{{"a", 1}}, {}, {}});
  const Result<Reply> late = fleet.Ask("x");
  EXPECT_EQ(late.status().code(), StatusCode::kDeadlineExceeded) << late.status().ToString();
  fleet.Await("ejected", 0, 0);
  EXPECT_EQ(fleet.Ask("x").status().code(), StatusCode::kUnavailable);
}

TEST(LiveEndpoints, GarbageAndBrokenAnswersAreNotGivenOutNorAskedAgain) {
  const std::string ready = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  for (const std::string& bad : {std::string("SSH-2.0-OpenSSH\r\n"),
                                 std::string("HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n{\"outputs\":[{"),
                                 std::string("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), std::string()}) {
    std::atomic<int> num_infers{0};
    ScriptedServer lies([&](Peer& peer) {
      for (std::string request = peer.Request(); !request.empty(); request = peer.Request()) {
        const bool infer = request.starts_with("POST");
        num_infers += infer ? 1 : 0;
        peer.Send(infer ? bad : ready);
        if (infer) return;
      }
    });
    FakeWorker works("works/");
    gateway::BackendsOptions options = Fleet::Quick();
    options.books.health.first_pause = seconds(60);  // it says that it is ready, so it would soon be asked again
    options.books.health.max_pause = seconds(60);
    Fleet fleet({}, nullptr, options);
    fleet.Set({PoolOf("a", {Http(lies.url())}), PoolOf("b", {Http(works.http())})}, {{{"a", 1}}, {{"a", {"b"}}}, {}});
    fleet.AwaitAll("healthy");
    for (int n = 0; n < 3; ++n) {
      EXPECT_EQ(fleet.Ask("x").status().code(), StatusCode::kUnavailable) << bad;
    }
    EXPECT_LE(num_infers, 3);  // one may have met a connection that was being closed
    EXPECT_EQ(works.engine().num_asked, 0);
    const Result<Reply> reply = fleet.Ask("x");  // the other is ejected
    ASSERT_TRUE(reply.ok()) << reply.status().ToString();
    EXPECT_EQ(reply->pool, "b");
  }
}

TEST(LiveEndpoints, RefusalsGoElsewhereAndDoNotCountAsFailures) {
  for (const char* status : {"429 Too Many Requests", "503 Service Unavailable"}) {
    ScriptedServer refuses([&](Peer& peer) {
      for (std::string request = peer.Request(); !request.empty(); request = peer.Request()) {
        peer.Send(request.starts_with("POST")
                      ? "HTTP/1.1 " + std::string(status) + "\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
                      : "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      }
    });
    FakeWorker works("works/");
    Fleet fleet;
    fleet.Set({PoolOf("a", {Http(refuses.url())}), PoolOf("b", {Http(works.http())})},
              {{{"a", 1}}, {{"a", {"b"}}}, {}});
    fleet.AwaitAll("healthy");
    for (int n = 0; n < 6; ++n) {
      const Result<Reply> reply = fleet.Ask("x");
      ASSERT_TRUE(reply.ok()) << status << reply.status().ToString();
      EXPECT_EQ(reply->pool, "b");
    }
    const bool full = std::string_view(status).starts_with("429");
    EXPECT_EQ(Endpoint(fleet, 0).Find("ejections")->as_integer() > 0, !full);
  }
}

TEST(LiveEndpoints, AWorkerThatIsNotWhoItSaysSeesNoFrame) {
  const TestCertificate certificate("DNS:somebody.else");
  std::atomic<int> num_requests{0};
  ScriptedServer stranger([&](Peer& peer) { num_requests += peer.Request().empty() ? 0 : 1; }, &certificate);
  FakeWorker works("works/");
  Fleet fleet({{"workers", {"secret", certificate.certificate_pem, "", ""}}});
  fleet.Set({PoolOf("a", {Http(stranger.url(), "workers")}), PoolOf("b", {Http(works.http())})},
            {{{"a", 1}}, {{"a", {"b"}}}, {}});
  fleet.Await("ejected", 0, 0);
  EXPECT_THAT(Endpoint(fleet, 0).Find("last_error")->as_string(), HasSubstr("certificate verify failed"));
  EXPECT_EQ(fleet.Ask("x")->pool, "b");
  EXPECT_EQ(num_requests, 0);
  EXPECT_THAT(fleet.backends().SetPools({{PoolOf("a", {Http(stranger.url(), "workerz")}), PoolOf("b", {})}}).message(),
              HasSubstr("credential: the settings have none called 'workerz'"));
}

TEST(LiveEndpoints, AnOverloadedWorkerRefusesAndTheRestIsAnswered) {
  server::ScheduleOptions small;
  small.queue_limit = 32;
  FakeWorker slow("slow/", milliseconds(2), small);
  FakeWorker other("other/");
  Fleet fleet;
  fleet.Set({PoolOf("a", {Http(slow.http())}), PoolOf("b", {Http(other.http())})}, {{{"a", 1}}, {{"a", {"b"}}}, {}});
  fleet.AwaitAll("healthy");
  Load load(fleet.backends(), 100);
  load.AwaitDone(1000);
  load.Stop();
  EXPECT_EQ(load.num_foreign, 0);
  EXPECT_GT(other.engine().num_asked, 0);
  EXPECT_GT(slow.engine().num_asked, 0);
  EXPECT_EQ(fleet.StateOf(0, 0), "healthy");
}

TEST(LiveEndpoints, PoolsAreSwitchedUnderLoadWithoutAFailedFrame) {
  std::vector<std::unique_ptr<FakeWorker>> workers;
  for (int n = 0; n < 4; ++n) workers.push_back(std::make_unique<FakeWorker>("w" + std::to_string(n) + "/"));
  Fleet fleet;
  const auto change = [&](int n) {
    const auto at = [&](int i) -> FakeWorker& { return *workers[static_cast<size_t>((n + i) % 4)]; };
    // Endpoints go and come with each change: of each pool one stays, one leaves, one is new.
    fleet.Set({PoolOf("http", {Http(at(0).http()), Http(at(1).http())}),
               PoolOf("grpc", {Grpc(at(2).grpc()), Grpc(at(3).grpc())})},
              {{{"http", n % 3}, {"grpc", 1 + n % 2}}, {{"http", {"grpc"}}, {"grpc", {"http"}}}, {}});
  };
  change(0);
  fleet.AwaitAll("healthy");
  Load load(fleet.backends(), 64);
  for (int n = 1; n <= 40; ++n) {
    load.AwaitDone(n * 100);
    change(n);
  }
  load.Stop();
  EXPECT_EQ(load.num_failed, 0);
  EXPECT_EQ(load.num_foreign, 0);
  EXPECT_GE(load.num_done, 4000);
  while (fleet.backends().num_leaving() > 0) std::this_thread::yield();
}

}  // namespace
}  // namespace pawsight::house
