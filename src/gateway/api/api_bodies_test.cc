// Bodies of the API's POST and PUT that bring more than they may: members that nobody knows, members that the gateway
// gives, ids of what the owner does not have. Each is named, and nothing is written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "gateway/api/testing.h"

namespace pawsight::gateway::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kNobodys = "00000000000000000000";

class ApiBodiesTest : public ApiTest {
 protected:
  /// The example that the document has for an operation's JSON body; null when it has none.
  Json BodyExample(const Json& operation) const {
    const Json* body = operation.Find("requestBody");
    const Json* media = body == nullptr ? nullptr : body->Find("content")->Find("application/json");
    if (media == nullptr) return {};
    const Json& schema = Follow(document_, *media->Find("schema"));
    EXPECT_FALSE(schema.Find("additionalProperties")->as_bool()) << schema.Dump();
    return schema.Find("examples")->as_array().front();
  }
};

TEST_F(ApiBodiesTest, AMemberThatNobodyKnowsIsNamedWhereverABodyIsTaken) {
  const Home home = MakeHome("home");
  const std::string rule = Post("/v1/rules", home.operator_token, R"({"question":"Is there a dog?"})").Text("id");
  const std::string receiver = Post("/v1/receivers", home.operator_token,
                                    R"({"name":"hook","config":{"kind":"webhook","url":"http://127.0.0.1:9191/x"}})")
                                   .Text("id");
  const std::map<std::string, std::string> ids = {
      {"{camera}", home.camera}, {"{rule}", rule}, {"{receiver}", receiver}};
  int num_bodies = 0;
  for (const auto& [path, item] : document_.Find("paths")->as_object()) {
    for (const auto& [method, operation] : item.as_object()) {
      Json body = BodyExample(operation);
      if (body.is_null()) continue;
      ++num_bodies;
      std::string target = path;
      for (const auto& [name, id] : ids) {
        if (const size_t at = target.find(name); at != std::string::npos) target.replace(at, name.size(), id);
      }
      ASSERT_EQ(target.find('{'), std::string::npos) << target;
      body.Set("surprise", 1);
      const bool of_admin = target == "/v1/owners" || target == "/v1/backends" || target == "/v1/routing";
      const Came came = Call(method == "put" ? "PUT" : "POST", target, of_admin ? admin_ : home.operator_token,
                             body.Dump(), "Content-Type: application/json\r\n");
      EXPECT_EQ(came.status, 400) << method << " " << target << came.body;
      EXPECT_THAT(came.Text("detail"), HasSubstr("surprise")) << method << " " << target;
    }
  }
  EXPECT_GE(num_bodies, 13);
  EXPECT_EQ(Get("/v1/cameras", home.operator_token).json.Find("items")->as_array().size(), 1U);
}

TEST_F(ApiBodiesTest, WhatTheGatewayGivesComesBackByAPutAndNeverByAPost) {
  const Home home = MakeHome("home");
  const std::string& token = home.operator_token;
  const std::pair<std::string, std::string> kinds[] = {
      {"/v1/cameras", R"({"name":"garden"})"},
      {"/v1/rules", R"({"question":"Is there a dog?"})"},
      {"/v1/receivers", R"({"name":"hook","config":{"kind":"webhook","url":"http://127.0.0.1:9191/x"}})"}};
  for (const auto& [list, body] : kinds) {
    const Came made = Post(list, token, body);
    const std::string target = list + "/" + made.Text("id");
    const Came shown = Get(target, token);
    for (const char* member : {"id", "version", "created", "updated", "advice", "kind", "reason"}) {
      const Json* value = shown.json.Find(member);
      if (value == nullptr) continue;
      Json with = Json::Parse(body).value();
      with.Set(member, *value);
      const Came came = Post(list, token, with.Dump());
      EXPECT_EQ(came.status, 400) << list << " " << member;
      EXPECT_EQ(came.Code(), "field");
      EXPECT_THAT(came.Text("detail"), StartsWith(std::string(member) + ": ")) << list;
    }
    EXPECT_EQ(Put(target, token, shown.body).status, 200) << "as it was shown";
    for (const std::string& other : {made.Text("id").substr(0, 4) + kNobodys, std::string("mine")}) {
      Json with = Json::Parse(body).value();
      with.Set("id", other);
      const Came came = Put(target, token, with.Dump());
      EXPECT_EQ(came.Code(), "field") << list << came.body;
      EXPECT_THAT(came.Text("detail"), StartsWith("id: "));
    }
    EXPECT_EQ(Get(target, token).Header("ETag"), "\"2\"") << "changed by the one PUT alone";
  }
}

TEST_F(ApiBodiesTest, ARuleAndASnoozeNameCamerasAndRulesOfTheirOwner) {
  const Home home = MakeHome("home"), other = MakeHome("other");
  const std::string& token = home.operator_token;
  const std::string theirs = Post("/v1/rules", other.operator_token, R"({"question":"Is there a cat?"})").Text("id");
  const std::string garden = Post("/v1/cameras", token, R"({"name":"garden"})").Text("id");
  const auto rule = [&](const std::string& camera) {
    return R"({"question":"Is there a dog?","cameras":[")" + home.camera + R"(",")" + camera + "\"]}";
  };
  const auto expect_refused = [](const Came& came, const std::string& code, const std::string& field) {
    EXPECT_EQ(came.status, 422) << came.body;
    EXPECT_EQ(came.Code(), code);
    EXPECT_THAT(came.Text("detail"), StartsWith(field + ": "));
  };
  const Came made = Post("/v1/rules", token, rule(garden));
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string target = "/v1/rules/" + made.Text("id");
  for (const std::string& camera : {other.camera, std::string("cam_") + kNobodys}) {
    expect_refused(Post("/v1/rules", token, rule(camera)), "camera_unknown", "cameras[1]");
    expect_refused(Put(target, token, rule(camera)), "camera_unknown", "cameras[1]");
    expect_refused(Post("/v1/snoozes", token, R"({"for_s":60,"camera":")" + camera + "\"}"), "camera_unknown",
                   "camera");
  }
  for (const std::string& of : {theirs, std::string("rul_") + kNobodys, std::string("\\u202e")}) {
    expect_refused(Post("/v1/snoozes", token, R"({"for_s":60,"rule":")" + of + "\"}"), "rule_unknown", "rule");
  }
  EXPECT_EQ(Get("/v1/snoozes", token).json.Find("items")->as_array().size(), 0U);
  EXPECT_EQ(
      Post("/v1/snoozes", token, R"({"for_s":60,"rule":")" + made.Text("id") + R"(","camera":")" + home.camera + "\"}")
          .status,
      201);

  EXPECT_EQ(Call("DELETE", "/v1/cameras/" + garden, token).status, 204);
  EXPECT_THAT(Get(target, token).body, HasSubstr(garden)) << "it stays readable";
  EXPECT_EQ(Put(target, token, rule(garden)).status, 200) << "and may be sent back";
  expect_refused(Post("/v1/rules", token, rule(garden)), "camera_unknown", "cameras[1]");
  const auto audited = [&](const std::string& object) {
    return Get("/v1/audit?limit=1000", admin_).body.find(R"("object":")" + object) != std::string::npos;
  };
  while (!audited(other.camera) || !audited(theirs)) std::this_thread::yield();  // a try at another's is told
  EXPECT_THAT(Get("/v1/audit", token).body, Not(HasSubstr(other.owner)));
}

}  // namespace
}  // namespace pawsight::gateway::testing
