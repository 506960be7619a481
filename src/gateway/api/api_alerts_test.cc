// What an alert's receivers, streams and readers get of it, over sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "base/files.h"
#include "gateway/api/testing.h"
#include "net/webhook_testing.h"

namespace pawsight::gateway::testing {
namespace {

using net::testing::RawClient;
using net::testing::Webhook;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

class ApiAlertsTest : public ApiTest {
 protected:
  std::string MakeReceiver(const Home& home, const std::string& config) const {
    const Came made = Post("/v1/receivers", home.operator_token, R"({"name":"hook","config":)" + config + "}");
    EXPECT_EQ(made.status, 201) << made.body;
    return made.Text("id");
  }
  /// A frame that its device took so long ago.
  Came PostOldFrame(const Home& home, int number, seconds age) const {
    const Time now = clock_.Now();
    return PostFrame(
        home, Jpeg(number), "?wait=answers",
        "Pawsight-Captured-At: " + FormatTime(now - age) + "\r\nPawsight-Sent-At: " + FormatTime(now) + "\r\n");
  }
};

TEST_F(ApiAlertsTest, AnUpdateGoesToTheStreamAndToReceiversThatAskedForIt) {
  const Home home = MakeHome("home");
  Webhook quiet, updated;
  MakeReceiver(home, quiet.Config());
  MakeReceiver(home, updated.Config(R"(,"updates":true)"));
  ASSERT_EQ(Post("/v1/rules", home.operator_token,
                 R"({"question":"Is there a dog?","clear_s":0,"cooldown_s":0,"update_s":10})")
                .status,
            201);
  RawClient live(server_->port());
  live.Send("GET /v1/live HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + home.operator_token + "\r\n\r\n");
  live.ReadUntil("retry: 2000\n\n");

  backend_.p_yes = 0.9;
  const Came fired = PostOldFrame(home, 1, seconds(45));
  ASSERT_EQ(fired.json.Find("alerts")->as_array().size(), 1U) << fired.body;
  const std::string alert = fired.json.Find("alerts")->as_array()[0].as_string();
  const auto detail = [&] { return *Get("/v1/alerts/" + alert, home.operator_token).json.Find("detail"); };
  const Json at_first = detail();
  PostOldFrame(home, 2, seconds(20));
  EXPECT_THAT(live.ReadUntil("alert.updated"), HasSubstr("alert.fired"));
  EXPECT_EQ(Get("/v1/alerts/" + alert, home.operator_token).Text("state"), "firing");
  backend_.p_yes = 0.05;
  for (int frame = 3; frame < 6; ++frame) PostOldFrame(home, frame, seconds(0));
  EXPECT_EQ(Get("/v1/alerts/" + alert, home.operator_token).Text("state"), "resolved");
  for (const char* of_the_firing : {"frame", "since"}) {
    EXPECT_EQ(detail().GetString(of_the_firing).value(), at_first.GetString(of_the_firing).value());
  }

  for (const char* type : {"alert.fired", "alert.updated", "alert.resolved"}) {
    const Json told = updated.Next();
    EXPECT_EQ(told.GetString("type").value(), type) << told.Dump();
    EXPECT_EQ(told.Find("data")->GetString("alert").value(), alert);
    EXPECT_TRUE(told.Find("data")->GetString("fired_at").ok()) << told.Dump();
  }
  for (const char* type : {"alert.fired", "alert.resolved"}) EXPECT_EQ(quiet.Next().GetString("type").value(), type);
  const Came events = Get("/v1/events", home.operator_token);
  EXPECT_THAT(events.body, HasSubstr("alert.updated"));
  EXPECT_THAT(events.body, HasSubstr("still_on"));
}

TEST_F(ApiAlertsTest, ATryAtAnothersObjectOfAnyKindLeavesAnAuditLine) {
  const Home home = MakeHome("home"), other = MakeHome("other");
  const std::string rule =
      Post("/v1/rules", home.operator_token, R"({"question":"Is there a dog?","for_s":0})").Text("id");
  const Webhook hook;
  const std::string receiver = MakeReceiver(home, hook.Config());
  const std::string credential = Post("/v1/credentials", home.operator_token, R"({"role":"viewer"})").Text("id");
  backend_.p_yes = 0.9;
  const std::string alert = PostFrame(home, Jpeg(1)).json.Find("alerts")->as_array().at(0).as_string();
  const std::string event =
      Get("/v1/events", home.operator_token).json.Find("items")->as_array().at(0).GetString("id").value();
  const auto num_lines = [&] {
    const std::string metrics = Get("/metrics", admin_).body;
    const std::string name = "pawsight_gateway_rejected_total{reason=\"tenant_violation\"} ";
    const size_t at = metrics.find(name);
    return at == std::string::npos ? 0 : std::atoi(metrics.c_str() + at + name.size());
  };
  int wanted = 0;
  const auto expect_line = [&](const Came& came, const std::string& what) {
    EXPECT_EQ(came.status, 404) << what << came.body;
    ++wanted;
    while (num_lines() < wanted) std::this_thread::yield();  // it is looked up after the answer
    EXPECT_EQ(num_lines(), wanted) << what;
  };
  for (const std::string& target :
       {"/v1/cameras/" + home.camera, "/v1/cameras/" + home.camera + "/frame", "/v1/devices/" + home.device,
        "/v1/rules/" + rule, "/v1/rules/" + rule + "/why", "/v1/receivers/" + receiver,
        "/v1/receivers/" + receiver + "/deliveries", "/v1/alerts/" + alert, "/v1/events/" + event}) {
    expect_line(Get(target, other.operator_token), "GET " + target);
  }
  for (const std::string& target : {"/v1/cameras/" + home.camera, "/v1/devices/" + home.device, "/v1/rules/" + rule,
                                    "/v1/receivers/" + receiver, "/v1/credentials/" + credential}) {
    expect_line(Call("DELETE", target, other.operator_token), "DELETE " + target);
  }
  expect_line(Put("/v1/rules/" + rule, other.operator_token, R"({"question":"Is it?"})"), "PUT");
  expect_line(Post("/v1/receivers/" + receiver + "/test", other.operator_token, ""), "test");
  expect_line(Call("POST", "/v1/cameras/" + home.camera + "/frames", other.device_token, Jpeg()), "a frame");
  expect_line(Post("/v1/cameras", other.operator_token, R"({"name":"x","device":")" + home.device + "\"}"),
              "in a body");

  EXPECT_EQ(Get("/v1/rules/rul_00000000000000000000", other.operator_token).status, 404);
  EXPECT_EQ(Call("DELETE", "/v1/rules/" + rule + "?owner=" + other.owner, admin_).status, 404) << "an admin's mistake";
  EXPECT_EQ(Get("/v1/rules/" + rule, home.operator_token).status, 200);
  expect_line(Get("/v1/devices/" + home.device, other.operator_token), "what nobody has is no try at another's");
}

TEST_F(ApiAlertsTest, ARuleHasSeveralWindowsAndAdviceOnThem) {
  const Home home = MakeHome("home");
  const std::string schedule =
      R"({"windows":[{"days":["mon"],"from":"08:00","to":"12:00"},{"days":["mon"],"from":"11:00","to":"13:00"}],"zone":"UTC"})";
  const Came made =
      Post("/v1/rules", home.operator_token, R"({"question":"Is there a dog?","for_s":2,"schedule":)" + schedule + "}");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.json.Find("schedule")->Dump(), schedule);
  EXPECT_THAT(made.body, HasSubstr("windows_overlap"));
  const std::string target = "/v1/rules/" + made.Text("id");
  EXPECT_EQ(Put(target, home.operator_token, Get(target, home.operator_token).body).status, 200) << "as it was shown";
  EXPECT_EQ(Post("/v1/rules", home.operator_token, R"({"question":"Is it?","schedule":{"windows":[]}})").Code(),
            "field");
}

TEST_F(ApiAlertsTest, ThePictureOfAnAlertIsKeptWhereItsOwnerWantsItAndGoesWithItsCameraOrOwner) {
  Home home = MakeHome("home");
  const Home other = MakeHome("other");
  Webhook hook;
  MakeReceiver(home, hook.Config(R"(,"pictures":true)"));
  ASSERT_EQ(Post("/v1/rules", home.operator_token, R"({"question":"Is there a dog?"})").status, 201);
  backend_.p_yes = 0.9;
  const auto fire = [&](int number) {
    std::string frame = Jpeg(number);
    frame.insert(2, std::string("\xFF\xFE\x00\x10", 4) + "52.52N, 13.40E");  // a comment of the camera's
    const Came fired = PostFrame(home, frame);
    EXPECT_EQ(fired.json.Find("alerts")->as_array().size(), 1U) << fired.body;
    return "/v1/alerts/" + fired.json.Find("alerts")->as_array().at(0).as_string() + "/picture";
  };
  const std::string unkept = fire(1);
  EXPECT_EQ(Get(unkept, home.operator_token).Code(), "no_picture") << "nobody asked for it";
  EXPECT_EQ(hook.Next().Find("data")->Find("picture"), nullptr);

  home.camera = Post("/v1/cameras", home.operator_token,
                     R"({"name":"den","gate":false,"keep_pictures":true,"device":")" + home.device + "\"}")
                    .Text("id");
  const std::string kept = fire(2);
  const Came picture = Get(kept, home.operator_token);
  ASSERT_EQ(picture.status, 200) << picture.body;
  EXPECT_EQ(picture.body.substr(0, 2), "\xFF\xD8");
  EXPECT_THAT(picture.body, Not(HasSubstr("52.52N"))) << "encoded anew";
  const Time until = ParseTime(picture.Header("Pawsight-Kept-Until")).value();
  EXPECT_LE(until, clock_.Now() + std::chrono::hours(24));
  EXPECT_GT(until, clock_.Now() + std::chrono::hours(23));
  EXPECT_NE(hook.Next().Find("data")->Find("picture"), nullptr);
  EXPECT_EQ(Get(kept, other.operator_token).status, 404);
  EXPECT_EQ(Call("DELETE", kept, other.operator_token).status, 404);
  EXPECT_EQ(Call("DELETE", kept, home.operator_token).status, 204);
  EXPECT_EQ(Get(kept, home.operator_token).status, 404);

