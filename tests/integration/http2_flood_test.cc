// Row B28: a real worker whose gRPC port is flooded with frames of HTTP/2, written by hand. Whatever comes, good
// clients are served meanwhile, and what the process holds is bounded and comes back.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <thread>

#include "base/memory.h"
#include "open_inference.pb.h"
#include "rpc/grpc_client.h"
#include "rpc/http2_testing.h"
#include "running_worker.h"

namespace pawsight::integration {
namespace {

using namespace rpc::http2;  // NOLINT(google-build-using-namespace): the test speaks it

[[maybe_unused]] constexpr size_t kGrowth = 64U << 20U;  // --max-growth
[[maybe_unused]] constexpr size_t kBounded =
    300U << 20U;  // by which the process may grow beyond that before the guard has its turn

/// Whether it comes true; asked again and again, for longer than any machine needs.
bool Comes(const std::function<bool()>& true_now) {
  const auto start = std::chrono::steady_clock::now();
  while (!true_now()) {
    if (std::chrono::steady_clock::now() - start > std::chrono::minutes(2)) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

/// A client that sends and never reads.
class FloodClient {
 public:
  explicit FloodClient(int port, const std::string& settings = {}) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    Send(std::string(kPreface) + Frame(kSettings, 0, 0, settings));
  }
  ~FloodClient() { close(socket_); }
  FloodClient(const FloodClient&) = delete;
  FloodClient& operator=(const FloodClient&) = delete;

  /// False: the server has cut the connection, or took nothing for so long.
  bool Send(std::string_view bytes, std::chrono::milliseconds patience = std::chrono::seconds(1)) {
    while (!bytes.empty()) {
      const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) {
        bytes.remove_prefix(static_cast<size_t>(sent));
        continue;
      }
      if (errno != EAGAIN && errno != EWOULDBLOCK) return false;
      pollfd writable{socket_, POLLOUT, 0};
      if (poll(&writable, 1, static_cast<int>(patience.count())) == 0) return false;
    }
    return true;
  }

 private:
  const int socket_;
};

std::shared_ptr<const protocol::InferRequest> Question() {
  protocol::InferRequest request;
  request.model = "vqa";
  request.inputs.push_back({"image", protocol::Datatype::kBytes, {1}, {}, {}, {"x"}});
  request.inputs.push_back({"question", protocol::Datatype::kBytes, {1}, {}, {}, {"a cat?"}});
  return std::make_shared<const protocol::InferRequest>(std::move(request));
}

class Http2Flood : public ::testing::Test {
 protected:
  Http2Flood() : before_(ResidentBytes(worker_.program().pid())) {
    rpc::GrpcClientOptions options;
    options.address = "127.0.0.1:" + std::to_string(port_);
    options.connect_timeout = options.call_timeout = std::chrono::minutes(1);
    good_ = std::move(rpc::MakeGrpcClient(options).value());
    ExpectServed();
  }

  /// A good client, on its connection of before the flood.
  void ExpectServed() {
    std::promise<client::InferResult> answered;
    good_->Infer(Question(), std::chrono::steady_clock::now() + std::chrono::minutes(1),
                 [&](client::InferResult result) { answered.set_value(std::move(result)); });
    const client::InferResult result = answered.get_future().get();
    EXPECT_TRUE(result.response.ok()) << result.response.status().ToString();
  }

  /// Sends `piece(0)`, `piece(1)`.. up to `count`, or until it is cut; a good client is served in between, and after.
  void Flood(int count, const std::function<std::string(int)>& piece, const std::string& settings = {}) {
    {
      FloodClient flood(port_, settings);
      std::string batch;
      for (int i = 0; i < count; ++i) {
        batch += piece(i);
        if (batch.size() < (4U << 20U) && i + 1 < count) continue;
        if (!flood.Send(batch)) break;
        batch.clear();
        ExpectServed();
      }
      ExpectServed();
    }
    EXPECT_TRUE(worker_.program().Runs());
#ifndef PAWSIGHT_SANITIZED  // other allocators keep what was freed, and tell the guard nothing
    EXPECT_TRUE(Cut() >= 1 || Most() <= before_ + kGrowth + kBounded) << "held " << Most() << ", none was cut";
    EXPECT_TRUE(Comes([&] { return ResidentBytes(worker_.program().pid()) < before_ + kGrowth + (32U << 20U); }))
        << "still " << ResidentBytes(worker_.program().pid()) << ", before " << before_;
#endif
    ExpectServed();
  }

  double Cut() const { return worker_.Metric("pawsight_rpc_connections_cut_total"); }
  size_t Held() { return ResidentBytes(worker_.program().pid()); }
  /// The most that the process has held.
  size_t Most() {
    std::ifstream status("/proc/" + std::to_string(worker_.program().pid()) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6)) * 1024;
    }
    return 0;
  }

  RunningWorker worker_{{"--empty-model", "--access-log", "off", "--max-growth", "64MiB"}};
  const int port_ = PortOf(worker_.program().WaitUntilSaid("worker_started"), "grpc://");
  const size_t before_;
  std::unique_ptr<client::InferenceClient> good_;
};

uint32_t Stream(int n) { return static_cast<uint32_t>(2 * n + 1); }
const std::string kCancelled = Bytes(8, 4);

TEST_F(Http2Flood, B28CallsThatAreBegunAndGivenUpAtOnce) {
  const std::string call = CallOf("ModelInfer");
  Flood(100'000, [&](int n) {
    return Frame(kHeaders, kEndHeaders, Stream(n), call) + Frame(kData, kEndStream, Stream(n), Message("")) +
           Frame(kReset, 0, Stream(n), kCancelled);
  });
}

