// Rows of the list of hostile inputs that no other suite asks a server about; each ends with a server that still
// serves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http_peer.h"

namespace pawsight::conformance {
namespace {

using ::testing::AnyOf;
using ::testing::Each;

std::string Host() { return "Host: " + TheTarget().host + "\r\n"; }
std::string Post(const std::string& headers, const std::string& rest) {
  return "POST " + ModelPath("/infer") + " HTTP/1.1\r\n" + Host() + headers + "\r\n\r\n" + rest;
}

/// The status of the first response to `bytes`; 0 when the server only closes.
int StatusOf(const std::string& bytes) {
  Peer peer;
  peer.Send(bytes);
  return peer.Read().status;
}

void ExpectRefused(const std::string& bytes) {
  EXPECT_THAT(StatusOf(bytes), AnyOf(400, 411, 413, 414, 415, 431, 501, 505)) << bytes.substr(0, 120);
}

/// What each of the tests must leave behind.
class HttpHostile : public ::testing::Test {
 protected:
  ~HttpHostile() override { EXPECT_EQ(Infer(Request({"a cat?"})).status, 200) << "the next valid request"; }
};

TEST_F(HttpHostile, B5HeadersThatAreLongOrManyAreRefused) {
  const std::string get = "GET /v2/health/live HTTP/1.1\r\n" + Host();
  EXPECT_EQ(StatusOf(get + "A: " + std::string(65536, 'a') + "\r\n\r\n"), 431);
  std::string many;
  for (int n = 0; n < 10000; ++n) many += "A" + std::to_string(n) + ": b\r\n";
  EXPECT_EQ(StatusOf(get + many + "\r\n"), 431);
  EXPECT_EQ(StatusOf("GET /" + std::string(16384, 'a') + " HTTP/1.1\r\n" + Host() + "\r\n"), 414);
}

TEST_F(HttpHostile, B6LengthsThatAreNoLength) {
  for (const char* length : {"1e18", "5 5", "5;", "\t", "99999999999999999999999999", "5,6", "٥"}) {
    ExpectRefused(Post("Content-Length: " + std::string(length), "hello"));
  }
  EXPECT_EQ(StatusOf(Post("Content-Length: 1000000000000000000", "")), 413);
}

TEST_F(HttpHostile, B10ChunksThatAreNotPlain) {
  for (const std::string& chunk :
       {std::string("00000000000000005\r\nhello\r\n"), std::string("fffffffffffffffff\r\n"),
        std::string("ffffffffffffffff\r\n"), std::string("5 ;x\r\nhello\r\n"),
        "5;" + std::string(1U << 20U, 'x') + "\r\nhello\r\n", std::string("5\nhello\r\n"), std::string("5\rhello\r\n"),
        std::string("5\r\nhello\r\nXX\r\n"), std::string("5\r\nhello\n"), std::string(" 5\r\nhello\r\n")}) {
    ExpectRefused(Post("Transfer-Encoding: chunked", chunk + "0\r\n\r\n"));
  }
}

TEST_F(HttpHostile, B11AndB12LinesThatAreNotPlain) {
  const std::string get = "GET /v2/health/live HTTP/1.1\r\n" + Host();
  for (const std::string& bytes :
       {"GET /v2/health/live HTTP/1.1\n" + Host() + "\n", get + "A: b\nC: d\r\n\r\n", get + "A: b\rC: d\r\n\r\n",
        get + std::string("A\0: b\r\n\r\n", 9), get + "A\x80: b\r\n\r\n", get + "A: \xa0\r\n\r\n",
        get + " A: b\r\n\r\n", get + "A: b\r\n\tc\r\n\r\n", get + ": b\r\n\r\n", get + "A;B: c\r\n\r\n"}) {
    ExpectRefused(bytes);
  }
}

TEST_F(HttpHostile, B14ABodyInMillionsOfChunksIsReadOrRefused) {
  Peer peer;
  peer.Send(Post("Transfer-Encoding: chunked", ""));
  std::string many;
  for (int n = 0; n < 65536; ++n) many += "1\r\n{\r\n";
  for (int n = 0; n < 48; ++n) peer.Send(many);
  peer.Send("0\r\n\r\n");
  EXPECT_THAT(peer.Read().status, AnyOf(400, 413));
}

TEST_F(HttpHostile, B15AThousandPipelinedRequestsWithABadOneInTheMiddle) {
  std::string all;
  for (int n = 0; n < 500; ++n) all += Format("GET", n % 2 == 0 ? "/v2/health/live" : "/no/such/path");
  Peer peer;
  peer.Send(all + "GET / HTTP/1.1\r\nA\r\n\r\n" + all);
  std::vector<int> seen;
  for (int n = 0; n < 500; ++n) seen.push_back(peer.Read().status == (n % 2 == 0 ? 200 : 404) ? 1 : 0);
  EXPECT_THAT(seen, Each(1));
  EXPECT_EQ(peer.Read().status, 400);
  EXPECT_TRUE(peer.IsClosed());
}

TEST_F(HttpHostile, B17CodedBodiesAreNotUnpacked) {
  for (const char* coding : {"gzip", "deflate", "br", "gzip, gzip", "identity, gzip"}) {
    EXPECT_THAT(StatusOf(Post("Content-Length: 5\r\nContent-Encoding: " + std::string(coding), "\x1f\x8b\x08zz")),
                AnyOf(400, 415))
        << coding;
  }
}

TEST_F(HttpHostile, B18JsonThatIsLargerThanItLooks) {
  std::string keys = "{";
  for (int n = 0; n < 1000000; ++n) keys += "\"" + std::to_string(n) + "\":1,";
  keys.back() = '}';
  const std::string good = Request({"a cat?"});
  std::string wide;  // UTF-16, little-endian
  for (const char c : good) wide += std::string(1, c) + std::string(1, '\0');
  for (const std::string& body : {keys, "{\"x\":" + std::string(8U << 20U, '9') + "}", wide, "\xff\xfe" + wide}) {
    EXPECT_THAT(Infer(body).status, AnyOf(400, 413)) << body.substr(0, 20);
  }
}

TEST_F(HttpHostile, B24PathsThatLeaveTheirTree) {
  for (const char* path : {"/v2/%c0%af", "/v2/models/../../etc/passwd", "/v2/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
                           "/v2/models/vqa%00.txt", "/./v2", "/v2/./health", "http:/v2", "v2", "*", "/v2#x"}) {
    EXPECT_THAT(StatusOf(std::string("GET ") + path + " HTTP/1.1\r\n" + Host() + "\r\n"), AnyOf(400, 404)) << path;
  }
}

TEST_F(HttpHostile, B25MethodsForOtherKindsOfServers) {
  for (const char* line : {"CONNECT example.com:443", "OPTIONS *", "GET http://example.com/v2/health/live"}) {
    EXPECT_THAT(StatusOf(std::string(line) + " HTTP/1.1\r\n" + Host() + "\r\n"), AnyOf(400, 404, 405, 421)) << line;
  }
  for (const char* method : {"TRACE", "OPTIONS", "PATCH", "get", "PROPFIND"}) {
    EXPECT_THAT(Ask(method, "/v2/health/live").status, AnyOf(400, 405)) << method;
  }
}

TEST_F(HttpHostile, B26FormsAreRefusedAndAMissingContentTypeIsNot) {
  const std::string body = Request({"a cat?"});
  EXPECT_EQ(Infer(body).status, 200);
  const std::string part = "--x\r\nContent-Disposition: form-data; name=\"../../etc/passwd\"\r\n\r\n1\r\n";
  std::string parts;
  for (int n = 0; n < 10000; ++n) parts += part;
  for (const std::string& form : {std::string("multipart/form-data"), std::string("multipart/form-data; boundary=x"),
                                  std::string("Multipart/Mixed; boundary=\"")}) {
    EXPECT_THAT(Infer(parts + "--x--\r\n", {{"Content-Type", form}}).status, AnyOf(400, 413, 415)) << form;
  }
}

TEST_F(HttpHostile, B27HostsThatAreMissingTwiceOrNotOurs) {
  const std::string get = "GET /v2/health/live HTTP/1.1\r\n";
  ExpectRefused(get + "\r\n");
  ExpectRefused(get + Host() + Host() + "\r\n");
  EXPECT_THAT(StatusOf(get + "Host: evil.example\r\n\r\n"), AnyOf(200, 400, 421)) << "ours says 421";
  EXPECT_EQ(StatusOf(get + Host() + "X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Host: evil.example\r\n\r\n"), 200);
}

TEST_F(HttpHostile, B32DeadlinesThatHavePassedOrAreFarAway) {
  const auto with = [](const std::string& timeout) {
    return Infer(Request({"a cat?"}, "\"parameters\":{\"timeout\":" + timeout + "},")).status;
  };
  EXPECT_EQ(with("0"), 200) << "none";
  EXPECT_THAT(with("1"), AnyOf(200, 504)) << "a model that is empty answers at once";
  EXPECT_EQ(with("1000000000000"), 200) << "cut to the server's longest";
  for (const char* none : {"-1", "1.5", "\"1\"", "1e400", "99999999999999999999", "true"}) EXPECT_EQ(with(none), 400);
}

}  // namespace
}  // namespace pawsight::conformance
