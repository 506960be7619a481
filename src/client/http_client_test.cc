#include "client/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <map>

#include "client/testing.h"
#include "net/http_server.h"
#include "protocol/json_codec.h"
#include "protocol/testing.h"

namespace pawsight::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;
using testing::Peer;
using testing::ScriptedServer;
using testing::TestCertificate;

std::shared_ptr<const protocol::InferRequest> Asking(const std::string& image, const std::string& question = "a cat?") {
  auto owner = std::make_shared<const std::pair<std::string, std::string>>(image, question);
  protocol::InferRequest request;
  request.model = "vqa";
  request.inputs.push_back({"image", protocol::Datatype::kBytes, {1}, {}, {}, {owner->first}});
  request.inputs.push_back({"question", protocol::Datatype::kBytes, {1}, {}, {}, {owner->second}});
  request.outputs = {{"answer", {}, true}};
  request.owners.push_back(owner);
  return std::make_shared<const protocol::InferRequest>(std::move(request));
}

/// What an exact answer says.
std::string Answer(const InferResult& result) {
  if (!result.response.ok()) return result.response.status().ToString();
  return result.response->outputs.at(0).elements.at(0);
}

std::string Reply(const std::string& answer, const std::string& headers = "") {
  const std::string body =
      R"({"model_name":"vqa","outputs":[{"name":"answer","datatype":"BYTES","shape":[1],"data":[")" + answer + "\"]}]}";
  return "HTTP/1.1 200 OK\r\n" + headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class HttpClientTest : public ::testing::Test {
 protected:
  HttpClient& Client(HttpClientOptions options) {
    auto made = HttpClient::Make(options, io_);
    CHECK(made.ok());
    client_ = *std::move(made);
    return *client_;
  }
  HttpClient& Client(const std::string& url) {
    HttpClientOptions options;
    options.url = url;
    return Client(options);
  }
  std::future<InferResult> Begin(std::shared_ptr<const protocol::InferRequest> request,
                                 milliseconds limit = seconds(20), InferenceClient::CallId* id = nullptr) {
    auto promise = std::make_shared<std::promise<InferResult>>();
    const auto call = client_->Infer(std::move(request), steady_clock::now() + limit,
                                     [promise](InferResult result) { promise->set_value(std::move(result)); });
    if (id != nullptr) *id = call;
    return promise->get_future();
  }
  InferResult Ask(const std::string& image = "x", milliseconds limit = seconds(20)) {
    return Begin(Asking(image), limit).get();
  }

  IoThread io_;
  std::unique_ptr<HttpClient> client_;
};

/// A real server with the real codecs, whose answer is "image: question".
class EchoServer {
 public:
  EchoServer() {
    router_.AddLater("POST", "/v2/models/vqa/infer",
                     [this](std::shared_ptr<const net::HttpRequest> request, const net::HttpResponder& responder) {
                       responder.Respond(Infer(request));
                     });
    router_.Add("GET", "/v2/health/ready", [this](const net::HttpRequest&) {
      return net::HttpResponse{ready ? 200 : 503, "application/json", "", {}};
    });
    router_.Add("GET", "/v2/models/vqa", [](const net::HttpRequest&) {
      return net::HttpResponse{
          200, "application/json", R"({"name":"vqa","versions":["1"],"inputs":[],"outputs":[]})", {}};
    });
    server_ = std::move(net::HttpServer::Start(options_, router_).value());
  }
  std::string url() const { return server_->url(); }
  int port() const { return server_->port(); }
  size_t num_connections() const { return server_->num_connections(); }
  void Stop() { server_->Stop(); }

  std::atomic<bool> ready{true};
  std::atomic<int64_t> last_timeout_us{0};

 private:
  net::HttpResponse Infer(const std::shared_ptr<const net::HttpRequest>& request) {
    const std::string json_bytes(request->Header("inference-header-content-length"));
    const auto read =
        protocol::ParseInferRequest({request->body, request, json_bytes}, protocol::testing::VqaLike(), {});
    if (!read.ok()) return {400, "application/json", R"({"error":")" + read.status().message() + "\"}", {}};
    last_timeout_us = read->timeout.value_or(std::chrono::microseconds(0)).count();
    protocol::InferResponse response{"vqa", "1", {}, {}};
    response.outputs.push_back(protocol::BytesOutput(
        "answer", {1},
        {std::string(read->Find("image")->elements[0]) + ": " + std::string(read->Find("question")->elements[0])}));
    protocol::EncodedResponse encoded = protocol::EncodeInferResponse(*read, response).value();
    return {200,
            "application/octet-stream",
            std::move(encoded.body),
            {{"Inference-Header-Content-Length", std::to_string(encoded.json_bytes.value_or(0))}}};
  }

  net::HttpServerOptions options_;
  net::Router router_;
  std::unique_ptr<net::HttpServer> server_;
};

