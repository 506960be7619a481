#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "grpc_peer.h"

namespace pawsight::conformance {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;

template <typename Specs>
std::vector<std::string> Names(const Specs& specs) {
  std::vector<std::string> names;
  for (const auto& spec : specs) names.push_back(spec.name());
  return names;
}

/// A message of one string field, below 128 bytes.
std::string StringField(int number, const std::string& text) {
  return static_cast<char>(number << 3 | 2) + std::string(1, static_cast<char>(text.size())) + text;
}

template <typename Request>
Request About(const std::string& name, const std::string& version = "") {
  Request request;
  request.set_name(name);
  request.set_version(version);
  return request;
}

TEST(GrpcMetadata, TheServerAndTheModelAreReady) {
  inference::ServerLiveResponse live;
  ASSERT_TRUE(Call(&Stub::ServerLive, inference::ServerLiveRequest(), &live).ok());
  EXPECT_TRUE(live.live());
  inference::ServerReadyResponse ready;
  ASSERT_TRUE(Call(&Stub::ServerReady, inference::ServerReadyRequest(), &ready).ok());
  EXPECT_TRUE(ready.ready());
  inference::ModelReadyResponse model;
  ASSERT_TRUE(Call(&Stub::ModelReady, About<inference::ModelReadyRequest>(TheTarget().model), &model).ok());
  EXPECT_TRUE(model.ready());
}

TEST(GrpcMetadata, HealthSaysServingAndDoesNotKnowWhatThereIsNot) {
  const std::string check = "/grpc.health.v1.Health/Check";
  for (const char* service : {"", "inference.GRPCInferenceService"}) {
    const RawAnswer answer = CallRaw(check, *service == '\0' ? "" : StringField(1, service));
    ASSERT_TRUE(answer.status.ok()) << service << answer.status.error_message();
    EXPECT_EQ(answer.bytes, std::string("\x08\x01")) << "status: SERVING";
  }
  EXPECT_EQ(CallRaw(check, StringField(1, "no.such.Service")).status.error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST(GrpcMetadata, ReflectionNamesTheServicesAndDescribesThem) {
  const std::string ask = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
  const RawAnswer list = CallRaw(ask, StringField(7, "*"));
  ASSERT_TRUE(list.status.ok()) << list.status.error_message();
  EXPECT_THAT(list.bytes, HasSubstr("inference.GRPCInferenceService"));
  EXPECT_THAT(list.bytes, HasSubstr("grpc.health.v1.Health"));
  const RawAnswer file = CallRaw(ask, StringField(4, "inference.GRPCInferenceService"));
  ASSERT_TRUE(file.status.ok()) << file.status.error_message();
  EXPECT_THAT(file.bytes, HasSubstr("ModelInferRequest"));
}

TEST(GrpcMetadata, TheServerSaysItsNameVersionAndExtensions) {
  inference::ServerMetadataResponse server;
  ASSERT_TRUE(Call(&Stub::ServerMetadata, inference::ServerMetadataRequest(), &server).ok());
  EXPECT_FALSE(server.name().empty());
  EXPECT_FALSE(server.version().empty());
  EXPECT_GE(server.extensions_size(), 1);
}

TEST(GrpcMetadata, TheModelSaysWhatItTakesAndGivesWithAndWithoutItsVersion) {
  using Request = inference::ModelMetadataRequest;
  inference::ModelMetadataResponse model;
  ASSERT_TRUE(Call(&Stub::ModelMetadata, About<Request>(TheTarget().model), &model).ok());
  EXPECT_EQ(model.name(), TheTarget().model);
  EXPECT_FALSE(model.platform().empty());
  EXPECT_THAT(Names(model.inputs()), IsSupersetOf({"image", "question"}));
  EXPECT_THAT(Names(model.outputs()), IsSupersetOf({"answer", "p_yes"}));
  for (const auto& input : model.inputs()) {
    EXPECT_EQ(input.datatype(), "BYTES");
    EXPECT_GE(input.shape_size(), 1);
  }
  ASSERT_GE(model.versions_size(), 1);
  for (const std::string& version : model.versions()) {
    inference::ModelMetadataResponse of_version;
    EXPECT_TRUE(Call(&Stub::ModelMetadata, About<Request>(TheTarget().model, version), &of_version).ok());
  }
}

TEST(GrpcMetadata, TheConfigurationNamesTheSameTensors) {
  inference::ModelConfigResponse response;
  ASSERT_TRUE(Call(&Stub::ModelConfig, About<inference::ModelConfigRequest>(TheTarget().model), &response).ok());
  EXPECT_EQ(response.config().name(), TheTarget().model);
  EXPECT_THAT(Names(response.config().input()), IsSupersetOf({"image", "question"}));
  EXPECT_THAT(Names(response.config().output()), IsSupersetOf({"answer", "p_yes"}));
  for (const auto& input : response.config().input()) {
    EXPECT_NE(input.data_type(), inference::TYPE_INVALID);
    EXPECT_GE(input.dims_size(), 1);
  }
}

TEST(GrpcMetadata, TheStatisticsCountWhatWasInferred) {
  using Request = inference::ModelStatisticsRequest;
  const auto count = [](const Request& request) -> int64_t {
    inference::ModelStatisticsResponse response;
    EXPECT_TRUE(Call(&Stub::ModelStatistics, request, &response).ok());
    for (const auto& model : response.model_stats()) {
      if (model.name() == TheTarget().model) return static_cast<int64_t>(model.inference_stats().success().count());
    }
    return -1;
  };
  const int64_t before = count(About<Request>(TheTarget().model));
  ASSERT_GE(before, 0);
  ASSERT_EQ(CodeOf(conformance::Request({"is there a cat?"})), grpc::StatusCode::OK);
  EXPECT_GE(count(About<Request>(TheTarget().model)), before + 1);
  EXPECT_GE(count(Request()), before + 1) << "of all models";
}

TEST(GrpcMetadata, WhatIsNotThereIsNotFound) {
  const auto not_found = AnyOf(grpc::StatusCode::NOT_FOUND, grpc::StatusCode::INVALID_ARGUMENT);
  for (const auto& [name, version] : {std::pair<std::string, std::string>{"no-such-model", ""},
                                      {TheTarget().model, "999999"},
                                      {std::string(100000, 'x'), ""}}) {
    inference::ModelMetadataResponse metadata;
    EXPECT_THAT(
        Call(&Stub::ModelMetadata, About<inference::ModelMetadataRequest>(name, version), &metadata).error_code(),
        not_found);
    inference::ModelConfigResponse config;
    EXPECT_THAT(Call(&Stub::ModelConfig, About<inference::ModelConfigRequest>(name, version), &config).error_code(),
                not_found);
    inference::ModelStatisticsResponse statistics;
    EXPECT_THAT(
        Call(&Stub::ModelStatistics, About<inference::ModelStatisticsRequest>(name, version), &statistics).error_code(),
        not_found);
  }
  EXPECT_EQ(CallRaw("/inference.GRPCInferenceService/NoSuchMethod", "").status.error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

}  // namespace
}  // namespace pawsight::conformance
