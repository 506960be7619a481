#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "grpc_peer.h"

namespace pawsight::conformance {
namespace {

using grpc::StatusCode;
using inference::ModelInferRequest;
using inference::ModelInferResponse;
using ::testing::AnyOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::SizeIs;

std::vector<int64_t> Shape(const ModelInferResponse& response, const std::string& name) {
  const auto* output = Output(response, name);
  return output == nullptr ? std::vector<int64_t>()
                           : std::vector<int64_t>(output->shape().begin(), output->shape().end());
}

void ExpectRefused(const ModelInferRequest& request, const std::string& what) {
  EXPECT_THAT(CodeOf(request),
              AnyOf(StatusCode::INVALID_ARGUMENT, StatusCode::NOT_FOUND, StatusCode::RESOURCE_EXHAUSTED))
      << what;
}

TEST(GrpcInfer, TypedContentsEachQuestionHasItsAnswerAndTheIdComesBack) {
  ModelInferRequest request = Request({"is there a cat?", "is there a dog?"});
  request.set_id("a \"7\"");
  ModelInferResponse response;
  const grpc::Status status = Infer(request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.model_name(), TheTarget().model);
  EXPECT_FALSE(response.model_version().empty());
  EXPECT_EQ(response.id(), "a \"7\"");
  EXPECT_THAT(Shape(response, "p_yes"), ElementsAre(1, 2));
  EXPECT_EQ(Output(response, "p_yes")->datatype(), "FP32");
  EXPECT_THAT(Floats(response, "p_yes"),
              ::testing::AllOf(SizeIs(2), Each(::testing::AllOf(::testing::Ge(0.0F), ::testing::Le(1.0F)))));
  EXPECT_EQ(Output(response, "answer")->datatype(), "BYTES");
  EXPECT_THAT(Texts(response, "answer"), SizeIs(2));
}

TEST(GrpcInfer, RawContentsGiveTheSameAnswers) {
  ModelInferResponse typed, raw;
  ASSERT_TRUE(Infer(Request({"is there a cat?", "is there a dog?"}), &typed).ok());
  ASSERT_TRUE(Infer(RawRequest({"is there a cat?", "is there a dog?"}), &raw).ok());
  EXPECT_EQ(Texts(raw, "answer"), Texts(typed, "answer"));
  EXPECT_EQ(Floats(raw, "p_yes"), Floats(typed, "p_yes"));
  EXPECT_EQ(Shape(raw, "p_yes"), Shape(typed, "p_yes"));
  EXPECT_EQ(raw.id(), "") << "none was given";
}

TEST(GrpcInfer, OnlyTheOutputsAskedForCome) {
  ModelInferRequest request = Request({"a cat?"});
  request.add_outputs()->set_name("p_yes");
  ModelInferResponse response;
  ASSERT_TRUE(Infer(request, &response).ok());
  ASSERT_EQ(response.outputs_size(), 1);
  EXPECT_EQ(response.outputs(0).name(), "p_yes");
}

TEST(GrpcInfer, EveryImageIsAskedEveryQuestionOrItsOwn) {
  ModelInferRequest request = Request({"a?", "b?"});
  request.mutable_inputs(0)->set_shape(0, 2);
  request.mutable_inputs(0)->mutable_contents()->add_bytes_contents(Image());
  ModelInferResponse shared;
  ASSERT_TRUE(Infer(request, &shared).ok());
  EXPECT_THAT(Shape(shared, "p_yes"), ElementsAre(2, 2));
  request.mutable_inputs(1)->add_shape(1);  // [2,1]
  ModelInferResponse own;
  ASSERT_TRUE(Infer(request, &own).ok());
  EXPECT_THAT(Shape(own, "p_yes"), ElementsAre(2, 1));
}

TEST(GrpcInfer, ARequestMayNameTheVersion) {
  ModelInferResponse response;
  ASSERT_TRUE(Infer(Request({"a cat?"}), &response).ok());
  ModelInferRequest request = Request({"a cat?"});
  request.set_model_version(response.model_version());
  EXPECT_EQ(CodeOf(request), StatusCode::OK);
  request.set_model_version("999999");
  ExpectRefused(request, "an unknown version");
  request.set_model_name("no-such-model");
  ExpectRefused(request, "an unknown model");
}

TEST(GrpcInfer, B32TimeoutAndPriorityAreTakenAndADeadlineIsKept) {
  ModelInferRequest request = Request({"a cat?"});
  auto& parameters = *request.mutable_parameters();
  parameters["timeout"].set_int64_param(60'000'000);
  parameters["priority"].set_uint64_param(1);
  EXPECT_EQ(CodeOf(request), StatusCode::OK);
  parameters["timeout"].set_int64_param(1'000'000'000'000);
  EXPECT_EQ(CodeOf(request), StatusCode::OK) << "cut to the server's longest";
  parameters["timeout"].set_int64_param(1);
  EXPECT_THAT(CodeOf(request), AnyOf(StatusCode::OK, StatusCode::DEADLINE_EXCEEDED));
  parameters["timeout"].set_int64_param(-1);
  ExpectRefused(request, "a timeout below 0");
  grpc::ClientContext late;
  late.set_deadline(std::chrono::system_clock::now() - std::chrono::seconds(1));
  ModelInferResponse response;
  EXPECT_EQ(TheStub().ModelInfer(&late, Request({"a cat?"}), &response).error_code(), StatusCode::DEADLINE_EXCEEDED);
}

TEST(GrpcInfer, B31ACallThatIsCancelledEndsAndTheNextIsServed) {
  for (int n = 0; n < 20; ++n) {
    grpc::ClientContext context;
    ModelInferResponse response;
    grpc::CompletionQueue queue;
    const auto call = TheStub().AsyncModelInfer(&context, Request({"a cat?"}), &queue);
    grpc::Status status;
    call->Finish(&response, &status, nullptr);
    context.TryCancel();
    void* tag = nullptr;
    bool ok = false;
    ASSERT_TRUE(queue.Next(&tag, &ok));
    EXPECT_THAT(status.error_code(), AnyOf(StatusCode::CANCELLED, StatusCode::OK));
  }
  EXPECT_EQ(CodeOf(Request({"a cat?"})), StatusCode::OK);
}

TEST(GrpcInfer, B20ShapesThatDoNotFitAreRefused) {
  for (const std::vector<int64_t>& shape :
       {std::vector<int64_t>{16, 1152921504606846978}, {-1}, {2}, {0}, {}, {1, 1}, std::vector<int64_t>(65, 1)}) {
    for (ModelInferRequest request : {Request({"a cat?"}), RawRequest({"a cat?"})}) {
      request.mutable_inputs(0)->mutable_shape()->Assign(shape.begin(), shape.end());
      ExpectRefused(request, "a shape of " + std::to_string(shape.size()) + " dimensions");
    }
  }
}

TEST(GrpcInfer, B22ElementsThatEndBehindTheirTensorAreRefused) {
  const std::string huge(
      "\xff\xff\xff\xff"
      "abc",
      7);
  for (const std::string& tensor : {huge, Element("abcd").substr(0, 7), Element("ab") + "x", std::string("abc"),
                                    std::string(), Element("a") + Element("b")}) {
    ModelInferRequest request = RawRequest({"a cat?"});
    request.set_raw_input_contents(0, tensor);
    ExpectRefused(request, tensor);
  }
}

TEST(GrpcInfer, B23NamesThatAreUnknownOrRepeatedAreRefused) {
  const auto with = [](const auto& change) {
    ModelInferRequest request = Request({"a cat?"});
    change(request);
    return request;
  };
  ExpectRefused(with([](auto& r) {
                  for (int n = 0; n < 100000; ++n) r.add_outputs()->set_name("p_yes");
                }),
                "100,000 outputs");
  ExpectRefused(with([](auto& r) { r.add_outputs()->set_name("p_yes"), r.add_outputs()->set_name("p_yes"); }), "twice");
  ExpectRefused(with([](auto& r) { r.add_outputs()->set_name("mood"); }), "an unknown output");
  ExpectRefused(with([](auto& r) { r.mutable_inputs(0)->set_name("face"); }), "an unknown input");
  ExpectRefused(with([](auto& r) { *r.add_inputs() = r.inputs(0); }), "an input twice");
  ExpectRefused(with([](auto& r) { r.clear_inputs(); }), "no input");
  ExpectRefused(with([](auto& r) { r.mutable_inputs(0)->set_datatype("FP32"); }), "another datatype");
  ExpectRefused(with([](auto& r) { r.mutable_inputs(0)->set_datatype("bytes"); }), "no datatype");
}

TEST(GrpcInfer, ContentsThatContradictEachOtherAreRefused) {
  ModelInferRequest both = Request({"a cat?"});
  both.add_raw_input_contents(Element(Image()));
  both.add_raw_input_contents(Element("a cat?"));
  ExpectRefused(both, "typed and raw");
  ModelInferRequest fewer = RawRequest({"a cat?"});
  fewer.mutable_raw_input_contents()->RemoveLast();
  ExpectRefused(fewer, "a tensor without contents");
  ModelInferRequest more = RawRequest({"a cat?"});
  more.add_raw_input_contents("x");
  ExpectRefused(more, "contents without a tensor");
  ModelInferRequest other = Request({"a cat?"});
  other.mutable_inputs(1)->mutable_contents()->add_fp32_contents(1);
  other.mutable_inputs(1)->mutable_contents()->clear_bytes_contents();
  ExpectRefused(other, "contents of another datatype");
}

TEST(GrpcInfer, BytesThatAreNoMessageAreRefused) {
  const std::string infer = "/inference.GRPCInferenceService/ModelInfer";
  for (const std::string& bytes :
       {std::string("\xff\xff\xff\xff\xff"), std::string("\x0a\x7fvqa"), std::string(1000, '\x0b'),
        std::string("\x0a\x02\xc3\x28")}) {  // ends early; groups; a name that is no UTF-8
    EXPECT_THAT(CallRaw(infer, bytes).status.error_code(),
                AnyOf(StatusCode::INVALID_ARGUMENT, StatusCode::INTERNAL, StatusCode::NOT_FOUND));
  }
}

TEST(GrpcInfer, WhatIsTooLargeIsRefused) {
  ModelInferRequest large = Request({"a cat?"});
  large.mutable_inputs(0)->mutable_contents()->set_bytes_contents(0, std::string(64U << 20U, 'x'));
  // On a connection of its own: the server may end it.
  const auto stub = inference::GRPCInferenceService::NewStub(OwnChannel());
  grpc::ClientContext context;
  inference::ModelInferResponse response;
  EXPECT_FALSE(stub->ModelInfer(&context, large, &response).ok()) << "64 MiB";
  grpc::ClientContext with_metadata;
  with_metadata.AddMetadata("x", std::string(100000, 'x'));
  inference::ServerLiveResponse live;
  EXPECT_FALSE(stub->ServerLive(&with_metadata, inference::ServerLiveRequest(), &live).ok()) << "100 kB of metadata";
}

TEST(GrpcInfer, AfterAllOfThatTheServerStillAnswers) { EXPECT_EQ(CodeOf(Request({"a cat?"})), StatusCode::OK); }

}  // namespace
}  // namespace pawsight::conformance
