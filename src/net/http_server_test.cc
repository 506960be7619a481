#include "net/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/testing.h"

namespace pawsight::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::RawClient;
using ::testing::StartsWith;

class HttpServerTest : public ::testing::Test {
 protected:
  HttpServerTest() {
    router_.Add("GET", "/hello", [](const HttpRequest& request) {
      HttpResponse response;
      response.body = "hello " + std::string(request.Query("name"));
      return response;
    });
    router_.Add("POST", "/echo/{name}", [](const HttpRequest& request) {
      HttpResponse response;
      response.body = request.parameters[0] + ":" + request.body;
      return response;
    });
    router_.AddStream("/events", {&broadcast_, [] { return FormatServerSentEvent("greeting", "{}"); }});
  }
  void Start() { server_ = std::move(HttpServer::Start(options_, router_).value()); }
  /// What the server answers to `bytes`, until it closes.
  std::string Say(std::string_view bytes) {
    if (server_ == nullptr) Start();
    RawClient client(server_->port());
    client.Send(bytes);
    client.CloseSending();
    return client.ReadAll();
  }

  HttpServerOptions options_;
  Router router_;
  Broadcast broadcast_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, AHandlerAnswers) {
  const std::string answer = Say("GET /hello?name=you HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 9\r\n"));
  EXPECT_THAT(answer, HasSubstr("X-Content-Type-Options: nosniff\r\n"));
  EXPECT_THAT(answer, ::testing::EndsWith("\r\n\r\nhello you"));
}

TEST_F(HttpServerTest, HeadIsGetWithoutTheBody) {
  const std::string answer = Say("HEAD /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 6\r\n"));
  EXPECT_THAT(answer, ::testing::EndsWith("\r\n\r\n"));
}

