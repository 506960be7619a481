#include "gateway/live_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "frames/decode.h"
#include "gateway/path/testing.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/testing.h"

namespace pawsight::gateway {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class LivePageTest : public ::testing::Test {
 protected:
  LivePageTest()
      : rules_(rules::ParseRules(
                   Json::Parse(R"([{"question":"Is it <b>bright</b>?","cooldown_s":0,"clear_s":0}])").value())
                   .value()),
        page_("den", "test source", "brightness", rules_, nullptr, [this] { return newest_; }) {
    page_.AddRoutes(router_);
    server_ = std::move(net::HttpServer::Start({}, router_).value());
  }
  /// A frame as the path tells of it: bright ones fire, the dark one after them resolves.
  void Show(uint8_t level) {
    const auto result = std::make_shared<FrameResult>();
    result->camera = "den";
    result->time = Time(seconds(1000 + ++number_));
    result->asked = true;
    const rules::Verdict verdict = level >= 128 ? rules::Verdict::kTrue : rules::Verdict::kFalse;
    const rules::AlertStep step = rules::Advance(
        rules_[0], state_, {.time = result->time, .kind = rules::Sighting::Kind::kAsked, .verdict = verdict});
    state_ = step.state;
    result->outcomes.push_back({rules_[0].id, level / 255.0, verdict, step.reason, step.state.phase});
    const bool fired = step.reason == rules::Reason::kFired;
    if (fired || step.reason == rules::Reason::kResolved) {
      result->changes.emplace_back();
      result->changes[0].rule = rules_[0].id;
      result->changes[0].change = fired ? AlertChange::kFired : AlertChange::kResolved;
      result->changes[0].time = result->time;
    }
    newest_ = NewestFrame{"frm", result->time, testing::Jpeg(level)};
    page_.OnFrame(rules_, {number_, result, std::vector<int64_t>(result->changes.size())});
  }
  net::Fetched Get(const std::string& path) { return client_.Get(server_->url() + path, {}, {}).value(); }
  Json GetJson(const std::string& path) {
    const net::Fetched fetched = Get(path);
    return Json::Parse(std::string(fetched.body.begin(), fetched.body.end())).value();
  }

  std::vector<rules::Rule> rules_;
  rules::AlertState state_;
  std::optional<NewestFrame> newest_;  // set before a request that reads it
  LivePage page_;
  net::Router router_;
  std::unique_ptr<net::HttpServer> server_;
  net::HttpClient client_;
  uint64_t number_ = 0;
};

TEST_F(LivePageTest, ThePageAndItsPartsComeFromTheProgramUnderAStrictPolicy) {
  EXPECT_EQ(Get("/").content_type, "text/html; charset=utf-8");
  EXPECT_EQ(Get("/app.js").content_type, "text/javascript; charset=utf-8");
  EXPECT_GT(Get("/app.css").body.size(), 1000U);
  EXPECT_GT(Get("/icon.svg").body.size(), 100U);
  net::testing::RawClient raw(server_->port());
  raw.Send("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const std::string answer = raw.ReadAll();
  EXPECT_THAT(answer, HasSubstr("Content-Security-Policy: default-src 'none'; script-src 'self'"));
  EXPECT_THAT(answer, Not(HasSubstr("http://"))) << "nothing from elsewhere";
  EXPECT_THAT(answer, Not(HasSubstr("style=")));
}

TEST_F(LivePageTest, TheNewestFrameIsServedAsAJpeg) {
  EXPECT_EQ(client_.Get(server_->url() + "/frame.jpg", {}, {}).status().code(), StatusCode::kNotFound);
  Show(10);
  Show(250);
  const net::Fetched fetched = Get("/frame.jpg?n=2");
  EXPECT_EQ(fetched.content_type, "image/jpeg");
  EXPECT_NEAR(frames::Decode(fetched.body).value().image.rgb[0], 250, 6);
}

TEST_F(LivePageTest, TheStateHasEveryRulesAnswersAndReasonsAndTheAlerts) {
  for (const int level : {10, 250, 250, 10, 10}) Show(static_cast<uint8_t>(level));
  const Json state = GetJson("/api/v1/state");
  EXPECT_EQ(state.GetString("camera").value(), "den");
  EXPECT_EQ(state.GetInteger("frame").value(), 5);
  const Json& rule = (*state.GetArray("rules").value())[0];
  EXPECT_EQ(rule.GetString("question").value(), "Is it <b>bright</b>?");
  EXPECT_THAT(*rule.GetArray("points").value(), SizeIs(5));
  EXPECT_EQ(rule.Find("counts")->Dump(), R"({"below_threshold":1,"fired":1,"firing":1,"clearing":1,"resolved":1})");
  const Json::Array& alerts = *state.GetArray("alerts").value();
  ASSERT_THAT(alerts, SizeIs(2));
  EXPECT_EQ(alerts[0].GetString("type").value(), "alert.resolved") << "newest first";
}

TEST_F(LivePageTest, AStreamBeginsWithTheStateAndGoesOnWithFramesAndAlerts) {
  Show(10);
  net::testing::RawClient raw(server_->port());
  raw.Send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(raw.ReadUntil("]}\n\n"), HasSubstr("event: state\ndata: {\"camera\":\"den\""));
  Show(250);
  const std::string got = raw.ReadUntil("event: alert\n");
  EXPECT_THAT(got, HasSubstr("event: frame\ndata: {\"type\":\"frame\",\"camera\":\"den\""));
  EXPECT_THAT(got, HasSubstr("\"reason\":\"fired\""));
  EXPECT_THAT(raw.ReadUntil("\n\n"), HasSubstr("alert.fired"));
}

TEST_F(LivePageTest, WhatThePageKeepsIsBounded) {
  for (size_t n = 0; n < kMaxPagePoints + 50; ++n) Show(n % 4 < 2 ? 250 : 10);
  const Json state = page_.State();
  EXPECT_THAT(*(*state.GetArray("rules").value())[0].GetArray("points").value(), SizeIs(kMaxPagePoints));
  EXPECT_THAT(*state.GetArray("alerts").value(), SizeIs(kMaxPageAlerts));
}

TEST_F(LivePageTest, EventsAreListedFromTheStore) {
  EXPECT_EQ(client_.Get(server_->url() + "/api/v1/events", {}, {}).status().code(), StatusCode::kNotFound)
      << "no store here";
  std::string pattern = (std::filesystem::temp_directory_path() / "pawsight-page-XXXXXX").string();
  const std::string directory = mkdtemp(pattern.data());
  {
    auto store = events::Store::Open(directory + "/e.sqlite").value();
    for (int n = 0; n < 3; ++n)
      ASSERT_TRUE(store->Append({.type = "alert.fired", .rule = "r" + std::to_string(n)}).ok());
    LivePage page("den", "", "", rules_, store.get(), [] { return std::nullopt; });
    net::Router router;
    page.AddRoutes(router);
    const auto server = net::HttpServer::Start({}, router).value();
    const net::Fetched fetched = client_.Get(server->url() + "/api/v1/events?after=1&limit=1", {}, {}).value();
    const Json json = Json::Parse(std::string(fetched.body.begin(), fetched.body.end())).value();
    EXPECT_THAT(*json.GetArray("events").value(), SizeIs(1));
    EXPECT_EQ(json.GetInteger("after").value(), 2);
    EXPECT_FALSE(client_.Get(server->url() + "/api/v1/events?limit=x", {}, {}).ok());
    EXPECT_TRUE(client_.Get(server->url() + "/api/v1/events?limit=999999999999", {}, {}).ok()) << "capped";
  }
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace pawsight::gateway
