// Webhook, ntfy and e-mail against real servers on loopback.
#include "notify/receiver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "net/http_server.h"
#include "notify/mail.h"
#include "notify/mime.h"
#include "notify/ntfy.h"
#include "notify/testing.h"
#include "notify/webhook.h"

namespace pawsight::notify {
namespace {

using std::chrono::seconds;
using testing::Connection;
using ::testing::HasSubstr;
using testing::LoopbackAllowed;
using ::testing::Not;
using testing::ScratchFolder;
using ::testing::StartsWith;
using testing::TableResolver;
using testing::TalkServer;
using testing::TestCertificate;
using Kind = Outcome::Kind;

constexpr char kSecret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const Time kTime = *ParseTime("2026-01-31T08:15:30.250Z");

Message Fired(const std::string& question = "Is the dog on the couch?") {
  Message message;
  message.id = "evt_1";
  message.type = MessageType::kFired;
  message.owner = "own_1";
  message.alert = "alr_1";
  message.camera = "cam_1";
  message.camera_name = "Living room";
  message.rule = "rul_1";
  message.question = question;
  message.severity = Severity::kCritical;
  message.p_yes = 0.93;
  message.time = kTime;
  message.fired = kTime;
  return message;
}

std::shared_ptr<const Picture> SomePicture() {
  return std::make_shared<const Picture>(Picture{"image/jpeg", std::vector<uint8_t>(1000, 0xD8)});
}

class ReceiverTest : public ::testing::Test {
 protected:
  ReceiverTest() {
    resolver_->Set("receiver.test", {{"127.0.0.1"}});
    options_.addresses = LoopbackAllowed().addresses;
  }
  Outcome Deliver(const std::string& document, const Message& message) {
    if (transfers_ == nullptr) transfers_ = std::make_unique<Transfers>(lookup_, options_);
    const Senders senders{*transfers_, mqtt_, clock_};
    const auto receiver = MakeReceiver(
        "rcv_1", "own_1", ParseReceiver(Json::Parse(document).value(), LoopbackAllowed()).value(), senders);
    std::promise<Outcome> outcome;
    receiver->Deliver(std::make_shared<const Message>(message),
                      [&](Outcome given) { outcome.set_value(std::move(given)); });
    return outcome.get_future().get();
  }
  std::string Url(int port) { return "http://receiver.test:" + std::to_string(port); }

  const std::shared_ptr<TableResolver> resolver_ = std::make_shared<TableResolver>();
  Lookup lookup_{resolver_, {}};
  TransfersOptions options_;
  std::unique_ptr<Transfers> transfers_;
  MqttLinks mqtt_{lookup_, {}};
  SystemClock clock_;
};

/// The project's own HTTP server, keeping what it was sent.
class Sink {
 public:
  explicit Sink(std::vector<std::string> paths, int status = 200) {
    for (const std::string& path : paths) {
      router_.Add("POST", path, [this, status](const net::HttpRequest& request) {
        net::HttpResponse response;
        MutexLock lock(mu_);
        requests_.push_back(request);
        response.status = status;
        return response;
      });
    }
    net::HttpServerOptions options;
    options.allowed_hosts = {"receiver.test"};
    options.max_body_bytes = 8U << 20U;
    server_ = std::move(net::HttpServer::Start(options, router_).value());
  }
  int port() const { return server_->port(); }
  net::HttpRequest last() {
    MutexLock lock(mu_);
    return requests_.back();
  }

 private:
  net::Router router_;
  Mutex mu_;
  std::vector<net::HttpRequest> requests_ GUARDED_BY(mu_);
  std::unique_ptr<net::HttpServer> server_;
};

TEST_F(ReceiverTest, AWebhookArrivesSignedUnderBothSecrets) {
  Sink sink({"/hook"});
  const SigningSecret second = SigningSecret::Make().value();
  const Outcome outcome = Deliver(R"({"kind":"webhook","url":")" + Url(sink.port()) + R"(/hook","secrets":[")" +
                                      kSecret + "\",\"" + second.Text() + R"("],"headers":{"X-Home":"1"}})",
                                  Fired());
  EXPECT_EQ(outcome.kind, Kind::kDelivered) << outcome.error;
  const net::HttpRequest request = sink.last();
  EXPECT_EQ(request.Header("content-type"), "application/json");
  EXPECT_EQ(request.Header("webhook-id"), "evt_1");
  EXPECT_EQ(request.Header("x-home"), "1");
  const int64_t timestamp = std::atoll(std::string(request.Header("webhook-timestamp")).c_str());
  EXPECT_LE(std::abs(timestamp - std::chrono::duration_cast<seconds>(clock_.Now().time_since_epoch()).count()), 300);
  EXPECT_EQ(
      request.Header("webhook-signature"),
      SignatureHeader(std::vector{SigningSecret::Parse(kSecret).value(), second}, "evt_1", timestamp, request.body));
  EXPECT_EQ(request.body, MessageJson(Fired()).Dump());
}

