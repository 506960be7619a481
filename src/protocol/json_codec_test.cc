#include "protocol/json_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "base/json.h"
#include "protocol/testing.h"

namespace pawsight::protocol {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Length;
using testing::Parse;
using testing::Request;

template <typename T>
std::vector<T> Numbers(const InputTensor& input) {
  std::vector<T> numbers(input.data.size() / sizeof(T));
  std::memcpy(numbers.data(), input.data.data(), input.data.size());
  return numbers;
}

TEST(JsonCodec, ARequestOfTheSpecificationIsReadWhole) {
  const std::string text = R"({"id":"42","parameters":{"timeout":250000,"priority":1,"who":"me"},
    "inputs":[{"name":"image","datatype":"BYTES","shape":[2],"data":["one","two"]},
              {"name":"number","datatype":"FP32","shape":[2,2],"data":[[1,2.5],[-3,4e-2]]}],
    "outputs":[{"name":"p_yes","parameters":{"binary_data":true}},{"name":"answer"}]})";
  const Result<InferRequest> request = Parse(text);
  ASSERT_TRUE(request.ok()) << request.status().ToString();
  EXPECT_EQ(request->id, "42");
  EXPECT_EQ(request->timeout, std::chrono::milliseconds(250));
  EXPECT_EQ(request->priority, 1U);
  EXPECT_EQ(std::get<std::string>(*FindParameter(request->parameters, "who")), "me");
  EXPECT_THAT(request->Find("image")->elements, ElementsAre("one", "two"));
  EXPECT_THAT(Numbers<float>(*request->Find("number")), ElementsAre(1.0F, 2.5F, -3.0F, 0.04F));
  ASSERT_EQ(request->outputs.size(), 2U);
  EXPECT_TRUE(request->outputs[0].binary);
  EXPECT_FALSE(request->outputs[1].binary);
}

TEST(JsonCodec, WhatTheRequestViewsLivesAsLongAsTheRequest) {
  Result<InferRequest> request = NotFound("none yet");
  {
    const auto body = std::make_shared<const std::string>(
        R"({"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":7}},)"
        R"({"name":"question","datatype":"BYTES","shape":[1],"data":["a cat?"]}]})" +
        Length(3) + "abc");
    const std::string header_length = std::to_string(body->size() - 7);
    request = ParseInferRequest({*body, body, header_length}, testing::VqaLike(), {});
  }
  ASSERT_TRUE(request.ok()) << request.status().ToString();
  const InferRequest copy = *request;
  EXPECT_THAT(copy.Find("image")->elements, ElementsAre("abc"));
  EXPECT_THAT(copy.Find("question")->elements, ElementsAre("a cat?"));
}

TEST(JsonCodec, BinaryTensorsAreViewsIntoTheBodyInTheOrderOfTheInputs) {
  const std::string json =
      R"({"inputs":[{"name":"image","datatype":"BYTES","shape":[2],"parameters":{"binary_data_size":11}},)"
      R"({"name":"half","datatype":"FP16","shape":[3],"parameters":{"binary_data_size":6}}],)"
      R"("parameters":{"binary_data_output":true},"outputs":[{"name":"answer"},{"name":"p_yes","parameters":{"binary_data":false}}]})";
  const std::string body = json + Length(3) + "abc" + Length(0) + "123456";
  const Result<InferRequest> request = Parse(body, std::to_string(json.size()));
  ASSERT_TRUE(request.ok()) << request.status().ToString();
  EXPECT_THAT(request->Find("image")->elements, ElementsAre("abc", ""));
  EXPECT_EQ(request->Find("image")->elements[0].data(), body.data() + json.size() + 4) << "a copy was made";
  EXPECT_EQ(request->Find("half")->data.size(), 6U);
  EXPECT_TRUE(request->outputs[0].binary);
  EXPECT_FALSE(request->outputs[1].binary);
}

TEST(JsonCodec, Base64ComesAsTheBytesItStandsFor) {
  const std::string text = Request("", R"("shape":[2],"parameters":{"content_type":"base64"},"data":["/9j/4A==",""])");
  const Result<InferRequest> request = Parse(text);
  ASSERT_TRUE(request.ok()) << request.status().ToString();
  EXPECT_THAT(request->Find("image")->elements, ElementsAre("\xff\xd8\xff\xe0", ""));
  EXPECT_THAT(
      Parse(Request("", R"("shape":[1],"parameters":{"content_type":"base64"},"data":["/9j"])")).status().message(),
      HasSubstr("inputs[0]: data: element 0: base64"));
  EXPECT_FALSE(Parse(Request("", R"("shape":[1],"parameters":{"content_type":"gif"},"data":["x"])")).ok());
}

