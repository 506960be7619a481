// Who is let in before a body is read, and streams of which each reader gets its own part.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "net/http_server.h"
#include "net/testing.h"

namespace pawsight::net {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::RawClient;
using ::testing::StartsWith;

class HttpServerAdmitTest : public ::testing::Test {
 protected:
  HttpServerAdmitTest() {
    router_.Add("POST", "/echo", [](const HttpRequest& request) {
      return HttpResponse{200, "text/plain", request.peer + ":" + request.body, {}};
    });
    router_.AddStream("/live/{home}", {.broadcast = &broadcast_,
                                       .greeting = nullptr,
                                       .interest = [](const HttpRequest& request) -> Result<Broadcast::Interest> {
                                         if (request.parameters[0] == "no") return PermissionDenied("no", "not_yours");
                                         return Broadcast::Interest{request.parameters[0] + "/", "me"};
                                       }});
    HttpServerOptions options;
    options.admit = [](const HttpRequest& request) -> std::optional<HttpResponse> {
      if (request.Header("x-key") == "right") return std::nullopt;
      return ProblemResponse(401, "key_wrong", "want the right key");
    };
    server_ = HttpServer::Start(options, router_).value();
  }
  void WaitForSubscribers(size_t count) const {
    while (broadcast_.NumSubscribers() != count) std::this_thread::yield();
  }

  Router router_;
  Broadcast broadcast_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerAdmitTest, WhoIsNotAdmittedIsToldBeforeItsBodyIsRead) {
  RawClient client(server_->port());
  client.Send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n");
  EXPECT_THAT(client.ReadUntil("key_wrong"), StartsWith("HTTP/1.1 401"));
  RawClient nowhere(server_->port());
  nowhere.Send("GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(nowhere.ReadUntil("\r\n"), StartsWith("HTTP/1.1 404")) << "a path that is not there asks for no key";
}

TEST_F(HttpServerAdmitTest, WhoIsAdmittedIsAnsweredAndItsAddressKnown) {
  RawClient client(server_->port());
  client.Send(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nX-Key: right\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
  EXPECT_THAT(client.ReadAll(), HasSubstr("127.0.0.1:hi"));
}

TEST_F(HttpServerAdmitTest, AStreamGivesEachReaderItsPartUntilItIsEnded) {
  RawClient a(server_->port());
  a.Send("GET /live/a HTTP/1.1\r\nHost: localhost\r\nX-Key: right\r\n\r\n");
  (void)a.ReadUntil("retry: 2000\n\n");
  WaitForSubscribers(1);
  broadcast_.Publish("x", "of b", "b/1");
  broadcast_.Publish("x", "of a", "a/1");
  EXPECT_THAT(a.ReadUntil("of a\n\n"), Not(HasSubstr("of b")));
  broadcast_.End("me");
  EXPECT_EQ(a.ReadAll(), "");
  WaitForSubscribers(0);
}

TEST_F(HttpServerAdmitTest, AStreamMayBeRefused) {
  RawClient client(server_->port());
  client.Send("GET /live/no HTTP/1.1\r\nHost: localhost\r\nX-Key: right\r\n\r\n");
  EXPECT_THAT(client.ReadUntil("not_yours"), StartsWith("HTTP/1.1 403"));
}

}  // namespace
}  // namespace pawsight::net
