#include "rpc/grpc_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <future>
#include <optional>

#include "client/testing.h"
#include "rpc/grpc_endpoint.h"
#include "server/testing.h"

namespace pawsight::rpc {
namespace {

using client::InferenceClient;
using client::InferResult;
using server::testing::WaitingModel;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;

std::shared_ptr<const protocol::InferRequest> Asking(const std::string& model, const std::string& image) {
  auto owner = std::make_shared<const std::string>(image);
  protocol::InferRequest request;
  request.model = model;
  request.id = "frm_7";
  request.inputs.push_back({"image", protocol::Datatype::kBytes, {1}, {}, {}, {*owner}});
  request.inputs.push_back({"question", protocol::Datatype::kBytes, {2}, {}, {}, {"a cat?", "a dog?"}});
  request.outputs = {{"answer", {}, true}, {"p_yes", {}, true}};
  request.owners.push_back(owner);
  return std::make_shared<const protocol::InferRequest>(std::move(request));
}

class GrpcClientTest : public ::testing::Test {
 protected:
  GrpcClientTest() {
    repository_.Put(std::make_shared<server::EmptyModel>());
    repository_.Put(waiting_);
    Serve({});
  }
  ~GrpcClientTest() override { client_.reset(); }

  void Serve(GrpcEndpointOptions options) {
    endpoint_.reset();
    options.listen = "127.0.0.1:0";
    endpoint_ = std::move(GrpcEndpoint::Start(options, repository_, clock_).value());
    GrpcClientOptions to;
    Client(to);
  }
  void Client(GrpcClientOptions options) {
    options.address = "127.0.0.1:" + std::to_string(endpoint_->port());
    client_ = std::move(MakeGrpcClient(options).value());
  }
  std::future<InferResult> Begin(std::shared_ptr<const protocol::InferRequest> request,
                                 milliseconds limit = seconds(20), InferenceClient::CallId* id = nullptr) {
    auto promise = std::make_shared<std::promise<InferResult>>();
    const auto call = client_->Infer(std::move(request), steady_clock::now() + limit,
                                     [promise](InferResult result) { promise->set_value(std::move(result)); });
    if (id != nullptr) *id = call;
    return promise->get_future();
  }