  home.camera = Post("/v1/cameras", home.operator_token,
                     R"({"name":"hall","gate":false,"keep_pictures":true,"device":")" + home.device + "\"}")
                    .Text("id");
  const std::string last = fire(3);
  EXPECT_EQ(Get(last, home.operator_token).status, 200);
  EXPECT_EQ(Call("DELETE", "/v1/owners/" + home.owner, admin_).status, 204);
  EXPECT_EQ(Get(last + "?owner=" + home.owner, admin_).status, 404);
  ASSERT_TRUE(store_->Sweep().ok());
  EXPECT_TRUE(store_->IsErased(home.owner).value());
}

/// What all files of a folder hold.
std::string BytesOf(const std::string& folder) {
  std::string bytes;
  for (const auto& file : std::filesystem::directory_iterator(folder))
    bytes += ReadTextFile(file.path(), 1U << 30U).value();
  return bytes;
}

TEST_F(ApiAlertsTest, AReceiversSecretsLieSealedInTheStoreAndAreUsedAllTheSame) {
  const Home home = MakeHome("home");
  Webhook hook;
  const std::string receiver = MakeReceiver(
      home, hook.Config(R"(,"secrets":["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],"headers":{"X-Mine":"open-sesame"})"));
  const std::string target = "/v1/receivers/" + receiver;
  const std::string fresh = Post(target + "/rotate-secret", home.operator_token, "").Text("secret");
  const std::string bytes = BytesOf(folder_);
  EXPECT_THAT(bytes, HasSubstr("sealed.1."));
  for (const std::string& secret :
       {std::string("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), std::string("open-sesame"), fresh}) {
    EXPECT_EQ(bytes.find(secret), std::string::npos) << "in the file or its log";
  }
  EXPECT_TRUE(Post(target + "/test", home.operator_token, "").json.GetBool("delivered").value());
  EXPECT_EQ(hook.Next().GetString("type").value(), "test");

  // Sealed under a key that is lost: it can be given a new secret.
  const std::string lost =
      notify::SecretKeys::Make()->Seal({home.owner, receiver}, R"({"secrets":["whsec_x"]})").value();
  ASSERT_TRUE(store_->Write({events::ReplaceSecret{home.owner, receiver, lost}}).ok());
  EXPECT_EQ(Get(target, home.operator_token).status, 200);
  EXPECT_EQ(Post(target + "/rotate-secret", home.operator_token, "").Code(), "secret_sealed");
  EXPECT_FALSE(Post(target + "/test", home.operator_token, "").json.GetBool("delivered").value());
  const Came without = Put(target, home.operator_token, R"({"name":"hook","config":)" + hook.Config() + "}");
  EXPECT_EQ(without.status, 409) << without.body;
  EXPECT_EQ(without.Code(), "secret_sealed") << "the secret that cannot be read is not dropped without a word";
  const std::string config = hook.Config(R"(,"secrets":["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])");
  EXPECT_EQ(Put(target, home.operator_token, R"({"name":"hook","config":)" + config + "}").status, 200);
  EXPECT_TRUE(Post(target + "/test", home.operator_token, "").json.GetBool("delivered").value());
}

}  // namespace
}  // namespace pawsight::gateway::testing
