#include "net/http_response_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pawsight::net {
namespace {

using ::testing::HasSubstr;
using Event = HttpResponseReader::Event;

/// The response as text, however the bytes are cut; "refused: why" or "more".
std::string Story(std::string_view bytes, size_t piece = std::string_view::npos,
                  const HttpResponseLimits& limits = {}) {
  HttpResponseReader reader(limits);
  while (!bytes.empty()) {
    std::string_view part = bytes.substr(0, piece);
    bytes.remove_prefix(part.size());
    const Event event = reader.Read(&part);
    if (event == Event::kRefused) return "refused: " + reader.error().message();
    if (event == Event::kWhole) {
      return std::to_string(reader.response().status) + (reader.keep_alive() ? " keep " : " close ") +
             reader.response().body + " left=" + std::to_string(part.size());
    }
    EXPECT_TRUE(part.empty());
  }
  return "more";
}

TEST(HttpResponseReader, AResponseIsReadHoweverItIsCut) {
  const std::string sized = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello";
  const std::string chunks =
      "HTTP/1.1 429 Too Many\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  const std::string interim = "HTTP/1.1 100 Continue\r\n\r\n" + sized;
  for (const size_t piece : {1UL, 2UL, 3UL, 7UL, 1000UL}) {
    EXPECT_EQ(Story(sized, piece), "200 keep hello left=0") << piece;
    EXPECT_EQ(Story(chunks, piece), "429 keep abcde left=0") << piece;
    EXPECT_EQ(Story(interim, piece), "200 keep hello left=0") << piece;
  }
  EXPECT_EQ(Story("HTTP/1.1 204 No Content\r\n\r\n"), "204 keep  left=0");
  EXPECT_EQ(Story("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: foo, Close\r\n\r\n"), "200 close  left=0");
  EXPECT_EQ(Story("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx"), "200 close x left=0");
  EXPECT_EQ(Story(sized + "HTTP"), "200 keep hello left=4");
}

TEST(HttpResponseReader, WhatIsNotWholeIsNotTakenForIt) {
  EXPECT_EQ(Story(""), "more");
  EXPECT_EQ(Story("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell"), "more");
  EXPECT_EQ(Story("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello"), "more");
  EXPECT_THAT(Story("HTTP/1.1 200 OK\r\n\r\nuntil I close"), HasSubstr("want one Content-Length"));
}

TEST(HttpResponseReader, WhatCouldBeReadInTwoWaysIsRefused) {
  const auto with = [](const std::string& headers) { return Story("HTTP/1.1 200 OK\r\n" + headers + "\r\n\r\nxxxx"); };
  for (const char* headers :
       {"Content-Length: 1\r\nContent-Length: 2", "Content-Length: 1\r\nContent-Length: 1", "Content-Length: +1",
        "Content-Length: 0x1", "Content-Length: -1", "Content-Length: ", "Content-Length: 1,1",
        "Content-Length: 1000000000000000000", "Content-Length: 1\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Content-Length: 1\r\nContent-Encoding: gzip", "Content-Length : 1", " folded: 1\r\nContent-Length: 1",
        "no colon\r\nContent-Length: 1", ": no name\r\nContent-Length: 1", "X: \x01\r\nContent-Length: 1",
        "X: a\nContent-Length: 1"}) {
    EXPECT_THAT(with(headers), HasSubstr("refused: not an HTTP response")) << headers;
  }
  for (const char* line : {"HTTP/2 200 OK", "HTTP/1.2 200 OK", "HTTP/1.1 20 OK", "HTTP/1.1 600 OK", "http/1.1 200 OK",
                           "HTTP/1.1  200 OK", "HTTP/1.1 2000 OK", "SSH-2.0-OpenSSH", "", "HTTP/1.1 101 Switching"}) {
    EXPECT_THAT(Story(std::string(line) + "\r\nContent-Length: 0\r\n\r\n"), HasSubstr("refused: not an HTTP")) << line;
  }
}

TEST(HttpResponseReader, EverythingHasALimit) {
  HttpResponseLimits limits;
  limits.max_body_bytes = 8;
  limits.max_header_bytes = 100;
  limits.max_headers = 3;
  const std::string head = "HTTP/1.1 200 OK\r\n";
  EXPECT_EQ(Story(head + "Content-Length: 8\r\n\r\n12345678", 5, limits), "200 keep 12345678 left=0");
  EXPECT_THAT(Story(head + "Content-Length: 9\r\n\r\n", 5, limits), HasSubstr("body is larger than 8"));
  EXPECT_THAT(Story(head + "Transfer-Encoding: chunked\r\n\r\n9\r\n123456789", 5, limits), HasSubstr("larger than 8"));
  EXPECT_THAT(Story(head + "X: " + std::string(100, 'x'), 5, limits), HasSubstr("header is larger than 100"));
  EXPECT_THAT(Story(head + "X: " + std::string(100000, 'x'), 100000, limits), HasSubstr("header is larger than 100"));
  EXPECT_THAT(Story(head + "A: \r\nB: \r\nC: \r\nD: \r\n\r\n", 5, limits), HasSubstr("more than 3 headers"));
  std::string interim;
  for (int i = 0; i < 5; ++i) interim += "HTTP/1.1 102 Processing\r\n\r\n";
  EXPECT_THAT(Story(interim, 5, limits), HasSubstr("too many interim"));
}

TEST(HttpResponseReader, OneResponseAfterAnotherComesOnOneConnection) {
  HttpResponseReader reader;
  std::string_view bytes =
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 503 No\r\nRetry-After: 2\r\nContent-Length: 1\r\n\r\nb";
  ASSERT_EQ(reader.Read(&bytes), Event::kWhole);
  EXPECT_EQ(reader.Take().body, "a");
  reader.Reset();
  EXPECT_FALSE(reader.started());
  ASSERT_EQ(reader.Read(&bytes), Event::kWhole);
  EXPECT_EQ(reader.response().status, 503);
  EXPECT_EQ(reader.response().Header("retry-after"), "2");
  EXPECT_EQ(reader.response().Header("retry"), std::nullopt);
}

}  // namespace
}  // namespace pawsight::net