TEST_F(Http2Flood, B28CallsThatAreGivenUpBeforeTheirMessage) {
  const std::string call = CallOf("ModelInfer");
  Flood(50'000,
        [&](int n) { return Frame(kHeaders, kEndHeaders, Stream(n), call) + Frame(kReset, 0, Stream(n), kCancelled); });
}

TEST_F(Http2Flood, B28MoreStreamsThanMayBe) {
  const std::string call = CallOf("ModelInfer");
  Flood(60'000, [&](int n) { return Frame(kHeaders, kEndHeaders, Stream(n), call); });
}

/// Each keeps to what a connection may do, and stays below what the guard takes for one that does harm.
TEST_F(Http2Flood, B28ManyConnectionsWhoEachBeginAFewCallsAndEndNone) {
  constexpr int kConnections = 64;
  constexpr int kCalls = 300;
  std::string calls;
  for (int n = 0; n < kCalls; ++n) calls += Frame(kHeaders, kEndHeaders, Stream(n), CallOf("ModelInfer"));
  ASSERT_LT(calls.size(), 64U << 10U);
  FloodClient quiet(port_);
  {
    std::vector<std::unique_ptr<FloodClient>> clients;
    for (int c = 0; c < kConnections; ++c) {
      clients.push_back(std::make_unique<FloodClient>(port_));
      (void)clients.back()->Send(calls);  // an early one may be cut by now
    }
    ExpectServed();
#ifndef PAWSIGHT_SANITIZED  // other allocators tell the guard nothing
    // They hold some 230 MB, and would for ever.
    EXPECT_TRUE(Comes([&] { return Cut() > 0; })) << "held " << Held();
    EXPECT_TRUE(Comes([&] { return Held() < before_ + kGrowth + (32U << 20U); }))
        << "held " << Held() << ", cut " << Cut();
#endif
    ExpectServed();
    EXPECT_TRUE(quiet.Send(Frame(kPing, 0, 0, "12345678"))) << "who has sent next to nothing stays";
    EXPECT_LE(Cut(), kConnections);
  }
  EXPECT_TRUE(worker_.program().Runs());
  ExpectServed();
}

TEST_F(Http2Flood, B28HeadersThatDoNotEnd) {
  const std::string more = Frame(kContinuation, 0, 1, Header("x-a", std::string(16'000, 'v')));
  Flood(25'000, [&](int n) { return n == 0 ? Frame(kHeaders, 0, 1, CallOf("ModelInfer")) : more; });
  const std::string none = Frame(kContinuation, 0, 1);
  Flood(2'000'000, [&](int n) { return n == 0 ? Frame(kHeaders, 0, 1, CallOf("ModelInfer")) : none; });
}

TEST_F(Http2Flood, B28AHeaderThatIsNamedTenThousandTimes) {
  const std::string kept = "\x40" + Text("a") + Text(std::string(4000, 'v'));  // 62 is its place in the table
  const std::string named = Frame(kContinuation, 0, 1, std::string(16'000, '\xbe'));
  Flood(2'000, [&](int n) { return n == 0 ? Frame(kHeaders, 0, 1, CallOf("ModelInfer") + kept) : named; });
}

TEST_F(Http2Flood, B28FramesThatWantAnAnswerAndFramesThatWantNone) {
  const std::string settings = Frame(kSettings, 0, 0, Setting(kInitialWindow, 65535));
  Flood(1'000'000, [&](int) { return settings; });
  const std::string ping = Frame(kPing, 0, 0, "12345678");
  Flood(1'000'000, [&](int) { return ping; });
  const std::string priority = Frame(kPriority, 0, 1, Bytes(0, 4) + Bytes(1, 1));
  Flood(1'000'000, [&](int) { return priority; });
  const std::string window = Frame(kWindow, 0, 0, Bytes(1, 4));
  Flood(1'000'000, [&](int) { return window; });
  const std::string nothing = Frame(kData, 0, 1);
  Flood(1'000'000, [&](int n) { return n == 0 ? Frame(kHeaders, kEndHeaders, 1, CallOf("ModelInfer")) : nothing; });
}

TEST_F(Http2Flood, B28ClientsThatTakeNoAnswerKeepNoneFromTheOthers) {
  inference::ModelInferRequest question;
  question.set_model_name("vqa");
  for (const char* name : {"image", "question"}) {
    auto* input = question.add_inputs();
    input->set_name(name);
    input->set_datatype("BYTES");
    input->add_shape(1);
    input->mutable_contents()->add_bytes_contents("x");
  }
  const std::string message = Message(question.SerializeAsString());
  const auto answered = [&] { return worker_.Metric(R"(pawsight_rpc_calls_total{code="OK"})"); };
  const double before = answered();
  std::vector<std::unique_ptr<FloodClient>> clients;
  constexpr int kClients = 5;
  constexpr int kCalls = 500;  // more in all than --max-calls
  for (int c = 0; c < kClients; ++c) {
    clients.push_back(std::make_unique<FloodClient>(port_, Setting(kInitialWindow, 0)));
    for (int n = 0; n < kCalls; ++n) {
      ASSERT_TRUE(clients.back()->Send(
          Frame(kHeaders, kEndHeaders, Stream(n), CallOf("ModelInfer")) + Frame(kData, kEndStream, Stream(n), message),
          std::chrono::minutes(1)));
    }
  }
  EXPECT_TRUE(Comes([&] { return answered() == before + kClients * kCalls; })) << answered() - before;
  ExpectServed();
  EXPECT_EQ(worker_.Metric("pawsight_rpc_calls"), 0);
}

}  // namespace
}  // namespace pawsight::integration
