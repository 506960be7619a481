#include "net/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "net/http_server.h"
#include "net/testing.h"

namespace pawsight::net {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

HttpResponse Redirect(const std::string& to) {
  HttpResponse response;
  response.status = 302;
  response.headers = {{"Location", to}};
  return response;
}

class HttpClientTest : public ::testing::Test {
 protected:
  HttpClientTest() {
    router_.Add("GET", "/snap", [](const HttpRequest&) {
      return HttpResponse{200, "image/jpeg", std::string(1000, 'j'), {}};
    });
    router_.Add("GET", "/secret", [](const HttpRequest& request) {
      const bool right = request.Header("authorization") == "Basic YWRtaW46cHc=";
      return right ? HttpResponse{}
                   : HttpResponse{401, "text/plain", "", {{"WWW-Authenticate", "Basic realm=\"cam\""}}};
    });
    router_.Add("GET", "/to-file", [](const HttpRequest&) { return Redirect("file:///etc/passwd"); });
    router_.Add("GET", "/to-snap", [](const HttpRequest&) { return Redirect("/snap"); });
    router_.Add("GET", "/round", [](const HttpRequest&) { return Redirect("/round"); });
    router_.Add("GET", "/busy", [](const HttpRequest&) { return HttpResponse{503, "text/plain", "busy", {}}; });
    router_.AddStream("/silent", {&broadcast_, nullptr});
    server_ = std::move(HttpServer::Start({}, router_).value());
  }
  Result<Fetched> Get(const std::string& path, const FetchOptions& options = {}) {
    return client_.Get(server_->url() + path, options, {});
  }

  Router router_;
  Broadcast broadcast_;
  std::unique_ptr<HttpServer> server_;
  HttpClient client_;
};

TEST_F(HttpClientTest, ABodyIsFetchedWithItsType) {
  for (int n = 0; n < 3; ++n) {
    const Fetched fetched = Get("/snap").value();
    EXPECT_EQ(fetched.content_type, "image/jpeg");
    EXPECT_EQ(fetched.body.size(), 1000U);
  }
  EXPECT_EQ(Get("/to-snap").value().body.size(), 1000U) << "redirects within http are followed";
}

TEST_F(HttpClientTest, EachFailureHasItsCode) {
  EXPECT_EQ(Get("/none").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Get("/busy").status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(Get("/secret").status().code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(Get("/to-file").status().code(), StatusCode::kInvalidArgument) << "no redirect to another scheme";
  EXPECT_EQ(Get("/round").status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(Get("/snap", {.max_bytes = 999}).status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(Get("/silent", {.stall_timeout = milliseconds(300)}).status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(Get("/silent", {.total_timeout = milliseconds(300)}).status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(client_.Get("ftp://127.0.0.1/x", {}, {}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(client_.Get("file:///etc/passwd", {}, {}).status().code(), StatusCode::kInvalidArgument);
  const std::string gone = server_->url() + "/snap";
  server_->Stop();
  EXPECT_EQ(client_.Get(gone, {}, {}).status().code(), StatusCode::kUnavailable);
}

TEST_F(HttpClientTest, AnAddressThatMayNotBeIsNeverConnectedToWhateverNameOrRedirectLeadsThere) {
  HttpServerOptions elsewhere;
  elsewhere.listen.host = "127.0.0.2";
  const auto inside = HttpServer::Start(elsewhere, router_).value();
  Router leads;
  leads.Add("GET", "/to-inside", [to = inside->url()](const HttpRequest&) { return Redirect(to + "/snap"); });
  const auto leading = HttpServer::Start({}, leads).value();
  std::atomic<int> num_asked{0};
  const FetchOptions guarded{.may_connect = [&](const sockaddr* address) {
    ++num_asked;
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    return v4.sin_family == AF_INET && ntohl(v4.sin_addr.s_addr) == INADDR_LOOPBACK;
  }};
  EXPECT_TRUE(client_.Get(server_->url() + "/snap", guarded, {}).ok());
  EXPECT_EQ(num_asked, 1);
  for (const std::string& url : {inside->url() + "/snap", leading->url() + "/to-inside"}) {
    const Status refused = client_.Get(url, guarded, {}).status();
    EXPECT_EQ(refused.code(), StatusCode::kPermissionDenied) << refused.ToString();
    EXPECT_EQ(refused.reason(), "address_refused");
  }
  const FetchOptions none{.may_connect = [](const sockaddr*) { return false; }};
  std::string named = server_->url();
  named.replace(named.find("127.0.0.1"), 9, "localhost");
  HttpClient fresh;
  EXPECT_EQ(fresh.Get(named + "/snap", none, {}).status().reason(), "address_refused");
}

TEST_F(HttpClientTest, CredentialsAreUsedAndNeverShown) {
  std::string url = server_->url();
  url.insert(url.find("//") + 2, "admin:pw@");
  EXPECT_TRUE(client_.Get(url + "/secret", {}, {}).ok());
  EXPECT_THAT(client_.Get(url + "/none", {}, {}).status().message(), Not(HasSubstr("pw")));
  EXPECT_EQ(RedactUrl("rtsp://admin:p@w@cam:554/1?a=b@c"), "rtsp://cam:554/1?...");
  EXPECT_EQ(RedactUrl("http://cam/snap.cgi?user=admin&pwd=geheim"), "http://cam/snap.cgi?...");
  EXPECT_EQ(RedactUrl("http://cam/a@b"), "http://cam/a@b");
  EXPECT_EQ(RedactUrl("video.mp4"), "video.mp4");
}

TEST_F(HttpClientTest, AStreamIsReadUntilTheReaderHasEnough) {
  std::string got;
  std::thread publisher([this] {
    while (broadcast_.NumSubscribers() == 0) std::this_thread::yield();
    broadcast_.Publish("x", "1");
  });
  const Status status =
      client_.Stream(server_->url() + "/silent", {}, {}, [&](std::string_view type, std::span<const uint8_t> bytes) {
        EXPECT_EQ(type, "text/event-stream");
        got.append(bytes.begin(), bytes.end());
        return got.find("data: 1") == std::string::npos;
      });
  publisher.join();
  EXPECT_TRUE(status.ok()) << status.ToString();
}

TEST_F(HttpClientTest, AStopRequestEndsAStreamThatSaysNothing) {
  std::stop_source stop;
  std::thread stopper([&] {
    while (broadcast_.NumSubscribers() == 0) std::this_thread::yield();
    stop.request_stop();
  });
  const Status status =
      client_.Stream(server_->url() + "/silent", {}, stop.get_token(), [](auto, auto) { return true; });
  stopper.join();
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
}

}  // namespace
}  // namespace pawsight::net