TEST_F(HttpClientTest, EveryCallGetsItsOwnAnswerOverFewConnections) {
  EchoServer server;
  HttpClientOptions options;
  options.url = server.url();
  options.max_connections = 8;
  options.max_waiting = 1000;
  Client(options);
  std::map<std::string, std::future<InferResult>> calls;
  for (int n = 0; n < 500; ++n) {
    const std::string image = std::string(static_cast<size_t>(n) * 97 % 40000, 'i') + std::to_string(n);
    calls.emplace(image + ": a cat?", Begin(Asking(image)));
  }
  for (auto& [wanted, call] : calls) ASSERT_EQ(Answer(call.get()), wanted);
  EXPECT_LE(server.num_connections(), 8U);
  EXPECT_EQ(client_->num_calls(), 0U);
}

TEST_F(HttpClientTest, AConnectionIsKeptAndTheServerLearnsTheTimeLeft) {
  EchoServer server;
  Client(server.url());
  for (int n = 0; n < 20; ++n) ASSERT_EQ(Answer(Ask("x", seconds(5))), "x: a cat?");
  EXPECT_EQ(client_->num_connections(), 1U);
  EXPECT_EQ(server.num_connections(), 1U);
  EXPECT_GT(server.last_timeout_us, 1000);
  EXPECT_LE(server.last_timeout_us, 5'000'000);
}

TEST_F(HttpClientTest, HealthAndMetadataAreAsked) {
  EchoServer server;
  Client(server.url());
  const auto check = [&] {
    std::promise<Status> status;
    client_->CheckReady(steady_clock::now() + seconds(20), [&](Status s) { status.set_value(std::move(s)); });
    return status.get_future().get();
  };
  EXPECT_TRUE(check().ok());
  server.ready = false;
  EXPECT_EQ(check().code(), StatusCode::kUnavailable);
  std::promise<Result<protocol::ModelMetadata>> metadata;
  client_->GetMetadata("vqa", steady_clock::now() + seconds(20), [&](auto m) { metadata.set_value(std::move(m)); });
  EXPECT_EQ(metadata.get_future().get()->versions.at(0), "1");
}

TEST_F(HttpClientTest, AnyOtherRequestGetsItsResponseWhateverItsStatus) {
  ScriptedServer server([](Peer& peer) {
    for (std::string request = peer.Request(); !request.empty(); request = peer.Request()) {
      const bool known = request.find("Authorization: Bearer other\r\n") != request.npos;
      peer.Send(known ? "HTTP/1.1 204 No Content\r\n\r\n" : "HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno");
    }
  });
  Client(server.url());
  const auto exchange = [&](HttpClient::Request request) {
    std::promise<Result<net::ReceivedResponse>> got;
    client_->Exchange(std::move(request), steady_clock::now() + seconds(20),
                      [&](auto r) { got.set_value(std::move(r)); });
    return got.get_future().get();
  };
  const auto refused = exchange({.method = "POST", .target = "/v1/owners", .content_type = "text/plain", .body = "x"});
  ASSERT_TRUE(refused.ok());
  EXPECT_EQ(refused->status, 401);
  EXPECT_EQ(refused->body, "no");
  EXPECT_EQ(exchange({.method = "DELETE", .target = "/v1/owners/a", .token = "other"})->status, 204);
  EXPECT_EQ(server.num_connections(), 1) << "a connection is kept";
}

TEST_F(HttpClientTest, NobodyThereIsSaidAndNothingRan) {
  int port = 0;
  {
    EchoServer gone;
    port = gone.port();
  }
  Client("http://127.0.0.1:" + std::to_string(port));
  const InferResult result = Ask();
  EXPECT_THAT(Answer(result), HasSubstr("UNAVAILABLE: cannot connect"));
  EXPECT_FALSE(result.may_have_run);
}

TEST_F(HttpClientTest, WhoWaitsForAServerThatIsGoneIsToldAtOnce) {
  int port = 0;
  {
    EchoServer gone;
    port = gone.port();
  }
  HttpClientOptions options;
  options.url = "http://127.0.0.1:" + std::to_string(port);
  options.max_connections = 2;
  options.max_waiting = 100;
  Client(options);
  std::vector<std::future<InferResult>> calls;
  for (int n = 0; n < 50; ++n) calls.push_back(Begin(Asking("x"), seconds(600)));
  for (auto& call : calls) EXPECT_FALSE(call.get().may_have_run);
}

