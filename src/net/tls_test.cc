// TLS in front of HTTP: who is let in, what is refused, and that what works without it works with it.
#include "net/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <mutex>
#include <thread>

#include "base/files.h"
#include "net/http_server.h"
#include "net/testing.h"
#include "net/tls/testing.h"

namespace pawsight::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::OpenSslPtr;
using testing::RawClient;
using ::testing::StartsWith;
using testing::TestCa;
using testing::TestPair;
using testing::TlsClient;
using testing::TlsClientOptions;

const std::string kGet = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n";
const std::string kLastGet = "GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() {
    options_.tls = ca_.Server();
    router_.Add("GET", "/hello", [](const HttpRequest&) { return Text("hello"); });
    router_.Add("POST", "/length",
                [](const HttpRequest& request) { return Text(std::to_string(request.body.size())); });
    router_.Add("GET", "/large", [](const HttpRequest&) { return Text(std::string(16U << 20U, 'x') + "end"); });
    router_.AddLater("POST", "/wait", [this](std::shared_ptr<const HttpRequest>, HttpResponder responder) {
      waiting_.set_value(std::move(responder));
    });
    router_.AddStream("/events", {&broadcast_, [] { return FormatServerSentEvent("greeting", "{}"); }});
  }
  ~TlsTest() override { server_.reset(); }
  static HttpResponse Text(std::string body) { return {200, "text/plain", std::move(body), {}}; }
  int Start() {
    server_ = std::move(HttpServer::Start(options_, router_).value());
    return server_->port();
  }
  int port() { return server_ == nullptr ? Start() : server_->port(); }
  /// What a client is answered; "" when it is not let in.
  std::string Ask(const TlsClientOptions& options) {
    TlsClient client(port(), options);
    if (!client.shaken()) return "";
    client.Send(kLastGet);
    return client.ReadAll();
  }
  TlsClientOptions Trusting() const { return {.ca = ca_.pem(), .own = {}, .alpn = {}}; }

  const TestCa ca_;
  HttpServerOptions options_;
  Router router_;
  Broadcast broadcast_;
  std::promise<HttpResponder> waiting_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(TlsTest, AHandlerAnswersAgainAndAgainAndTheEndIsTold) {
  TlsClient client(port(), Trusting());
  ASSERT_TRUE(client.shaken());
  for (int n = 0; n < 3; ++n) {
    client.Send(kGet);
    EXPECT_THAT(client.ReadUntil("hello"), StartsWith("HTTP/1.1 200"));
  }
  client.Send(kGet + kGet + kLastGet);
  EXPECT_THAT(client.ReadAll(), AllOf(StartsWith("HTTP/1.1 200"), ::testing::EndsWith("hello")));
  EXPECT_NE(SSL_get_shutdown(client.stream()) & SSL_RECEIVED_SHUTDOWN, 0) << "close_notify";
  EXPECT_THAT(server_->url(), StartsWith("https://127.0.0.1:"));
  EXPECT_EQ(server_->counts().handshakes_failed, 0U);
}

