// The API from outside, over a socket: what it says of itself, who may do what, and that each answer is as described.
#include "gateway/api/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <set>
#include <thread>

#include "gateway/api/cameras.h"
#include "gateway/api/stream_expiry.h"
#include "gateway/api/testing.h"

namespace pawsight::gateway::testing {
namespace {

using net::testing::RawClient;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

TEST_F(ApiTest, TheDocumentHasEveryRouteAndNoOther) {
  std::set<std::string> described, served;
  for (const auto& [path, item] : document_.Find("paths")->as_object()) {
    for (const auto& [method, operation] : item.as_object()) described.insert(method + " " + path);
  }
  for (const ApiRouter::Route& route : api_->routes())
    served.insert(net::LowerCase(route.method) + " " + route.pattern);
  EXPECT_EQ(described, served);
  const Came document = Get("/openapi.json", "");
  EXPECT_EQ(document.json.Dump(), document_.Dump());
}

TEST_F(ApiTest, HealthAndThePageAskForNoTokenAndNothingElseAnswersWithoutOne) {
  EXPECT_EQ(Get("/healthz", "").status, 200);
  EXPECT_EQ(Get("/readyz", "").status, 200);
  RawClient head(server_->port());
  head.Send("HEAD /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(head.ReadAll(), ::testing::EndsWith("\r\n\r\n"));
  const Came page = Get("/", "");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.head, HasSubstr("Content-Security-Policy: default-src 'none'"));
  for (const ApiRouter::Route& route : api_->routes()) {
    if (route.access == Access::kPublic) continue;
    std::string target = route.pattern;
    for (size_t at; (at = target.find('{')) != std::string::npos;) target.replace(at, target.find('}') - at + 1, "x");
    const Came came = Call(route.method, target, "");
    EXPECT_EQ(came.status, 401) << route.method << " " << target;
    EXPECT_EQ(came.Code(), "token_wrong");
    EXPECT_EQ(came.Header("WWW-Authenticate"), "Bearer");
  }
}

TEST_F(ApiTest, EveryRoleMayDoWhatItIsForAndNothingElse) {
  const Home home = MakeHome("home");
  const std::string viewer = Post("/v1/credentials", home.operator_token, R"({"role":"viewer"})").Text("token");
  const std::map<std::string, std::pair<std::string, std::set<Access>>> roles = {
      {"device", {home.device_token, {Access::kPublic, Access::kAny, Access::kFrames}}},
      {"viewer", {viewer, {Access::kPublic, Access::kAny, Access::kRead}}},
      {"operator",
       {home.operator_token, {Access::kPublic, Access::kAny, Access::kFrames, Access::kRead, Access::kWrite}}},
  };
  for (const ApiRouter::Route& route : api_->routes()) {
    if (route.pattern == "/v1/live") continue;  // does not end
    std::string target = route.pattern;
    for (size_t at; (at = target.find('{')) != std::string::npos;) target.replace(at, target.find('}') - at + 1, "x");
    for (const auto& [role, what] : roles) {
      const Came came = Call(route.method, target, what.first);
      const bool refused = came.status == 403 && came.Code() == "role";
      EXPECT_EQ(refused, what.second.count(route.access) == 0)
          << role << " " << route.method << " " << target << came.body;
    }
  }
  EXPECT_EQ(Get("/v1/me", viewer).Text("role"), "viewer");
  EXPECT_EQ(Get("/v1/me", home.device_token).Text("device"), home.device);
}

TEST_F(ApiTest, ARegistryThatHasStoppedRefusesAndStillKnowsItsCameras) {
  const Home home = MakeHome("home");
  registry_->Stop();
  Status refused;
  registry_->Refresh(home.owner, [&](const Status& status) { refused = status; });
  EXPECT_EQ(refused.code(), StatusCode::kUnavailable);
  ASSERT_TRUE(registry_->FindCamera(home.camera).has_value());
  EXPECT_EQ(registry_->FindCamera(home.camera)->name, "kitchen");
  EXPECT_EQ(PostFrame(home, Jpeg(1)).status, 200) << "its record asks the registry";
}

TEST_F(ApiTest, AnAdminSaysWhoseObjectsItMeans) {
  const Home home = MakeHome("home");
  EXPECT_EQ(Get("/v1/cameras", admin_).Code(), "owner_missing");
  EXPECT_EQ(Get("/v1/cameras?owner=nobody", admin_).Code(), "owner");
  EXPECT_THAT(Get("/v1/cameras?owner=" + home.owner, admin_).body, HasSubstr(home.camera));
  EXPECT_EQ(Get("/v1/cameras?owner=" + home.owner, home.operator_token).status, 200) << "its own, said twice";
}

TEST_F(ApiTest, AnotherOwnerSeesNothingAndChangesNothing) {
  const Home home = MakeHome("home"), other = MakeHome("other");
  const std::string rule =
      Post("/v1/rules", home.operator_token, R"({"question":"Is there a dog?","for_s":1})").Text("id");
  const std::string receiver = Post("/v1/receivers", home.operator_token,
                                    R"({"name":"hook","config":{"kind":"webhook","url":"http://127.0.0.1:9191/x"}})")
                                   .Text("id");
  for (const std::string& target :
       {"/v1/cameras/" + home.camera, "/v1/devices/" + home.device, "/v1/rules/" + rule, "/v1/rules/" + rule + "/why",
        "/v1/receivers/" + receiver, "/v1/receivers/" + receiver + "/deliveries",
        "/v1/cameras/" + home.camera + "/frame"}) {
    EXPECT_EQ(Get(target, home.operator_token).status, target.ends_with("/frame") ? 404 : 200) << target;
    EXPECT_EQ(Get(target, other.operator_token).status, 404) << target;
  }
  for (const std::string& target :
       {"/v1/cameras/" + home.camera, "/v1/devices/" + home.device, "/v1/rules/" + rule, "/v1/receivers/" + receiver}) {
    EXPECT_EQ(Call("DELETE", target, other.operator_token).status, 404) << target;
    EXPECT_EQ(Get(target, home.operator_token).status, 200) << target;
  }
  EXPECT_EQ(Put("/v1/cameras/" + home.camera, other.operator_token, R"({"name":"mine"})").status, 404);
  EXPECT_EQ(Put("/v1/rules/" + rule, other.operator_token, R"({"question":"Is there a cat?","for_s":1})").status, 404);
  EXPECT_EQ(Get("/v1/cameras?owner=" + home.owner, other.operator_token).Code(), "tenant_violation");
  for (const char* list : {"/v1/rules", "/v1/receivers", "/v1/alerts", "/v1/events", "/v1/snoozes"}) {
    EXPECT_EQ(Get(list, other.operator_token).json.Find("items")->as_array().size(), 0U) << list;
  }
  EXPECT_THAT(Get("/v1/cameras", other.operator_token).body, Not(HasSubstr(home.camera)));
  EXPECT_EQ(Call("POST", "/v1/cameras/" + home.camera + "/frames", other.device_token, Jpeg()).status, 404);
  EXPECT_EQ(Post("/v1/cameras/" + home.camera + "/ask", other.operator_token, R"({"questions":["Is it day?"]})").status,
            404);
  EXPECT_THAT(Get("/metrics", admin_).body, HasSubstr("pawsight_gateway_rejected_total{reason=\"tenant_violation\"}"));
}

TEST(NamedIdsTest, TheyAreOfThePathAndOfTheBeginningOfAJsonBody) {
  net::HttpRequest request;
  request.parameters = {"cam_00000000000000000001"};
  request.body = R"({"device":"dev_00000000000000000002"})";
  EXPECT_THAT(NamedIds(request), ElementsAre("cam_00000000000000000001", "dev_00000000000000000002"));
  request.headers = {{"content-type", "image/jpeg"}};
  EXPECT_THAT(NamedIds(request), ElementsAre("cam_00000000000000000001"));
  request.headers = {{"content-type", "application/json"}};
  request.body.insert(1, kMaxNamingBytes, ' ');
  EXPECT_THAT(NamedIds(request), ElementsAre("cam_00000000000000000001"));
}

TEST_F(ApiTest, ADeviceSendsFramesOfItsOwnCamerasOnly) {
  const Home home = MakeHome("home");
  const std::string unattended = Post("/v1/cameras", home.operator_token, R"({"name":"garden"})").Text("id");
  EXPECT_EQ(PostFrame(home, Jpeg(), "").status, 202);
  EXPECT_EQ(Call("POST", "/v1/cameras/" + unattended + "/frames", home.device_token, Jpeg()).Code(),
            "tenant_violation");
  EXPECT_EQ(Call("POST", "/v1/cameras/" + unattended + "/frames", home.operator_token, Jpeg()).status, 202);
}

TEST(StreamExpiryTest, EachExpiredCredentialIsGivenOnceAndTheNextOneFirst) {
  StreamExpiry expiry;
  const Time start{std::chrono::seconds(1000)};
  EXPECT_TRUE(expiry.Note("late", start + std::chrono::seconds(9)).ok());
  EXPECT_TRUE(expiry.Note("soon", start + std::chrono::seconds(1)).ok());
  EXPECT_TRUE(expiry.Note("soon", start + std::chrono::seconds(1)).ok()) << "two streams of one";
  EXPECT_EQ(expiry.Next(), start + std::chrono::seconds(1));
  EXPECT_THAT(expiry.TakeExpired(start), IsEmpty());
  EXPECT_THAT(expiry.TakeExpired(start + std::chrono::seconds(1)), ElementsAre("soon"));
  EXPECT_THAT(expiry.TakeExpired(start + std::chrono::seconds(99)), ElementsAre("late"));
  EXPECT_EQ(expiry.Next(), std::nullopt);
}

TEST_F(ApiTest, AStreamEndsOnceItsCredentialHasExpired) {
  const Home home = MakeHome("home");
  for (std::chrono::seconds after{1};; after *= 2) {
    const Time expires = std::chrono::floor<std::chrono::milliseconds>(clock_.Now()) + after;
    const Json wanted(Json::Object{{"role", "viewer"}, {"name", "guest"}, {"expires", FormatTime(expires)}});
    const Came viewer = Post("/v1/credentials", home.operator_token, wanted.Dump());
    ASSERT_EQ(viewer.status, 201) << viewer.body;
    RawClient live(server_->port());
    live.Send("GET /v1/live HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + viewer.Text("token") + "\r\n\r\n");
    const std::string head = live.ReadUntil("\r\n\r\n");
    if (head.starts_with("HTTP/1.1 401") && after.count() < 60) continue;  // the machine was slower than that
    EXPECT_THAT(head, StartsWith("HTTP/1.1 200"));
    EXPECT_THAT(live.ReadAll(), Not(HasSubstr("event:"))) << "nothing happens, and it ends all the same";
    EXPECT_GE(clock_.Now(), expires);
    return;
  }
}

TEST_F(ApiTest, ARevokedTokenOpensNothingFromThenOn) {
  const Home home = MakeHome("home");
  EXPECT_EQ(PostFrame(home, Jpeg(), "").status, 202);
  const Came rotated = Post("/v1/devices/" + home.device + "/rotate", home.operator_token, "");
  EXPECT_EQ(rotated.status, 201);
  EXPECT_EQ(PostFrame(home, Jpeg(), "").status, 401);
  Home anew = home;
  anew.device_token = rotated.Text("token");
  EXPECT_EQ(PostFrame(anew, Jpeg(1), "").status, 202);
  EXPECT_EQ(Post("/v1/devices/" + home.device + "/revoke", home.operator_token, "").status, 204);
  EXPECT_EQ(PostFrame(anew, Jpeg(2), "").status, 401);

  const Came viewer = Post("/v1/credentials", home.operator_token, R"({"role":"viewer","name":"tablet"})");
  RawClient live(server_->port());
  live.Send("GET /v1/live HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + viewer.Text("token") + "\r\n\r\n");
  EXPECT_THAT(live.ReadUntil("retry: 2000\n\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(Call("DELETE", "/v1/credentials/" + viewer.Text("id"), home.operator_token).status, 204);
  EXPECT_EQ(Get("/v1/me", viewer.Text("token")).status, 401);
  EXPECT_EQ(live.ReadAll(), "") << "its stream has ended";
  const Came credentials = Get("/v1/credentials", home.operator_token);
  EXPECT_THAT(credentials.body, Not(HasSubstr("paw_")));
  EXPECT_THAT(credentials.body, HasSubstr("tablet"));
}

TEST_F(ApiTest, AnErasedOwnerIsGone) {
  const Home home = MakeHome("home");
  EXPECT_EQ(Get("/v1/owners/" + home.owner, admin_).status, 200);
  EXPECT_EQ(Call("DELETE", "/v1/owners/" + home.owner, admin_).status, 204);
  EXPECT_EQ(Get("/v1/me", home.operator_token).status, 401);
  EXPECT_EQ(PostFrame(home, Jpeg(), "").status, 401);
  EXPECT_EQ(Get("/v1/owners/" + home.owner, admin_).status, 404);
  EXPECT_THAT(Get("/v1/audit", admin_).body, HasSubstr("owner.erase"));
}

TEST_F(ApiTest, APostThatIsSentAgainMakesNoSecondObject) {
  const Home home = MakeHome("home");
  const std::string key = "Content-Type: application/json\r\nIdempotency-Key: one\r\n";
  const Came first = Call("POST", "/v1/cameras", home.operator_token, R"({"name":"garden"})", key);
  const Came again = Call("POST", "/v1/cameras", home.operator_token, R"({"name":"garden"})", key);
  EXPECT_EQ(first.status, 201);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(Call("POST", "/v1/cameras", home.operator_token, R"({"name":"attic"})", key).Code(), "key_reused");
  EXPECT_EQ(Get("/v1/cameras", home.operator_token).json.Find("items")->as_array().size(), 2U);
  const Home other = MakeHome("other");
  EXPECT_EQ(Call("POST", "/v1/cameras", other.operator_token, R"({"name":"attic"})", key).status, 201);
}

TEST_F(ApiTest, AChangeWithAnOldVersionIsRefused) {
  const Home home = MakeHome("home");
  const std::string target = "/v1/cameras/" + home.camera;
  const std::string etag = Get(target, home.operator_token).Header("ETag");
  EXPECT_EQ(etag, "\"1\"");
  const auto put = [&](const std::string& match) {
    return Call("PUT", target, home.operator_token, R"({"name":"renamed"})", "If-Match: " + match + "\r\n");
  };
  EXPECT_EQ(put(etag).Header("ETag"), "\"2\"");
  EXPECT_EQ(put(etag).status, 412);
  EXPECT_EQ(put("*").status, 200);
  EXPECT_EQ(Get(target, home.operator_token).Text("name"), "renamed");
}

TEST_F(ApiTest, ARemovalWithAnOldVersionIsRefused) {
  const Home home = MakeHome("home");
  const auto remove = [&](const std::string& target, const std::string& match) {
    return Call("DELETE", target, home.operator_token, "", match.empty() ? "" : "If-Match: " + match + "\r\n");
  };
  const auto make = [&](const std::string& list, const std::string& body) {
    return list + "/" + Post(list, home.operator_token, body).Text("id");
  };
  const std::pair<std::string, std::string> kinds[] = {
      {"/v1/cameras", R"({"name":"garden"})"},
      {"/v1/devices", R"({"name":"porch"})"},
      {"/v1/rules", R"({"question":"Is there a dog?"})"},
      {"/v1/receivers", R"({"name":"hook","config":{"kind":"webhook","url":"http://127.0.0.1:9191/x"}})"}};
  for (const auto& [list, body] : kinds) {
    const std::string target = make(list, body);
    const Came old = remove(target, "\"7\"");
    EXPECT_EQ(old.status, 412) << target << old.body;
    EXPECT_EQ(old.Code(), "if_match");
    EXPECT_THAT(old.Text("detail"), HasSubstr("\"1\"")) << "says which it is";
    EXPECT_EQ(remove(target, "\"1\"").status, 204) << target;
    EXPECT_EQ(remove(target, "\"1\"").status, 404) << target << " is gone";
    EXPECT_EQ(remove(make(list, body), "*").status, 204);
    EXPECT_EQ(remove(make(list, body), "").status, 204);
  }
}

TEST_F(ApiTest, ARuleNamesReceiversOfItsOwner) {
  const Home home = MakeHome("home"), other = MakeHome("other");
  const auto make = [&](const Home& of) {
    return Post("/v1/receivers", of.operator_token,
                R"({"name":"hook","config":{"kind":"webhook","url":"http://127.0.0.1:9191/x"}})")
        .Text("id");
  };
  const std::string mine = make(home), theirs = make(other);
  const auto body = [&](const std::string& receiver, const std::string& question = "Is there a dog?") {
    return R"({"question":")" + question + R"(","receivers":[")" + mine + R"(",")" + receiver + "\"]}";
  };
  const auto expect_refused = [&](const Came& came) {
    EXPECT_EQ(came.status, 422) << came.body;
    EXPECT_EQ(came.Code(), "receiver_unknown");
    EXPECT_THAT(came.Text("detail"), StartsWith("receivers[1]: "));
  };
  const std::string nobodys = "rcv_00000000000000000000";
  expect_refused(Post("/v1/rules", home.operator_token, body(theirs)));
  expect_refused(Post("/v1/rules", home.operator_token, body(nobodys)));
  const std::string second = make(home);
  const std::string rule = "/v1/rules/" + Post("/v1/rules", home.operator_token, body(second)).Text("id");
  expect_refused(Put(rule, home.operator_token, body(theirs)));
  expect_refused(Put(rule, home.operator_token, body(nobodys)));

  EXPECT_EQ(Call("DELETE", "/v1/receivers/" + second, home.operator_token).status, 204);
  const Came shown = Get(rule, home.operator_token);
  EXPECT_EQ(shown.json.Find("receivers")->as_array()[1].as_string(), second) << "it stays readable";
  EXPECT_EQ(Put(rule, home.operator_token, body(second, "Is there a cat?")).status, 200) << "and may be sent back";
  expect_refused(Post("/v1/rules", home.operator_token, body(second)));

  const auto is_of_theirs = [&](const Json& line) {
    return line.GetString("action").value() == "tenant_violation" && line.GetString("object").value() == theirs;
  };
  while (true) {  // both tries at another's are told to the admin
    const Came audit = Get("/v1/audit?limit=1000", admin_);
    const Json::Array& lines = audit.json.Find("items")->as_array();
    if (std::count_if(lines.begin(), lines.end(), is_of_theirs) == 2) break;
  }
}

TEST_F(ApiTest, NoRuleComesAfterTheRemovalOfAReceiverThatItNames) {
  const Home home = MakeHome("home");
  for (int round = 0; round < 40; ++round) {
    const std::string receiver = Post("/v1/receivers", home.operator_token,
                                      R"({"name":"hook","config":{"kind":"webhook","url":"http://127.0.0.1:9191/x"}})")
                                     .Text("id");
    std::thread remover([&] { (void)Call("DELETE", "/v1/receivers/" + receiver, home.operator_token); });
    const Came made =
        Post("/v1/rules", home.operator_token, R"({"question":"Is there a dog?","receivers":[")" + receiver + "\"]}");
    remover.join();
    if (made.status != 201) {
      EXPECT_EQ(made.status, 422) << made.body;
      EXPECT_EQ(made.Code(), "receiver_unknown");
      continue;
    }
    const std::vector<events::AuditEntry> newest = store_->ListAudit(home.owner, 0, 2).value();
    ASSERT_THAT(newest, SizeIs(2));
    EXPECT_EQ(newest[0].action, "receiver.delete") << "round " << round;
    EXPECT_EQ(newest[1].action, "rule.create");
    EXPECT_EQ(Call("DELETE", "/v1/rules/" + made.Text("id"), home.operator_token).status, 204);
  }
}

TEST_F(ApiTest, AReceiverThatGoesBetweenTheCheckOfARuleAndItsWritingIsMissed) {
  const Home home = MakeHome("home");
  const std::string receiver = Post("/v1/receivers", home.operator_token,
                                    R"({"name":"hook","config":{"kind":"webhook","url":"http://127.0.0.1:9191/x"}})")
                                   .Text("id");
  const auto audit = [&] { return events::Audit{events::AuditEntry{.owner = home.owner, .action = "test"}}; };
  std::promise<void> held, let;
  store_->Submit({audit()}, [&](const Result<events::Receipt>&) {  // the writer stands still, reads go on
    held.set_value();
    let.get_future().wait();
  });
  held.get_future().wait();
  store_->Submit({events::Delete<events::Receiver>{home.owner, receiver}}, [](const Result<events::Receipt>&) {});
  const size_t before = store_->Stats().queue_length;
  std::atomic<bool> answered = false;
  Came made;
  std::thread maker([&] {
    made =
        Post("/v1/rules", home.operator_token, R"({"question":"Is there a dog?","receivers":[")" + receiver + "\"]}");
    answered = true;
  });
  while (!answered && store_->Stats().queue_length == before) std::this_thread::yield();
  EXPECT_FALSE(answered) << "the receiver is there when the rule is checked: " << made.body;
  let.set_value();
  maker.join();
  EXPECT_EQ(made.status, 422) << made.body;
  EXPECT_EQ(made.Code(), "receiver_unknown");
  EXPECT_THAT(made.Text("detail"), HasSubstr("removed meanwhile"));
}

TEST(CameraSource, IsNotAtALinkLocalAddressInWhateverWayItIsWritten) {
  for (const char* host :
       {"169.254.169.254", "user:pass@169.254.169.254:80", "169.254.169.254.", "2852039166", "0xa9fea9fe",
        "0251.0376.0251.0376", "169.254.43518", "[fe80::1]", "[fe80::1%25eth0]:554", "[febf::9]",
        "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "a@b@169.254.0.1", "%31%36%39.254.169.254"}) {
    for (const char* scheme : {"http://", "https://", "rtsp://", "rtsps://"}) {
      for (const char* rest : {"", "/", "/latest/meta-data?x=@cam", "?@cam", "#@cam"}) {
        const Status status = CheckCameraSource(std::string(scheme) + host + rest, true);
        EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << host;
        EXPECT_EQ(status.reason(), "field");
        EXPECT_THAT(status.message(), StartsWith("source: "));
      }
    }
  }
  for (const char* host : {"127.0.0.1:8554", "192.168.1.20", "10.0.0.7", "user:p%40ss@172.16.0.9:554", "[::1]:80",
                           "[fd00::5]", "cam.local", "cam_1", "203.0.113.9", "169.253.0.1", "[fec0::1]"}) {
    EXPECT_TRUE(CheckCameraSource("rtsp://" + std::string(host) + "/live", true).ok()) << host;
  }
  EXPECT_EQ(CheckCameraSource("http://192.168.1.20/", false).reason(), "pull_off");
}

TEST_F(ApiTest, ListsComeInPages) {
  const Home home = MakeHome("home");
  std::set<std::string> made = {home.camera};
  for (int i = 0; i < 6; ++i) {
    made.insert(Post("/v1/cameras", home.operator_token, R"({"name":"one of many"})").Text("id"));
  }
  std::set<std::string> listed;
  std::string cursor;
  int pages = 0;
  do {
    const Came page = Get("/v1/cameras?limit=3" + (cursor.empty() ? "" : "&cursor=" + cursor), home.operator_token);
    for (const Json& item : page.json.Find("items")->as_array()) listed.insert(item.GetString("id").value());
    const Json* next = page.json.Find("next");
    cursor = next->is_null() ? "" : next->as_string();
    ++pages;
  } while (!cursor.empty());
  EXPECT_EQ(listed, made);
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(Get("/v1/cameras?limit=1000000000", home.operator_token).status, 200);
  EXPECT_EQ(Get("/v1/cameras?limit=0", home.operator_token).Code(), "limit");
  EXPECT_EQ(Get("/v1/cameras?limit=-1", home.operator_token).Code(), "limit");
  EXPECT_EQ(Get("/v1/cameras?cursor=x'OR'1", home.operator_token).Code(), "cursor");
}

TEST_F(ApiTest, BodiesThatAreNotRightAreNamed) {
  const Home home = MakeHome("home");
  const auto code = [&](const std::string& body) { return Post("/v1/cameras", home.operator_token, body).Code(); };
  EXPECT_EQ(code(""), "json");
  EXPECT_EQ(code("[]"), "body");
  EXPECT_EQ(code(R"({"name":"a","name":"b"})"), "json");
  EXPECT_EQ(code(R"({"name":"a",})"), "json");
  EXPECT_EQ(code("\xEF\xBB\xBF{}"), "json");
  EXPECT_EQ(code("{\"name\":\"\xff\"}"), "json");
  EXPECT_EQ(code(R"({"name":NaN})"), "json");
  EXPECT_EQ(code(std::string(250000, '[')), "json");
  EXPECT_EQ(code("{\"name\":\"" + std::string(300000, 'a') + "\"}"), "body_too_large");
  EXPECT_EQ(code(R"({"name":""})"), "field");
  EXPECT_EQ(code(R"({"name":7})"), "field");
  EXPECT_EQ(code(R"({"name":"a\u0000b"})"), "field");
  EXPECT_EQ(code("{\"name\":\"" + std::string(201, 'a') + "\"}"), "field");
  EXPECT_EQ(code(R"({"name":"a","labels":{"x":1}})"), "field");
  EXPECT_EQ(code(R"({"name":"a","refresh_s":0})"), "field");
  EXPECT_EQ(code(R"({"name":"a","source":"file:///etc/passwd"})"), "pull_off");
  const Came unknown = Post("/v1/cameras", home.operator_token, R"({"name":"a","lables":{}})");
  EXPECT_EQ(unknown.Code(), "field_unknown");
  EXPECT_THAT(unknown.body, HasSubstr("did you mean labels?"));
  EXPECT_EQ(Call("POST", "/v1/cameras", home.operator_token, "{}", "Content-Type: text/xml\r\n").status, 415);
  EXPECT_EQ(Post("/v1/cameras", home.operator_token, R"({"name":"<b>\r\nX-Evil: 1 \u202e"})").status, 201);
  EXPECT_EQ(Get("/v1/nothing", home.operator_token).status, 404);
  EXPECT_EQ(Call("PATCH", "/v1/cameras", home.operator_token).status, 405);
}

class PullingApiTest : public ApiTest {
 protected:
  PullingApiTest() : ApiTest(true) {}
};

TEST_F(PullingApiTest, ASourceAsItIsShownKeepsWhatIsNotShownAndIsNoSourceOfItsOwn) {
  const Home home = MakeHome("home");
  const std::string& token = home.operator_token;
  const auto body = [](const std::string& source) { return R"({"name":"yard","source":")" + source + R"("})"; };
  const std::string id = Post("/v1/cameras", token, body("http://me:geheim@127.0.0.1/1?pwd=auch")).Text("id");
  const auto stored = [&] { return store_->Get<events::Camera>(home.owner, id)->source; };
  EXPECT_EQ(Get("/v1/cameras/" + id, token).Text("source"), "http://127.0.0.1/1?...");
  EXPECT_EQ(Put("/v1/cameras/" + id, token, body("http://127.0.0.1/1?...")).status, 200);
  EXPECT_EQ(stored(), "http://me:geheim@127.0.0.1/1?pwd=auch");
  const Came changed = Put("/v1/cameras/" + id, token, body("http://127.0.0.1/2?..."));
  EXPECT_EQ(changed.Code(), "field");
  EXPECT_THAT(changed.Text("detail"), HasSubstr("source: "));
  EXPECT_EQ(stored(), "http://me:geheim@127.0.0.1/1?pwd=auch");
  EXPECT_EQ(Post("/v1/cameras", token, body("http://127.0.0.1/1?...")).Code(), "field");
  EXPECT_EQ(Put("/v1/cameras/" + id, token, body("http://127.0.0.1/2?pwd=neu")).status, 200);
  EXPECT_EQ(stored(), "http://127.0.0.1/2?pwd=neu");
}

}  // namespace
}  // namespace pawsight::gateway::testing
