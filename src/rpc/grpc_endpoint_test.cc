#include "rpc/grpc_endpoint.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/allocator_testing.h"
#include "base/files.h"
#include "base/memory.h"
#include "net/access_log.h"
#include "net/testing.h"
#include "net/tls/testing.h"
#include "open_inference.grpc.pb.h"
#include "rpc/http2_testing.h"
#include "server/empty_model.h"
#include "server/testing.h"

namespace pawsight::rpc {
namespace {

using net::testing::TestCa;
using net::testing::TestPair;

/// Keeps its requests until told, and says when a client has gone.
class SlowModel : public server::EmptyModel {
 public:
  SlowModel() : EmptyModel("slow") {}
  void Infer(std::shared_ptr<const protocol::InferRequest> request, const server::RequestContext& context,
             Done done) override {
    const std::unique_lock lock(mu_);
    request_ = std::move(request);
    deadline_ = context.deadline;
    done_ = std::move(done);
    gone_.emplace(context.gone, [this] {
      const std::unique_lock inner(mu_);
      has_gone_ = true;
      changed_.notify_all();
    });
    changed_.notify_all();
  }
  void WaitForRequest() {
    std::unique_lock lock(mu_);
    changed_.wait(lock, [&] { return done_ != nullptr; });
  }
  void WaitForGone() {
    std::unique_lock lock(mu_);
    changed_.wait(lock, [&] { return has_gone_; });
  }
  void Answer(Result<protocol::InferResponse> response) {
    Done done;
    {
      const std::unique_lock lock(mu_);
      done = std::move(done_);
    }
    gone_.reset();
    done(std::move(response));
  }
  std::chrono::nanoseconds deadline() const { return deadline_; }
  /// Lets go of the request, and gives what tells whether others have.
  std::weak_ptr<const protocol::InferRequest> Release() {
    const std::unique_lock lock(mu_);
    return std::exchange(request_, nullptr);
  }

 private:
  std::mutex mu_;
  std::condition_variable changed_;
  std::shared_ptr<const protocol::InferRequest> request_;
  std::optional<std::stop_callback<std::function<void()>>> gone_;
  bool has_gone_ = false;
  std::chrono::nanoseconds deadline_{0};
  Done done_;
};

class GrpcEndpointTest : public ::testing::Test {
 protected:
  GrpcEndpointTest() {
    repository_.Put(std::make_shared<server::EmptyModel>());
    repository_.Put(slow_);
    Restart({});
  }
  void Restart(GrpcEndpointOptions options) {
    endpoint_.reset();
    options.listen = "127.0.0.1:0";
    auto endpoint = GrpcEndpoint::Start(options, repository_, clock_);
    ASSERT_TRUE(endpoint.ok()) << endpoint.status().ToString();
    endpoint_ = *std::move(endpoint);
    stub_ = inference::GRPCInferenceService::NewStub(
        grpc::CreateChannel("127.0.0.1:" + std::to_string(endpoint_->port()), grpc::InsecureChannelCredentials()));
  }
  static inference::ModelInferRequest Ask(const std::string& model, int questions = 1) {
    inference::ModelInferRequest request;
    request.set_model_name(model);
    request.set_id("a7");
    auto* image = request.add_inputs();
    image->set_name("image");
    image->set_datatype("BYTES");
    image->add_shape(1);
    image->mutable_contents()->add_bytes_contents("no picture");
    auto* question = request.add_inputs();
    question->set_name("question");
    question->set_datatype("BYTES");
    question->add_shape(questions);
    for (int i = 0; i < questions; ++i) question->mutable_contents()->add_bytes_contents("Is there a dog?");
    return request;
  }
  grpc::Status Infer(const inference::ModelInferRequest& request, inference::ModelInferResponse* response) {
    grpc::ClientContext context;
    return stub_->ModelInfer(&context, request, response);
  }

  /// What a client with these gets, on a connection of its own.
  grpc::StatusCode InferOver(const grpc::SslCredentialsOptions& options) {
    grpc::ChannelArguments own;
    own.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    const auto stub = inference::GRPCInferenceService::NewStub(grpc::CreateCustomChannel(
        "127.0.0.1:" + std::to_string(endpoint_->port()), grpc::SslCredentials(options), own));
    grpc::ClientContext context;
    inference::ModelInferResponse response;
    return stub->ModelInfer(&context, Ask("vqa"), &response).error_code();
  }