TEST_F(TlsTest, LargeBodiesGoBothWays) {
  TlsClient client(port(), Trusting());
  const size_t size = 1U << 20U;
  client.Send("POST /length HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
              std::string(size, 'y'));
  EXPECT_THAT(client.ReadUntil(std::to_string(size)), StartsWith("HTTP/1.1 200"));
  client.Send("GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_GT(client.ReadUntil("xend").size(), 16U << 20U);
}

TEST_F(TlsTest, ResponsesComeLaterAndStreamsStream) {
  TlsClient client(port(), Trusting());
  client.Send("POST /wait HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx");
  std::thread([this] { waiting_.get_future().get().Respond(Text("late")); }).join();
  EXPECT_THAT(client.ReadUntil("late"), StartsWith("HTTP/1.1 200"));
  client.Send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client.ReadUntil("event: greeting\ndata: {}\n\n");
  for (int n = 0; n < 3; ++n) {
    broadcast_.Publish("answer", std::string(100000, 'x'));
    EXPECT_GT(client.ReadUntil("\n\n").size(), 100000U);
  }
  server_->Stop();
  EXPECT_EQ(client.ReadAll(), "");
}

TEST_F(TlsTest, B31AClientThatGoesIsNoticedWithAndWithoutCloseNotify) {
  for (const bool polite : {true, false}) {
    waiting_ = {};
    auto client = std::make_unique<TlsClient>(port(), Trusting());
    client->Send("POST /wait HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx");
    const HttpResponder responder = waiting_.get_future().get();
    std::promise<void> gone;
    const std::stop_callback notice(responder.gone(), [&] { gone.set_value(); });
    if (polite) client->Step([&] { return SSL_shutdown(client->stream()) < 0 ? -1 : 1; });
    if (!polite) client.reset();
    EXPECT_EQ(gone.get_future().wait_for(seconds(10)), std::future_status::ready) << polite;
    responder.Respond(Text("for nobody"));
  }
}

TEST_F(TlsTest, B3AResponseThatIsNotReadIsCut) {
  options_.write_timeout = seconds(1);
  TlsClient client(port(), Trusting());
  client.Send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  while (server_->counts().responses[200] == 0 || server_->num_connections() > 0)
    std::this_thread::sleep_for(milliseconds(2));
  EXPECT_LT(client.ReadAll().size(), 16U << 20U);
}

TEST_F(TlsTest, AClientOfAnotherAuthorityDoesNotTrustUs) {
  EXPECT_EQ(Ask({.ca = TestCa("another").pem(), .own = {}, .alpn = {}}), "");
  EXPECT_THAT(Ask(Trusting()), StartsWith("HTTP/1.1 200"));
}

TEST_F(TlsTest, WithAClientAuthorityOnlyItsOwnAreServed) {
  options_.tls.client_ca = ca_.pem();
  std::string told;  // by the one thread of the server
  options_.answered = [&](const HttpExchange& exchange) {
    told.append(exchange.method).append(exchange.path).append(exchange.reason).append(" ");
  };
  const TestCa other("test authority");  // the same name, another key
  const auto with = [&](const TestPair& own) { return Ask({.ca = ca_.pem(), .own = own, .alpn = {}}); };
  EXPECT_EQ(with({}), "") << "none";
  EXPECT_EQ(with(other.Issue("box")), "") << "of another authority";
  EXPECT_EQ(with(ca_.Issue("box", -7200, -3600)), "") << "expired";
  EXPECT_EQ(with(ca_.Issue("box", 3600, 7200)), "") << "not valid yet";
  EXPECT_THAT(with(ca_.Issue("box")), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(server_->counts().handshakes_failed, 4U);
  EXPECT_EQ(server_->counts().reasons.View().at("handshake_failed"), 4U);
  server_.reset();
  EXPECT_EQ(told, "handshake_failed handshake_failed handshake_failed handshake_failed GET/hello ");
}

TEST_F(TlsTest, B29OldVersionsOtherProtocolsAndRenegotiationAreRefused) {
  EXPECT_EQ(Ask({.min_version = TLS1_VERSION, .max_version = TLS1_1_VERSION}), "");
  EXPECT_THAT(Ask({.min_version = TLS1_2_VERSION, .max_version = TLS1_2_VERSION}), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Ask({.min_version = TLS1_3_VERSION}), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(Ask({.alpn = "\x02h2"}), "") << "no protocol of ours";
  EXPECT_THAT(Ask({.alpn = "\x02h2\x08http/1.1"}), StartsWith("HTTP/1.1 200"));
  TlsClient old(port(), {.max_version = TLS1_2_VERSION});
  EXPECT_EQ(SSL_renegotiate(old.stream()), 1);
  EXPECT_NE(old.Step([&] { return SSL_do_handshake(old.stream()); }), 1);
}

TEST_F(TlsTest, B29NothingIsResumedSoNothingIsSentBeforeTheHandshake) {
  OpenSslPtr<SSL_CTX> none;
  TlsClient first(port(), Trusting());
  first.Send(kGet);
  first.ReadUntil("hello");
  SSL_SESSION* session = SSL_get1_session(first.stream());
  EXPECT_EQ(SSL_SESSION_has_ticket(session), 0);
  EXPECT_EQ(SSL_SESSION_get_max_early_data(session), 0U);
  SSL_SESSION_free(session);
}

TEST_F(TlsTest, B29BytesThatAreNoTlsAreRefused) {
  for (const std::string& bytes :
       {std::string("\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10\x01\x00\x80", 14) + std::string(64, 'x'),  // SSLv2
        std::string("\x16\x03\x01\xff\xff") + std::string(200, '\xff'), std::string(300, '\0'), std::string("x")}) {
    RawClient client(port());
    client.Send(bytes);
    client.CloseSending();
    EXPECT_THAT(client.ReadAll(), ::testing::Not(HasSubstr("HTTP"))) << bytes.size();
  }
  RawClient plain(port());
  plain.Send(kGet);
  EXPECT_THAT(plain.ReadAll(), AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("HTTPS")));
  EXPECT_THAT(Ask(Trusting()), StartsWith("HTTP/1.1 200")) << "and it still serves";
}

TEST_F(TlsTest, B29AHandshakeThatTakesLongIsCutAndCountsAsAConnectionUntilThen) {
  options_.handshake_timeout = seconds(1);
  options_.max_connections = 1;
  RawClient silent(port());
  silent.Send(std::string("\x16\x03\x01", 3));
  while (server_->num_connections() == 0) std::this_thread::yield();
  EXPECT_EQ(RawClient(port()).ReadAll(), "") << "one too many, and no HTTP into its handshake";
  EXPECT_EQ(silent.ReadAll(), "");
  while (server_->num_connections() > 0) std::this_thread::yield();
  EXPECT_EQ(server_->counts().handshakes_failed, 1U);
  EXPECT_THAT(Ask(Trusting()), StartsWith("HTTP/1.1 200"));
}

TEST_F(TlsTest, B29ARecordThatTricklesIsCut) {
  options_.header_timeout = seconds(1);
  TlsClient client(port(), Trusting());
  const std::string record = client.Encrypted(kGet + std::string(1000, ' '));
  client.SendRaw(record.substr(0, record.size() / 2));
  EXPECT_THAT(client.ReadAll(), StartsWith("HTTP/1.1 408"));
}

TEST_F(TlsTest, ANewCertificateIsForNewConnectionsAndABadOneChangesNothing) {
  TlsClient before(port(), Trusting());
  const TestCa next("next");
  ASSERT_TRUE(server_->SetTls(next.Server()).ok());
  before.Send(kGet);
  EXPECT_THAT(before.ReadUntil("hello"), StartsWith("HTTP/1.1 200")) << "keeps what it has";
  EXPECT_EQ(Ask(Trusting()), "");
  const TlsClientOptions trusting_next{.ca = next.pem(), .own = {}, .alpn = {}};
  EXPECT_THAT(Ask(trusting_next), StartsWith("HTTP/1.1 200"));
  TlsText mixed = next.Server();
  mixed.key = next.Server().key;
  const Status refused = server_->SetTls(mixed);
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(refused.message(), StartsWith("tls-key: it is not that of the certificate"));
  EXPECT_THAT(Ask(trusting_next), StartsWith("HTTP/1.1 200"));
}

TEST(TlsContextTest, F3WhatCannotBeShownIsRefusedByName) {
  const TestCa ca;
  const auto why = [](TlsText text) { return TlsContext::Make(text).status().message(); };
  const TlsText good = ca.Server();
  ASSERT_TRUE(TlsContext::Make(good).ok());
  EXPECT_THAT(why({good.certificate, "", ""}), HasSubstr("both tls-certificate and tls-key"));
  EXPECT_THAT(why({"", "", ca.pem()}), HasSubstr("both tls-certificate and tls-key"));
  EXPECT_THAT(why({"-----BEGIN", good.key, ""}), StartsWith("tls-certificate: want PEM"));
  EXPECT_THAT(why({good.certificate, good.certificate, ""}), StartsWith("tls-key: want PEM"));
  EXPECT_THAT(why({good.certificate, ca.Server().key, ""}), StartsWith("tls-key: it is not that of the certificate"));
  EXPECT_THAT(why({good.certificate, good.key, "none"}), StartsWith("tls-client-ca: want PEM"));
  const TestPair expired = ca.Issue("server", -7200, -3600);
  EXPECT_EQ(why({expired.certificate, expired.key, ""}), "tls-certificate: it has expired");
  const TestPair early = ca.Issue("server", 3600, 7200);
  EXPECT_EQ(why({early.certificate, early.key, ""}), "tls-certificate: it is not valid yet");
  const OpenSslPtr<EVP_PKEY> key(EVP_EC_gen("P-256"));
  const std::string locked = testing::ToPem([&](BIO* bio) {
    return PEM_write_bio_PKCS8PrivateKey(bio, key.get(), EVP_aes_128_cbc(), "secret", 6, nullptr, nullptr);
  });
  EXPECT_THAT(why({good.certificate, locked, ""}), HasSubstr("not encrypted"));
}

TEST(TlsContextTest, F3FilesThatCannotBeReadAreNamed) {
  EXPECT_EQ(ReadTls({"/no/such/file", "", ""}).status().code(), StatusCode::kNotFound);
  EXPECT_THAT(ReadTls({"", "/dev/null", ""}).status().message(), StartsWith("tls-key: "));
  EXPECT_FALSE(ReadTls({}).value().wanted());
}

}  // namespace
}  // namespace pawsight::net