TEST(JsonCodec, ARawRequestIsTheOnlyInputThatIsWanted) {
  const ModelMetadata one{"caption", {"1"}, "", {{"image", Datatype::kBytes, {-1}}}, {}};
  const Result<InferRequest> request = ParseInferRequest({"\xff\xd8", nullptr, "0"}, one, {});
  ASSERT_TRUE(request.ok()) << request.status().ToString();
  EXPECT_THAT(request->Find("image")->elements, ElementsAre("\xff\xd8"));
  EXPECT_THAT(request->Find("image")->shape, ElementsAre(1));
  EXPECT_TRUE(request->binary_outputs);
  ModelMetadata two = one;
  two.inputs.push_back({"question", Datatype::kBytes, {-1}});
  EXPECT_EQ(ParseInferRequest({"xx", nullptr, "0"}, two, {}).status().reason(), "raw_impossible");
  ModelMetadata more = one;
  more.inputs.insert(more.inputs.begin(), {"prompt", Datatype::kBytes, {-1}, true});
  const Result<InferRequest> without = ParseInferRequest({"\xff\xd8", nullptr, "0"}, more, {});
  ASSERT_TRUE(without.ok()) << "an input that may be left out is left out: " << without.status().ToString();
  EXPECT_EQ(without->inputs.front().name, "image");

  const ModelMetadata numbers{"n", {"1"}, "", {{"x", Datatype::kFp32, {-1, 3}}}, {}};
  const std::string bytes(24, '\0');
  EXPECT_THAT(ParseInferRequest({bytes, nullptr, "0"}, numbers, {})->Find("x")->shape, ElementsAre(2, 3));
  EXPECT_FALSE(ParseInferRequest({std::string_view(bytes).substr(1), nullptr, "0"}, numbers, {}).ok());
  EXPECT_FALSE(ParseInferRequest({"", nullptr, "0"}, numbers, {}).ok());
}

TEST(JsonCodec, B18JsonThatIsNotPlainAndBoundedIsRefused) {
  const std::string good = Request("");
  ASSERT_TRUE(Parse(good).ok()) << Parse(good).status().ToString();
  std::string many = Request("");
  many.insert(1, "\"x\":[");
  std::string values;
  for (int i = 0; i < 200000; ++i) values += "0,";
  many.insert(6, values + "0],");
  const std::vector<std::string> bad = {"",
                                        "{",
                                        "[]",
                                        "null",
                                        "7",
                                        "\xef\xbb\xbf" + good,
                                        good + ",",
                                        good + "{}",
                                        std::string("{\0\"\0", 4),
                                        std::string(250000, '['),
                                        Request("\"x\":NaN"),
                                        Request("\"x\":1e999"),
                                        Request("\"id\":\"a\",\"id\":\"a\""),
                                        Request("", R"("shape":[1],"data":["x",])"),
                                        Request("\"x\":" + std::string(17, '[') + std::string(17, ']')),
                                        many};
  for (const std::string& text : bad) EXPECT_FALSE(Parse(text).ok()) << text.substr(0, 80);
  EXPECT_EQ(Parse(many).status().code(), StatusCode::kInvalidArgument) << "to try again is no use";
}

TEST(JsonCodec, B19TextThatIsNoUtf8OrHoldsNulIsRefused) {
  for (const std::string& text : {std::string("\xff"), std::string("\xc0\xaf"), std::string("\\ud800"),
                                  std::string("a\0b", 3), std::string("a\\u0000b")}) {
    EXPECT_FALSE(Parse(Request("", R"("shape":[1],"data":[")" + text + "\"]")).ok()) << text;
    EXPECT_FALSE(Parse(Request("\"id\":\"" + text + "\"")).ok()) << text;
  }
}

TEST(JsonCodec, B20ShapesThatDoNotMultiplyOrDoNotMatchTheDataAreRefused) {
  const std::vector<std::string> bad = {R"("shape":[16,1152921504606846978],"data":["x"])",
                                        R"("shape":[-1],"data":["x"])",
                                        R"("shape":[0],"data":[])",
                                        R"("shape":[1,1,1,1,1,1,1,1,1],"data":["x"])",
                                        R"("shape":[2],"data":["x"])",
                                        R"("shape":[1],"data":["x","y"])",
                                        R"("shape":[1],"data":"x")",
                                        R"("shape":[1],"data":[["x"]])",
                                        R"("shape":[2,2],"data":[["a","b"],["c"]])",
                                        R"("shape":[2,2],"data":[["a","b"],"c"])",
                                        R"("shape":[2,2],"data":[["a","b"],["c",["d"]]])",
                                        R"("shape":[2,2],"data":["a","b","c",["d"]])",
                                        R"("shape":[1.5],"data":["x"])",
                                        R"("shape":["1"],"data":["x"])",
                                        R"("shape":1,"data":["x"])",
                                        R"("data":["x"])",
                                        R"("shape":[4000000000],"data":["x"])",
                                        R"("shape":[1])",
                                        R"("shape":[1],"data":["x"],"parameters":{"binary_data_size":1})",
                                        R"("shape":[1],"data":[7])"};
  for (const std::string& input : bad) EXPECT_FALSE(Parse(Request("", input)).ok()) << input;
  EXPECT_TRUE(Parse(Request("", R"("shape":[],"data":["x"])")).ok()) << "no dimensions, one element";
  EXPECT_TRUE(Parse(Request("", R"("shape":[2,2],"data":["a","b","c","d"])")).ok()) << "flat";
  EXPECT_EQ(Parse(Request("", R"("shape":[2000000],"data":["x"])")).status().reason(), "too_many_elements");
}