TEST_F(HttpClientTest, WhoIsRefusedAConnectionWaitsForOneThatIsThere) {
  std::promise<void> asked;
  std::promise<void> release;
  ScriptedServer server([&, held = release.get_future().share()](Peer& peer) {
    (void)peer.Request();
    asked.set_value();
    held.wait();
    peer.Send(Reply("first"));
    (void)peer.Request();
    peer.Send(Reply("second"));
    peer.AwaitEnd();
  });
  Client(server.url());
  std::future<InferResult> first = Begin(Asking("x"));
  asked.get_future().wait();
  server.StopListening();
  std::future<InferResult> second = Begin(Asking("x"));
  while (client_->num_connections() > 1) std::this_thread::yield();  // it tried, and was refused
  release.set_value();
  EXPECT_EQ(Answer(first.get()), "first");
  EXPECT_EQ(Answer(second.get()), "second");
  EXPECT_EQ(server.num_connections(), 1);
}

TEST_F(HttpClientTest, AServerThatComesBackIsFoundAgain) {
  auto server = std::make_unique<EchoServer>();
  Client(server->url());
  EXPECT_EQ(Answer(Ask()), "x: a cat?");
  server.reset();
  while (client_->num_connections() > 0) std::this_thread::yield();  // its going is seen without a call
  EXPECT_THAT(Answer(Ask()), HasSubstr("UNAVAILABLE"));
}

