// The models of a checkpoint over gRPC: what each takes and gives is told by the same descriptions as over HTTP.
#include "rpc/grpc_endpoint.h"
#include "server/fake_engine.h"
#include "server/served_vqa.h"

// Ours first: both sides have GUARDED_BY, and gRPC's yields.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "open_inference.grpc.pb.h"

namespace pawsight::rpc {
namespace {

class ServedModels : public ::testing::Test {
 protected:
  ServedModels() {
    const auto engine = std::make_shared<server::testing::FakeEngine>();
    engine->heads = {engine::Head::kCaption, engine::Head::kItm};
    server::ServedVqaOptions options;
    options.canary_image = {'o', 'k'};
    served_ = server::ServedVqa::Start(
                  options, [engine] { return Result<std::shared_ptr<server::Engine>>(engine); }, clock_)
                  .value();
    for (const auto& model : served_->models()) repository_.Put(model);
    endpoint_ = GrpcEndpoint::Start({.listen = "127.0.0.1:0"}, repository_, clock_).value();
    stub_ = inference::GRPCInferenceService::NewStub(
        grpc::CreateChannel("127.0.0.1:" + std::to_string(endpoint_->port()), grpc::InsecureChannelCredentials()));
  }

  static void AddBytes(inference::ModelInferRequest* request, const std::string& name,
                       const std::vector<std::string>& elements) {
    auto* input = request->add_inputs();
    input->set_name(name);
    input->set_datatype("BYTES");
    input->add_shape(static_cast<int64_t>(elements.size()));
    for (const std::string& element : elements) input->mutable_contents()->add_bytes_contents(element);
  }
  inference::ModelInferResponse Infer(const inference::ModelInferRequest& request) {
    grpc::ClientContext context;
    inference::ModelInferResponse response;
    const grpc::Status status = stub_->ModelInfer(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  const SystemClock clock_{};
  std::unique_ptr<server::ServedVqa> served_;
  server::Repository repository_;
  std::unique_ptr<GrpcEndpoint> endpoint_;
  std::unique_ptr<inference::GRPCInferenceService::Stub> stub_;
};

TEST_F(ServedModels, CaptionsAndMatchesAreAnsweredAndCountedEachForItself) {
  inference::ModelInferRequest describe;
  describe.set_model_name("caption");
  AddBytes(&describe, "image", {"a", "b"});
  const inference::ModelInferResponse captions = Infer(describe);
  ASSERT_EQ(captions.outputs_size(), 2);
  EXPECT_EQ(captions.outputs(0).name(), "caption");
  EXPECT_EQ(captions.outputs(0).contents().bytes_contents(1), "b: a picture of");

  inference::ModelInferRequest compare;
  compare.set_model_name("itm");
  AddBytes(&compare, "image", {"a"});
  AddBytes(&compare, "text", {"x", "y"});
  const inference::ModelInferResponse matches = Infer(compare);
  ASSERT_EQ(matches.outputs_size(), 2);
  EXPECT_EQ(matches.outputs(0).name(), "p_match");
  EXPECT_EQ(matches.outputs(1).contents().fp32_contents(1), 0.25F);

  for (const auto& [name, frames] : {std::pair<std::string, uint64_t>{"caption", 2}, {"itm", 1}}) {
    inference::ModelStatisticsRequest of;
    of.set_name(name);
    inference::ModelStatisticsResponse statistics;
    grpc::ClientContext context;
    ASSERT_TRUE(stub_->ModelStatistics(&context, of, &statistics).ok());
    EXPECT_EQ(statistics.model_stats(0).inference_count(), frames) << name;
  }
}

TEST_F(ServedModels, WhatACheckpointHasNotIsNotThereAndWhatItHasIsDescribed) {
  const auto describe = [&](const std::string& name, inference::ModelMetadataResponse* response) {
    inference::ModelMetadataRequest which;
    which.set_name(name);
    grpc::ClientContext context;
    return stub_->ModelMetadata(&context, which, response);
  };
  inference::ModelMetadataResponse model;
  EXPECT_EQ(describe("vqa", &model).error_code(), grpc::StatusCode::NOT_FOUND);
  ASSERT_TRUE(describe("itm", &model).ok());
  EXPECT_EQ(model.inputs(1).name(), "text");
  inference::ModelConfigRequest of;
  of.set_name("caption");
  inference::ModelConfigResponse config;
  grpc::ClientContext context;
  ASSERT_TRUE(stub_->ModelConfig(&context, of, &config).ok());
  ASSERT_EQ(config.config().input_size(), 2);
  EXPECT_TRUE(config.config().input(1).optional()) << "a prompt may be left out";
}

}  // namespace
}  // namespace pawsight::rpc