TEST(JsonCodec, B21AHeaderLengthThatIsNoLengthOfThisBodyIsRefused) {
  const std::string text = Request("");
  for (const char* length : {"99999999999", "-1", "+5", "0x10", "", " 5", "5 ", "1e3", "18446744073709551617"}) {
    EXPECT_EQ(Parse(text, length).status().reason(), "header_length_invalid") << length;
  }
  EXPECT_EQ(Parse(text, std::to_string(text.size() + 1)).status().reason(), "header_length_invalid");
  EXPECT_TRUE(Parse(text, std::to_string(text.size())).ok());
  EXPECT_FALSE(Parse("\xff\xd8 raw", "4").ok()) << "a length with raw bytes";
  EXPECT_EQ(Parse(text + "rest", std::to_string(text.size())).status().reason(), "bytes_left_over");
}

TEST(JsonCodec, B22BytesElementsThatEndBehindTheDataAreRefused) {
  const auto parse = [](const std::string& tensor, const std::string& size) {
    const std::string json = Request("", R"("shape":[1],"parameters":{"binary_data_size":)" + size + "}");
    return Parse(json + tensor, std::to_string(json.size())).status();
  };
  EXPECT_TRUE(parse(Length(3) + "abc", "7").ok());
  EXPECT_EQ(parse(Length(0xFFFFFFFF) + "abc", "7").reason(), "bytes_truncated");
  EXPECT_EQ(parse(Length(4) + "abc", "7").reason(), "bytes_truncated");
  EXPECT_EQ(parse(Length(2) + "abc", "7").reason(), "bytes_left_over");
  EXPECT_EQ(parse("abc", "3").reason(), "bytes_truncated");
  EXPECT_EQ(parse(Length(3) + "abc", "8").reason(), "bytes_truncated");
  EXPECT_EQ(parse(Length(3) + "abc", "6").reason(), "bytes_truncated");
  EXPECT_EQ(parse(Length(3) + "abc", "-7").reason(), "field_invalid");
  EXPECT_EQ(parse(Length(3) + "abc", "9223372036854775807").reason(), "bytes_truncated");
}

TEST(JsonCodec, B23TooManyRepeatedAndUnknownNamesAreRefused) {
  std::string many = "\"outputs\":[";
  for (int i = 0; i < 100000; ++i) many += R"({"name":"answer"},)";
  many.back() = ']';
  EXPECT_FALSE(Parse(Request(many)).ok());
  EXPECT_EQ(Parse(Request(R"("outputs":[{"name":"answer"},{"name":"answer"}])")).status().reason(), "name_twice");
  EXPECT_EQ(Parse(Request(R"("outputs":[{"name":"mood"}])")).status().reason(), "output_unknown");
  EXPECT_EQ(Parse(R"({"inputs":[{"name":"face","datatype":"BYTES","shape":[1],"data":["x"]}]})").status().reason(),
            "input_unknown");
  EXPECT_EQ(Parse(R"({"inputs":[{"name":"image","datatype":"FP32","shape":[1],"data":[1]}]})").status().reason(),
            "datatype_wrong");
  EXPECT_EQ(Parse(R"({"inputs":[{"name":"image","datatype":"JPEG","shape":[1],"data":[1]}]})").status().reason(),
            "datatype_unknown");
  EXPECT_EQ(Parse(R"({"inputs":[{"name":"question","datatype":"BYTES","shape":[1],"data":["x"]}]})").status().reason(),
            "input_missing");
  const std::string image = R"({"name":"image","datatype":"BYTES","shape":[1],"data":["x"]})";
  EXPECT_EQ(Parse("{\"inputs\":[" + image + "," + image + "]}").status().reason(), "name_twice");
  for (const char* inputs : {"{\"inputs\":[]}", "{}", "{\"inputs\":{}}", "{\"inputs\":[7]}"})
    EXPECT_FALSE(Parse(inputs).ok()) << inputs;
}