  SystemClock clock_;
  server::Repository repository_;
  std::shared_ptr<SlowModel> slow_ = std::make_shared<SlowModel>();
  std::unique_ptr<GrpcEndpoint> endpoint_;
  std::unique_ptr<inference::GRPCInferenceService::Stub> stub_;
};

TEST_F(GrpcEndpointTest, AnInferCallIsAnsweredWithItsIdAndShapes) {
  inference::ModelInferResponse response;
  const grpc::Status status = Infer(Ask("vqa", 3), &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.id(), "a7");
  EXPECT_EQ(response.model_name(), "vqa");
  ASSERT_EQ(response.outputs_size(), 2);
  EXPECT_EQ(response.outputs(0).contents().bytes_contents_size(), 3);
}

TEST_F(GrpcEndpointTest, MetadataConfigurationAndStatisticsAreThere) {
  const auto called = [&](auto method, auto request, auto* response) {
    grpc::ClientContext context;
    return ((*stub_).*method)(&context, request, response);
  };
  using Stub = inference::GRPCInferenceService::Stub;
  inference::ServerMetadataResponse server;
  ASSERT_TRUE(called(&Stub::ServerMetadata, inference::ServerMetadataRequest(), &server).ok());
  EXPECT_EQ(server.name(), "pawsight");
  inference::ModelMetadataRequest which;
  which.set_name("vqa");
  inference::ModelMetadataResponse model;
  ASSERT_TRUE(called(&Stub::ModelMetadata, which, &model).ok());
  EXPECT_EQ(model.inputs(0).datatype(), "BYTES");
  inference::ModelConfigRequest of;
  of.set_name("vqa");
  inference::ModelConfigResponse config;
  ASSERT_TRUE(called(&Stub::ModelConfig, of, &config).ok());
  EXPECT_EQ(config.config().name(), "vqa");
  inference::ModelStatisticsResponse statistics;
  ASSERT_TRUE(called(&Stub::ModelStatistics, inference::ModelStatisticsRequest(), &statistics).ok());
  EXPECT_EQ(statistics.model_stats_size(), 2);
  inference::ServerReadyResponse ready;
  ASSERT_TRUE(called(&Stub::ServerReady, inference::ServerReadyRequest(), &ready).ok());
  EXPECT_TRUE(ready.ready());
  inference::ModelReadyRequest missing;
  missing.set_name("none");
  inference::ModelReadyResponse there;
  EXPECT_EQ(called(&Stub::ModelReady, missing, &there).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(GrpcEndpointTest, RefusalsHaveTheirCodesAndSayWhenToTryAgain) {
  inference::ModelInferResponse response;
  EXPECT_EQ(Infer(Ask("none"), &response).error_code(), grpc::StatusCode::NOT_FOUND);
  inference::ModelInferRequest bad = Ask("vqa");
  bad.mutable_inputs(0)->set_datatype("INT8");
  EXPECT_EQ(Infer(bad, &response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);

  grpc::ClientContext context;
  grpc::Status status;
  std::jthread caller([&] { status = stub_->ModelInfer(&context, Ask("slow"), &response); });
  slow_->WaitForRequest();
  slow_->Answer(ResourceExhausted("full"));
  caller.join();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(context.GetServerTrailingMetadata().count("grpc-retry-pushback-ms"), 1U);
}

TEST_F(GrpcEndpointTest, AClientThatGoesAwayIsToldToTheModel) {
  grpc::ClientContext context;
  inference::ModelInferResponse response;
  grpc::Status status;
  std::jthread caller([&] { status = stub_->ModelInfer(&context, Ask("slow"), &response); });
  slow_->WaitForRequest();
  context.TryCancel();
  slow_->WaitForGone();
  slow_->Answer(Cancelled("the client has gone"));
  caller.join();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(GrpcEndpointTest, AnAnsweredCallKeepsNothingOfItsRequestWhetherOrNotTheAnswerIsTaken) {
  inference::ModelInferResponse response;
  std::thread client([&] { (void)Infer(Ask("slow"), &response); });
  slow_->WaitForRequest();
  auto request = slow_->Release();
  EXPECT_FALSE(request.expired()) << "the answer is made with it";
  slow_->Answer(protocol::InferResponse{});
  EXPECT_TRUE(request.expired());
  client.join();

  net::testing::RawClient takes_none(endpoint_->port());
  takes_none.Send(std::string(http2::kPreface) +
                  http2::Frame(http2::kSettings, 0, 0, http2::Setting(http2::kInitialWindow, 0)) +
                  http2::Frame(http2::kHeaders, http2::kEndHeaders, 1, http2::CallOf("ModelInfer")) +
                  http2::Frame(http2::kData, http2::kEndStream, 1, http2::Message(Ask("slow").SerializeAsString())));
  slow_->WaitForRequest();
  request = slow_->Release();
  EXPECT_FALSE(request.expired());
  slow_->Answer(protocol::InferResponse{});
  EXPECT_TRUE(request.expired()) << "its window is empty, so the call has not ended";
}

TEST_F(GrpcEndpointTest, OfACallUnderWayTheRequestIsThereOnce) {
  if (kOtherAllocator) GTEST_SKIP() << "nobody knows what it has given out";
  constexpr size_t kCalls = 32;
  constexpr size_t kBytes = 1U << 20U;
  auto waiting = std::make_shared<server::testing::WaitingModel>("waiting");
  repository_.Put(waiting);
  inference::ModelInferRequest request = Ask("waiting");
  request.mutable_inputs(0)->mutable_contents()->set_bytes_contents(0, std::string(kBytes, 'x'));
  const size_t before = AllocatedBytes();
  std::array<grpc::ClientContext, kCalls> contexts;
  std::array<inference::ModelInferResponse, kCalls> responses;
  std::atomic<size_t> ended{0};
  std::vector<server::testing::WaitingModel::Entry> entries;
  for (size_t n = 0; n < kCalls; ++n) {  // one after the other, so that nothing is on its way when it is looked at
    stub_->async()->ModelInfer(&contexts[n], &request, &responses[n], [&](const grpc::Status&) {
      ended.fetch_add(1);
      ended.notify_all();
    });
    entries.push_back(waiting->Take());
  }
  EXPECT_LT(AllocatedBytes() - before, kCalls * kBytes * 5 / 2)
      << "the client has it once until it is answered, and so have we";
  for (auto& entry : entries) {
    entry.request = nullptr;
    entry.done(Unavailable("enough"));
  }
  for (size_t now = ended; now < kCalls; now = ended) ended.wait(now);
}

TEST_F(GrpcEndpointTest, TheCallsDeadlineAndItsTimeoutParameterReachTheModel) {
  inference::ModelInferRequest request = Ask("slow");
  (*request.mutable_parameters())["timeout"].set_int64_param(30'000'000);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(100));
  inference::ModelInferResponse response;
  std::jthread caller([&] { (void)stub_->ModelInfer(&context, request, &response); });
  slow_->WaitForRequest();
  const auto left = slow_->deadline() - clock_.Monotonic();
  EXPECT_GT(left, std::chrono::seconds(1));
  EXPECT_LE(left, std::chrono::seconds(30));
  slow_->Answer(Cancelled("enough"));
}

TEST_F(GrpcEndpointTest, WithATokenOnlyItsBearersAreServed) {
  Restart({.token = "s3cret"});
  inference::ModelInferResponse response;
  EXPECT_EQ(Infer(Ask("vqa"), &response).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  grpc::ClientContext context;
  context.AddMetadata("authorization", "Bearer s3cret");
  EXPECT_TRUE(stub_->ModelInfer(&context, Ask("vqa"), &response).ok());
}

TEST_F(GrpcEndpointTest, EachCallIsALineOfTheAccessLogAndIsCounted) {
  std::string path = ::testing::TempDir() + "grpc_access_XXXXXX";
  close(mkstemp(path.data()));
  auto log = std::move(net::AccessLog::Open({.path = path}, clock_).value());
  Restart({.access_log = log.get()});
  inference::ModelInferResponse response;
  ASSERT_TRUE(Infer(Ask("vqa", 3), &response).ok());
  EXPECT_EQ(Infer(Ask("none"), &response).error_code(), grpc::StatusCode::NOT_FOUND);
  grpc::ClientContext context;
  inference::ServerLiveResponse live;
  ASSERT_TRUE(stub_->ServerLive(&context, inference::ServerLiveRequest(), &live).ok());
  const std::string metrics = endpoint_->Metrics();
  endpoint_.reset();
  log.reset();
  const std::string lines = ReadTextFile(path, 1U << 20U).value();
  unlink(path.c_str());
  const auto has = [](const std::string& text, const std::string& part) { return text.find(part) != text.npos; };
  EXPECT_TRUE(has(lines, "access listener=grpc method=ModelInfer status=OK bytes_in=")) << lines;
  EXPECT_TRUE(has(lines, " model=vqa outcome=ok images=1 questions=3 queue_ms=0.000 total_ms=")) << lines;
  EXPECT_TRUE(has(lines, " status=NOT_FOUND reason=model_unknown ")) << lines;
  EXPECT_TRUE(has(lines, " method=ServerLive status=OK ")) << lines;
  EXPECT_TRUE(has(lines, " peer=127.0.0.1:")) << lines;
  EXPECT_FALSE(has(lines, "dog")) << "no question is logged";
  EXPECT_TRUE(has(metrics, "pawsight_rpc_calls_total{code=\"OK\"} 2\n")) << metrics;
  EXPECT_TRUE(has(metrics, "pawsight_rpc_errors_total{reason=\"model_unknown\"} 1\n")) << metrics;
}

TEST_F(GrpcEndpointTest, AMessageThatIsTooLargeIsRefusedAndTheNextIsServed) {
  Restart({.max_message_bytes = 100000});
  inference::ModelInferRequest large = Ask("vqa");
  large.mutable_inputs(0)->mutable_contents()->set_bytes_contents(0, std::string(200000, 'x'));
  inference::ModelInferResponse response;
  EXPECT_EQ(Infer(large, &response).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(Infer(Ask("vqa"), &response).ok()) << "and the next is served";
}

TEST_F(GrpcEndpointTest, ACompressedMessageIsRefusedForItIsHeldUnpacked) {
  auto request = Ask("vqa");
  request.mutable_inputs(0)->mutable_contents()->set_bytes_contents(0, std::string(1'000'000, '0'));
  for (const grpc_compression_algorithm how : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    grpc::ClientContext context;
    context.set_compression_algorithm(how);
    inference::ModelInferResponse response;
    EXPECT_EQ(stub_->ModelInfer(&context, request, &response).error_code(), grpc::StatusCode::UNIMPLEMENTED);
  }
  inference::ModelInferResponse response;
  EXPECT_TRUE(Infer(request, &response).ok()) << "as it is";
}

TEST_F(GrpcEndpointTest, OverTlsOnlyClientsOfTheAuthorityAreServedAndANewCertificateIsShownFromThenOn) {
  const TestCa ca;
  net::TlsText tls = ca.Server("localhost");
  tls.client_ca = ca.pem();
  Restart({.tls = tls});
  const TestPair box = ca.Issue("box");
  EXPECT_EQ(InferOver({ca.pem(), box.key, box.certificate}), grpc::StatusCode::OK);
  EXPECT_EQ(InferOver({ca.pem(), "", ""}), grpc::StatusCode::UNAVAILABLE) << "no certificate";
  const TestPair late = ca.Issue("box", -7200, -3600);
  EXPECT_EQ(InferOver({ca.pem(), late.key, late.certificate}), grpc::StatusCode::UNAVAILABLE) << "expired";
  const TestPair other = TestCa().Issue("box");
  EXPECT_EQ(InferOver({ca.pem(), other.key, other.certificate}), grpc::StatusCode::UNAVAILABLE) << "another's";

  const TestCa next("next");
  net::TlsText renewed = next.Server("localhost");
  renewed.client_ca = ca.pem();
  net::TlsText mixed = renewed;
  mixed.key = tls.key;
  EXPECT_EQ(endpoint_->SetTls(mixed).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(InferOver({ca.pem(), box.key, box.certificate}), grpc::StatusCode::OK) << "the old one serves on";
  ASSERT_TRUE(endpoint_->SetTls(renewed).ok());
  EXPECT_EQ(InferOver({next.pem(), box.key, box.certificate}), grpc::StatusCode::OK);
  EXPECT_EQ(InferOver({ca.pem(), box.key, box.certificate}), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcEndpointTest, WhoeverConnectsAndSaysNothingIsCutOff) {
  Restart({.handshake_timeout = std::chrono::seconds(1), .tls = TestCa().Server()});
  net::testing::RawClient silent(endpoint_->port());
  silent.Send("\x16\x03\x01");
  EXPECT_EQ(silent.ReadAll(), "");
}

TEST_F(GrpcEndpointTest, TlsWithoutAClientAuthorityServesEveryClientThatTrustsTheServer) {
  const TestCa ca;
  Restart({.tls = ca.Server()});
  EXPECT_EQ(InferOver({ca.pem(), "", ""}), grpc::StatusCode::OK);
  EXPECT_EQ(InferOver({TestCa().pem(), "", ""}), grpc::StatusCode::UNAVAILABLE);
  ASSERT_TRUE(endpoint_->SetTls(ca.Server()).ok());
  EXPECT_EQ(InferOver({ca.pem(), "", ""}), grpc::StatusCode::OK);
}

TEST_F(GrpcEndpointTest, TlsWantsBothHalvesAndATakenPortIsSaid) {
  GrpcEndpointOptions half;
  half.tls.certificate = "x";
  EXPECT_EQ(GrpcEndpoint::Start(half, repository_, clock_).status().code(), StatusCode::kInvalidArgument);
  GrpcEndpointOptions taken;
  taken.listen = "127.0.0.1:" + std::to_string(endpoint_->port());
  EXPECT_EQ(GrpcEndpoint::Start(taken, repository_, clock_).status().code(), StatusCode::kUnavailable);
}

}  // namespace
}  // namespace pawsight::rpc
