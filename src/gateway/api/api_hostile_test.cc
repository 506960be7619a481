// What people who mean it no good send to the API (docs/hostile-inputs.md, "To the gateway"): others' ids on every
// path, cursors, versions, forms, texts, paths and tokens that are not what they should be. After each the API answers
// the next good request, and nothing of it is a 5xx.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

#include "gateway/api/testing.h"

namespace pawsight::gateway::testing {
namespace {

using ::testing::AnyOf;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::Not;

class ApiHostileTest : public ApiTest {
 protected:
  /// A home with one of everything, and what its objects' ids are in the document's paths.
  struct Full {
    Home home;
    std::string viewer;
    std::map<std::string, std::string> ids;
  };
  Full MakeFull() {
    Full full{MakeHome("the Smiths"), "", {}};
    const std::string& token = full.home.operator_token;
    const Came viewer = Post("/v1/credentials", token, R"({"role":"viewer","name":"a tablet"})");
    full.viewer = viewer.Text("token");
    const std::string rule = Post("/v1/rules", token, R"({"question":"Is grandma asleep?","clear_s":3600})").Text("id");
    const std::string receiver =
        Post("/v1/receivers", token,
             R"({"name":"a pager","config":{"kind":"webhook","url":"http://127.0.0.1:9191/p"}})")
            .Text("id");
    backend_.p_yes = 0.9;
    const std::string alert = PostFrame(full.home, Jpeg(1)).json.Find("alerts")->as_array().at(0).as_string();
    const Came events = Get("/v1/events", token);
    const std::string event = events.json.Find("items")->as_array().at(0).GetString("id").value();
    full.ids = {{"owner", full.home.owner},
                {"credential", viewer.Text("id")},
                {"device", full.home.device},
                {"camera", full.home.camera},
                {"rule", rule},
                {"receiver", receiver},
                {"alert", alert},
                {"event", event}};
    return full;
  }
  /// All that the owner sees of what it has.
  std::string Everything(const Full& full) const {
    std::string all;
    for (const char* list : {"/v1/devices", "/v1/cameras", "/v1/rules", "/v1/receivers", "/v1/credentials",
                             "/v1/snoozes", "/v1/alerts", "/v1/events"}) {
      all += Get(list, full.home.operator_token).body;
    }
    return all + Get("/v1/cameras/" + full.home.camera + "/frame", full.home.operator_token).body;
  }
  /// The operation's path with these ids in it.
  static std::string Filled(std::string path, const std::map<std::string, std::string>& ids) {
    for (size_t at; (at = path.find('{')) != std::string::npos;) {
      const size_t end = path.find('}', at);
      path.replace(at, end - at + 1, ids.at(path.substr(at + 1, end - at - 1)));
    }
    return path;
  }
  /// A body as the document shows it.
  std::string BodyOf(const Json& operation, std::string* type) const {
    const Json* body = operation.Find("requestBody");
    const Json* json = body == nullptr ? nullptr : body->Find("content")->Find("application/json");
    *type = body == nullptr || json != nullptr ? "application/json" : "image/jpeg";
    if (body == nullptr) return "";
    return json == nullptr ? Jpeg(9) : Follow(document_, *json->Find("schema")).Find("examples")->as_array()[0].Dump();
  }
  void ExpectServed(const Home& home) const { EXPECT_EQ(Get("/v1/me", home.operator_token).status, 200); }
};

TEST_F(ApiHostileTest, E3AnothersIdOnAnyPathOpensNothingChangesNothingAndTellsNothing) {
  const Full full = MakeFull();
  const Home other = MakeHome("other");
  const std::string viewer = Post("/v1/credentials", other.operator_token, R"({"role":"viewer"})").Text("token");
  const std::string before = Everything(full);
  int num_tried = 0;
  for (const auto& [path, item] : document_.Find("paths")->as_object()) {
    if (path.find('{') == std::string::npos) continue;
    for (const auto& [method, operation] : item.as_object()) {
      std::string verb = method, type;
      std::transform(verb.begin(), verb.end(), verb.begin(), [](char c) { return static_cast<char>(std::toupper(c)); });
      const std::string body = BodyOf(operation, &type);
      for (const std::string& token : {other.operator_token, viewer, other.device_token}) {
        for (const std::string& query : {std::string(), "?owner=" + full.home.owner, "?owner=" + other.owner}) {
          const std::string target = Filled(path, full.ids) + query;
          const Came came = Call(verb, target, token, body, "Content-Type: " + type + "\r\n");
          EXPECT_THAT(came.status, AnyOf(Eq(404), Eq(403))) << verb << " " << target << came.body;
          for (const char* theirs : {"Smith", "kitchen", "hall", "grandma", "pager", "tablet", "127.0.0.1"}) {
            EXPECT_THAT(came.body, Not(HasSubstr(theirs))) << verb << " " << target;
          }
          ++num_tried;
        }
      }
    }
  }
  EXPECT_GE(num_tried, 25 * 9);
  EXPECT_EQ(Everything(full), before);
}

TEST_F(ApiHostileTest, E3ADeviceOrAViewerOfTheSameOwnerDoesWhatItIsForAndNoMore) {
  const Full full = MakeFull();
  const std::string& token = full.home.operator_token;
  const Came second = Post("/v1/devices", token, R"({"name":"porch"})");
  const std::string porch = second.json.Find("credential")->GetString("token").value();
  const std::string before = Everything(full);
  for (const auto& [path, item] : document_.Find("paths")->as_object()) {
    if (path.find('{') == std::string::npos) continue;
    for (const auto& [method, operation] : item.as_object()) {
      if (method == "get") continue;
      std::string verb = method == "post" ? "POST" : method == "put" ? "PUT" : "DELETE", type;
      const std::string body = BodyOf(operation, &type);
      for (const std::string& weak : {full.viewer, porch}) {
        if (path.ends_with("/ask") && weak == full.viewer) continue;  // reads
        const Came came = Call(verb, Filled(path, full.ids), weak, body, "Content-Type: " + type + "\r\n");
        EXPECT_EQ(came.status, 403) << verb << " " << path << came.body;
      }
    }
  }
  EXPECT_EQ(Everything(full), before);
}

TEST_F(ApiHostileTest, G10CursorsThatAreForgedOrAnothersShowNothingOfAnother) {
  const Full full = MakeFull();
  const Home other = MakeHome("other");
  const std::map<std::string, std::string> lists = {{"/v1/cameras", full.home.camera},
                                                    {"/v1/devices", full.home.device},
                                                    {"/v1/rules", full.ids.at("rule")},
                                                    {"/v1/receivers", full.ids.at("receiver")},
                                                    {"/v1/credentials", full.ids.at("credential")},
                                                    {"/v1/alerts", full.ids.at("alert")}};
  for (const auto& [list, theirs] : lists) {
    const std::string prefix = theirs.substr(0, 4);
    for (const std::string& place : {theirs, prefix + std::string(20, '0')}) {
      const Came came = Get(list + "?limit=1000&cursor=" + place, other.operator_token);
      EXPECT_EQ(came.status, 200) << list << came.body;
      for (const auto& [name, id] : full.ids) EXPECT_THAT(came.body, Not(HasSubstr(id))) << list << " " << name;
    }
    const std::string of_another_list = list == "/v1/rules" ? full.home.camera : full.ids.at("rule");
    for (const std::string& forged :
         {of_another_list, full.home.owner, prefix, theirs + "0", theirs.substr(0, 23), prefix + std::string(20, '%'),
          std::string("%00"), std::string("'%20OR%201=1--"), std::string(4000, 'a'), std::string("%F0%9F%90%B6"),
          std::string("-1"), std::string("null")}) {
      const Came came = Get(list + "?cursor=" + forged, other.operator_token);
      EXPECT_EQ(came.status, 400) << list << " " << forged << came.body;
    }
    for (const char* limit : {"0", "-1", "1e9", "0x10", "99999999999999999999", "%31%00", "one"}) {
      EXPECT_EQ(Get(list + "?limit=" + limit, other.operator_token).status, 400) << list << " " << limit;
    }
    EXPECT_EQ(Get(list + "?limit=1000000000", other.operator_token).status, 200) << list;
  }
  const std::string receiver = Post("/v1/receivers", other.operator_token,
                                    R"({"name":"x","config":{"kind":"webhook","url":"http://127.0.0.1:9191/x"}})")
                                   .Text("id");
  for (const std::string& list : {std::string("/v1/events?after="), std::string("/v1/events?before="),
                                  "/v1/receivers/" + receiver + "/deliveries?after="}) {
    for (const char* wrong : {"-1", "1e3", "evt_1", "99999999999999999999", "%00", "1;DROP%20TABLE%20events"}) {
      EXPECT_EQ(Get(list + wrong, other.operator_token).status, 400) << list << wrong;
    }
    const Came far = Get(list + "9223372036854775807", other.operator_token);
    EXPECT_EQ(far.status, 200) << far.body;
    EXPECT_TRUE(far.json.Find("items")->as_array().empty()) << list;
  }
  for (const char* filter : {"camera", "rule"}) {
    const std::string all = "/v1/alerts?" + std::string(filter) + "=";
    for (const std::string& value : {full.ids.at(filter), std::string("%25"), std::string("'%20OR%20''='")}) {
      EXPECT_TRUE(Get(all + value, other.operator_token).json.Find("items")->as_array().empty()) << value;
    }
  }
}

TEST_F(ApiHostileTest, B27AVersionThatIsNoneIsNoMatchAndNothingIsChanged) {
  const Full full = MakeFull();
  const std::string targets[] = {"/v1/cameras/" + full.home.camera, "/v1/rules/" + full.ids.at("rule"),
                                 "/v1/receivers/" + full.ids.at("receiver"), "/v1/devices/" + full.home.device};
  for (const std::string& target : targets) {
    const std::string shown = Get(target, full.home.operator_token).body;
    for (const std::string& match :
         {std::string("1"), std::string("W/\"1\""), std::string("\"1\", \"2\""), std::string("\"01\""),
          std::string("\"+1\""), std::string("\"-1\""), std::string("\"\""), std::string("\"1\"x"), std::string("*x"),
          std::string("**"), "\"" + std::string(4000, '1') + "\"", std::string("\"18446744073709551617\"")}) {
      for (const char* method : {"PUT", "DELETE"}) {
        const std::string body = std::string(method) == "PUT" ? shown : "";
        if (std::string(method) == "PUT" && target.starts_with("/v1/devices")) continue;  // is not changed
        const Came came = Call(method, target, full.home.operator_token, body,
                               "Content-Type: application/json\r\nIf-Match: " + match + "\r\n");
        EXPECT_EQ(came.status, 412) << method << " " << target << " " << match.substr(0, 40) << came.body;
        EXPECT_EQ(came.Code(), "if_match");
      }
    }
    EXPECT_EQ(Get(target, full.home.operator_token).body, shown);
  }
}

TEST_F(ApiHostileTest, B26FormsThatAreNoneAreRefusedAndTheNextFrameIsAnswered) {
  const Home home = MakeHome("home");
  const auto post = [&](const std::string& type, const std::string& body, const std::string& query = "") {
    return Call("POST", "/v1/cameras/" + home.camera + "/frames" + query, home.device_token, body,
                "Content-Type: " + type + "\r\n");
  };
  const std::string part = "--x\r\nContent-Type: image/jpeg\r\n\r\n" + Jpeg(1) + "\r\n";
  std::string thousand;
  for (int i = 0; i < 1000; ++i) thousand += part;
  struct Row {
    const char* what;
    std::string type, body;
    int status;
  };
  const std::string form = "multipart/form-data; boundary=x";
  const Row rows[] = {
      {"no boundary", "multipart/form-data", part + "--x--\r\n", 400},
      {"an empty one", "multipart/form-data; boundary=", part + "--x--\r\n", 400},
      {"one of 1 kB", "multipart/form-data; boundary=" + std::string(1024, 'x'), part + "--x--\r\n", 400},
      {"one with a quote", "multipart/form-data; boundary=\"x\"y\"", part + "--x--\r\n", 400},
      {"another than it uses", "multipart/form-data; boundary=y", part + "--x--\r\n", 400},
      {"no part", form, "--x--\r\n", 400},
      {"nothing", form, "", 400},
      {"1,000 parts", form, thousand + "--x--\r\n", 413},
      {"a part without an end", form, part, 400},
      {"a header without an end", form, "--x\r\nContent-Type: image/jpeg", 400},
      {"a header of 100 kB", form, "--x\r\nA: " + std::string(100'000, 'a') + "\r\n\r\nb\r\n--x--\r\n", 413},
      {"a header that is none", form, "--x\r\nno colon\r\n\r\nb\r\n--x--\r\n", 400},
      {"a part in base64", form, "--x\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--x--\r\n", 400},
      {"lines that end in LF", form, "--x\n\nb\n--x--\n", 400},
      {"something before it", form, "hello\r\n" + part + "--x--\r\n", 400},
      {"something behind it", form, part + "--x--\r\nhello", 400},
      {"a part above the limit", form, "--x\r\n\r\n" + std::string((8U << 20U) + 1, 'a') + "\r\n--x--\r\n", 413},
      {"a wrong header of ours", form, "--x\r\nPawsight-Sequence: -1\r\n\r\nb\r\n--x--\r\n", 400},
      {"no frame at all", "text/html", "<html></html>", 415},
  };
  for (const Row& row : rows) {
    for (const char* query : {"", "?wait=answers"}) {
      const Came came = post(row.type, row.body, query);
      EXPECT_EQ(came.status, row.status) << row.what << " " << query << came.body.substr(0, 200);
    }
  }
  const Came form_in_form =
      post(form, "--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n\r\nb\r\n--y--\r\n--x--\r\n");
  EXPECT_EQ(form_in_form.status, 202) << "each part has its own answer";
  EXPECT_EQ(form_in_form.json.Find("frames")->as_array().at(0).Find("error")->GetInteger("status").value(), 415);
  EXPECT_EQ(PostFrame(home, Jpeg(2)).status, 200);
}

TEST_F(ApiHostileTest, E15TextsOfPeopleStayTextsAndAreNowhereTakenForAnythingElse) {
  const Home home = MakeHome("home");
  const std::string& token = home.operator_token;
  const std::string texts[] = {"<script>alert(1)</script>",
                               "a\r\nX-Evil: 1\r\n\r\n",
                               "'; DROP TABLE rules; --",
                               "\xE2\x80\xAE upside \xE2\x81\xA6",
                               "{{7*7}} ${jndi:ldap://x} %s%n",
                               "\"} 1\nevil_metric{x=\"",
                               "\x01\x02\x1b[31m",
                               "\xF0\x9F\x90\xB6 e\xCC\x81"};
  for (const std::string& text : texts) {
    const Came camera = Post("/v1/cameras", token, Json(Json::Object{{"name", text}}).Dump());
    ASSERT_EQ(camera.status, 201) << camera.body;
    EXPECT_EQ(Get("/v1/cameras/" + camera.Text("id"), token).Text("name"), text);
    const Came device = Post("/v1/devices", token, Json(Json::Object{{"name", text}}).Dump());
    EXPECT_EQ(device.status, 201) << device.body;
    EXPECT_THAT(device.head, Not(HasSubstr("X-Evil")));
    const Json::Object rule{{"question", "Is " + text + " there?"}};
    const Came made = Post("/v1/rules?force=true", token, Json(rule).Dump());
    EXPECT_THAT(made.status, AnyOf(Eq(201), Eq(422))) << made.body;
    const Json::Object labels{{"name", "x"}, {"labels", Json::Object{{"room", text}}}};
    EXPECT_THAT(Post("/v1/cameras", token, Json(labels).Dump()).status, AnyOf(Eq(201), Eq(400)));
  }
  for (const std::string& wrong :
       {R"({"question":")" + std::string(513, 'a') + "?\"}", R"({"question":")" + std::string(200'000, 'a') + "?\"}",
        std::string(R"({"question":"\u0000"})"), std::string(R"({"question":" \u0007\t "})"),
        std::string(R"({"question":7})"), std::string(R"({"question":"Is it?","threshold":1e999})"),
        std::string(R"({"question":"Is it?","threshold":-0.0})"), std::string(R"({"question":"Is it?","for_s":1e9})"),
        std::string(R"({"question":"Is it?","for_frames":33,"of_frames":33})"),
        std::string(R"({"question":"Is it?","cameras":[]})"),
        std::string(R"({"question":"Is it?","cameras":["../x"]})"),
        std::string(R"({"question":"Is it?","cameras":{}})"), std::string(R"({"question":"Is it?","severity":"<b>"})"),
        std::string(R"({"question":"Is it?","schedule":{"zone":"../../../etc/passwd"}})"),
        std::string(R"({"question":"Is it?","schedule":{"from":"24:01"}})"),
        std::string(R"({"question":"Is it?","guard":""})"), std::string(R"({"question":"Is it?","receivers":"all"})"),
        std::string(R"({"question":"Is it?","question":"Is it not?"})")}) {
    const Came came = Post("/v1/rules?force=true", token, wrong);
    EXPECT_THAT(came.status, AnyOf(Eq(400), Eq(422))) << wrong.substr(0, 80) << came.body;
  }
  EXPECT_EQ(PostFrame(home, Jpeg(3)).status, 200);
  const std::string metrics = Get("/metrics", admin_).body;
  for (const char* of_people : {"script", "DROP", "evil", "X-Evil", "jndi"}) {
    EXPECT_THAT(metrics, Not(HasSubstr(of_people))) << "numbers only";
  }
}

TEST_F(ApiHostileTest, B24PathsThatAreNoneLeadNowhere) {
  const Home home = MakeHome("home");
  for (const char* path : {"/v1/cameras/../owners",
                           "/v1/%2e%2e/metrics",
                           "/v1/cameras/..%2fowners",
                           "//v1/cameras",
                           "/v1//cameras",
                           "/v1/cameras/",
                           "/v1/cameras/%00",
                           "/v1/cameras;x=1",
                           "/V1/cameras",
                           "/v1\\cameras",
                           "/v1/cameras/%c0%ae",
                           "/v1/cameras/..;/owners",
                           "/v1/cameras/%",
                           "/v1/cameras/%zz",
                           "/../../etc/passwd",
                           "/static/../../etc/passwd",
                           "/.git/config",
                           "/admin.token",
                           "/gateway.sqlite",
                           "/v1/cameras/cam_%2a",
                           "/v1/cameras/%F0%9F%90%B6"}) {
    for (const std::string& token : {home.operator_token, admin_}) {
      const Came came = Get(path, token);
      EXPECT_THAT(came.status, AnyOf(Eq(400), Eq(404))) << path << came.body;
      EXPECT_THAT(came.body, Not(HasSubstr("root:"))) << path;
    }
  }
  EXPECT_EQ(Get("/v1/cameras/" + std::string(16384, 'a'), home.operator_token).status, 414);
  EXPECT_THAT(Get("/v1/cameras/" + std::string(4000, 'a'), home.operator_token).status, AnyOf(Eq(404), Eq(414)));
  for (const char* method : {"TRACE", "CONNECT", "OPTIONS", "PATCH", "get", "G\x01T"}) {
    EXPECT_THAT(Call(method, "/v1/cameras", home.operator_token).status, AnyOf(Eq(405), Eq(400), Eq(501))) << method;
  }
  ExpectServed(home);
}

TEST_F(ApiHostileTest, E1TokensThatAreNoneAreAllTheSame401) {
  const Home home = MakeHome("home");
  const std::string right = home.operator_token;
  const auto ask = [&](const std::string& header) { return Call("GET", "/v1/me", "", "", header); };
  std::string all_zero = right;
  std::fill(all_zero.begin() + 6, all_zero.end(), '0');
  std::string of_admin = right;
  of_admin[4] = 'a';
  const Came first = ask("");
  EXPECT_EQ(first.status, 401);
  for (const std::string& header :
       {std::string("Authorization: Bearer "), std::string("Authorization: Bearer"), "Authorization: " + right,
        "Authorization: Basic " + right, "Authorization: Bearer " + right + "0",
        "Authorization: Bearer " + right.substr(0, right.size() - 1), "Authorization: Bearer " + all_zero,
        "Authorization: Bearer " + of_admin, "Authorization: Bearer " + right + " " + right,
        std::string("Authorization: Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9."),
        std::string("Authorization: Bearer ../../admin.token"), "X-Authorization: Bearer " + right,
        "Cookie: token=" + right, std::string("X-Forwarded-For: 127.0.0.1")}) {
    const Came came = ask(header + "\r\n");
    EXPECT_EQ(came.status, 401) << header;
    EXPECT_EQ(came.body, first.body) << header;
  }
  EXPECT_EQ(Get("/v1/me?token=" + right + "&access_token=" + right, "").status, 401);
  EXPECT_EQ(ask("Authorization: Bearer " + std::string(1U << 20U, 'a') + "\r\n").status, 431);
  ExpectServed(home);
}

}  // namespace
}  // namespace pawsight::gateway::testing
