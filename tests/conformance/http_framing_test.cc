#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http_peer.h"

namespace pawsight::conformance {
namespace {

using ::testing::AnyOf;

std::string Host() { return "Host: " + TheTarget().host + "\r\n"; }

/// The status of the first response to `bytes`; 0 when the server only closes.
int StatusOf(const std::string& bytes) {
  Peer peer;
  peer.Send(bytes);
  return peer.Read().status;
}

TEST(HttpFraming, AConnectionIsUsedAgain) {
  Peer peer;
  for (int n = 0; n < 3; ++n) {
    peer.Send(Format("POST", ModelPath("/infer"), Request({"a cat?"})));
    EXPECT_EQ(peer.Read().status, 200) << n;
  }
}

TEST(HttpFraming, ConnectionCloseIsHeeded) {
  Peer peer;
  peer.Send(Format("GET", "/v2/health/live", "", {{"Connection", "close"}}));
  EXPECT_EQ(peer.Read().status, 200);
  EXPECT_TRUE(peer.IsClosed());
}

TEST(HttpFraming, ABodyMayComeInChunks) {
  const std::string body = Request({"a cat?"});
  char size[16];
  std::snprintf(size, sizeof size, "%zx", body.size() - 1);
  EXPECT_EQ(
      StatusOf("POST " + ModelPath("/infer") + " HTTP/1.1\r\n" + Host() + "Transfer-Encoding: chunked\r\n\r\n1\r\n" +
               body.substr(0, 1) + "\r\n" + size + "\r\n" + body.substr(1) + "\r\n0\r\n\r\n"),
      200);
}

TEST(HttpFraming, ABodyMayWaitForContinue) {
  Peer peer;
  const std::string body = Request({"a cat?"});
  peer.Send("POST " + ModelPath("/infer") + " HTTP/1.1\r\n" + Host() +
            "Expect: 100-continue\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
  EXPECT_EQ(peer.Read().status, 100);
  peer.Send(body);
  EXPECT_EQ(peer.Read().status, 200);
}

TEST(HttpFraming, B15PipelinedRequestsAreAnsweredInOrderUntilABadOne) {
  Peer peer;
  std::string all;
  for (int n = 0; n < 30; ++n)
    all += Format("POST", ModelPath("/infer"), Request({"a cat?"}, "\"id\":\"" + std::to_string(n) + "\","));
  peer.Send(all + "BAD\r\n\r\n" + Format("GET", "/v2/health/live"));
  for (int n = 0; n < 30; ++n) ASSERT_EQ(StringOf(peer.Read().json(), "id"), std::to_string(n));
  EXPECT_EQ(peer.Read().status, 400);
  EXPECT_TRUE(peer.IsClosed());
}

TEST(HttpFraming, B6ToB9LengthsThatAreAmbiguousAreRefused) {
  const std::string start = "POST " + ModelPath("/infer") + " HTTP/1.1\r\n" + Host();
  for (const char* headers :
       {"Content-Length: -1", "Content-Length: +5", "Content-Length: 0x10", "Content-Length: 5_0",
        "Content-Length:", "Content-Length: 5,5", "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: ,chunked", "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"}) {
    EXPECT_THAT(StatusOf(start + headers + "\r\n\r\n0\r\n\r\n"), AnyOf(400, 501)) << headers;
  }
  EXPECT_EQ(StatusOf(start + "Content-Length: 1000000000000000000\r\n\r\n"), 413);
}

TEST(HttpFraming, B10ToB13WhatIsNoPlainHttpIsRefused) {
  const std::string chunked =
      "POST " + ModelPath("/infer") + " HTTP/1.1\r\n" + Host() + "Transfer-Encoding: chunked\r\n\r\n";
  const std::string get = "GET /v2/health/live HTTP/1.1\r\n" + Host();
  for (const std::string& bytes :
       {chunked + "0x5\r\nhello\r\n0\r\n\r\n", chunked + "+5\r\nhello\r\n0\r\n\r\n",
        chunked + "-1\r\nhello\r\n0\r\n\r\n", chunked + "\r\nhello\r\n0\r\n\r\n", chunked + "5\r\nhelloXX0\r\n\r\n",
        get + "A : b\r\n\r\n", get + "A\r\n\r\n", get + "A: b\r\n c\r\n\r\n", get + std::string("A: b\0c\r\n\r\n", 10),
        get + "A: \x80\r\n\r\n", std::string("GET /v2/health/live\r\n\r\n"),
        "GET /v2/health/live HTTP/1.10\r\n" + Host() + "\r\n", std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        std::string("GET /v2/health/live HTTP/1.1\r\n\r\n"), std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 9)}) {
    EXPECT_THAT(StatusOf(bytes), AnyOf(400, 505)) << bytes.substr(0, 80);
  }
  EXPECT_THAT(StatusOf(get + "A: " + std::string(65536, 'a') + "\r\n\r\n"), 431);
  EXPECT_EQ(StatusOf("GET /" + std::string(16384, 'a') + " HTTP/1.1\r\n" + Host() + "\r\n"), 414);
}

TEST(HttpFraming, B24AndB25PathsAndMethodsThatAreNotThereAreRefused) {
  for (const char* path :
       {"/v2/../etc/passwd", "/%2e%2e%2fetc", "/v2/%00", "//v2", "/v2/..;/x", "/v2\\x", "/nothing"}) {
    EXPECT_THAT(Ask("GET", path).status, AnyOf(400, 404)) << path;
  }
  for (const char* method : {"TRACE", "PUT", "DELETE"}) {
    const Answer answer = Ask(method, "/v2/health/live");
    EXPECT_EQ(answer.status, 405) << method;
    EXPECT_NE(answer.headers.find("allow"), answer.headers.end()) << method;
  }
  EXPECT_EQ(Ask("GET", ModelPath("/infer")).status, 405);
}

TEST(HttpFraming, AfterAllOfThatTheServerStillAnswers) { EXPECT_EQ(Infer(Request({"a cat?"})).status, 200); }

}  // namespace
}  // namespace pawsight::conformance
