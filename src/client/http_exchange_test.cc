#include "client/http_exchange.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pawsight::client {
namespace {

using ::testing::HasSubstr;

TEST(ServerUrl, HostAndPortAreTaken) {
  const auto read = [](std::string_view url) {
    const Result<ServerUrl> parsed = ParseServerUrl(url);
    if (!parsed.ok()) return std::string("refused");
    return std::string(parsed->tls ? "tls " : "") + parsed->host + " " + std::to_string(parsed->port) + " " +
           parsed->Authority();
  };
  EXPECT_EQ(read("http://worker-1:8000"), "worker-1 8000 worker-1:8000");
  EXPECT_EQ(read("http://worker.internal/"), "worker.internal 80 worker.internal");
  EXPECT_EQ(read("https://10.0.0.5"), "tls 10.0.0.5 443 10.0.0.5");
  EXPECT_EQ(read("http://[::1]:8000"), "::1 8000 [::1]:8000");
  for (const char* url : {"", "worker:8000", "ftp://worker", "http://", "http://:80", "http://worker:0",
                          "http://worker:65536", "http://worker:x", "http://worker:", "http://worker:80/v2",
                          "http://worker?x", "http://a@worker", "http://a b", "http://[::1", "http://[worker]",
                          "http://[]:80", "http://worker:80:80", "http://wor\r\nker", "HTTP://worker"}) {
    EXPECT_EQ(read(url), "refused") << url;
  }
}

TEST(HttpExchange, AHeadIsWhatTheServerReads) {
  EXPECT_EQ(GetHead("w:1", "", "/v2"), "GET /v2 HTTP/1.1\r\nHost: w:1\r\nUser-Agent: pawsight\r\nAccept: */*\r\n\r\n");
  EXPECT_THAT(InferHead("w:1", "secret", "vqa", 10, 30),
              HasSubstr("Authorization: Bearer secret\r\nContent-Type: application/octet-stream\r\n"
                        "Inference-Header-Content-Length: 10\r\nContent-Length: 30\r\n\r\n"));
  EXPECT_EQ(RequestHead("w:1", "", "DELETE", "/v1/owners/a", "", 0),
            "DELETE /v1/owners/a HTTP/1.1\r\nHost: w:1\r\nUser-Agent: pawsight\r\nAccept: */*\r\n\r\n");
  EXPECT_THAT(RequestHead("w:1", "", "POST", "/v1/cameras/a/frames?wait=answers", "image/jpeg", 7),
              HasSubstr("\r\nContent-Type: image/jpeg\r\nContent-Length: 7\r\n\r\n"));
}

TEST(HttpExchange, AStatusSaysWhatHappenedAndWhetherItMayHaveRun) {
  const auto result = [](int status, net::HttpHeaders headers = {}) {
    return ReadInferResult({status, std::move(headers), R"({"error":"why"})"}, {});
  };
  struct Row {
    int status;
    StatusCode code;
    bool may_have_run;
  };
  for (const Row& row :
       {Row{400, StatusCode::kInvalidArgument, false}, Row{401, StatusCode::kUnauthenticated, false},
        Row{403, StatusCode::kPermissionDenied, false}, Row{404, StatusCode::kNotFound, false},
        Row{413, StatusCode::kInvalidArgument, false}, Row{429, StatusCode::kResourceExhausted, false},
        Row{499, StatusCode::kCancelled, true}, Row{500, StatusCode::kInternal, true},
        Row{501, StatusCode::kUnimplemented, false}, Row{502, StatusCode::kUnavailable, true},
        Row{503, StatusCode::kUnavailable, false}, Row{504, StatusCode::kDeadlineExceeded, true},
        Row{302, StatusCode::kFailedPrecondition, false}, Row{418, StatusCode::kFailedPrecondition, false},
        Row{202, StatusCode::kFailedPrecondition, true}}) {
    const InferResult got = result(row.status);
    EXPECT_EQ(got.response.status().code(), row.code) << row.status;
    EXPECT_EQ(got.may_have_run, row.may_have_run) << row.status;
  }
  EXPECT_THAT(result(503).response.status().message(), HasSubstr("503: why"));
  EXPECT_THAT(result(307).response.status().message(), HasSubstr("redirects are not followed"));
  EXPECT_EQ(result(200).response.status().code(), StatusCode::kDataLoss);  // no outputs
  EXPECT_EQ(result(429, {{"retry-after", "2"}}).retry_after, std::chrono::seconds(2));
  EXPECT_EQ(result(429, {{"retry-after", "99999999"}}).retry_after, std::chrono::hours(1));
  EXPECT_EQ(result(429, {}).response.status().reason(), "http_429");
  const InferResult coded = ReadInferResult({429, {}, R"({"error":"full","code":"queue_full"})"}, {});
  EXPECT_EQ(coded.response.status().reason(), "queue_full");
  EXPECT_EQ(ReadInferResult({307, {}, R"({"code":"queue_full"})"}, {}).response.status().reason(), "http_307");
  for (const char* date : {"Wed, 21 Oct 2026 07:28:00 GMT", "-1", "", "1.5"}) {
    EXPECT_EQ(result(429, {{"retry-after", date}}).retry_after, std::nullopt) << date;
  }
}

}  // namespace
}  // namespace pawsight::client
