#include "rpc/proto_codec.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <string>

#include "open_inference.pb.h"

namespace pawsight::rpc {
namespace {

protocol::ModelMetadata Numbers() {
  return {"numbers",
          {"1"},
          "test",
          {{"image", protocol::Datatype::kBytes, {-1}, true},
           {"small", protocol::Datatype::kInt8, {-1}, true},
           {"flag", protocol::Datatype::kBool, {-1}, true},
           {"wide", protocol::Datatype::kUint64, {-1}, true},
           {"half", protocol::Datatype::kFp16, {-1}, true},
           {"real", protocol::Datatype::kFp32, {-1, -1}, true}},
          {{"answer", protocol::Datatype::kBytes, {-1}}, {"p", protocol::Datatype::kFp32, {-1}}}};
}

inference::ModelInferRequest::InferInputTensor* AddInput(inference::ModelInferRequest* request, const std::string& name,
                                                         const std::string& datatype, std::vector<int64_t> shape) {
  auto* input = request->add_inputs();
  input->set_name(name);
  input->set_datatype(datatype);
  for (const int64_t dim : shape) input->add_shape(dim);
  return input;
}

Result<protocol::InferRequest> Read(const inference::ModelInferRequest& request,
                                    const protocol::InferLimits& limits = {}) {
  return FromProto(std::make_shared<const inference::ModelInferRequest>(request), Numbers(), limits);
}

protocol::InferResponse Answered() {
  protocol::InferResponse response{"numbers", "1", {}, {}};
  const float p = 0.25F;
  response.outputs.push_back(protocol::BytesOutput("answer", {1}, {"yes"}));
  response.outputs.push_back(protocol::Fp32Output("p", {1}, {&p, 1}));
  return response;
}

TEST(ProtoCodec, TypedContentsArriveAsThePackedElementsOfTheirDatatype) {
  inference::ModelInferRequest message;
  message.set_model_name("numbers");
  message.set_id("42");
  (*message.mutable_parameters())["timeout"].set_int64_param(5000);
  AddInput(&message, "image", "BYTES", {2})->mutable_contents()->add_bytes_contents("one");
  message.mutable_inputs(0)->mutable_contents()->add_bytes_contents(std::string("\0\xff", 2));
  auto* small = AddInput(&message, "small", "INT8", {3})->mutable_contents();
  for (const int value : {-128, 0, 127}) small->add_int_contents(value);
  auto* real = AddInput(&message, "real", "FP32", {1, 2})->mutable_contents();
  for (const float value : {0.5F, -1.0F}) real->add_fp32_contents(value);
  const auto request = Read(message);
  ASSERT_TRUE(request.ok()) << request.status().ToString();
  EXPECT_EQ(request->id, "42");
  EXPECT_EQ(request->timeout, std::chrono::milliseconds(5));
  EXPECT_FALSE(request->binary_outputs);
  EXPECT_EQ(request->Find("image")->elements, (std::vector<std::string_view>{"one", std::string_view("\0\xff", 2)}));
  ASSERT_EQ(request->Find("small")->data.size(), 3U);
  EXPECT_EQ(std::to_integer<int>(request->Find("small")->data[0]), 0x80);
  float first = 0;
  std::memcpy(&first, request->Find("real")->data.data(), sizeof first);
  EXPECT_EQ(first, 0.5F);
}

TEST(ProtoCodec, RawContentsAreViewedNotCopiedAndAskForRawOutputs) {
  auto message = std::make_shared<inference::ModelInferRequest>();
  AddInput(message.get(), "image", "BYTES", {1});
  message->add_raw_input_contents(std::string("\x03\0\0\0abc", 7));
  const std::string& stored = message->raw_input_contents(0);
  const auto request = FromProto(message, Numbers(), {});
  ASSERT_TRUE(request.ok()) << request.status().ToString();
  EXPECT_EQ(request->Find("image")->elements.at(0).data(), stored.data() + 4);
  EXPECT_TRUE(request->binary_outputs);

  inference::ModelInferResponse out;
  ASSERT_TRUE(ToProto(*request, Answered(), &out).ok());
  ASSERT_EQ(out.raw_output_contents_size(), 2);
  EXPECT_EQ(out.raw_output_contents(0), std::string("\x03\0\0\0yes", 7));
  EXPECT_FALSE(out.outputs(0).has_contents());
}

TEST(ProtoCodec, OnlyTheOutputsAskedForAreGivenInTheirOrder) {
  inference::ModelInferRequest message;
  AddInput(&message, "flag", "BOOL", {1})->mutable_contents()->add_bool_contents(true);
  message.add_outputs()->set_name("p");
  const auto request = Read(message);
  ASSERT_TRUE(request.ok()) << request.status().ToString();
  inference::ModelInferResponse out;
  ASSERT_TRUE(ToProto(*request, Answered(), &out).ok());
  ASSERT_EQ(out.outputs_size(), 1);
  EXPECT_EQ(out.outputs(0).contents().fp32_contents(0), 0.25F);
  EXPECT_EQ(out.raw_output_contents_size(), 0);
}

TEST(ProtoCodec, WhatDoesNotFitIsRefusedByName) {
  const auto refused = [](auto&& change, const std::string& part) {
    inference::ModelInferRequest message;
    AddInput(&message, "small", "INT8", {2})->mutable_contents()->add_int_contents(1);
    message.mutable_inputs(0)->mutable_contents()->add_int_contents(2);
    ASSERT_TRUE(Read(message).ok());
    change(&message);
    const auto request = Read(message);
    ASSERT_FALSE(request.ok()) << part;
    EXPECT_EQ(request.status().code(), StatusCode::kInvalidArgument);
    EXPECT_NE(request.status().message().find(part), std::string::npos) << request.status().message();
  };
  using Message = inference::ModelInferRequest*;
  refused([](Message m) { m->mutable_inputs(0)->mutable_contents()->add_int_contents(3); }, "wants 2 elements");
  refused([](Message m) { m->mutable_inputs(0)->mutable_contents()->set_int_contents(0, 128); },
          "128 does not fit INT8");
  refused([](Message m) { m->mutable_inputs(0)->mutable_contents()->add_fp32_contents(1); }, "contents of INT8");
  refused([](Message m) { m->add_raw_input_contents("ab"); }, "beside raw_input_contents");
  refused([](Message m) { m->mutable_inputs(0)->set_shape(0, -1); }, "dimension");
  refused([](Message m) { m->mutable_inputs(0)->set_datatype("INT9"); }, "small");
  refused([](Message m) { m->mutable_inputs(0)->set_name("other"); }, "no such input");
  refused([](Message m) { m->add_outputs()->set_name("other"); }, "no such output");
  refused([](Message m) { AddInput(m, "half", "FP16", {1}); }, "contents of FP16");
  refused([](Message m) { (*m->mutable_parameters())["priority"].set_string_param("high"); }, "priority");
  refused([](Message m) { (*m->mutable_parameters())["x"].set_uint64_param(std::numeric_limits<uint64_t>::max()); },
          "parameters.x");
  refused(
      [](Message m) {
        for (int i = 0; i < 20; ++i) m->add_outputs()->set_name("p");
      },
      "outputs");
}

TEST(ProtoCodec, AModelsConfigurationNamesItsTypesAsClientsKnowThem) {
  inference::ModelConfigResponse out;
  ToProto(Numbers(), {.backend = "pawsight", .max_queue_delay = std::chrono::milliseconds(2)}, &out);
  EXPECT_EQ(out.config().input(0).data_type(), inference::TYPE_STRING);
  EXPECT_EQ(out.config().input(4).data_type(), inference::TYPE_FP16);
  EXPECT_EQ(out.config().output(1).data_type(), inference::TYPE_FP32);
  EXPECT_EQ(out.config().dynamic_batching().max_queue_delay_microseconds(), 2000U);
}

}  // namespace
}  // namespace pawsight::rpc
