#include "protocol/json_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "protocol/testing.h"

namespace pawsight::protocol {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

InferRequest Asking(std::string_view image, std::vector<std::string_view> questions) {
  InferRequest request;
  request.model = "vqa";
  request.inputs.push_back({"image", Datatype::kBytes, {1}, {}, {}, {image}});
  const auto count = static_cast<int64_t>(questions.size());
  request.inputs.push_back({"question", Datatype::kBytes, {count}, {}, {}, std::move(questions)});
  request.outputs = {{"answer", {}, true}, {"p_yes", {}, true}};
  return request;
}

Result<InferResponse> Read(std::string_view body, std::optional<std::string_view> header_length = std::nullopt) {
  return ParseInferResponse({body, nullptr, header_length}, {});
}

TEST(JsonClient, WhatIsAskedIsWhatTheServerReads) {
  InferRequest request = Asking(std::string_view("\xFF\xD8\0jpeg", 7), {"a cat?", "ein Hund \"\xC3\xBC\"?"});
  request.id = "frm_1";
  request.timeout = std::chrono::milliseconds(250);
  request.priority = 1;
  const EncodedResponse encoded = EncodeInferRequest(request);
  const std::string header = std::to_string(encoded.json_bytes.value());
  const Result<InferRequest> read = testing::Parse(encoded.body, header);
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(read->id, "frm_1");
  EXPECT_EQ(read->timeout, std::chrono::milliseconds(250));
  EXPECT_EQ(read->priority, 1U);
  EXPECT_THAT(read->Find("image")->elements, ElementsAre(std::string_view("\xFF\xD8\0jpeg", 7)));
  EXPECT_THAT(read->Find("question")->elements, ElementsAre("a cat?", "ein Hund \"\xC3\xBC\"?"));
  EXPECT_TRUE(read->outputs[0].binary && read->outputs[1].binary);
}

TEST(JsonClient, WhatTheServerAnswersIsWhatIsRead) {
  const float p_yes[] = {0.25F, NAN};
  const InferResponse answer{
      "vqa",
      "7",
      {{"warning", std::string("w")}},
      {BytesOutput("answer", {1, 2}, {"yes", std::string("n\0o", 3)}), Fp32Output("p_yes", {1, 2}, p_yes)}};
  const Result<EncodedResponse> encoded = EncodeInferResponse(Asking("x", {"a?", "b?"}), answer);
  ASSERT_TRUE(encoded.ok());
  const Result<InferResponse> read = Read(encoded->body, std::to_string(encoded->json_bytes.value()));
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(read->version, "7");
  EXPECT_EQ(std::get<std::string>(*FindParameter(read->parameters, "warning")), "w");
  EXPECT_THAT(read->outputs[0].elements, ElementsAre("yes", std::string("n\0o", 3)));
  EXPECT_THAT(read->outputs[1].shape, ElementsAre(1, 2));
  float numbers[2];
  ASSERT_EQ(read->outputs[1].data.size(), sizeof numbers);
  std::memcpy(numbers, read->outputs[1].data.data(), sizeof numbers);
  EXPECT_EQ(numbers[0], 0.25F);
  EXPECT_TRUE(std::isnan(numbers[1]));
}

TEST(JsonClient, AnAnswerInJsonIsRead) {
  const Result<InferResponse> read = Read(
      R"({"model_name":"vqa","model_version":null,"outputs":[{"name":"p_yes","datatype":"FP32","shape":[2],"data":[0.5,1]}]})");
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(read->outputs[0].data.size(), 8U);
  EXPECT_EQ(read->version, "");
}

TEST(JsonClient, AServersNonsenseIsRefusedWithItsPlace) {
  const auto why = [](std::string_view body, std::optional<std::string_view> header = std::nullopt) {
    const Result<InferResponse> read = Read(body, header);
    return read.ok() ? std::string("read") : read.status().message();
  };
  EXPECT_THAT(why(""), HasSubstr("line 1"));
  EXPECT_EQ(why("[]"), "want a JSON object");
  EXPECT_THAT(why("{}"), HasSubstr("outputs: missing"));
  EXPECT_THAT(why(R"({"outputs":[{"name":"a"}]})"), HasSubstr("outputs[0]: datatype: missing"));
  EXPECT_THAT(why(R"({"outputs":[{"name":"a","datatype":"FP32","shape":[2],"data":[1]}]})"), HasSubstr("1 elements"));
  EXPECT_THAT(why(R"({"outputs":[{"name":"a","datatype":"FP32","shape":[-1],"data":[]}]})"), HasSubstr("shape"));
  EXPECT_THAT(why(R"({"outputs":[{"name":"a","datatype":"FP32","shape":[4611686018427387904,4],"data":[1]}]})"),
              HasSubstr("shape"));
  const std::string one = R"({"name":"a","datatype":"BYTES","shape":[1],"data":["x"]})";
  EXPECT_THAT(why(R"({"outputs":[)" + one + "," + one + "]}"), HasSubstr("stands twice"));
  EXPECT_THAT(why(R"({"outputs":[]})", "99"), HasSubstr("Inference-Header-Content-Length"));
  EXPECT_THAT(why(R"({"outputs":[]}xx)", "14"), HasSubstr("2 bytes behind the JSON"));
  const std::string short_of =
      R"({"outputs":[{"name":"a","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":9}}]})";
  EXPECT_THAT(why(short_of, std::to_string(short_of.size())), HasSubstr("0 bytes are left"));
  EXPECT_THAT(why(R"({"model_name":7,"outputs":[]})"), HasSubstr("model_name: want a string"));
}

TEST(JsonClient, MetadataIsRead) {
  const Result<ModelMetadata> read = ParseModelMetadata(
      R"({"name":"vqa","versions":["1","2"],"platform":"p","inputs":[{"name":"image","datatype":"BYTES","shape":[-1]}],"outputs":[]})",
      {});
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_THAT(read->versions, ElementsAre("1", "2"));
  EXPECT_THAT(read->inputs[0].shape, ElementsAre(-1));
  EXPECT_FALSE(ParseModelMetadata(R"({"name":"vqa","inputs":[{"name":"i"}],"outputs":[]})", {}).ok());
}

TEST(JsonClient, AnErrorsTextIsShortAndPlain) {
  EXPECT_EQ(ParseError(R"({"error":"the queue is full"})").text, "the queue is full");
  EXPECT_EQ(ParseError(R"({"error":"a\nb\u0007c"})").text, "a b c");
  EXPECT_EQ(ParseError(R"({"error":")" + std::string(1000, 'x') + "\"}").text.size(), 256U);
  EXPECT_EQ(ParseError("<html>502 Bad Gateway</html>").text, "");
  EXPECT_EQ(ParseError(R"({"error":7})").text, "");
  EXPECT_EQ(ParseError("[1]").text, "");
}

TEST(JsonClient, AnErrorsReasonIsAWordOrNothing) {
  EXPECT_EQ(ParseError(R"({"error":"full","code":"queue_full"})").reason, "queue_full");
  const ErrorText problem =
      ParseError(R"({"title":"Conflict","status":409,"code":"duplicate_frame","detail":"it came before"})");
  EXPECT_EQ(problem.reason, "duplicate_frame");
  EXPECT_EQ(problem.text, "it came before");
  for (const char* body : {R"({"error":"full"})", R"({"code":429})", R"({"code":"Queue full"})", R"({"code":""})",
                           R"({"code":"4xx"})", R"({"code":"a\nb"})"}) {
    EXPECT_EQ(ParseError(body).reason, "") << body;
  }
  EXPECT_EQ(ReadReason(std::string(64, 'x')), std::string(64, 'x'));
  EXPECT_EQ(ReadReason(std::string(65, 'x')), "");
}

}  // namespace
}  // namespace pawsight::protocol