  SystemClock clock_;
  server::Repository repository_;
  std::shared_ptr<WaitingModel> waiting_ = std::make_shared<WaitingModel>("waiting");
  std::unique_ptr<GrpcEndpoint> endpoint_;
  std::unique_ptr<InferenceClient> client_;
};

TEST_F(GrpcClientTest, ACallIsAnswered) {
  std::vector<std::future<InferResult>> calls;
  for (int n = 0; n < 100; ++n) calls.push_back(Begin(Asking("vqa", std::string(1000, 'x'))));
  for (auto& call : calls) {
    const InferResult result = call.get();
    ASSERT_TRUE(result.response.ok()) << result.response.status().ToString();
    EXPECT_EQ(result.response->outputs.at(0).elements.size(), 2U);
    float p_yes[2];
    ASSERT_EQ(result.response->outputs.at(1).data.size(), sizeof p_yes);
    std::memcpy(p_yes, result.response->outputs.at(1).data.data(), sizeof p_yes);
    EXPECT_EQ(p_yes[0], 0.5F);
  }
}

TEST_F(GrpcClientTest, WhatTheModelSeesIsWhatWasAsked) {
  std::future<InferResult> call = Begin(Asking("waiting", std::string("\xFF\xD8\0x", 4)), seconds(5));
  const WaitingModel::Entry entry = waiting_->Take();
  EXPECT_EQ(entry.request->id, "frm_7");
  EXPECT_EQ(entry.request->Find("image")->elements.at(0), std::string_view("\xFF\xD8\0x", 4));
  EXPECT_LE(entry.context.deadline - clock_.Monotonic(), seconds(6));  // gRPC rounds up
  entry.done(ResourceExhausted("full", "queue_full"));
  const InferResult result = call.get();
  EXPECT_EQ(result.response.status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(result.response.status().reason(), "queue_full");
  EXPECT_FALSE(result.may_have_run);  // the server said so
  EXPECT_EQ(result.retry_after, seconds(1));
}

TEST_F(GrpcClientTest, AFailureSaysWhetherItMayHaveRun) {
  const auto fails = [&](const Status& with) {
    std::future<InferResult> call = Begin(Asking("waiting", "x"));
    waiting_->Take().done(with);
    return call.get().may_have_run;
  };
  EXPECT_TRUE(fails(Internal("broken")));
  EXPECT_FALSE(fails(InvalidArgument("no image")));
  EXPECT_FALSE(fails(Unavailable("leaving")));
  EXPECT_FALSE(Begin(Asking("none", "x")).get().may_have_run);
  EXPECT_FALSE(Begin(Asking("vqa", "x"), milliseconds(-1)).get().may_have_run);
}

TEST_F(GrpcClientTest, NobodyThereIsSaidAndNothingRan) {
  endpoint_.reset();
  const InferResult result = Begin(Asking("vqa", "x")).get();
  EXPECT_EQ(result.response.status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(result.response.status().reason(), "connect_failed");
  EXPECT_FALSE(result.may_have_run);
}

TEST_F(GrpcClientTest, AServerThatDiesMidCallMayHaveRunIt) {
  client::testing::ScriptedServer server([](client::testing::Peer& peer) {
    // HTTP/2's first settings, so that the call is sent; then the end.
    peer.Send(std::string_view("\0\0\0\4\0\0\0\0\0", 9));
    (void)peer.Some(200);
  });
  GrpcClientOptions options;
  options.address = "127.0.0.1:" + std::to_string(server.port());
  client_ = std::move(MakeGrpcClient(options).value());
  const InferResult result = Begin(Asking("vqa", "x")).get();
  EXPECT_EQ(result.response.status().code(), StatusCode::kUnavailable);
  EXPECT_TRUE(result.may_have_run);
}

TEST_F(GrpcClientTest, ADeadlineAndACancelReachTheServer) {
  std::future<InferResult> late = Begin(Asking("waiting", "x"), milliseconds(200));
  const WaitingModel::Entry entry = waiting_->Take();
  const InferResult result = late.get();
  EXPECT_EQ(result.response.status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(result.may_have_run);
  entry.done(Cancelled("late"));
  InferenceClient::CallId id = 0;
  std::future<InferResult> cancelled = Begin(Asking("waiting", "x"), seconds(20), &id);
  const WaitingModel::Entry second = waiting_->Take();
  std::promise<void> gone;
  const std::stop_callback notice(second.context.gone, [&] { gone.set_value(); });
  client_->Cancel(id);
  EXPECT_EQ(cancelled.get().response.status().code(), StatusCode::kCancelled);
  gone.get_future().wait();
  second.done(Cancelled("gone"));
}

TEST_F(GrpcClientTest, MoreThanMayBeAtOnceIsRefused) {
  GrpcClientOptions options;
  options.max_calls = 1;
  Client(options);
  std::future<InferResult> first = Begin(Asking("waiting", "x"));
  const WaitingModel::Entry entry = waiting_->Take();
  const InferResult refused = Begin(Asking("waiting", "x")).get();
  EXPECT_EQ(refused.response.status().code(), StatusCode::kResourceExhausted);
  EXPECT_FALSE(refused.may_have_run);
  client_.reset();  // ends what is left
  EXPECT_EQ(first.get().response.status().code(), StatusCode::kCancelled);
  entry.done(Cancelled("gone"));
}

TEST_F(GrpcClientTest, HealthMetadataAndTheTokenAreSpoken) {
  Serve({.token = "secret"});
  EXPECT_EQ(Begin(Asking("vqa", "x")).get().response.status().code(), StatusCode::kUnauthenticated);
  GrpcClientOptions options;
  options.token = "secret";
  Client(options);
  EXPECT_TRUE(Begin(Asking("vqa", "x")).get().response.ok());
  std::promise<Result<protocol::ModelMetadata>> metadata;
  client_->GetMetadata("vqa", steady_clock::now() + seconds(20), [&](auto m) { metadata.set_value(std::move(m)); });
  EXPECT_EQ(metadata.get_future().get()->inputs.at(0).name, "image");
  const auto ready = [&] {
    std::promise<Status> status;
    client_->CheckReady(steady_clock::now() + seconds(20), [&](Status s) { status.set_value(std::move(s)); });
    return status.get_future().get();
  };
  EXPECT_TRUE(ready().ok());
  repository_.Leave();
  EXPECT_EQ(ready().code(), StatusCode::kUnavailable);
}

TEST_F(GrpcClientTest, ATlsServerIsAskedOnlyWhenItIsWhoItSays) {
  const auto ask = [&](const std::string& name) {
    const client::testing::TestCertificate certificate(name);
    Serve({.tls = {.certificate = certificate.certificate_pem, .key = certificate.key_pem, .client_ca = {}}});
    GrpcClientOptions options;
    options.tls = true;
    options.ca_pem = certificate.certificate_pem;
    Client(options);
    return Begin(Asking("vqa", "x")).get();
  };
  EXPECT_TRUE(ask("IP:127.0.0.1").response.ok());
  const InferResult wrong = ask("DNS:somebody.else");
  EXPECT_EQ(wrong.response.status().code(), StatusCode::kUnavailable);
  EXPECT_FALSE(wrong.may_have_run);
}

TEST(GrpcClient, WhatCannotBeIsSaidWhenItIsMade) {
  for (const char* address : {"", "worker", ":8001", "worker:", "http://worker:1", "a b:1"}) {
    GrpcClientOptions options;
    options.address = address;
    EXPECT_EQ(MakeGrpcClient(options).status().code(), StatusCode::kInvalidArgument) << address;
  }
}

}  // namespace
}  // namespace pawsight::rpc