TEST_F(ReceiverTest, ARepeatedWebhookHasTheSameIdAndBodyAndANewTime) {
  const WebhookConfig config =
      std::get<WebhookConfig>(ParseReceiver(Json::Parse(R"({"kind":"webhook","url":"https://a.example/","secrets":[")" +
                                                        std::string(kSecret) + "\"]}")
                                                .value(),
                                            {})
                                  ->kind);
  const Transfer first = WebhookTransfer(config, Fired(), kTime);
  const Transfer again = WebhookTransfer(config, Fired(), kTime + seconds(5));
  EXPECT_EQ(first.body, again.body);
  EXPECT_EQ(first.headers[1], again.headers[1]);  // webhook-id
  EXPECT_NE(first.headers[2], again.headers[2]);
  EXPECT_NE(first.headers[3], again.headers[3]);
}

TEST_F(ReceiverTest, TheAnswersStatusIsTheOutcome) {
  for (const auto& [status, kind] : {std::pair(204, Kind::kDelivered),
                                     {500, Kind::kFailed},
                                     {404, Kind::kMissing},
                                     {410, Kind::kGone},
                                     {422, Kind::kRefused}}) {
    TalkServer server([answer = status](Connection& connection) {
      connection.ReadRequest();
      connection.Send("HTTP/1.1 " + std::to_string(answer) + " X\r\nContent-Length: 0\r\n\r\n");
    });
    const Outcome outcome =
        Deliver(R"({"kind":"webhook","url":")" + Url(server.port()) + R"(/","secrets":[")" + kSecret + "\"]}", Fired());
    EXPECT_EQ(outcome.kind, kind) << status;
  }
}

TEST_F(ReceiverTest, NtfyGetsTitleTextPriorityAndTag) {
  Sink sink({"/", "/paws"});
  const std::string document =
      R"({"kind":"ntfy","server":")" + Url(sink.port()) + R"(","topic":"paws","token":"tk_1","pictures":true})";
  EXPECT_EQ(Deliver(document, Fired()).kind, Kind::kDelivered);
  EXPECT_EQ(sink.last().path, "/");
  EXPECT_EQ(std::string(sink.last().Header("authorization")), "Bearer tk_1");
  const Json body = Json::Parse(sink.last().body).value();
  EXPECT_EQ(body.GetString("topic").value(), "paws");
  EXPECT_EQ(body.GetString("title").value(), "Alert: Is the dog on the couch?");
  EXPECT_THAT(body.GetString("message").value(), HasSubstr("Camera: Living room"));
  EXPECT_EQ(body.GetInteger("priority").value(), 5);
  EXPECT_EQ(body.GetArray("tags").value()->at(0).as_string(), "rotating_light");

  Message with_picture = Fired("Liegt die Katze auf dem B\u00FCcherregal?\r\nX: y");
  with_picture.picture = SomePicture();
  EXPECT_EQ(Deliver(document, with_picture).kind, Kind::kDelivered);
  EXPECT_EQ(sink.last().path, "/paws");
  EXPECT_EQ(sink.last().body.size(), 1000U);
  EXPECT_EQ(sink.last().Header("filename"), "frame.jpg");
  EXPECT_EQ(sink.last().Header("x"), "");
  EXPECT_THAT(std::string(sink.last().Header("title")), StartsWith("=?utf-8?B?"));
}

