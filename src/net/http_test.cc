#include "net/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "net/router.h"

namespace pawsight::net {
namespace {

TEST(HttpTest, OnlyPlainAbsolutePathsAreTaken) {
  for (const char* good : {"/", "/frame.jpg", "/v1/cameras/den-2/frames", "/v1/", "/a/.well-known/~x_y"}) {
    EXPECT_TRUE(IsPlainPath(good)) << good;
  }
  for (const char* bad : {"", "x", "//", "/a//b", "/../x", "/a/..", "/a/./b", "/%2e%2e/x", "/a%00", "/a\\b",
                          "/a;b/..;/", "/a b", "/\xc0\xae", "*", "http://x/"}) {
    EXPECT_FALSE(IsPlainPath(bad)) << bad;
  }
}

TEST(HttpTest, QueriesAndHeadersAreFoundByName) {
  HttpRequest request;
  request.query = "after=7&limit=&x&after=9";
  request.headers = {{"accept", "a"}, {"accept", "b"}};
  EXPECT_EQ(request.Query("after"), "7");
  EXPECT_EQ(request.Query("limit"), "");
  EXPECT_EQ(request.Query("x"), "");
  EXPECT_EQ(request.Query("aft"), "");
  EXPECT_EQ(request.Header("accept"), "a");
  EXPECT_EQ(request.Header("host"), "");
}

TEST(HttpTest, AListenAddressIsAnIpAddressAndAPort) {
  EXPECT_EQ(ParseListenAddress("127.0.0.1:8080")->port, 8080);
  EXPECT_EQ(ParseListenAddress("localhost:0")->host, "127.0.0.1");
  EXPECT_EQ(ParseListenAddress(":81")->host, "127.0.0.1");
  EXPECT_EQ(ParseListenAddress("[::1]:82")->host, "::1");
  EXPECT_EQ(ParseListenAddress("0.0.0.0:83")->host, "0.0.0.0");
  for (const char* bad :
       {"", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:8x", "cam.local:80"}) {
    EXPECT_EQ(ParseListenAddress(bad).status().code(), StatusCode::kInvalidArgument) << bad;
  }
}

TEST(HttpTest, AProblemSaysItsStableCode) {
  const HttpResponse response = ProblemResponse(ResourceExhausted("disk", "disk_full"));
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(response.content_type, "application/problem+json");
  const Json json = Json::Parse(response.body).value();
  EXPECT_EQ(json.GetString("code").value(), "disk_full");
  EXPECT_EQ(Json::Parse(ProblemResponse(NotFound("x")).body)->GetString("code").value(), "not_found");
}

TEST(RouterTest, APatternsBracesStandForOneSegment) {
  Router router;
  router.Add("GET", "/v1/cameras/{id}", [](const HttpRequest&) { return HttpResponse{}; });
  router.Add("POST", "/v1/cameras/{id}/frames", [](const HttpRequest&) { return HttpResponse{}; });
  EXPECT_THAT(router.Find("GET", "/v1/cameras/den").parameters, ::testing::ElementsAre("den"));
  EXPECT_NE(router.Find("POST", "/v1/cameras/den/frames").handler, nullptr);
  EXPECT_NE(router.Find("HEAD", "/v1/cameras/den").handler, nullptr);
  EXPECT_EQ(router.Find("POST", "/v1/cameras/den").handler, nullptr);
  EXPECT_EQ(router.Find("POST", "/v1/cameras/den").allowed, "GET, HEAD");
  EXPECT_EQ(router.Find("GET", "/v1/cameras").allowed, "");
  EXPECT_EQ(router.Find("GET", "/v1/cameras/").allowed, "");
}

}  // namespace
}  // namespace pawsight::net