TEST_F(HttpServerTest, WithATokenOnlyItsBearersAreServedButForPublicPaths) {
  options_.token = "s3cret";
  options_.public_paths = {"/hello"};
  const std::string end = "Host: localhost\r\nContent-Length: 1\r\nConnection: close\r\n";
  EXPECT_THAT(Say("GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Say("POST /echo/a HTTP/1.1\r\n" + end + "\r\nx"),
              ::testing::AllOf(StartsWith("HTTP/1.1 401"), HasSubstr("WWW-Authenticate: Bearer\r\n")));
  for (const char* wrong : {"s3cre", "s3cret2", "S3cret", ""}) {
    EXPECT_THAT(Say("POST /echo/a HTTP/1.1\r\nAuthorization: Bearer " + std::string(wrong) + "\r\n" + end + "\r\nx"),
                StartsWith("HTTP/1.1 401"))
        << wrong;
  }
  EXPECT_THAT(Say("POST /echo/a HTTP/1.1\r\nAuthorization: Bearer s3cret\r\n" + end + "\r\nx"),
              StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, BodiesComeWhole) {
  EXPECT_THAT(Say("POST /echo/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nConnection: close\r\n\r\nxyz"),
              HasSubstr("a:xyz"));
  EXPECT_THAT(Say("POST /echo/b HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                  "2\r\nxy\r\n1\r\nz\r\n0\r\n\r\n"),
              HasSubstr("b:xyz"));
  EXPECT_THAT(Say("POST /echo/c HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: "
                  "1\r\nConnection: close\r\n\r\nx"),
              ::testing::AllOf(StartsWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"), HasSubstr("c:x")));
}

TEST_F(HttpServerTest, PipelinedRequestsAreAnsweredInOrderUntilABadOne) {
  std::string requests;
  for (int n = 0; n < 50; ++n)
    requests += "GET /hello?name=" + std::to_string(n) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  requests += "BAD\r\n\r\nGET /hello?name=never HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const std::string answer = Say(requests);
  size_t at = 0;
  for (int n = 0; n < 50; ++n) {
    at = answer.find("hello " + std::to_string(n), at);
    ASSERT_NE(at, std::string::npos) << n;
  }
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 400"));
  EXPECT_THAT(answer, Not(HasSubstr("never")));
}

TEST_F(HttpServerTest, BadRequestsGetTheirStatusAndNothingElse) {
  struct Case {
    std::string bytes;
    std::string status;
  };
  const std::string host = "Host: localhost\r\n";
  const std::vector<Case> cases = {
      {"GET /nothing HTTP/1.1\r\n" + host + "\r\n", "404"},
      {"POST /hello HTTP/1.1\r\n" + host + "Content-Length: 0\r\n\r\n", "405"},
      {"TRACE /hello HTTP/1.1\r\n" + host + "\r\n", "405"},
      {"OPTIONS * HTTP/1.1\r\n" + host + "\r\n", "400"},
      {"GET /../hello HTTP/1.1\r\n" + host + "\r\n", "400"},
      {"GET /%2e%2e/hello HTTP/1.1\r\n" + host + "\r\n", "400"},
      {"GET //hello HTTP/1.1\r\n" + host + "\r\n", "400"},
      {"GET /hello HTTP/1.1\r\n\r\n", "400"},
      {"GET /hello HTTP/1.1\r\n" + host + host + "\r\n", "400"},
      {"GET /hello HTTP/1.1\r\nHost: evil.example\r\n\r\n", "421"},
      {"GET /" + std::string(5000, 'a') + " HTTP/1.1\r\n" + host + "\r\n", "414"},
      {"GET /hello HTTP/1.1\r\n" + host + "X: " + std::string(65536, 'a') + "\r\n\r\n", "431"},
      {"POST /echo/a HTTP/1.1\r\n" + host + "Content-Length: 1048577\r\n\r\n", "413"},
      {"POST /echo/a HTTP/1.1\r\n" + host + "Content-Length: 99999999999999999999999\r\n\r\n", "400"},
      {"POST /echo/a HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n", "400"},
      {"POST /echo/a HTTP/1.1\r\n" + host + "Content-Length: +5\r\n\r\nhello", "400"},
      {"POST /echo/a HTTP/1.1\r\n" + host + "Content-Length: 0x1\r\n\r\na", "400"},
      {"POST /echo/a HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\naa", "400"},
      {"POST /echo/a HTTP/1.1\r\n" + host + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
      {"POST /echo/a HTTP/1.1\r\n" + host + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "400"},
      {"POST /echo/a HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n", "400"},
      {"POST /echo/a HTTP/1.1\r\n" + host + "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\na", "415"},
      {"GET /hello HTTP/1.1\r\n" + host + "X : y\r\n\r\n", "400"},
      {"GET /hello HTTP/1.1\r\n" + host + "X\r\n\r\n", "400"},
      {"GET /hello HTTP/3.0\r\n" + host + "\r\n", "505"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"},
      {"\x16\x03\x01\x02", "400"},
  };
  for (const Case& bad : cases) {
    EXPECT_THAT(Say(bad.bytes), StartsWith("HTTP/1.1 " + bad.status + " ")) << bad.bytes.substr(0, 200);
  }
  std::string many = "GET /hello HTTP/1.1\r\n" + host;
  for (int n = 0; n < 200; ++n) many += "X" + std::to_string(n) + ": y\r\n";
  EXPECT_THAT(Say(many + "\r\n"), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(Say("GET /hello HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n"), StartsWith("HTTP/1.1 200 "))
      << "and it still serves";
}

TEST_F(HttpServerTest, ASlowHeaderIsCutOff) {
  options_.header_timeout = seconds(1);
  Start();
  RawClient client(server_->port());
  client.Send("GET /hello HT");
  EXPECT_THAT(client.ReadAll(), StartsWith("HTTP/1.1 408 "));
}

TEST_F(HttpServerTest, AConnectionTooManyIsRefusedAtOnce) {
  options_.max_connections = 1;
  Start();
  RawClient first(server_->port());
  first.Send("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(first.ReadUntil("hello "), HasSubstr("200 OK"));
  EXPECT_THAT(RawClient(server_->port()).ReadAll(), StartsWith("HTTP/1.1 503 "));
}

TEST_F(HttpServerTest, AStreamGreetsAndThenSendsWhatIsPublished) {
  Start();
  RawClient client(server_->port());
  client.Send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string start = client.ReadUntil("event: greeting\ndata: {}\n\n");
  EXPECT_THAT(start, ::testing::AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("text/event-stream"),
                                      HasSubstr("greeting")));
  broadcast_.Publish("answer", "{\"p_yes\":0.5}");
  EXPECT_THAT(client.ReadUntil("\n\n"), HasSubstr("event: answer\ndata: {\"p_yes\":0.5}\n\n"));
  server_->Stop();
  EXPECT_EQ(client.ReadAll(), "") << "a stopping server ends its streams";
}

TEST_F(HttpServerTest, AStreamThatIsNotReadNeverHoldsUpThePublisher) {
  Start();
  RawClient client(server_->port());
  client.Send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client.ReadUntil("greeting");
  const std::string large(100000, 'x');
  for (int n = 0; n < 300; ++n) broadcast_.Publish("answer", large);  // 30 MB: no socket buffer holds it
  broadcast_.Publish("last", "{}");
  const std::string got = client.ReadUntil("event: last");
  EXPECT_THAT(got, HasSubstr("event: dropped\ndata: {\"count\":"));
}

TEST_F(HttpServerTest, AStreamsPeerThatGoesAwayIsForgotten) {
  Start();
  {
    RawClient client(server_->port());
    client.Send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client.ReadUntil("greeting");
    EXPECT_EQ(broadcast_.NumSubscribers(), 1U);
  }
  // The server answers another request only after it has handled what came before it on its one thread.
  for (int n = 0; n < 1000 && broadcast_.NumSubscribers() > 0; ++n)
    Say("GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(broadcast_.NumSubscribers(), 0U);
}

TEST_F(HttpServerTest, StoppingEndsIdleConnectionsAtOnce) {
  Start();
  RawClient idle(server_->port());
  idle.Send("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
  idle.ReadUntil("hello ");
  const auto before = std::chrono::steady_clock::now();
  server_->Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - before, milliseconds(1500));
  EXPECT_EQ(idle.ReadAll(), "");
  server_->Stop();
}

TEST_F(HttpServerTest, AnAddressInUseIsReported) {
  Start();
  HttpServerOptions same;
  same.listen.port = server_->port();
  EXPECT_EQ(HttpServer::Start(same, router_).status().code(), StatusCode::kUnavailable);
  same.listen = {"192.0.2.1", 0};
  EXPECT_EQ(HttpServer::Start(same, router_).status().code(), StatusCode::kUnavailable);
}

}  // namespace
}  // namespace pawsight::net