/// A small mail server: takes one mail a connection, remembers the conversation.
struct MailSink {
  explicit MailSink(SSL_CTX* tls, const std::string& rcpt_answer = "250 ok") {
    server = std::make_unique<TalkServer>([this, tls, rcpt_answer](Connection& connection) {
      connection.Send("220 sink ESMTP\r\n");
      bool secure = false;
      std::string seen;
      for (std::string line = connection.ReadUntil("\r\n"); !line.empty(); line = connection.ReadUntil("\r\n")) {
        seen += line;
        if (line.starts_with("EHLO")) {
          connection.Send(tls != nullptr && !secure ? "250-sink\r\n250 STARTTLS\r\n"
                                                    : "250-sink\r\n250 AUTH PLAIN\r\n");
        } else if (line.starts_with("STARTTLS")) {
          connection.Send("220 go\r\n");
          secure = connection.StartTls(tls);
          if (!secure) break;
        } else if (line.starts_with("RCPT")) {
          connection.Send(rcpt_answer + "\r\n");
        } else if (line.starts_with("AUTH")) {
          connection.Send("334 \r\n");
          connection.ReadUntil("\r\n");
          connection.Send("235 ok\r\n");
        } else if (line.starts_with("DATA")) {
          connection.Send("354 go\r\n");
          const std::string mail = connection.ReadUntil("\r\n.\r\n");
          connection.Send("250 taken\r\n");
          MutexLock lock(mu);
          mails.push_back(mail);
        } else {
          connection.Send(line.starts_with("QUIT") ? "221 bye\r\n" : "250 ok\r\n");
        }
      }
      MutexLock lock(mu);
      conversations.push_back(seen);
    });
  }
  std::string Document(const std::string& security, const std::string& more = "") const {
    return R"({"kind":"email","host":"receiver.test","port":)" + std::to_string(server->port()) + R"(,"security":")" +
           security +
           R"(","username":"paws","password":"pw","from":"paws@home.example","to":["a@home.example","b@home.example"])" +
           more + "}";
  }
  Mutex mu;
  std::vector<std::string> mails GUARDED_BY(mu);
  std::vector<std::string> conversations GUARDED_BY(mu);
  std::unique_ptr<TalkServer> server;
};

TEST_F(ReceiverTest, AMailGoesOutUnderTlsWithItsPicture) {
  const ScratchFolder folder;
  const TestCertificate certificate(folder, "receiver.test");
  options_.ca_file = certificate.cert_file();
  MailSink sink(certificate.context());
  Message message = Fired();
  message.picture = SomePicture();
  const Outcome outcome = Deliver(sink.Document("starttls", R"(,"pictures":true)"), message);
  EXPECT_EQ(outcome.kind, Kind::kDelivered) << outcome.error;
  MutexLock lock(sink.mu);
  ASSERT_EQ(sink.mails.size(), 1U);
  const std::string& mail = sink.mails[0];
  EXPECT_THAT(mail, HasSubstr("\r\nFrom: Pawsight <paws@home.example>\r\n"));
  EXPECT_THAT(mail, HasSubstr("\r\nTo: <a@home.example>,\r\n <b@home.example>\r\n"));
  EXPECT_THAT(mail, HasSubstr("\r\nSubject: Alert: Is the dog on the couch?\r\n"));
  EXPECT_THAT(mail, HasSubstr("\r\nMessage-ID: <evt_1@home.example>\r\n"));
  EXPECT_THAT(mail, HasSubstr("Probability of yes: 93 %"));
  EXPECT_THAT(mail, HasSubstr("filename=frame.jpg"));
  EXPECT_THAT(mail, HasSubstr(Base64Lines(std::string(1000, '\xD8'))));
}

TEST_F(ReceiverTest, AServerWithoutTlsGetsNoMailAndNoPassword) {
  MailSink sink(nullptr);
  const Outcome outcome = Deliver(sink.Document("starttls"), Fired());
  EXPECT_EQ(outcome.kind, Kind::kFailed);
  EXPECT_THAT(outcome.error, HasSubstr("no TLS"));
  sink.server.reset();  // its conversation has ended
  MutexLock lock(sink.mu);
  EXPECT_EQ(sink.mails.size(), 0U);
  ASSERT_EQ(sink.conversations.size(), 1U);
  EXPECT_THAT(sink.conversations[0], Not(HasSubstr("AUTH")));
}

TEST_F(ReceiverTest, AMailServersCertificateIsChecked) {
  const ScratchFolder folder;
  const TestCertificate other(folder, "other.test");
  options_.ca_file = other.cert_file();
  MailSink sink(other.context());
  EXPECT_THAT(Deliver(sink.Document("starttls"), Fired()).error, HasSubstr("certificate"));
  EXPECT_EQ(Deliver(sink.Document("starttls", R"(,"pin":")" + other.pin_text() + "\""), Fired()).kind,
            Kind::kDelivered);
}

