#include "notify/receiver_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pawsight::notify {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kSecret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

Result<ReceiverConfig> Parse(const std::string& text, const ReceiverPolicy& policy = {}) {
  return ParseReceiver(Json::Parse(text).value(), policy);
}
std::string Webhook(const std::string& more) {
  return R"({"kind":"webhook","url":"https://example.org/hook","secrets":[")" + std::string(kSecret) + "\"]" + more +
         "}";
}
ReceiverPolicy Home() { return {ParseAddressPolicy({"192.168.0.0/16"}).value(), true}; }

TEST(ReceiverConfig, EachKindIsReadWithItsDefaults) {
  const auto webhook = Parse(Webhook(R"(,"pictures":true,"headers":{"Authorization":"Bearer x"})")).value();
  EXPECT_TRUE(webhook.pictures);
  EXPECT_FALSE(webhook.updates);
  EXPECT_EQ(KindName(webhook), "webhook");
  EXPECT_EQ(std::get<WebhookConfig>(webhook.kind).headers[0].second, "Bearer x");

  const auto mqtt = Parse(R"({"kind":"mqtt","host":"broker.example"})").value();
  EXPECT_FALSE(mqtt.pictures);
  EXPECT_TRUE(mqtt.updates) << "a home automation shows how it stands; a phone rings";
  EXPECT_TRUE(std::get<MqttConfig>(mqtt.kind).tls);
  EXPECT_EQ(std::get<MqttConfig>(mqtt.kind).port, 8883);
  EXPECT_EQ(std::get<MqttConfig>(Parse(R"({"kind":"mqtt","host":"192.168.1.2"})", Home())->kind).port, 1883);

  const auto ntfy = Parse(R"({"kind":"ntfy","topic":"paws"})").value();
  EXPECT_EQ(std::get<NtfyConfig>(ntfy.kind).server.ToString(), "https://ntfy.sh/");
  const auto own =
      Parse(R"({"kind":"ntfy","server":"https://push.example/ntfy","topic":"paws","token":"tk_1"})").value();
  EXPECT_EQ(std::get<NtfyConfig>(own.kind).server.target, "/ntfy/");

  const auto email =
      Parse(R"({"kind":"email","host":"mail.example","from":"a@example.org","to":"b@example.org"})").value();
  EXPECT_EQ(std::get<EmailConfig>(email.kind).security, MailSecurity::kStartTls);
  EXPECT_EQ(std::get<EmailConfig>(email.kind).port, 587);
  EXPECT_EQ(PlaceOf(email).first.name, "mail.example");
}

TEST(ReceiverConfig, WhoWantsUpdatesIsSaidOrFollowsFromTheKind) {
  EXPECT_TRUE(Parse(Webhook(R"(,"updates":true)"))->updates);
  EXPECT_EQ(Parse(Webhook(R"(,"updates":1)")).status().code(), StatusCode::kInvalidArgument);
  const auto wants = [](const char* text) { return WantsUpdates(Json::Parse(text).value()); };
  EXPECT_TRUE(wants(R"({"kind":"webhook","updates":true})"));
  EXPECT_FALSE(wants(R"({"kind":"webhook"})"));
  EXPECT_TRUE(wants(R"({"kind":"mqtt"})"));
  EXPECT_FALSE(wants(R"({"kind":"mqtt","updates":false})"));
}

TEST(ReceiverConfig, AnErrorNamesTheField) {
  const std::string email = R"({"kind":"email","host":"mail.example","from":"a@example.org","to":["b@example.org"])";
  const std::pair<std::string, const char*> rows[] = {
      {"[]", "receiver: want an object"},
      {"{}", "receiver.kind: missing"},
      {R"({"kind":"pager"})", "receiver.kind: want"},
      {R"({"kind":"webhook","url":"https://example.org/"})", "receiver.secrets: want 1..2"},
      {R"({"kind":"webhook","url":"https://example.org/","secrets":["x"]})", "receiver.secrets: want \"whsec_\""},
      {R"({"kind":"webhook","url":"ftp://example.org/","secrets":["x"]})", "receiver.url: want https://"},
      {Webhook(R"(,"header":{})"), "receiver.\"header\": unknown, did you mean headers?"},
      {Webhook(R"(,"pictures":1)"), "receiver.pictures: want"},
      {Webhook(R"(,"headers":{"X":"a\r\nY: b"})"), "receiver.headers: want values"},
      {Webhook(R"(,"headers":{"X\r\nY":"a"})"), "receiver.headers: want names"},
      {Webhook(R"(,"headers":{"Webhook-Id":"a"})"), "receiver.headers: webhook-id is set by the sender"},
      {Webhook(R"(,"headers":{"Content-Length":"9"})"), "receiver.headers: content-length is set by the sender"},
      {Webhook(R"(,"pin":"sha1//AAAA")"), "receiver.pin: want"},
      {R"({"kind":"mqtt","host":"a b"})", "receiver.host: want"},
      {R"({"kind":"mqtt","host":"a.example","port":22})", "receiver.port: want"},
      {R"({"kind":"mqtt","host":"a.example","topic_prefix":"a/#"})", "receiver.topic_prefix: want"},
      {R"({"kind":"mqtt","host":"a.example","topic_prefix":"/a"})", "receiver.topic_prefix: want"},
      {R"({"kind":"mqtt","host":"a.example","password":"x"})", "receiver.password: want a username"},
      {R"({"kind":"mqtt","host":"a.example","username":"x\n"})", "receiver.username: want"},
      {R"({"kind":"ntfy","topic":"a/b"})", "receiver.topic: want"},
      {R"({"kind":"ntfy","topic":"a","server":"https://a.example/?x"})", "receiver.server: want no query"},
      {email + R"(,"security":"ssl"})", "receiver.security: want"},
      {email + R"(,"port":80})", "receiver.port: want"},
      {R"({"kind":"email","host":"m.example","from":"a@b@c","to":"b@example.org"})", "receiver.from: want"},
      {R"({"kind":"email","host":"m.example","from":"a@example.org","to":[]})", "receiver.to: want 1..10"},
      {R"({"kind":"email","host":"m.example","from":"a@example.org","to":"x>\r\nRCPT TO:<y@example.org"})",
       "receiver.to: want"},
      {R"({"kind":"email","host":"m.example","from":"a@example.org","to":"a b@example.org"})", "receiver.to: want"},
      {R"({"kind":"email","host":"m.example","from":"\"a\"@example.org","to":"b@example.org"})", "receiver.from: want"},
  };
  for (const auto& [text, wanted] : rows) {
    const auto config = Parse(text);
    ASSERT_FALSE(config.ok()) << text;
    EXPECT_THAT(config.status().message(), HasSubstr(wanted)) << text;
  }
}

TEST(ReceiverConfig, PlainTransportsAndInsideAddressesAreTheOperatorsToAllow) {
  const std::pair<const char*, const char*> rows[] = {
      {R"({"kind":"webhook","url":"http://192.168.1.2/","secrets":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"})",
       "plain_refused"},
      {R"({"kind":"webhook","url":"https://192.168.1.2/","secrets":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"})",
       "address_refused"},
      {R"({"kind":"mqtt","host":"192.168.1.2"})", "address_refused"},
      {R"({"kind":"mqtt","host":"a.example","tls":false})", "plain_refused"},
      {R"({"kind":"ntfy","server":"http://192.168.1.2/","topic":"a"})", "plain_refused"},
      {R"({"kind":"email","host":"192.168.1.2","from":"a@example.org","to":"b@example.org"})", "address_refused"},
      {R"({"kind":"email","host":"m.example","security":"none","from":"a@example.org","to":"b@example.org"})",
       "plain_refused"},
  };
  for (const auto& [text, reason] : rows) {
    EXPECT_EQ(Parse(text).status().reason(), reason) << text;
    EXPECT_TRUE(Parse(text, Home()).ok()) << text << Parse(text, Home()).status().ToString();
  }
}

TEST(ReceiverConfig, WhatIsSecretIsKeptApart) {
  const Json document = Json::Parse(Webhook(R"(,"headers":{"Authorization":"Bearer x"})")).value();
  const SplitDocument split = SplitSecrets(document);
  EXPECT_THAT(split.open.Dump(), Not(HasSubstr("whsec")));
  EXPECT_THAT(split.open.Dump(), Not(HasSubstr("Bearer")));
  EXPECT_TRUE(ParseReceiver(JoinSecrets(split.open, split.secret), {}).ok());
  EXPECT_FALSE(ParseReceiver(split.open, {}).ok());
  EXPECT_TRUE(SplitSecrets(Json("x")).open.is_object());
}

TEST(ReceiverConfig, ASecretIsInNoError) {
  const std::string wrong = "whsec_" + std::string(20, 'Q');
  EXPECT_THAT(
      Parse(R"({"kind":"webhook","url":"https://example.org/","secrets":[")" + wrong + "\"]}").status().message(),
      Not(HasSubstr("QQQ")));
}

}  // namespace
}  // namespace pawsight::notify