TEST_F(HttpClientTest, AHangingServerCostsTheDeadlineAndTheConnection) {
  ScriptedServer server([](Peer& peer) {
    (void)peer.Request();  // and no answer
    peer.AwaitEnd();
  });
  Client(server.url());
  const InferResult result = Ask("x", milliseconds(50));
  EXPECT_EQ(result.response.status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(result.may_have_run);
  EXPECT_EQ(Ask("x", milliseconds(-1)).response.status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_FALSE(Ask("x", milliseconds(-1)).may_have_run);
}

TEST_F(HttpClientTest, WhatIsNoAnswerIsNotTakenForOne) {
  struct Row {
    std::string sent;
    std::string why;
    bool may_have_run;
  };
  const std::vector<Row> rows = {
      {"garbage\r\n\r\n", "DATA_LOSS: not an HTTP response", true},
      {Reply("yes").substr(0, 60), "UNAVAILABLE", true},
      {"", "UNAVAILABLE", true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "DATA_LOSS: the server's answer: outputs: missing", true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", "DATA_LOSS: the response's body is larger", true},
      {"HTTP/1.1 200 OK\r\n\r\n{}", "DATA_LOSS", true},
      {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
       "FAILED_PRECONDITION: the server answered 302: redirects are not followed", false},
      {"HTTP/1.1 503 No\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n", "UNAVAILABLE: the server answered 503", false},
      {"HTTP/1.1 429 No\r\nRetry-After: 3\r\nContent-Length: 17\r\n\r\n{\"error\":\"full\"}\n",
       "RESOURCE_EXHAUSTED: the server answered 429: full", false}};
  for (const Row& row : rows) {
    ScriptedServer server([&](Peer& peer) {
      (void)peer.Request();
      peer.Send(row.sent);
    });
    Client(server.url());
    const InferResult result = Ask();
    EXPECT_THAT(Answer(result), HasSubstr(row.why)) << row.sent;
    EXPECT_EQ(result.may_have_run, row.may_have_run) << row.sent;
    const bool says_when = row.sent.find("Retry-After") != std::string::npos;
    EXPECT_EQ(result.retry_after, says_when ? std::optional<milliseconds>(seconds(3)) : std::nullopt) << row.sent;
    client_.reset();
  }
}

TEST_F(HttpClientTest, ABrokenConnectionIsReplaced) {
  std::atomic<int> count{0};
  ScriptedServer server([&](Peer& peer) {
    if (count++ == 0) return;  // closes at once
    while (!peer.Request().empty()) peer.Send(Reply("yes", count++ % 2 == 0 ? "Connection: close\r\n" : ""));
  });
  Client(server.url());
  EXPECT_FALSE(Ask().response.ok());
  for (int n = 0; n < 10; ++n) ASSERT_EQ(Answer(Ask()), "yes");
  EXPECT_GT(server.num_connections(), 2);
}

TEST_F(HttpClientTest, AServerThatSpeaksUnaskedIsHungUpOn) {
  ScriptedServer server([](Peer& peer) {
    (void)peer.Request();
    peer.Send(Reply("yes") + Reply("an answer to nothing"));
    peer.AwaitEnd();
  });
  Client(server.url());
  for (int n = 0; n < 5; ++n) ASSERT_EQ(Answer(Ask()), "yes");
  EXPECT_EQ(server.num_connections(), 5);
}

TEST_F(HttpClientTest, MoreThanMayWaitIsRefusedAtOnce) {
  ScriptedServer server([](Peer& peer) { peer.AwaitEnd(); });
  HttpClientOptions options;
  options.url = server.url();
  options.max_connections = 2;
  options.max_waiting = 3;
  Client(options);
  std::vector<std::future<InferResult>> waiting;
  for (int n = 0; n < 5; ++n) waiting.push_back(Begin(Asking("x")));
  const InferResult refused = Ask();
  EXPECT_EQ(refused.response.status().code(), StatusCode::kResourceExhausted);
  EXPECT_FALSE(refused.may_have_run);
  client_.reset();
  for (auto& call : waiting) EXPECT_EQ(call.get().response.status().code(), StatusCode::kCancelled);
  options.max_bytes_in_flight = 1000;
  Client(options);
  EXPECT_EQ(Ask(std::string(1000, 'x')).response.status().code(), StatusCode::kResourceExhausted);
}

TEST_F(HttpClientTest, ACancelledCallTakesItsConnectionWithIt) {
  std::promise<void> gone;
  ScriptedServer server([&](Peer& peer) {
    (void)peer.Request();
    peer.AwaitEnd();
    gone.set_value();
  });
  Client(server.url());
  InferenceClient::CallId id = 0;
  std::future<InferResult> call = Begin(Asking("x"), seconds(20), &id);
  client_->Cancel(id);
  EXPECT_EQ(call.get().response.status().code(), StatusCode::kCancelled);
  client_->Cancel(id);  // again: nothing
  client_.reset();
  if (server.num_connections() == 1) gone.get_future().wait();
}

TEST_F(HttpClientTest, AnIdleConnectionIsClosed) {
  EchoServer server;
  HttpClientOptions options;
  options.url = server.url();
  options.idle_timeout = milliseconds(5);
  Client(options);
  EXPECT_EQ(Answer(Ask()), "x: a cat?");
  while (client_->num_connections() > 0) std::this_thread::yield();
  EXPECT_EQ(Answer(Ask()), "x: a cat?");
}

TEST_F(HttpClientTest, ATlsServerIsAskedOnlyWhenItIsWhoItSays) {
  const TestCertificate certificate("DNS:localhost");
  const TestCertificate other("DNS:localhost");
  std::string seen;
  ScriptedServer server(
      [&](Peer& peer) {
        for (std::string request = peer.Request(); !request.empty(); request = peer.Request()) {
          seen = request.substr(0, request.find("\r\n\r\n"));
          peer.Send(Reply("yes"));
        }
      },
      &certificate);
  HttpClientOptions options;
  options.ca_pem = certificate.certificate_pem;
  options.token = "secret";
  options.url = server.url("localhost");
  Client(options);
  for (int n = 0; n < 5; ++n) ASSERT_EQ(Answer(Ask(std::string(100000, 'x'))), "yes");
  EXPECT_EQ(server.num_connections(), 1);
  EXPECT_THAT(seen, HasSubstr("Authorization: Bearer secret"));
  seen.clear();

  options.url = server.url("127.0.0.1");  // the certificate has another name
  Client(options);
  const InferResult wrong_host = Ask();
  EXPECT_THAT(Answer(wrong_host), HasSubstr("UNAVAILABLE: cannot connect"));
  EXPECT_FALSE(wrong_host.may_have_run);
  options.url = server.url("localhost");
  options.ca_pem = other.certificate_pem;
  Client(options);
  EXPECT_THAT(Answer(Ask()), HasSubstr("TLS: certificate verify failed"));
  options.ca_pem = "";
  Client(options);
  EXPECT_THAT(Answer(Ask()), HasSubstr("TLS: certificate verify failed"));
  EXPECT_EQ(seen, "");  // no token was shown to any of them
}

TEST_F(HttpClientTest, WhatCannotBeIsSaidWhenItIsMade) {
  const auto why = [&](auto change) {
    HttpClientOptions options;
    options.url = "https://worker:8000";
    change(options);
    const auto made = HttpClient::Make(options, io_);
    return made.ok() ? std::string("made") : made.status().message();
  };
  EXPECT_EQ(why([](auto&) {}), "made");
  EXPECT_THAT(why([](auto& o) { o.url = "worker:8000"; }), HasSubstr("url: want http"));
  EXPECT_THAT(why([](auto& o) { o.token = "a\r\nb"; }), HasSubstr("token: want"));
  EXPECT_THAT(why([](auto& o) { o.max_connections = 0; }), HasSubstr("max_connections: want 1.."));
  EXPECT_THAT(why([](auto& o) { o.ca_pem = "none"; }), HasSubstr("ca: "));
  EXPECT_THAT(why([](auto& o) { o.certificate_pem = "none"; }), HasSubstr("certificate: want both"));
}

}  // namespace
}  // namespace pawsight::client