TEST_F(ReceiverTest, ARefusedRecipientIsARefusalAndWithoutTlsOnlyWhereAllowed) {
  MailSink sink(nullptr, "550 who?");
  const Outcome outcome = Deliver(sink.Document("none"), Fired());
  EXPECT_EQ(outcome.kind, Kind::kRefused);
  EXPECT_THAT(outcome.error, HasSubstr("SMTP status 550"));
  MailSink open(nullptr);
  EXPECT_EQ(Deliver(open.Document("none"), Fired()).kind, Kind::kDelivered);
}

TEST(Mail, NoTextOfAnOwnerEndsAHeader) {
  const EmailConfig config = std::get<EmailConfig>(
      ParseReceiver(
          Json::Parse(R"({"kind":"email","host":"m.example","from":"a@home.example","to":"b@home.example"})").value(),
          {})
          ->kind);
  Message message = Fired("Is it?\r\nBcc: all@example.org\r\n\r\n.\r\nMAIL FROM:<x@example.org>");
  message.camera_name = "<b>K\u00FCche</b>\r\n.\r\n\u202Eevil";
  message.alert = "alr>\r\nX: y";
  const std::string mail = MailText(config, message, kTime);
  EXPECT_THAT(mail, Not(HasSubstr("\r\nBcc:")));
  EXPECT_THAT(mail, Not(HasSubstr("\r\nX:")));
  EXPECT_THAT(mail, Not(HasSubstr("\r\n.\r\n")));
  EXPECT_THAT(mail, Not(HasSubstr("\r\nMAIL FROM")));
  EXPECT_THAT(mail, HasSubstr("Camera: <b>K=C3=BCche</b>"));
  EXPECT_THAT(mail, StartsWith("Date: Sat, 31 Jan 2026 08:15:30 +0000\r\n"));
  for (size_t at = 0; at < mail.size();) {  // every line ends in CRLF and is short
    const size_t end = mail.find("\r\n", at);
    ASSERT_NE(end, std::string::npos);
    EXPECT_LE(end - at, 300U);
    EXPECT_EQ(mail.substr(at, end - at).find('\n'), std::string::npos);
    at = end + 2;
  }
}

TEST(Mime, TextsTakeTheFormsThatMailCarries) {
  EXPECT_EQ(HeaderText("plain", 9), "plain");
  EXPECT_EQ(HeaderText("B\u00FCcher", 9), "=?utf-8?B?QsO8Y2hlcg==?=");
  EXPECT_EQ(HeaderText("=?utf-8?B?x?=", 9), "=?utf-8?B?PT91dGYtOD9CP3g/PQ==?=");
  const std::string folded = HeaderText(PlainLine(std::string(60, 'x') + "\u00FC" + std::string(60, 'y'), 200), 9);
  EXPECT_THAT(folded, HasSubstr("?=\r\n =?utf-8?B?"));
  EXPECT_EQ(QuotedPrintable("a=b \n.\nFrom\n\u00FC"), "a=3Db=20\r\n=2E\r\n=46rom\r\n=C3=BC");
  EXPECT_EQ(QuotedPrintable(std::string(80, 'x')), std::string(75, 'x') + "=\r\n" + std::string(5, 'x'));
  EXPECT_EQ(Base64Lines(std::string(60, 'a')).size(), 84U);
}

TEST(CheckReceiver, ANameThatLeadsInsideIsRefusedWhenTheReceiverIsMade) {
  const auto resolver = std::make_shared<TableResolver>();
  resolver->Set("localhost", {{"127.0.0.1"}});
  resolver->Set("127.0.0.1.nip.example", {{"127.0.0.1"}});
  resolver->Set("both.example", {{"8.8.8.8", "10.0.0.1"}});
  resolver->Set("good.example", {{"8.8.8.8", "2606:4700::1"}});
  Lookup lookup(resolver, {});
  const auto check = [&](const std::string& host) {
    const std::string text = R"({"kind":"webhook","url":"https://)" + host + R"(/","secrets":[")" + kSecret + "\"]}";
    std::promise<Status> status;
    CheckReceiver(ParseReceiver(Json::Parse(text).value(), {}).value(), "own_1", {}, lookup,
                  [&](Status given) { status.set_value(std::move(given)); });
    return status.get_future().get();
  };
  for (const char* host : {"localhost", "127.0.0.1.nip.example", "both.example"})
    EXPECT_EQ(check(host).reason(), "address_refused") << host;
  EXPECT_TRUE(check("good.example").ok());
  EXPECT_EQ(check("nowhere.example").reason(), kNameNotFound);
}

}  // namespace
}  // namespace pawsight::notify
