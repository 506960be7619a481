// Frames in over the API and what comes of them: answers, alerts, events, the live stream, deliveries.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/api/testing.h"

namespace pawsight::gateway::testing {
namespace {

using net::testing::RawClient;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(ApiTest, AFrameIsAcceptedAtOnceOrAnsweredWhenThatIsWanted) {
  const Home home = MakeHome("home");
  const std::string rule =
      Post("/v1/rules", home.operator_token, R"({"question":"Is there a dog?","for_s":1})").Text("id");
  const Came accepted = PostFrame(home, Jpeg(1), "");
  EXPECT_EQ(accepted.status, 202);
  EXPECT_THAT(accepted.Text("frame"), StartsWith("frm_"));
  const Came answered = PostFrame(home, Jpeg(2));
  ASSERT_EQ(answered.status, 200) << answered.body;
  const Json& answer = answered.json.Find("answers")->as_array().at(0);
  EXPECT_EQ(answer.GetString("question").value(), "Is there a dog?");
  EXPECT_DOUBLE_EQ(answer.GetNumber("p_yes").value(), 0.1);
  EXPECT_EQ(answered.json.Find("rules")->as_array().at(0).GetString("rule").value(), rule);
  EXPECT_EQ(PostFrame(home, Jpeg(3), "?wait=forever").Code(), "wait");
}

TEST_F(ApiTest, SeveralFramesComeInOneBody) {
  const Home home = MakeHome("home");
  std::string body;
  for (int i = 0; i < 3; ++i) {
    body += "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"../../etc/passwd\"\r\nPawsight-Sequence: " +
            std::to_string(i) + "\r\n\r\n" + (i == 1 ? std::string("no picture") : Jpeg(i)) + "\r\n";
  }
  const auto post = [&](const std::string& what, const std::string& type, const std::string& query = "") {
    return Call("POST", "/v1/cameras/" + home.camera + "/frames" + query, home.device_token, what,
                "Content-Type: " + type + "\r\n");
  };
  const Came came = post(body + "--x--\r\n", "multipart/form-data; boundary=x");
  EXPECT_EQ(came.status, 202) << came.body;
  const Json::Array& frames = came.json.Find("frames")->as_array();
  ASSERT_EQ(frames.size(), 3U);
  EXPECT_NE(frames[0].Find("frame"), nullptr);
  EXPECT_EQ(frames[1].Find("error")->GetInteger("status").value(), 415);
  EXPECT_NE(frames[2].Find("frame"), nullptr);
  EXPECT_EQ(post(body, "multipart/form-data; boundary=x").Code(), "multipart_malformed");
  EXPECT_EQ(post(body, "multipart/form-data").Code(), "multipart_boundary");
  std::string many;
  for (int i = 0; i < 10000; ++i) many += "--x\r\n\r\n\r\n";
  EXPECT_EQ(post(many + "--x--", "multipart/form-data; boundary=x").status, 413);
  EXPECT_EQ(post("{}", "application/json").status, 415);
}

TEST_F(ApiTest, AFrameThatIsNoneIsNamed) {
  const Home home = MakeHome("home");
  Post("/v1/rules", home.operator_token, R"({"question":"Is there a dog?","for_s":1})");
  EXPECT_EQ(PostFrame(home, "").status, 400);
  EXPECT_EQ(PostFrame(home, "GIF89a....").status, 415);
  const Came cut = PostFrame(home, Jpeg().substr(0, 400));
  EXPECT_EQ(cut.status, 422) << cut.body;
  EXPECT_EQ(PostFrame(home, Jpeg(), "", "Pawsight-Captured-At: yesterday\r\n").Code(), "header");
  EXPECT_EQ(PostFrame(home, Jpeg(), "", "Pawsight-Sequence: -1\r\n").Code(), "header");
  EXPECT_EQ(PostFrame(home, Jpeg(), "", "Pawsight-Captured-At: 1970-01-01T00:00:00Z\r\n").status, 202)
      << "a wrong clock";
  const std::string old = "Pawsight-Sent-At: " + FormatTime(clock_.Now()) +
                          "\r\nPawsight-Captured-At: " + FormatTime(clock_.Now() - std::chrono::hours(240)) + "\r\n";
  EXPECT_EQ(PostFrame(home, Jpeg(), "", old).Code(), "stale");
  EXPECT_EQ(PostFrame(home, Jpeg() + std::string(9U << 20U, 'a')).status, 413);
  EXPECT_EQ(PostFrame(home, Jpeg()).status, 200) << "and then a good one";
}

TEST_F(ApiTest, AFrameSentTwiceIsOneFrame) {
  const Home home = MakeHome("home");
  const Came first = PostFrame(home, Jpeg(1), "", "Pawsight-Sequence: 7\r\n");
  EXPECT_EQ(first.status, 202);
  EXPECT_EQ(PostFrame(home, Jpeg(1), "", "Pawsight-Sequence: 7\r\n").Code(), "duplicate_frame");
  EXPECT_EQ(PostFrame(home, Jpeg(2), "", "Pawsight-Sequence: 7\r\n").Code(), "id_conflict");
}

TEST_F(ApiTest, QuestionsAreAskedAboutTheNewestFrame) {
  const Home home = MakeHome("home");
  const std::string ask = "/v1/cameras/" + home.camera + "/ask";
  const std::string questions = R"({"questions":["Is it day?","is it DAY","Is there a cat?"]})";
  EXPECT_EQ(Post(ask, home.operator_token, questions).Code(), "no_frame_yet");
  EXPECT_EQ(Get("/v1/cameras/" + home.camera + "/frame", home.operator_token).Code(), "no_frame");
  EXPECT_EQ(PostFrame(home, Jpeg(5)).status, 200);
  backend_.p_yes = 0.9;
  const Came asked = Post(ask, home.operator_token, questions);
  ASSERT_EQ(asked.status, 200) << asked.body;
  EXPECT_EQ(asked.json.Find("answers")->as_array().size(), 3U);
  EXPECT_EQ(asked.json.Find("answers")->as_array()[2].GetString("answer").value(), "yes");
  EXPECT_EQ(Post(ask, home.operator_token, R"({"questions":[]})").Code(), "question_empty");
  EXPECT_EQ(Post(ask, home.operator_token, R"({"questions":["  "]})").status, 422);
  const Came frame = Get("/v1/cameras/" + home.camera + "/frame", home.operator_token);
  EXPECT_EQ(frame.body, Jpeg(5));
  EXPECT_EQ(frame.Header("Content-Type"), "image/jpeg");
}

TEST_F(ApiTest, ARuleIsCheckedAdvisedChangedAndExplained) {
  const Home home = MakeHome("home");
  const auto post = [&](const std::string& body, const std::string& query = "") {
    return Post("/v1/rules" + query, home.operator_token, body);
  };
  EXPECT_EQ(post(R"({})").status, 400);
  EXPECT_EQ(post(R"({"question":"Is there a dog?","treshold":0.5})").status, 400);
  EXPECT_EQ(post(R"({"question":"What is the dog doing?"})").Code(), "question_unfit");
  EXPECT_EQ(
      post(
          R"({"question":"Is there a dog?","schedule":{"zone":"Mars/Base","days":["mon"],"from":"08:00","to":"18:00"}})")
          .status,
      400);
  EXPECT_EQ(post(R"({"question":"What is the dog doing?"})", "?force=true").status, 201);
  const Came made = post(R"({"question":"Is there a dog?","threshold":0.8,"cameras":{"room":"kitchen"}})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_FALSE(made.json.Find("advice")->as_array().empty()) << "no for_s: one frame is an alert";
  const std::string target = "/v1/rules/" + made.Text("id");
  EXPECT_EQ(Put(target, home.operator_token, Get(target, home.operator_token).body).status, 200) << "as it was shown";
  EXPECT_EQ(Put(target, home.operator_token, R"({"question":"Is there a cat?","enabled":false})").status, 200);
  PostFrame(home, Jpeg(1));
  const Came why = Get(target + "/why", home.operator_token);
  EXPECT_EQ(why.status, 200) << why.body;
  EXPECT_EQ(Call("DELETE", target, home.operator_token).status, 204);
  EXPECT_EQ(Get(target, home.operator_token).status, 404);
}

TEST_F(ApiTest, AnAlertFiresIsListedAndLiveAndEnds) {
  const Home home = MakeHome("home"), other = MakeHome("other");
  const std::string rule =
      Post("/v1/rules", home.operator_token, R"({"question":"Is there a dog?","clear_s":0,"cooldown_s":0})").Text("id");
  RawClient live(server_->port()), elsewhere(server_->port());
  const auto listen = [](RawClient& client, const std::string& token) {
    client.Send("GET /v1/live HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token + "\r\n\r\n");
    EXPECT_THAT(client.ReadUntil("retry: 2000\n\n"), StartsWith("HTTP/1.1 200"));
  };
  listen(live, home.operator_token);
  listen(elsewhere, other.operator_token);
  backend_.p_yes = 0.95;
  const Came fired = PostFrame(home, Jpeg(1));
  ASSERT_EQ(fired.status, 200) << fired.body;
  EXPECT_EQ(fired.json.Find("rules")->as_array().at(0).GetString("reason").value(), "fired");
  const std::string alert = fired.json.Find("alerts")->as_array().at(0).as_string();
  EXPECT_THAT(live.ReadUntil("alert.fired"), HasSubstr("event: frame\n"));
  EXPECT_EQ(Get("/v1/alerts/" + alert, home.operator_token).Text("state"), "firing");
  EXPECT_THAT(Get("/v1/alerts?state=firing&camera=" + home.camera, home.operator_token).body, HasSubstr(alert));
  EXPECT_EQ(Get("/v1/alerts/" + alert, other.operator_token).status, 404);
  backend_.p_yes = 0.05;
  for (int frame = 2; frame < 5; ++frame) PostFrame(home, Jpeg(frame));
  EXPECT_EQ(Get("/v1/alerts/" + alert, home.operator_token).Text("state"), "resolved");
  const Came events = Get("/v1/events", home.operator_token);
  EXPECT_THAT(events.body, HasSubstr("alert.fired"));
  EXPECT_THAT(events.body, HasSubstr("alert.resolved"));
  const std::string event = events.json.Find("items")->as_array().at(0).GetString("id").value();
  EXPECT_EQ(Get("/v1/events/" + event, home.operator_token).Text("alert"), alert);
  EXPECT_THAT(Get("/v1/events?before=1000000&limit=1", home.operator_token).body, HasSubstr("alert.resolved"));
  EXPECT_EQ(Get("/v1/rules/" + rule + "/why", home.operator_token).json.Find("counts")->GetInteger("fired").value(), 1);
  PostFrame(other, Jpeg(9));
  const std::string heard = elsewhere.ReadUntil(other.camera);
  EXPECT_THAT(heard, Not(HasSubstr(home.camera)));
  EXPECT_THAT(heard, Not(HasSubstr("alert")));
  EXPECT_EQ(Get("/v1/stats", home.operator_token).status, 200);
  EXPECT_EQ(Get("/v1/autoscale", admin_).status, 200);
}

TEST_F(ApiTest, AnOwnerWhoHasNothingYetHasNumbersOfNothing) {
  const Came owner = Post("/v1/owners", admin_, R"({"name":"new"})");
  const Came stats = Get("/v1/stats", owner.json.Find("credential")->GetString("token").value());
  ASSERT_EQ(stats.status, 200) << stats.body;
  EXPECT_TRUE(stats.json.Find("stats")->Find("cameras")->as_array().empty());
}

TEST_F(ApiTest, ASnoozedRuleTellsNobody) {
  const Home home = MakeHome("home");
  const std::string rule = Post("/v1/rules", home.operator_token, R"({"question":"Is there a dog?"})").Text("id");
  const auto snooze = [&](const std::string& rest) {
    return Post("/v1/snoozes", home.operator_token, R"({"rule":")" + rule + "\"" + rest + "}");
  };
  EXPECT_EQ(snooze("").Code(), "field");
  EXPECT_EQ(snooze(R"(,"until":"2020-01-01T00:00:00Z")").Code(), "field");
  EXPECT_EQ(snooze(R"(,"for_s":3600)").status, 201);
  backend_.p_yes = 0.95;
  EXPECT_EQ(PostFrame(home, Jpeg(1)).json.Find("alerts")->as_array().size(), 0U);
  EXPECT_EQ(Get("/v1/snoozes", home.operator_token).json.Find("items")->as_array().size(), 1U);
  EXPECT_EQ(Call("DELETE", "/v1/snoozes?rule=" + rule, home.operator_token).status, 204);
  EXPECT_EQ(PostFrame(home, Jpeg(2)).json.Find("alerts")->as_array().size(), 1U);
}

TEST_F(ApiTest, AReceiverIsMadeShownWithoutItsSecretsRotatedAndTried) {
  const Home home = MakeHome("home");
  const auto make = [&](const std::string& config) {
    return Post("/v1/receivers", home.operator_token, R"({"name":"hook","config":)" + config + "}");
  };
  EXPECT_EQ(make(R"({"kind":"webhook","url":"http://10.0.0.1/x"})").Code(), "address_refused");
  EXPECT_EQ(make(R"({"kind":"webhook","url":"gopher://127.0.0.1/x"})").status, 400);
  EXPECT_EQ(make(R"({"kind":"pigeon"})").status, 400);
  const Came made = make(R"({"kind":"webhook","url":"http://127.0.0.1:9191/x"})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_THAT(made.Text("secret"), StartsWith("whsec_"));
  const std::string target = "/v1/receivers/" + made.Text("id");
  EXPECT_THAT(Get(target, home.operator_token).body, Not(HasSubstr("whsec_")));
  EXPECT_THAT(Post(target + "/rotate-secret", home.operator_token, "").Text("secret"), StartsWith("whsec_"));
  EXPECT_EQ(Put(target, home.operator_token,
                R"({"name":"renamed","config":{"kind":"webhook","url":"http://127.0.0.1:9191/y"}})")
                .status,
            200);
  const Came tried = Post(target + "/test", home.operator_token, "");
  EXPECT_EQ(tried.status, 200) << tried.body;
  EXPECT_FALSE(tried.json.GetBool("delivered").value());
  Post("/v1/rules", home.operator_token, R"({"question":"Is there a dog?"})");
  backend_.p_yes = 0.95;
  PostFrame(home, Jpeg(1));
  const Came deliveries = Get(target + "/deliveries", home.operator_token);
  EXPECT_EQ(deliveries.json.Find("items")->as_array().size(), 1U) << deliveries.body;
  EXPECT_EQ(Post(target + "/redeliver", home.operator_token, R"({"delivery":12345})").status, 404);
  const int64_t id = deliveries.json.Find("items")->as_array().at(0).GetInteger("id").value();
  ASSERT_TRUE(store_->Write({events::DeliveryDead{home.owner, id, "refused"}}).ok());
  const Came dead = Get(target + "/deliveries?dead=true", home.operator_token);
  ASSERT_EQ(dead.json.Find("items")->as_array().size(), 1U) << dead.body;
  EXPECT_THAT(dead.body, HasSubstr(R"("state":"dead")"));
  EXPECT_THAT(dead.body, HasSubstr(R"("error":"refused")"));
  const Came again = Post(target + "/redeliver", home.operator_token, R"({"delivery":)" + std::to_string(id) + "}");
  EXPECT_EQ(again.status, 202) << again.body;
  EXPECT_EQ(Get(target + "/deliveries?dead=true", home.operator_token).json.Find("items")->as_array().size(), 0U);
  EXPECT_EQ(Call("DELETE", target, home.operator_token).status, 204);
}

TEST_F(ApiTest, AReceiverWhoseNameIsNotFoundNowIsKeptWithAWarning) {
  const Home home = MakeHome("home");
  const std::string there = R"({"name":"hook","config":{"kind":"webhook","url":"http://127.0.0.1:9191/x"}})";
  const std::string away = R"({"name":"hook","config":{"kind":"webhook","url":"http://hook.example/x"}})";
  const Came made = Post("/v1/receivers", home.operator_token, away);
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_THAT(made.Text("warning"), HasSubstr("no such name"));
  EXPECT_THAT(made.Text("secret"), StartsWith("whsec_"));
  const std::string target = "/v1/receivers/" + made.Text("id");
  EXPECT_THAT(Get(target, home.operator_token).body, Not(HasSubstr("warning"))) << "it was of that moment";
  EXPECT_EQ(Put(target, home.operator_token, there).json.Find("warning"), nullptr);
  EXPECT_THAT(Put(target, home.operator_token, away).Text("warning"), HasSubstr("no such name"));
  EXPECT_FALSE(Post(target + "/test", home.operator_token, "").json.GetBool("delivered").value());
}

TEST_F(ApiTest, PoolsAndRoutingAreReplacedAsAWholeOrNotAtAll) {
  const auto pool = [](const std::string& name, const std::string& kind = "http") {
    return R"({"name":")" + name + R"(","endpoints":[{"kind":")" + kind + R"(","address":"http://127.0.0.1:1"}]})";
  };
  EXPECT_EQ(Get("/v1/backends", admin_).Header("ETag"), "\"0\"");
  EXPECT_EQ(Put("/v1/backends", admin_, R"({"pools":[{"nam":"a"}]})").status, 400);
  EXPECT_EQ(Put("/v1/backends", admin_, "{\"pools\":[" + pool("a", "pigeon") + "]}").status, 400);
  EXPECT_EQ(Put("/v1/routing", admin_, R"({"weights":{"nowhere":1}})").status, 400);
  EXPECT_THAT(Get("/v1/audit", admin_).body, Not(HasSubstr("settings.put")));

  const std::string two = "{\"pools\":[" + pool("a") + "," + pool("b") + "],\"routing\":{\"weights\":{\"a\":1}}}";
  const Came put = Put("/v1/backends", admin_, two);
  ASSERT_EQ(put.status, 200) << put.body;
  EXPECT_EQ(Get("/v1/routing", admin_).json.Find("weights")->Dump(), R"({"a":1})");
  EXPECT_EQ(Put("/v1/backends", admin_, Get("/v1/backends", admin_).body).status, 200) << "as it was shown";
  EXPECT_EQ(Put("/v1/backends", admin_, "{\"pools\":[" + pool("b") + "]}").status, 400) << "routing names a";
  EXPECT_EQ(Put("/v1/routing", admin_, R"({"weights":{"b":1},"fallback":{"b":["a"]}})").status, 200);
  EXPECT_EQ(Call("PUT", "/v1/routing", admin_, R"({"weights":{"a":1}})", "If-Match: \"1\"\r\n").status, 412);
  EXPECT_EQ(Get("/v1/routing", admin_).json.Find("weights")->Dump(), R"({"b":1})");
  const Came audit = Get("/v1/audit", admin_);
  EXPECT_THAT(audit.body, HasSubstr("settings.put"));
  EXPECT_EQ(audit.json.Find("items")->as_array().at(0).Find("before")->Find("weights")->Dump(), R"({"a":1})");
}

}  // namespace
}  // namespace pawsight::gateway::testing
