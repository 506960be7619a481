#include "notify/transfers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "notify/testing.h"

namespace pawsight::notify {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::Connection;
using ::testing::HasSubstr;
using testing::ScratchFolder;
using ::testing::StartsWith;
using testing::TableResolver;
using testing::TalkServer;
using testing::TestCertificate;

constexpr char kOk[] = "HTTP/1.1 204 No Content\r\n\r\n";

class TransfersTest : public ::testing::Test {
 protected:
  TransfersTest() {
    options_.addresses = testing::LoopbackAllowed().addresses;
    options_.timeout = seconds(8);
    resolver_->Set("receiver.test", {{"127.0.0.1"}});
  }
  static Transfer To(int port, const std::string& host = "receiver.test") {
    Transfer transfer;
    transfer.protocol = Transfer::Protocol::kHttp;
    transfer.owner = "own_1";
    transfer.host = ParseHost(host).value();
    transfer.port = port;
    transfer.target = "/hook";
    transfer.body = "{}";
    return transfer;
  }
  Transfers& Sender() {
    if (lookup_ == nullptr) lookup_ = std::make_unique<Lookup>(resolver_, LookupOptions{});
    if (transfers_ == nullptr) transfers_ = std::make_unique<Transfers>(*lookup_, options_);
    return *transfers_;
  }
  std::future<TransferResult> Begin(Transfer transfer) {
    auto promise = std::make_shared<std::promise<TransferResult>>();
    Sender().Start(std::move(transfer), [promise](TransferResult result) { promise->set_value(std::move(result)); });
    return promise->get_future();
  }
  TransferResult Send(Transfer transfer) { return Begin(std::move(transfer)).get(); }

