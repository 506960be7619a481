#include "tools/live_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <utility>

#include "base/mutex.h"
#include "net/broadcast.h"
#include "net/http_server.h"
#include "net/router.h"

namespace pawsight::tools {
namespace {

using ::testing::HasSubstr;

constexpr const char* kAnswered = R"({"frame":"frm_1","asked":true,"rules":[]})";

/// A gateway's live stream, of which a test says what it tells.
class LiveStreamTest : public ::testing::Test {
 protected:
  LiveStreamTest() {
    router_.AddStream("/v1/live", {&broadcast_,
                                   [this] {
                                     MutexLock lock(mu_);
                                     ++num_begun_;
                                     begun_.NotifyAll();
                                     return std::string();
                                   },
                                   [this](const net::HttpRequest&) -> Result<net::Broadcast::Interest> {
                                     MutexLock lock(mu_);
                                     if (!refusal_.ok()) return refusal_;
                                     return net::Broadcast::Interest{"", "a credential"};
                                   }});
  }
  Result<std::unique_ptr<LiveStream>> Begin(const net::Router& router) {
    server_ = std::move(net::HttpServer::Start({}, router).value());
    return LiveStream::Begin(server_->url(), "token", frames_);
  }
  /// Until that many subscriptions have begun.
  void AwaitBegun(int count) {
    MutexLock lock(mu_);
    while (num_begun_ < count) begun_.Wait(mu_);
  }
  /// How a frame ends that is waited for.
  std::future<CallOutcome> Await(const std::string& frame) {
    const auto ended = std::make_shared<std::promise<CallOutcome>>();
    frames_.Await(frame, client::Deadline::max(), frames_.Posted(),
                  [ended](CallOutcome outcome) { ended->set_value(std::move(outcome)); });
    return ended->get_future();
  }

  Mutex mu_;
  CondVar begun_;
  int num_begun_ GUARDED_BY(mu_) = 0;
  Status refusal_ GUARDED_BY(mu_);
  net::Broadcast broadcast_;
  net::Router router_;
  std::unique_ptr<net::HttpServer> server_;
  AwaitedFrames frames_;
};

TEST_F(LiveStreamTest, AFrameEndsAsTheStreamSays) {
  const auto stream = Begin(router_);
  ASSERT_TRUE(stream.ok()) << stream.status().message();
  auto ended = Await("frm_1");
  broadcast_.Publish("alert", R"({"frame":"frm_1"})");
  broadcast_.Publish("frame", "no frame");
  broadcast_.Publish("frame", kAnswered);
  EXPECT_EQ(ended.get().reason, "");
}

TEST_F(LiveStreamTest, AnErrorIsNoBeginAndIsToldAtOnce) {
  net::Router nothing;
  const Status absent = Begin(nothing).status();
  EXPECT_EQ(absent.code(), StatusCode::kNotFound) << absent.message();
  EXPECT_THAT(absent.message(), HasSubstr("/v1/live"));

  {
    MutexLock lock(mu_);
    refusal_ = Status(StatusCode::kUnauthenticated, "no", "token_wrong");
  }
  EXPECT_EQ(Begin(router_).status().code(), StatusCode::kUnauthenticated);

  net::Router page;
  page.Add("GET", "/v1/live", [](const net::HttpRequest&) {
    net::HttpResponse response;
    response.content_type = "text/html";
    response.body = "<html>a portal";
    return response;
  });
  const Status other = Begin(page).status();
  EXPECT_EQ(other.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(other.message(), HasSubstr("not text/html"));
  server_.reset();
}

TEST_F(LiveStreamTest, AStreamThatBreaksFailsWhatItShouldHaveToldOfAndIsBegunAnew) {
  const auto stream = Begin(router_);
  ASSERT_TRUE(stream.ok()) << stream.status().message();
  auto lost = Await("frm_lost");
  broadcast_.End("a credential");
  EXPECT_EQ(lost.get().reason, "stream_broken");
  AwaitBegun(2);
  auto ended = Await("frm_1");
  broadcast_.Publish("frame", kAnswered);
  EXPECT_EQ(ended.get().reason, "") << "by the second connection";
  EXPECT_EQ(frames_.num_breaks(), 1);
}

TEST_F(LiveStreamTest, WhatTheGatewayGaveUpBecauseItWasReadTooSlowlyIsUnseen) {
  const auto stream = Begin(router_);
  ASSERT_TRUE(stream.ok()) << stream.status().message();
  const auto dropped = std::make_shared<std::promise<CallOutcome>>();
  const int64_t breaks = frames_.Posted();          // frm_2, of which the stream will not tell
  broadcast_.Publish("dropped", R"({"count":1})");  // as Broadcast::Take tells it
  broadcast_.Publish("frame", kAnswered);
  EXPECT_EQ(Await("frm_1").get().reason, "") << "so the one before it has been read as well";
  frames_.Await("frm_2", client::Deadline(), breaks,
                [dropped](CallOutcome outcome) { dropped->set_value(std::move(outcome)); });
  const CallOutcome outcome = dropped->get_future().get();
  EXPECT_EQ(outcome.reason, "dropped");
  EXPECT_TRUE(outcome.unseen);
}

}  // namespace
}  // namespace pawsight::tools