TEST(JsonCodec, NumbersFitTheirDatatypeExactlyOrAreRefused) {
  const auto parse = [](const std::string& datatype, const std::string& name, const std::string& data) {
    return Parse(Request("").substr(0, Request("").size() - 2) + R"(,{"name":")" + name + R"(","datatype":")" +
                 datatype + R"(","shape":[1],"data":[)" + data + "]}]}");
  };
  EXPECT_TRUE(parse("INT8", "tiny", "-128").ok());
  EXPECT_TRUE(parse("INT8", "tiny", "127").ok());
  EXPECT_TRUE(parse("UINT64", "huge", "9223372036854775807").ok());
  EXPECT_TRUE(parse("BOOL", "flag", "true").ok());
  for (const char* data : {"128", "-129", "1.0", "1e2", "true", "\"1\"", "null"})
    EXPECT_FALSE(parse("INT8", "tiny", data).ok()) << data;
  for (const char* data : {"-1", "18446744073709551615"}) EXPECT_FALSE(parse("UINT64", "huge", data).ok()) << data;
  for (const char* data : {"1", "0", "\"true\""}) EXPECT_FALSE(parse("BOOL", "flag", data).ok()) << data;
  for (const char* data : {"1e39", "\"1\"", "true"}) EXPECT_FALSE(parse("FP32", "number", data).ok()) << data;
  EXPECT_FALSE(parse("FP16", "half", "1").ok());
}

TEST(JsonCodec, ScheduleParametersAreCheckedAndClamped) {
  EXPECT_EQ(Parse(Request(R"("parameters":{"timeout":0})"))->timeout, std::nullopt);
  EXPECT_EQ(Parse(Request(R"("parameters":{"timeout":1000000000000})"))->timeout, InferLimits{}.max_timeout);
  for (const char* bad : {R"({"timeout":-1})", R"({"timeout":"5"})", R"({"timeout":1.5})", R"({"priority":-1})", "7",
                          R"({"x":{}})", R"({"x":[]})", R"({"binary_data_output":1})"}) {
    EXPECT_FALSE(Parse(Request("\"parameters\":" + std::string(bad))).ok()) << bad;
  }
  EXPECT_TRUE(Parse(Request(R"("parameters":null,"outputs":null,"id":null,"other":{"a":1})")).ok());
  EXPECT_EQ(Parse(Request(R"("outputs":[{"name":"answer","parameters":{"classification":3}}])")).status().reason(),
            "extension_unknown");
}

InferResponse Response() {
  InferResponse response{"vqa", "1", {{"shared", true}}, {}};
  response.outputs.push_back(BytesOutput("answer", {2}, {"ye\"s", "no"}));
  const float p_yes[] = {0.1F, 0.25F};
  response.outputs.push_back(Fp32Output("p_yes", {2}, p_yes));
  return response;
}

TEST(JsonCodec, AResponseIsJsonUnlessBinaryIsAskedFor) {
  const std::string text = Request(R"("id":"a\"b")");
  const Result<EncodedResponse> encoded = EncodeInferResponse(*Parse(text), Response());
  ASSERT_TRUE(encoded.ok());
  EXPECT_EQ(encoded->json_bytes, std::nullopt);
  EXPECT_EQ(encoded->body,
            R"({"model_name":"vqa","model_version":"1","id":"a\"b","parameters":{"shared":true},"outputs":[)"
            R"({"name":"answer","datatype":"BYTES","shape":[2],"data":["ye\"s","no"]},)"
            R"({"name":"p_yes","datatype":"FP32","shape":[2],"data":[0.1,0.25]}]})");
}

TEST(JsonCodec, BinaryOutputsFollowTheJsonInTheOrderAskedFor) {
  const std::string text = Request(R"("outputs":[{"name":"p_yes","parameters":{"binary_data":true}},
    {"name":"answer","parameters":{"binary_data":true}}])");
  const Result<EncodedResponse> encoded = EncodeInferResponse(*Parse(text), Response());
  ASSERT_TRUE(encoded.ok());
  ASSERT_TRUE(encoded->json_bytes.has_value());
  const std::string head = encoded->body.substr(0, *encoded->json_bytes);
  EXPECT_THAT(
      head,
      HasSubstr(
          R"({"name":"p_yes","datatype":"FP32","shape":[2],"parameters":{"binary_data_size":8}},{"name":"answer")"));
  EXPECT_TRUE(Json::Parse(head).ok());
  EXPECT_EQ(encoded->body.substr(*encoded->json_bytes + 8), Length(4) + "ye\"s" + Length(2) + "no");
}

TEST(JsonCodec, AnOutputThatTheModelDidNotGiveIsItsFault) {
  const Result<EncodedResponse> encoded =
      EncodeInferResponse(*Parse(Request(R"("outputs":[{"name":"p_yes"}])")), InferResponse{"vqa", "1", {}, {}});
  EXPECT_EQ(encoded.status().code(), StatusCode::kInternal);
}

}  // namespace
}  // namespace pawsight::protocol