  TransfersOptions options_;
  std::shared_ptr<TableResolver> resolver_ = std::make_shared<TableResolver>();
  std::unique_ptr<Lookup> lookup_;
  std::unique_ptr<Transfers> transfers_;
};

/// Reads a request and sends `answer`, again and again.
TalkServer::Talk Answering(const std::string& answer) {
  return [answer](Connection& connection) {
    while (!connection.ReadRequest().empty() && connection.Send(answer)) {
    }
  };
}

TEST_F(TransfersTest, AMessageArrivesWholeAndTheConnectionIsKept) {
  std::promise<std::string> request;
  std::atomic<int> num_requests = 0;
  TalkServer server([&](Connection& connection) {
    for (std::string text = connection.ReadRequest(); !text.empty(); text = connection.ReadRequest()) {
      if (num_requests++ == 0) request.set_value(text);
      connection.Send(kOk);
    }
  });
  Transfer transfer = To(server.port());
  transfer.headers = {{"Content-Type", "application/json"}, {"webhook-id", "evt_1"}};
  const TransferResult result = Send(transfer);
  EXPECT_TRUE(result.status.ok()) << result.status.ToString();
  EXPECT_EQ(result.code, 204);
  const std::string text = request.get_future().get();
  EXPECT_THAT(text, StartsWith("POST /hook HTTP/1.1\r\nHost: receiver.test:" + std::to_string(server.port()) + "\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\nwebhook-id: evt_1\r\n"));
  EXPECT_THAT(text, ::testing::EndsWith("\r\n\r\n{}"));
  EXPECT_EQ(Send(transfer).code, 204);
  EXPECT_EQ(server.num_connections(), 1);
}

TEST_F(TransfersTest, AStatusIsGivenWithWhenToComeBack) {
  TalkServer server(Answering("HTTP/1.1 429 Slow\r\nRetry-After: 17\r\nContent-Length: 0\r\n\r\n"));
  const TransferResult result = Send(To(server.port()));
  EXPECT_TRUE(result.status.ok());
  EXPECT_EQ(result.code, 429);
  EXPECT_EQ(result.retry_after, seconds(17));
}

TEST_F(TransfersTest, ARedirectIsNotFollowed) {
  TalkServer other(Answering(kOk));
  const std::string to = "http://receiver.test:" + std::to_string(other.port()) + "/";
  for (const char* status : {"301", "302", "303", "307", "308"}) {
    TalkServer server(
        Answering(std::string("HTTP/1.1 ") + status + " Moved\r\nLocation: " + to + "\r\nContent-Length: 0\r\n\r\n"));
    EXPECT_EQ(Send(To(server.port())).code, std::atoi(status));
  }
  EXPECT_EQ(other.num_connections(), 0);
}

TEST_F(TransfersTest, AnEndlessAnswerIsReadToItsLimitAndItsStatusCounts) {
  std::promise<size_t> taken;
  TalkServer server([&](Connection& connection) {
    connection.ReadRequest();
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
    const std::string chunk(65536, 'x');
    size_t sent = 0;
    while (sent < 1000000000 && connection.Send(chunk)) sent += chunk.size();
    taken.set_value(sent);
  });
  const TransferResult result = Send(To(server.port()));
  EXPECT_TRUE(result.status.ok()) << result.status.ToString();
  EXPECT_EQ(result.code, 200);
  EXPECT_LT(taken.get_future().get(), 20000000U);  // what the sockets' buffers hold, not the gigabyte
}

TEST_F(TransfersTest, ACompressedAnswerIsNotUnpacked) {
  TalkServer server(Answering("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot gzip!"));
  EXPECT_EQ(Send(To(server.port())).code, 200);
  EXPECT_TRUE(Send(To(server.port())).status.ok());
}

TEST_F(TransfersTest, AHeaderWithoutEndIsAFailure) {
  TalkServer server([](Connection& connection) {
    connection.ReadRequest();
    connection.Send("HTTP/1.1 200 OK\r\n");
    while (connection.Send("X-Filler: " + std::string(1000, 'x') + "\r\n")) {
    }
  });
  const TransferResult result = Send(To(server.port()));
  EXPECT_EQ(result.status.code(), StatusCode::kUnavailable);
}

TEST_F(TransfersTest, SilenceAndTrickleEndInTime) {
  options_.timeout = milliseconds(300);
  TalkServer silent([](Connection& connection) { connection.Linger(); });
  std::promise<void> end;
  const std::shared_future<void> ended = end.get_future().share();
  TalkServer trickle([ended](Connection& connection) {
    connection.ReadRequest();
    for (const char c : std::string("HTTP/1.1 200 OK\r\nX: y\r\n")) {
      if (!connection.Send({&c, 1}) || ended.wait_for(milliseconds(50)) == std::future_status::ready) return;
    }
    connection.Linger();
  });
  TalkServer slow_body([](Connection& connection) {
    connection.ReadRequest();
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx");
    connection.Linger();
  });
  EXPECT_EQ(Send(To(silent.port())).status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(Send(To(trickle.port())).status.code(), StatusCode::kDeadlineExceeded);
  const TransferResult result = Send(To(slow_body.port()));  // its header was whole
  EXPECT_TRUE(result.status.ok());
  EXPECT_EQ(result.code, 200);
  end.set_value();
}

TEST_F(TransfersTest, ABrokenAnswerIsAFailure) {
  for (const char* answer :
       {"", "HTTP/1.1 200 OK\r\nHalf", "garbage\r\n\r\n", "HTTP/1.1 999999 What\r\n\r\n", "\r\n\r\n"}) {
    TalkServer server([answer](Connection& connection) {
      connection.ReadRequest();
      connection.Send(answer);
    });
    EXPECT_FALSE(Send(To(server.port())).status.ok()) << answer;
  }
}

TEST_F(TransfersTest, AnAddressThatIsNotAllowedIsNeverConnectedTo) {
  TalkServer server(Answering(kOk), "0.0.0.0");
  resolver_->Set("inside.test", {{"127.0.0.2"}});
  resolver_->Set("one-of-two.test", {{"127.0.0.1", "127.0.0.2"}});
  resolver_->Set("mapped.test", {{"::ffff:127.0.0.2"}});
  for (const char* host : {"inside.test", "one-of-two.test", "mapped.test", "127.0.0.2", "0.0.0.0", "::1"}) {
    EXPECT_EQ(Send(To(server.port(), host)).status.reason(), "address_refused") << host;
  }
  EXPECT_EQ(server.num_connections(), 0);
}

TEST_F(TransfersTest, ANameThatChangesItsAddressIsCheckedEachTimeAndNeverAskedForTwice) {
  TalkServer server(Answering(kOk), "0.0.0.0");
  // Allowed when the receiver was made and at the first message, inside afterwards.
  resolver_->Set("rebinding.test", {{"127.0.0.1"}, {"127.0.0.2"}});
  EXPECT_EQ(Send(To(server.port(), "rebinding.test")).code, 204);
  EXPECT_EQ(server.num_connections(), 1);
  EXPECT_EQ(Send(To(server.port(), "rebinding.test")).status.reason(), "address_refused");
  EXPECT_EQ(server.num_connections(), 1);
}

TEST_F(TransfersTest, ANameThatIsNotFoundIsNotConnectedTo) {
  const TransferResult result = Send(To(8080, "nowhere.test"));
  EXPECT_EQ(result.status.code(), StatusCode::kUnavailable);
}

/// Hangs for some names until told.
class HangingResolver : public Resolver {
 public:
  Result<std::vector<IpAddress>> Resolve(const std::string& name) override {
    if (name.starts_with("hanging")) release_.get_future().wait();
    return std::vector<IpAddress>{IpAddress::Parse("127.0.0.1").value()};
  }
  void Release() { release_.set_value(); }

 private:
  struct Gate {
    std::promise<void> promise;
    std::shared_future<void> future = promise.get_future().share();
    void set_value() { promise.set_value(); }
    std::shared_future<void> get_future() const { return future; }
  };
  Gate release_;
};

TEST_F(TransfersTest, NamesThatHangHoldUpNobodyElseAndEndInTime) {
  options_.timeout = milliseconds(500);
  const auto resolver = std::make_shared<HangingResolver>();
  lookup_ = std::make_unique<Lookup>(resolver, LookupOptions{.threads = 3, .threads_an_owner = 2});
  TalkServer server(Answering(kOk));
  std::vector<std::future<TransferResult>> hanging;
  for (int i = 0; i < 8; ++i) hanging.push_back(Begin(To(server.port(), "hanging" + std::to_string(i) + ".test")));
  Transfer other = To(server.port());
  other.owner = "own_2";
  EXPECT_EQ(Send(other).code, 204);
  for (auto& each : hanging) EXPECT_EQ(each.get().status.code(), StatusCode::kDeadlineExceeded);
  resolver->Release();
}

TEST_F(TransfersTest, TooManyAtOnceAreRefusedAndAllEndWhenClosing) {
  options_.max_running = 2;
  options_.max_waiting = 3;
  TalkServer silent([](Connection& connection) { connection.Linger(); });
  std::vector<std::future<TransferResult>> results;
  for (int i = 0; i < 8; ++i) results.push_back(Begin(To(silent.port())));
  transfers_.reset();
  int num_refused = 0;
  for (auto& each : results) {
    const StatusCode code = each.get().status.code();
    EXPECT_TRUE(code == StatusCode::kCancelled || code == StatusCode::kResourceExhausted);
    num_refused += code == StatusCode::kResourceExhausted ? 1 : 0;
  }
  EXPECT_EQ(num_refused, 3);
}

TEST_F(TransfersTest, OnlyATrustedCertificateOfThatNameOrThePinnedOneIsTaken) {
  const ScratchFolder folder;
  const TestCertificate good(folder, "receiver.test");
  const TestCertificate expired(folder, "expired.test", true);
  options_.ca_file = good.cert_file();
  for (const TestCertificate* certificate : {&good, &expired}) {
    TalkServer server([&](Connection& connection) {
      if (connection.StartTls(certificate->context())) Answering(kOk)(connection);
    });
    const auto send = [&](const std::string& host, std::vector<Pin> pins) {
      resolver_->Set(host, {{"127.0.0.1"}});
      Transfer transfer = To(server.port(), host);
      transfer.protocol = Transfer::Protocol::kHttps;
      transfer.pins = std::move(pins);
      return Send(transfer);
    };
    const bool is_good = certificate == &good;
    EXPECT_EQ(send("receiver.test", {}).code, is_good ? 204 : 0);
    EXPECT_EQ(send("expired.test", {}).code, 0);
    EXPECT_EQ(send("other.test", {}).code, 0);
    EXPECT_THAT(send("other.test", {}).status.message(), HasSubstr("certificate"));
    EXPECT_EQ(send("pinned.test", {certificate->pin()}).code, 204);  // whatever its name, age and signer
    EXPECT_EQ(send("receiver.test", {is_good ? expired.pin() : good.pin()}).code, 0);
    EXPECT_EQ(send("both.test", {good.pin(), expired.pin()}).code, 204);
  }
}

}  // namespace
}  // namespace pawsight::notify
